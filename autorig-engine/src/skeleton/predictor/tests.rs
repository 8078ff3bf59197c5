use safetensors::SafeTensors;

use super::{
    cloud::{Cloud, Patches},
    net::{Net, Tokens},
    *,
};
use crate::analyse::surface::SurfacePoint;

/// Inputs and outputs of the trained networks as their reference implementation computes them, in the network's unit.
static VECTORS: &[u8] = include_bytes!("../../../tests/data/predictor_vectors.safetensors");

/// One tensor of the reference, if the file has it.
fn reference(name: &str) -> Option<Vec<f32>> {
    let file = SafeTensors::deserialize(VECTORS).unwrap();
    let tensor = file.tensor(name).ok()?;
    assert_eq!(tensor.dtype(), safetensors::Dtype::F32, "{name}");
    Some(tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

fn cloud(name: &str, patches: Patches) -> Cloud {
    let points = reference(name).unwrap();
    let vector = |v: &[f32]| DVec3::new(v[0].into(), v[1].into(), v[2].into());
    let points: Vec<SurfacePoint> =
        points.chunks_exact(6).map(|p| SurfacePoint::new(vector(&p[..3]), vector(&p[3..]))).collect();
    Cloud::as_given(&points, patches)
}

fn assert_close(what: &str, got: &[f32]) {
    let expected = reference(what).unwrap();
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(&expected) {
        assert!((got - expected).abs() < 1e-3, "{what}: {got} instead of {expected}");
    }
}

/// Both stages, and what both networks have in common.
fn run(net: &Net, kind: &str, patches: Patches) -> Tokens {
    let cloud = cloud(&format!("{kind}.points"), patches);
    let tokens = net.tokens(&cloud);
    assert_close(&format!("{kind}.first"), tokens.joints.as_flattened());
    let refined = net.refine(&cloud, &tokens);
    assert_close(&format!("{kind}.joints"), refined.joints.as_flattened());
    assert_close(&format!("{kind}.log_error"), &refined.log_error.unwrap());
    tokens
}

#[test]
fn the_body_network_agrees_with_the_reference_implementation() {
    let tokens = run(net(), "body", Patches::BODY);
    assert_close("body.front_up", &net().front_up(&tokens));
    let mut class = net().class(&tokens).unwrap();
    tensor::softmax(&mut class);
    assert_close("body.class", &class);
}

#[test]
fn the_hand_network_agrees_with_the_reference_implementation() {
    let net = hand::net();
    let tokens = run(net, "hand", Patches::HAND);
    let presence = net.class(&tokens).unwrap().map(|l| 1.0 / (1.0 + libm::expf(-l)));
    assert_close("hand.presence", &presence);
}

#[test]
fn mirroring_twice_is_nothing() {
    for j in 0..JOINTS {
        assert_eq!(mirrored(mirrored(j)), j);
        let name = NAMES[j].replace("left", "@").replace("right", "left").replace('@', "right");
        assert_eq!(NAMES[mirrored(j)], name);
    }
}

#[test]
fn a_broken_parameter_file_is_an_error_and_no_panic() {
    assert!(Net::read(&[], "body", JOINTS).is_err());
    assert!(Net::read(&BODY[..BODY.len() / 2], "body", JOINTS).is_err());
    let message = Net::read(BODY, "hand", JOINTS).err().unwrap().message;
    assert!(message.contains("hand"), "{message}");
    assert!(Net::read(BODY, "body", JOINTS + 1).is_err());
}

#[test]
fn a_mirrored_cloud_gives_mirrored_joints_and_the_same_doubt() {
    let cloud = cloud("body.points", Patches::BODY);
    let (here, there) = (predict(std::slice::from_ref(&cloud)), predict(&[cloud.mirrored()]));
    for (j, name) in NAMES.iter().enumerate() {
        let back = there.joints[mirrored(j)] * DVec3::new(-1.0, 1.0, 1.0);
        assert!(here.joints[j].distance(back) < 1e-6, "{name}");
        assert!((here.spread[j] - there.spread[mirrored(j)]).abs() < 1e-6, "{name}");
    }
}
