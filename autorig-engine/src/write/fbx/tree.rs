//! Records of a binary FBX file, and their bytes.
//!
//! A record has a name, properties and child records. Version 7400 keeps offsets in 32 bits, so a file ends at 4 GB.

use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};

use crate::{Code, Error, Result};

/// Version of the records.
const VERSION: u32 = 7400;
const MAGIC: &[u8] = b"Kaydara FBX Binary  \0\x1a\0";
/// The end of a list of child records.
const NULL_RECORD: [u8; 13] = [0; 13];
/// The footer that belongs to [`super::header::CREATION_TIME`]; readers of Autodesk check that the two agree.
const FOOTER_ID: [u8; 16] =
    [0xFA, 0xBC, 0xAB, 0x09, 0xD0, 0xC8, 0xD4, 0x66, 0xB1, 0x76, 0xFB, 0x83, 0x1C, 0xF7, 0x26, 0x7E];
const FOOTER_END: [u8; 16] =
    [0xF8, 0x5A, 0x8C, 0x6A, 0xDE, 0xF5, 0xD9, 0x7E, 0xEC, 0xE9, 0x0C, 0xE3, 0x75, 0x8F, 0x29, 0x0B];
/// Arrays up to this many bytes stay as they are, as Autodesk's own programs leave them.
const SMALLEST_COMPRESSED: usize = 128;
/// Effort of compression: higher levels take twice as long for a few percent.
const LEVEL: i32 = 5;

/// A value of a record.
#[derive(Debug, Clone)]
pub(super) enum Property {
    Bool(bool),
    I32(i32),
    I64(i64),
    F64(f64),
    Text(Vec<u8>),
    Raw(Vec<u8>),
    I32s(Vec<i32>),
    I64s(Vec<i64>),
    F32s(Vec<f32>),
    F64s(Vec<f64>),
}

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Node {
    name: &'static str,
    properties: Vec<Property>,
    children: Vec<Node>,
}

impl Node {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, properties: Vec::new(), children: Vec::new() }
    }

    pub(super) fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    pub(super) fn i32(self, value: i32) -> Self {
        self.with(Property::I32(value))
    }

    pub(super) fn i64(self, value: i64) -> Self {
        self.with(Property::I64(value))
    }

    pub(super) fn f64(self, value: f64) -> Self {
        self.with(Property::F64(value))
    }

    pub(super) fn text(self, value: &str) -> Self {
        self.with(Property::Text(value.as_bytes().to_vec()))
    }

    /// The name and class of an object.
    pub(super) fn object_name(self, name: &str, class: &str) -> Self {
        let mut text = name.as_bytes().to_vec();
        text.extend_from_slice(b"\0\x01");
        text.extend_from_slice(class.as_bytes());
        self.with(Property::Text(text))
    }

    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 12]);
        out.push(self.name.len() as u8);
        out.extend_from_slice(self.name.as_bytes());
        let first = out.len();
        self.properties.iter().for_each(|p| p.write(out));
        let properties = out.len() - first;
        // These two end with a null record whether or not they have children; so do records with nothing at all.
        let is_list = matches!(self.name, "AnimationStack" | "AnimationLayer");
        if !self.children.is_empty() || self.properties.is_empty() || is_list {
            self.children.iter().for_each(|child| child.write(out));
            out.extend_from_slice(&NULL_RECORD);
        }
        // Offsets past 4 GB are refused once the file is complete.
        let head = [out.len() as u32, self.properties.len() as u32, properties as u32];
        if let Some(slot) = out.get_mut(start..start + 12) {
            slot.iter_mut().zip(head.iter().flat_map(|word| word.to_le_bytes())).for_each(|(s, b)| *s = b);
        }
    }
}

