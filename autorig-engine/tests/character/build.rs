//! Small skinned scenes made to order.

use autorig_engine::scene::{
    Channel, ChannelValues, Influences, Mesh, Node, NodeClip, Primitive, Scene, Skin,
};
use glam::{DMat4, DQuat, DVec3};

/// A strip of triangles along +X, two vertices at each of `0..=count`, half a unit apart.
pub(crate) fn strip(count: usize) -> Primitive {
    let at = |i: usize, y: f32| [i as f32 * 0.5, y, 0.0];
    let positions = (0..=count).flat_map(|i| [at(i, -0.1), at(i, 0.1)]).collect();
    let quad = |i: u32| [2 * i, 2 * i + 2, 2 * i + 1, 2 * i + 1, 2 * i + 2, 2 * i + 3];
    let normals = Some(vec![[0.0, 0.0, 1.0]; 2 * (count + 1)]);
    Primitive {
        positions,
        normals,
        indices: (0..count as u32).flat_map(quad).collect(),
        ..Primitive::default()
    }
}

/// Weights of a strip that go over from joint to joint.
pub(crate) fn strip_weights(count: usize, joints: u16) -> Influences {
    let mut out = Influences { per_vertex: 2, ..Influences::default() };
    for i in 0..=count {
        let along = i as f32 * 0.5;
        let joint = (along.floor() as u16).min(joints - 1);
        let next = (joint + 1).min(joints - 1);
        let share = if next == joint { 0.0 } else { along.fract() };
        for _ in 0..2 {
            out.joints.extend([joint, next]);
            out.weights.extend([1.0 - share, share]);
        }
    }
    out
}

pub(crate) fn node(name: &str, local: DMat4, children: &[usize]) -> Node {
    Node { name: name.to_owned(), local, children: children.to_vec(), ..Node::default() }
}

pub(crate) fn moved(x: f64, y: f64, z: f64) -> DMat4 {
    DMat4::from_translation(DVec3::new(x, y, z))
}

/// A chain of three joints, a unit apart along +X, under an armature with any transform; the skinned mesh hangs on it
/// too. The file stands in its bind pose.
pub(crate) fn arm(armature: DMat4) -> Scene {
    let mut scene = Scene::default();
    let mut primitive = strip(5);
    primitive.influences = Some(strip_weights(5, 3));
    scene.meshes = vec![Mesh { name: "Sleeve".to_owned(), primitives: vec![primitive], ..Mesh::default() }];
    scene.nodes = vec![
        node("Armature", armature, &[1, 4]),
        node("Upper", DMat4::IDENTITY, &[2]),
        node("Lower", moved(1.0, 0.0, 0.0), &[3]),
        node("Hand", moved(1.0, 0.0, 0.0), &[]),
        Node { mesh: Some(0), skin: Some(0), ..node("Body", DMat4::IDENTITY, &[]) },
    ];
    scene.roots = vec![0];
    scene.skins = vec![Skin {
        joints: vec![1, 2, 3],
        inverse_bind: vec![DMat4::IDENTITY, moved(-1.0, 0.0, 0.0), moved(-2.0, 0.0, 0.0)],
    }];
    scene
}

/// The second joint turned about Z.
pub(crate) fn bent(mut scene: Scene, degrees: f64) -> Scene {
    scene.nodes[2].local *= DMat4::from_rotation_z(degrees.to_radians());
    scene
}

/// A clip that turns the second joint about Z and moves the first one.
pub(crate) fn wave() -> NodeClip {
    let turns = [0.0, 40.0, 90.0].map(|d: f64| DQuat::from_rotation_z(d.to_radians())).to_vec();
    NodeClip {
        name: "wave".to_owned(),
        channels: vec![
            Channel { node: 2, times: vec![0.0, 0.5, 1.0], values: ChannelValues::Rotations(turns) },
            Channel {
                node: 1,
                times: vec![0.0, 1.0],
                values: ChannelValues::Translations(vec![DVec3::ZERO, DVec3::new(0.0, 0.2, 0.1)]),
            },
        ],
    }
}

/// The largest distance between two lists of points.
pub(crate) fn farthest(a: &[DVec3], b: &[DVec3]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.distance(*b)).fold(0.0, f64::max)
}

/// The vertices of a scene as a viewer shows them.
pub(crate) fn shown(scene: Scene) -> Vec<DVec3> {
    let flat = scene.flatten(&autorig_engine::Limits::default()).unwrap();
    let points = flat.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| &p.positions);
    points.map(|p| DVec3::from(p.map(f64::from))).collect()
}
