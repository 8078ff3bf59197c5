//! GLB files made by hand, wrong in one chosen way; and a look into good ones.

use serde_json::{Value, json};

/// A GLB of this document and these bytes.
pub(crate) fn glb(document: &Value, binary: &[u8]) -> Vec<u8> {
    let mut json = document.to_string().into_bytes();
    json.resize(json.len().next_multiple_of(4), b' ');
    let mut binary = binary.to_vec();
    binary.resize(binary.len().next_multiple_of(4), 0);
    let mut file = b"glTF".to_vec();
    let number = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    file.extend([number(2), number(28 + json.len() + binary.len())].concat());
    file.extend(number(json.len()));
    file.extend(b"JSON");
    file.extend(&json);
    file.extend(number(binary.len()));
    file.extend(b"BIN\0");
    file.extend(&binary);
    file
}

/// One mesh of these corners, used by `instances` nodes.
pub(crate) fn mesh_glb(positions: &[[f32; 3]], indices: &[u32], instances: usize) -> Vec<u8> {
    let mut binary: Vec<u8> = positions.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
    let split = binary.len();
    binary.extend(indices.iter().flat_map(|index| index.to_le_bytes()));
    let nodes: Vec<_> = (0..instances).map(|_| json!({ "mesh": 0 })).collect();
    let corner = |pick: fn(f32, f32) -> f32| {
        let corner = positions.iter().fold([f32::NAN; 3], |a, p| std::array::from_fn(|i| pick(a[i], p[i])));
        corner.map(|number| if number.is_finite() { number } else { 0.0 })
    };
    let document = json!({
        "asset": { "version": "2.0" },
        "scene": 0,
        "scenes": [{ "nodes": (0..instances).collect::<Vec<_>>() }],
        "nodes": nodes,
        "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 }, "indices": 1 }] }],
        "accessors": [
            { "bufferView": 0, "componentType": 5126, "count": positions.len(), "type": "VEC3",
              "min": corner(f32::min), "max": corner(f32::max) },
            { "bufferView": 1, "componentType": 5125, "count": indices.len(), "type": "SCALAR" },
        ],
        "bufferViews": [
            { "buffer": 0, "byteOffset": 0, "byteLength": split },
            { "buffer": 0, "byteOffset": split, "byteLength": binary.len() - split },
        ],
        "buffers": [{ "byteLength": binary.len() }],
    });
    glb(&document, &binary)
}

/// A box, which is a closed mesh and no character.
pub(crate) fn cube() -> (Vec<[f32; 3]>, Vec<u32>) {
    let corners = (0..8_u8).map(|i| [i & 1, i >> 1 & 1, i >> 2 & 1].map(f32::from)).collect();
    let faces = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let indices = faces.iter().flat_map(|[a, b, c, d]| [*a, *b, *c, *a, *c, *d]).collect();
    (corners, indices)
}

/// A box whose texture claims this many pixels a side, in a few bytes.
pub(crate) fn texture_bomb(side: u32) -> Vec<u8> {
    let (positions, indices) = cube();
    let plain = mesh_glb(&positions, &indices, 1);
    let mut document = document(&plain);
    let mut binary = binary(&plain).to_vec();
    let image = bomb_png(side);
    let view = json!({ "buffer": 0, "byteOffset": binary.len(), "byteLength": image.len() });
    binary.extend(&image);
    document["bufferViews"].as_array_mut().unwrap().push(view);
    document["buffers"][0]["byteLength"] = json!(binary.len());
    document["images"] = json!([{ "bufferView": 2, "mimeType": "image/png" }]);
    document["textures"] = json!([{ "source": 0 }]);
    document["materials"] = json!([{ "pbrMetallicRoughness": { "baseColorTexture": { "index": 0 } } }]);
    document["meshes"][0]["primitives"][0]["material"] = json!(0);
    glb(&document, &binary)
}

/// A PNG with a size in its header and next to nothing behind it.
fn bomb_png(side: u32) -> Vec<u8> {
    let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
    header.extend([8, 6, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(png_chunk(b"IHDR", &header));
    png.extend(png_chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]));
    png.extend(png_chunk(b"IEND", &[]));
    png
}

fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    let length = u32::try_from(data.len()).unwrap();
    [&length.to_be_bytes(), body.as_slice(), &crc32(&body).to_be_bytes()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// The JSON of a GLB; fails on what is none.
pub(crate) fn document(file: &[u8]) -> Value {
    assert_eq!(&file[..4], b"glTF");
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((number(4), number(8)), (2, file.len()), "version and length");
    assert_eq!(&file[16..20], b"JSON");
    serde_json::from_slice(&file[20..20 + number(12)]).unwrap()
}

/// The bytes behind the JSON of a GLB.
pub(crate) fn binary(file: &[u8]) -> &[u8] {
    let json = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
    &file[28 + json..]
}

/// Checks that a file is a rigged GLB: a skin whose joints have names, on a mesh with weights. Their names.
pub(crate) fn assert_skinned(file: &[u8]) -> Vec<String> {
    let document = document(file);
    let joints = document["skins"][0]["joints"].as_array().unwrap();
    let name = |joint: &Value| {
        document["nodes"][usize::try_from(joint.as_u64().unwrap()).unwrap()]["name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let names: Vec<String> = joints.iter().map(name).collect();
    assert_eq!(names[0], "root");
    assert!(names.len() > 1, "{names:?}");
    let attributes = &document["meshes"][0]["primitives"][0]["attributes"];
    assert!(attributes["JOINTS_0"].is_u64() && attributes["WEIGHTS_0"].is_u64(), "{attributes}");
    names
}

/// Checks that a file is a rigged humanoid.
pub(crate) fn assert_rigged(file: &[u8]) {
    let names = assert_skinned(file);
    assert!(["hips", "leftHand"].iter().all(|joint| names.iter().any(|name| name == joint)), "{names:?}");
}