impl Property {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(v) => tagged(out, b'C', &[u8::from(*v)]),
            Self::I32(v) => tagged(out, b'I', &v.to_le_bytes()),
            Self::I64(v) => tagged(out, b'L', &v.to_le_bytes()),
            Self::F64(v) => tagged(out, b'D', &v.to_le_bytes()),
            Self::Text(v) => blob(out, b'S', v),
            Self::Raw(v) => blob(out, b'R', v),
            Self::I32s(v) => array(out, b'i', v.len(), v.iter().flat_map(|v| v.to_le_bytes())),
            Self::I64s(v) => array(out, b'l', v.len(), v.iter().flat_map(|v| v.to_le_bytes())),
            Self::F32s(v) => array(out, b'f', v.len(), v.iter().flat_map(|v| v.to_le_bytes())),
            Self::F64s(v) => array(out, b'd', v.len(), v.iter().flat_map(|v| v.to_le_bytes())),
        }
    }
}

fn tagged(out: &mut Vec<u8>, code: u8, bytes: &[u8]) {
    out.push(code);
    out.extend_from_slice(bytes);
}

fn blob(out: &mut Vec<u8>, code: u8, bytes: &[u8]) {
    tagged(out, code, &(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn array(out: &mut Vec<u8>, code: u8, count: usize, bytes: impl Iterator<Item = u8>) {
    let mut bytes: Vec<u8> = bytes.collect();
    let mut encoding = 0u32;
    if bytes.len() > SMALLEST_COMPRESSED {
        bytes = compressed(&bytes);
        encoding = 1;
    }
    tagged(out, code, &(count as u32).to_le_bytes());
    out.extend_from_slice(&encoding.to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(&bytes);
}

/// A zlib stream of Huffman's fixed codes. Codes made for the data would save a fifth, but ufbx before 0.21, and with it
/// the importer of Blender 5.0, refuses some valid ones: those whose code lengths repeat from the literals into the
/// distances.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    const ZLIB_WINDOW: i32 = 15;
    let flags = create_comp_flags_from_zip_params(LEVEL, ZLIB_WINDOW, CompressionStrategy::Fixed as i32);
    let mut out = Vec::with_capacity(bytes.len() / 2);
    let take = |part: &[u8]| {
        out.extend_from_slice(part);
        true
    };
    compress_to_output(&mut CompressorOxide::new(flags), bytes, TDEFLFlush::Finish, take);
    out
}

/// A whole file of these top-level records.
pub(super) fn file(records: &[Node]) -> Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_le_bytes());
    records.iter().for_each(|record| record.write(&mut out));
    out.extend_from_slice(&NULL_RECORD);
    out.extend_from_slice(&FOOTER_ID);
    // One byte of padding at least.
    let padded = (out.len() + 1).next_multiple_of(16);
    out.resize(padded, 0);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.resize(out.len() + 120, 0);
    out.extend_from_slice(&FOOTER_END);
    if u32::try_from(out.len()).is_err() {
        return Err(Error::new(Code::LimitMemory, "the result is larger than an FBX can be, 4 GB"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_ends_where_it_says_and_a_childless_one_has_no_null_record() {
        let file = file(&[Node::new("A").i32(7), Node::new("B")]).unwrap();
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(word(27), 27 + 12 + 1 + 1 + 5, "the first record holds one integer");
        let second = word(27);
        assert_eq!(word(second), second + 12 + 1 + 1 + 13, "an empty record ends with a null record");
        assert_eq!(file.len() % 16, 0);
        assert_eq!(file[file.len() - 16..], FOOTER_END);
    }

    #[test]
    fn long_arrays_are_compressed_and_unfold_to_the_same_bytes() {
        let values: Vec<i32> = (0..1000).collect();
        let mut out = Vec::new();
        Property::I32s(values.clone()).write(&mut out);
        assert_eq!((out[0], &out[1..9]), (b'i', &[0xE8, 3, 0, 0, 1, 0, 0, 0][..]));
        assert_eq!(out[15] & 7, 0b011, "one last block of fixed codes");
        let back = miniz_oxide::inflate::decompress_to_vec_zlib(&out[13..]).unwrap();
        let back: Vec<i32> = back.chunks(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(back, values);
    }
}
