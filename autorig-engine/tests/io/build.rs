//! Small GLB and glTF files made to order.

use autorig_engine::read::{Source, read};
use autorig_engine::scene::Scene;
use autorig_engine::{Error, Limits, Result};
use serde_json::{Value, json};

/// A GLB under construction.
#[derive(Clone)]
pub(crate) struct Glb {
    pub(crate) json: Value,
    pub(crate) bin: Vec<u8>,
}

pub(crate) const F32: u32 = 5126;
pub(crate) const U8: u32 = 5121;
pub(crate) const U16: u32 = 5123;
pub(crate) const U32: u32 = 5125;

/// The corners of a tetrahedron.
pub(crate) const POINTS: [[f32; 3]; 4] = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
/// Its faces.
pub(crate) const FACES: [u16; 12] = [0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3];

pub(crate) fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

pub(crate) fn shorts(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

impl Glb {
    /// A file with an asset and nothing else.
    pub(crate) fn new() -> Self {
        Self { json: json!({"asset": {"version": "2.0"}}), bin: Vec::new() }
    }

    /// A tetrahedron: mesh 0, node 0.
    pub(crate) fn tetrahedron() -> Self {
        let mut glb = Self::new();
        let position = glb.accessor(F32, "VEC3", 4, &floats(POINTS.as_flattened()));
        let indices = glb.accessor(U16, "SCALAR", 12, &shorts(&FACES));
        glb.push(
            "meshes",
            json!({
                "name": "Body",
                "primitives": [{"attributes": {"POSITION": position}, "indices": indices}],
            }),
        );
        glb.push("nodes", json!({"name": "Thing", "mesh": 0}));
        glb
    }

    /// Adds to a section and returns the index.
    pub(crate) fn push(&mut self, section: &str, value: Value) -> usize {
        let root = self.json.as_object_mut().unwrap();
        let list = root.entry(section).or_insert_with(|| json!([])).as_array_mut().unwrap();
        list.push(value);
        list.len() - 1
    }

    /// Adds bytes as a buffer view.
    pub(crate) fn view(&mut self, bytes: &[u8]) -> usize {
        self.bin.resize(self.bin.len().next_multiple_of(4), 0);
        let start = self.bin.len();
        self.bin.extend_from_slice(bytes);
        self.push("bufferViews", json!({"buffer": 0, "byteOffset": start, "byteLength": bytes.len()}))
    }

    /// Adds bytes as an accessor.
    pub(crate) fn accessor(&mut self, component: u32, kind: &str, count: usize, bytes: &[u8]) -> usize {
        let view = self.view(bytes);
        self.push(
            "accessors",
            json!({
                "bufferView": view, "componentType": component, "type": kind, "count": count,
            }),
        )
    }

    /// The first primitive.
    pub(crate) fn primitive(&mut self) -> &mut Value {
        &mut self.json["meshes"][0]["primitives"][0]
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut json = self.json.clone();
        let mut bin = self.bin.clone();
        bin.resize(bin.len().next_multiple_of(4), 0);
        if !bin.is_empty() && json.get("buffers").is_none() {
            json["buffers"] = json!([{"byteLength": bin.len()}]);
        }
        let mut text = serde_json::to_vec(&json).unwrap();
        text.resize(text.len().next_multiple_of(4), b' ');
        let total = 20 + text.len() + if bin.is_empty() { 0 } else { 8 + bin.len() };
        let mut out = b"glTF".to_vec();
        for word in [2, total as u32, text.len() as u32, 0x4E4F_534A] {
            out.extend(word.to_le_bytes());
        }
        out.extend(text);
        if !bin.is_empty() {
            out.extend((bin.len() as u32).to_le_bytes());
            out.extend(0x004E_4942u32.to_le_bytes());
            out.extend(bin);
        }
        out
    }

    pub(crate) fn read(&self) -> Result<Scene> {
        read_bytes("test.glb", self.bytes())
    }

    pub(crate) fn error(&self) -> Error {
        self.read().and_then(|s| s.flatten(&Limits::default())).unwrap_err()
    }
}

pub(crate) fn read_bytes(name: &str, bytes: Vec<u8>) -> Result<Scene> {
    read(&Source::bytes(name, bytes), &Limits::default())
}

/// The JSON and the binary chunk of a GLB that was written.
pub(crate) fn unpack(glb: &[u8]) -> (Value, Vec<u8>) {
    let word = |at: usize| u32::from_le_bytes(glb[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&glb[..4], b"glTF");
    assert_eq!(word(8), glb.len());
    assert_eq!(word(12) % 4, 0);
    let json = serde_json::from_slice(&glb[20..20 + word(12)]).unwrap();
    let rest = 20 + word(12);
    let bin = if rest < glb.len() { glb[rest + 8..rest + 8 + word(rest)].to_vec() } else { Vec::new() };
    assert_eq!(bin.len() % 4, 0);
    (json, bin)
}

/// True when the scene says a warning of this code.
pub(crate) fn warns(scene: &Scene, code: &str) -> bool {
    scene.warnings.iter().any(|w| w.code == code)
}

/// A picture of one colour.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(width, height).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// A PNG header that declares a size and holds nothing of it.
pub(crate) fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
        crc
    })
}

/// Writes what a test made where a validator can look at it, when asked to.
pub(crate) fn keep(name: &str, glb: &[u8]) {
    if let Some(folder) = std::env::var_os("AUTORIG_TEST_OUT") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.glb")), glb).unwrap();
    }
}
