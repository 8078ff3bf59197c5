//! The files a model refers to: data URIs and neighbours, confined to the model's folder.

use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::{Engine as _, alphabet, engine::DecodePaddingMode, engine::GeneralPurpose};

use super::Siblings;
use crate::{Code, Error, Limits, Result};

/// Base64 as found in the wild: padding optional, stray bits tolerated.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    base64::engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Fetches what URIs name, counting bytes.
pub(crate) struct Resolver<'a> {
    siblings: &'a Siblings,
    limit: u64,
    used: Cell<u64>,
}

/// A fetched resource.
pub(crate) struct Resource {
    pub(crate) bytes: Vec<u8>,
}

impl<'a> Resolver<'a> {
    /// A resolver for a file of `own` bytes.
    pub(crate) fn new(siblings: &'a Siblings, own: usize, limits: &Limits) -> Self {
        Self { siblings, limit: limits.file_bytes, used: Cell::new(own as u64) }
    }

    /// What a glTF URI names.
    pub(crate) fn fetch_uri(&self, uri: &str) -> Result<Resource> {
        if let Some(rest) = strip_scheme(uri, "data:") {
            return decode_data_uri(rest);
        }
        let path =
            percent_decode(uri).ok_or_else(|| missing(uri, "its name is not valid UTF-8 once decoded"))?;
        Ok(Resource { bytes: self.fetch_path(&path)? })
    }

    /// What a path relative to the model names.
    pub(crate) fn fetch_path(&self, path: &str) -> Result<Vec<u8>> {
        let relative = confine(path).map_err(|why| missing(path, why))?;
        let folder = match self.siblings {
            Siblings::Folder(folder) => folder,
            Siblings::Archive(archive) => {
                let name = relative.to_string_lossy().replace('\\', "/");
                let bytes = archive.file(&name).ok_or_else(|| missing(path, "it is not in the archive"))?;
                return Ok(bytes.to_vec());
            }
            Siblings::None => return Err(missing(path, "only the model itself was sent")),
        };
        let full = resolve(folder, &relative).map_err(|why| missing(path, why))?;
        let file = File::open(&full).map_err(|_| missing(path, "it cannot be opened"))?;
        let size = file.metadata().map_err(|_| missing(path, "it cannot be opened"))?.len();
        let left = self.limit.saturating_sub(self.used.get());
        if size > left {
            return Err(Error::new(
                Code::LimitFileSize,
                format!(
                    "the model and the files it refers to pass {} MB at {}",
                    self.limit >> 20,
                    short(path)
                ),
            ));
        }
        let mut bytes = Vec::new();
        file.take(left)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::new(Code::Io, format!("{} cannot be read: {error}", short(path))))?;
        self.used.set(self.used.get() + bytes.len() as u64);
        Ok(bytes)
    }
}

fn missing(path: &str, why: &str) -> Error {
    Error::new(Code::MissingResource, format!("the model refers to \"{}\": {why}", short(path)))
}

/// At most 80 characters of a name that came from a file, without control characters.
pub(crate) fn short(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    if clean.len() < name.len() && name.chars().count() > 80 { format!("{clean}…") } else { clean }
}

fn strip_scheme<'t>(uri: &'t str, scheme: &str) -> Option<&'t str> {
    let head = uri.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| uri.get(scheme.len()..)).flatten()
}

fn decode_data_uri(rest: &str) -> Result<Resource> {
    let (head, body) = rest
        .split_once(',')
        .ok_or_else(|| Error::new(Code::CorruptFile, "a data URI has no comma before its data"))?;
    let bytes = if head.to_ascii_lowercase().ends_with(";base64") {
        BASE64.decode(body.trim()).map_err(|error| {
            Error::new(Code::CorruptFile, format!("a data URI is not valid base64: {error}"))
        })?
    } else {
        percent_decode_bytes(body)
    };
    Ok(Resource { bytes })
}

fn percent_decode(text: &str) -> Option<String> {
    String::from_utf8(percent_decode_bytes(text)).ok()
}

fn percent_decode_bytes(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%'
            && let [a, b, after @ ..] = tail
            && let (Some(a), Some(b)) = (hex(*a), hex(*b))
        {
            out.push(a << 4 | b);
            rest = after;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// The path without anything that could lead out of the folder.
fn confine(path: &str) -> Result<PathBuf, &'static str> {
    let path = path.replace('\\', "/");
    if path.contains('\0') {
        return Err("its name holds a zero byte");
    }
    if path.contains("://") {
        return Err("addresses on the network are not followed");
    }
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') || drive {
        return Err("absolute paths are not followed");
    }
    let mut out = PathBuf::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err("it lies outside of the model's folder"),
            part => out.push(part),
        }
    }
    if out.as_os_str().is_empty() { Err("it names no file") } else { Ok(out) }
}

/// The real path of a plain file below the folder, links followed.
fn resolve(folder: &Path, relative: &Path) -> Result<PathBuf, &'static str> {
    let base = folder.canonicalize().map_err(|_| "the model's folder cannot be read")?;
    let full = base.join(relative).canonicalize().map_err(|_| "it is not there")?;
    if !full.starts_with(&base) {
        return Err("it lies outside of the model's folder");
    }
    if !full.is_file() {
        return Err("it is not a plain file");
    }
    Ok(full)
}
