//! The GLB container: header and chunks.

use super::json::corrupt;
use crate::{Code, Error, Result};

/// The first four bytes of a GLB.
pub(crate) const MAGIC: &[u8] = b"glTF";

const JSON_CHUNK: u32 = 0x4E4F_534A;
const BIN_CHUNK: u32 = 0x004E_4942;

/// What a GLB holds.
pub(crate) struct Chunks<'a> {
    pub(crate) json: &'a [u8],
    pub(crate) bin: Option<&'a [u8]>,
}

/// Splits a GLB into its chunks.
pub(crate) fn split(bytes: &[u8]) -> Result<Chunks<'_>> {
    let (Some(version), Some(length)) = (u32_at(bytes, 4), u32_at(bytes, 8)) else {
        return Err(truncated("the GLB ends inside its header"));
    };
    if version == 1 {
        return Err(Error::new(Code::UnsupportedFormat, "the file is GLB version 1; only version 2 is read"));
    }
    if version != 2 {
        return Err(corrupt(format!("the GLB header names version {version}")));
    }
    let length = length as usize;
    if length > bytes.len() {
        return Err(truncated(format!("the GLB should have {length} bytes and has {}", bytes.len())));
    }
    let body = bytes
        .get(12..length.max(12))
        .ok_or_else(|| corrupt("the GLB header names a length below its own"))?;
    let (mut json, mut bin, mut rest) = (None, None, body);
    while let (Some(size), Some(kind)) = (u32_at(rest, 0), u32_at(rest, 4)) {
        let size = size as usize;
        let Some(data) = rest.get(8..8usize.saturating_add(size)) else {
            return Err(truncated(format!(
                "a chunk of the GLB should have {size} bytes and the file ends before"
            )));
        };
        match kind {
            JSON_CHUNK if json.is_none() => json = Some(data),
            BIN_CHUNK if bin.is_none() => bin = Some(data),
            _ => {}
        }
        rest = rest.get(8 + size..).unwrap_or_default();
    }
    match json {
        Some(json) => Ok(Chunks { json, bin }),
        None if body.len() < 8 => Err(truncated("the GLB ends before its first chunk")),
        None => Err(corrupt("the GLB has no JSON chunk")),
    }
}

fn truncated(message: impl Into<String>) -> Error {
    Error::new(Code::TruncatedFile, message)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..at.checked_add(4)?)? {
        [a, b, c, d] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}
