use std::{fs, io::Read, path::PathBuf};

use super::*;

/// Reference inputs and outputs of every stage, when the benchmark data are at hand.
fn vectors() -> Option<zip::ZipArchive<fs::File>> {
    let path = std::env::var_os("AUTORIG_PROTOTYPE")
        .map_or_else(|| PathBuf::from("../../shared/prototype"), PathBuf::from)
        .join("vectors.npz");
    let Ok(file) = fs::File::open(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    Some(zip::ZipArchive::new(file).unwrap())
}

/// The data of one array of an npz, after the npy header (NumPy format 1.0).
fn array(zip: &mut zip::ZipArchive<fs::File>, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    zip.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
    let header = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    bytes.split_off(10 + header)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn integers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u16).collect()
}

fn assert_close(got: &[[f32; 3]], expected: &[f32], what: &str) {
    for (got, expected) in got.as_flattened().iter().zip(expected) {
        assert!((got - expected).abs() < 1e-3, "{what}: {got} instead of {expected}");
    }
}

#[test]
fn every_stage_agrees_with_the_reference_implementation() {
    let Some(mut zip) = vectors() else { return };
    for case in ["qmen_suit", "kaykit_mage", "posed_mh_walk", "vrm_example", "m2m_human"] {
        let mut get = |name: &str| array(&mut zip, &format!("{case}.{name}"));
        let points: Vec<[f32; 6]> =
            floats(&get("points")).chunks_exact(6).map(|p| p.try_into().unwrap()).collect();
        let centres = integers(&get("patch_centre_index"));
        let neighbours: Vec<[u16; NEIGHBOURS]> = integers(&get("patch_neighbours"))
            .chunks_exact(NEIGHBOURS)
            .map(|n| n.try_into().unwrap())
            .collect();

        let (own_centres, own_neighbours) = patches(&points);
        assert_eq!(own_centres, centres, "{case}: patch centres");
        for (own, reference) in own_neighbours.iter().zip(&neighbours) {
            let (mut own, mut reference) = (own.to_vec(), reference.to_vec());
            own.sort_unstable();
            reference.sort_unstable();
            assert_eq!(own, reference, "{case}: patch neighbours");
        }

        let cloud = Cloud { points, centres, neighbours, centroid: DVec3::ZERO, scale: 1.0 };
        let mut tokens = net().tokens(&cloud);
        let first = floats(&get("joints_stage1"));
        assert_close(&tokens.joints, &first, &format!("{case} first stage"));
        // The second stage chooses points around the joints, so each stage is given the reference's own input.
        for (joint, first) in tokens.joints.iter_mut().zip(first.chunks_exact(3)) {
            joint.copy_from_slice(first);
        }
        assert_close(
            &net().refine(&cloud, &tokens),
            &floats(&get("joints")),
            &format!("{case} second stage"),
        );
        for (got, expected) in tokens.front_up.iter().zip(floats(&get("front_up"))) {
            assert!((got - expected).abs() < 1e-3, "{case}: front and up");
        }
    }
}

#[test]
fn mirroring_twice_is_nothing() {
    for j in 0..JOINTS {
        assert_eq!(mirrored(mirrored(j)), j);
        let name = NAMES[j].replace("left", "@").replace("right", "left").replace('@', "right");
        assert_eq!(NAMES[mirrored(j)], name);
    }
}
