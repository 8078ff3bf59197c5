//! Draco and meshopt: the same scene as written plainly, or a clear error.

use autorig_engine::{Code, scene::Primitive};
use draco_core::{
    DataType, EncoderBuffer, EncoderOptions, FaceIndex, GeometryAttributeType, Mesh, MeshEncoder,
    PointAttribute, PointIndex,
};
use proptest::prelude::*;
use serde_json::json;

use crate::build::{F32, FACES, Glb, POINTS, U16};

/// A tetrahedron as Draco data, lossless.
fn draco() -> Vec<u8> {
    let mut mesh = Mesh::new();
    let mut position = PointAttribute::new();
    position.init(GeometryAttributeType::Position, 3, DataType::Float32, false, POINTS.len());
    for (i, value) in POINTS.as_flattened().iter().enumerate() {
        position.buffer_mut().write(i * 4, &value.to_le_bytes());
    }
    mesh.add_attribute(position);
    mesh.set_num_faces(FACES.len() / 3);
    for (i, face) in FACES.as_chunks::<3>().0.iter().enumerate() {
        mesh.set_face(FaceIndex(i as u32), face.map(|c| PointIndex(c.into())));
    }
    let mut encoder = MeshEncoder::new();
    encoder.set_mesh(mesh);
    let mut out = EncoderBuffer::new();
    encoder.encode(&EncoderOptions::new(), &mut out).unwrap();
    out.data().to_vec()
}

/// A tetrahedron whose geometry is in Draco data alone.
fn draco_glb(data: &[u8]) -> Glb {
    let mut glb = Glb::new();
    let view = glb.view(data);
    glb.push("accessors", json!({"componentType": F32, "type": "VEC3", "count": 4}));
    glb.push("accessors", json!({"componentType": U16, "type": "SCALAR", "count": 12}));
    let packed = json!({"bufferView": view, "attributes": {"POSITION": 0}});
    glb.push(
        "meshes",
        json!({"primitives": [{"attributes": {"POSITION": 0}, "indices": 1,
            "extensions": {"KHR_draco_mesh_compression": packed}}]}),
    );
    glb.push("nodes", json!({"mesh": 0}));
    glb.json["extensionsUsed"] = json!(["KHR_draco_mesh_compression"]);
    glb.json["extensionsRequired"] = json!(["KHR_draco_mesh_compression"]);
    glb
}

/// The corners of every triangle, each turned so that its least comes first, sorted.
fn triangles(primitive: &Primitive) -> Vec<[[u32; 3]; 3]> {
    let corner = |i: u32| primitive.positions[i as usize].map(f32::to_bits);
    let mut all: Vec<[[u32; 3]; 3]> = primitive
        .indices
        .as_chunks::<3>()
        .0
        .iter()
        .map(|t| {
            let mut t = t.map(corner);
            let least = (0..3).min_by_key(|i| t[*i]).unwrap();
            t.rotate_left(least);
            t
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn draco_geometry_is_the_same_as_plain_geometry() {
    let plain = Glb::tetrahedron().read().unwrap();
    let packed = draco_glb(&draco()).read().unwrap();
    assert_eq!(triangles(&packed.meshes[0].primitives[0]), triangles(&plain.meshes[0].primitives[0]));
    assert!(packed.extensions_required.is_empty(), "what is written again is plain");
}

#[test]
fn plain_accessors_beside_draco_data_are_read() {
    let mut glb = Glb::tetrahedron();
    glb.primitive()["extensions"] =
        json!({"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {}}});
    assert!(glb.read().is_ok());
}

#[test]
fn draco_data_that_lie_are_refused() {
    let data = draco();
    assert_eq!(draco_glb(&data[..data.len() / 2]).error().code, Code::CorruptFile);
    let mut other = draco_glb(&data);
    other.primitive()["extensions"]["KHR_draco_mesh_compression"]["attributes"]["POSITION"] = json!(7);
    assert_eq!(other.error().code, Code::CorruptFile);
    let mut other = draco_glb(&data);
    other.primitive()["extensions"]["KHR_draco_mesh_compression"]["bufferView"] = json!(9);
    assert_eq!(other.error().code, Code::CorruptFile);
}

/// A tetrahedron whose buffer views are packed by meshopt.
fn meshopt_glb(name: &str) -> Glb {
    let corners: Vec<u32> = FACES.iter().map(|i| u32::from(*i)).collect();
    let vertices = meshopt::encode_vertex_buffer(&POINTS).unwrap();
    let indices = meshopt::encode_index_buffer(&corners, POINTS.len()).unwrap();
    let mut glb = Glb::new();
    let mut view = |data: &[u8], mode: &str, stride: usize, count: usize| {
        let packed = glb.view(data);
        let offset = glb.json["bufferViews"][packed]["byteOffset"].clone();
        glb.json["bufferViews"][packed] = json!({
            "buffer": 1, "byteLength": stride * count,
            "extensions": {name: {"buffer": 0, "byteOffset": offset, "byteLength": data.len(),
                "byteStride": stride, "count": count, "mode": mode}},
        });
        packed
    };
    let (positions, corners) = (view(&vertices, "ATTRIBUTES", 12, 4), view(&indices, "TRIANGLES", 2, 12));
    glb.push("accessors", json!({"bufferView": positions, "componentType": F32, "type": "VEC3", "count": 4}));
    glb.push(
        "accessors",
        json!({"bufferView": corners, "componentType": U16, "type": "SCALAR", "count": 12}),
    );
    glb.push("meshes", json!({"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}));
    glb.push("nodes", json!({"mesh": 0}));
    let length = glb.bin.len().next_multiple_of(4);
    glb.json["buffers"] =
        json!([{"byteLength": length}, {"byteLength": 72, "extensions": {name: {"fallback": true}}}]);
    glb.json["extensionsUsed"] = json!([name]);
    glb.json["extensionsRequired"] = json!([name]);
    glb
}

#[test]
fn meshopt_geometry_is_the_same_as_plain_geometry() {
    let plain = Glb::tetrahedron().read().unwrap();
    for name in ["EXT_meshopt_compression", "KHR_meshopt_compression"] {
        let packed = meshopt_glb(name).read().unwrap();
        let (packed, plain) = (&packed.meshes[0].primitives[0], &plain.meshes[0].primitives[0]);
        assert_eq!(triangles(packed), triangles(plain), "{name}");
        assert_eq!(packed.positions, plain.positions, "the order of vertices stays");
    }
}

#[test]
fn meshopt_data_that_lie_are_refused() {
    for (key, value) in [
        ("count", json!(1_000_000_000_u64)),
        ("byteLength", json!(5)),
        ("mode", json!("LINES")),
        ("buffer", json!(7)),
    ] {
        let mut glb = meshopt_glb("EXT_meshopt_compression");
        glb.json["bufferViews"][0]["extensions"]["EXT_meshopt_compression"][key] = value;
        let code = glb.error().code;
        assert!(matches!(code, Code::CorruptFile | Code::LimitMemory), "{key}: {code}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn spoiled_data_end_in_a_scene_or_a_typed_error(at in 0.0..1.0f64, byte: u8, draco_data: bool) {
        let glb = if draco_data { draco_glb(&draco()) } else { meshopt_glb("EXT_meshopt_compression") };
        let mut glb = glb;
        let at = (at * glb.bin.len() as f64) as usize;
        glb.bin[at] = byte;
        if let Err(error) = glb.read() {
            prop_assert_ne!(error.code, Code::Internal);
        }
    }
}
