//! Small models made by hand, most of them broken in one way.

use serde_json::{Value, json};

/// Packs a glTF document and its buffer.
pub fn glb(document: &Value, buffer: &[u8]) -> Vec<u8> {
    let mut json = document.to_string().into_bytes();
    json.resize(json.len().next_multiple_of(4), b' ');
    let mut bin = buffer.to_vec();
    bin.resize(bin.len().next_multiple_of(4), 0);
    let total = 12 + 8 + json.len() + 8 + bin.len();
    let mut out = Vec::with_capacity(total);
    out.extend(b"glTF");
    out.extend(2_u32.to_le_bytes());
    out.extend(u32::try_from(total).unwrap().to_le_bytes());
    out.extend(u32::try_from(json.len()).unwrap().to_le_bytes());
    out.extend(b"JSON");
    out.extend(&json);
    out.extend(u32::try_from(bin.len()).unwrap().to_le_bytes());
    out.extend(b"BIN\0");
    out.extend(&bin);
    out
}

/// One mesh of these triangles, with an optional PNG as its texture.
pub fn mesh(positions: &[[f32; 3]], indices: &[u32], png: Option<&[u8]>) -> Vec<u8> {
    let (document, buffer) = document(positions, indices, png);
    glb(&document, &buffer)
}

fn document(positions: &[[f32; 3]], indices: &[u32], png: Option<&[u8]>) -> (Value, Vec<u8>) {
    let mut buffer: Vec<u8> = positions.iter().flatten().flat_map(|c| c.to_le_bytes()).collect();
    let index_offset = buffer.len();
    buffer.extend(indices.iter().flat_map(|i| i.to_le_bytes()));
    let png_offset = buffer.len();
    buffer.extend(png.unwrap_or_default());
    let mut views = vec![
        json!({"buffer": 0, "byteOffset": 0, "byteLength": index_offset}),
        json!({"buffer": 0, "byteOffset": index_offset, "byteLength": png_offset - index_offset}),
    ];
    let mut document = json!({
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": positions.len(), "type": "VEC3",
             "min": [-1, -1, -1], "max": [1, 1, 1]},
            {"bufferView": 1, "componentType": 5125, "count": indices.len(), "type": "SCALAR"},
        ],
    });
    if let Some(png) = png {
        views.push(json!({"buffer": 0, "byteOffset": png_offset, "byteLength": png.len()}));
        document["images"] = json!([{"bufferView": 2, "mimeType": "image/png"}]);
        document["textures"] = json!([{"source": 0}]);
        document["materials"] = json!([{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]);
        document["meshes"][0]["primitives"][0]["material"] = json!(0);
    }
    document["bufferViews"] = Value::Array(views);
    document["buffers"] = json!([{"byteLength": buffer.len()}]);
    (document, buffer)
}

/// A tetrahedron, scaled and moved.
pub fn tetrahedron(scale: f32) -> Vec<u8> {
    let corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let positions = corners.map(|corner| corner.map(|c: f32| c * scale));
    mesh(&positions, &[0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], None)
}

/// A tetrahedron whose third corner is not a number.
pub fn with_nan() -> Vec<u8> {
    mesh(
        &[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [f32::NAN, 1.0, 0.0], [0.0, 0.0, 1.0]],
        &[0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3],
        None,
    )
}

/// A scene with a node and no mesh.
pub fn without_triangles() -> Vec<u8> {
    glb(
        &json!({"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"name": "empty"}]}),
        &[],
    )
}

/// A grid of `2 * side * side` triangles, placed `copies` times.
pub fn instances(side: u32, copies: usize) -> Vec<u8> {
    let at = |x: u32, y: u32| y * (side + 1) + x;
    let positions: Vec<[f32; 3]> = (0..=side)
        .flat_map(|y| {
            (0..=side).map(move |x| [x as f32 / side as f32, y as f32 / side as f32, (x * y) as f32 * 0.001])
        })
        .collect();
    let indices: Vec<u32> = (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y), at(x + 1, y + 1), at(x, y + 1)]
        })
        .collect();
    let (mut document, buffer) = document(&positions, &indices, None);
    document["nodes"] = (0..copies).map(|_| json!({"mesh": 0})).collect();
    document["scenes"][0]["nodes"] = (0..copies).collect();
    glb(&document, &buffer)
}

/// A tetrahedron with a texture of a few bytes that claims to be 60,000 pixels wide and high.
pub fn with_texture_bomb() -> Vec<u8> {
    let corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    mesh(&corners, &[0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], Some(&png(60_000, 60_000)))
}

/// A PNG that holds no pixels, whatever it claims.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = vec![0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    chunk(&mut out, b"IHDR", &header);
    // An empty zlib stream.
    chunk(&mut out, b"IDAT", &[0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
    chunk(&mut out, b"IEND", &[]);
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    let start = out.len();
    out.extend(kind);
    out.extend(data);
    let crc = crc32(&out[start..]);
    out.extend(crc.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}
