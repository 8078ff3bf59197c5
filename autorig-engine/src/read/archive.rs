//! Models sent as a ZIP, with their buffers, material files and textures beside them.
//!
//! Everything is unpacked in memory and within limits: nothing touches the disk, so no path can lead anywhere. What
//! lies about its size, is encrypted or is a link is refused.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use zip::ZipArchive;

use super::detect::extension;
use super::siblings::short;
use crate::{Code, Error, Limits, Result};

/// More files than any model needs.
const MAX_FILES: usize = 10_000;
/// Small archives of empty textures pack better than any ratio; up to here the ratio does not count.
const ALWAYS_FINE: u64 = 16 << 20;
/// Model formats, the richest first: of the same model in several the first is taken.
const MODELS: [&str; 7] = ["glb", "vrm", "gltf", "fbx", "obj", "ply", "stl"];

/// The files of an archive by path, `/` between folders.
#[derive(Clone, Default)]
pub struct Archive {
    files: Arc<BTreeMap<String, Vec<u8>>>,
    /// Where the model lies, with a trailing `/`, or empty.
    folder: String,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("files", &self.files.len()).field("folder", &self.folder).finish()
    }
}

impl Archive {
    /// The file at a path relative to the model; letter case does not matter where it is unambiguous.
    pub(super) fn file(&self, relative: &str) -> Option<&[u8]> {
        let path = format!("{}{relative}", self.folder);
        if let Some(bytes) = self.files.get(&path) {
            return Some(bytes);
        }
        let mut fits = self.files.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&path));
        match (fits.next(), fits.next()) {
            (Some((_, bytes)), None) => Some(bytes),
            _ => None,
        }
    }
}

/// Unpacks an archive: the model's name and bytes, and everything beside it.
pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<(String, Vec<u8>, Archive)> {
    let mut files = unpack(bytes, limits)?;
    let path = model(&files)?;
    let model = files.remove(&path).unwrap_or_default();
    let (folder, name) = match path.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name.to_owned()),
        None => (String::new(), path),
    };
    Ok((name, model, Archive { files: Arc::new(files), folder }))
}

fn broken(error: impl std::fmt::Display) -> Error {
    let why: String = error.to_string().chars().take(120).collect();
    Error::new(Code::CorruptFile, format!("the ZIP archive cannot be unpacked: {why}"))
        .with_remedy("pack it again, without a password")
}

fn unpack(bytes: &[u8], limits: &Limits) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MAX_FILES {
        let message = format!("the archive holds {} files; at most {MAX_FILES} are accepted", archive.len());
        return Err(Error::new(Code::LimitArchive, message));
    }
    let by_ratio = (bytes.len() as u64).saturating_mul(limits.archive_ratio.into()).max(ALWAYS_FINE);
    let most = limits.archive_bytes.min(by_ratio);
    let mut left = most;
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        if entry.is_dir() {
            continue;
        }
        let Some(path) = safe_path(entry.name()) else {
            let message = format!("the archive holds \"{}\", which leads out of it", short(entry.name()));
            return Err(Error::new(Code::CorruptFile, message).with_remedy("pack the model's folder itself"));
        };
        if entry.is_symlink() {
            let message = format!("\"{}\" in the archive is a link", short(&path));
            return Err(Error::new(Code::CorruptFile, message).with_remedy("pack the files themselves"));
        }
        if litter(&path) {
            continue;
        }
        let mut content = Vec::new();
        // What the archive says of a size is not believed.
        let read = entry.take(left.saturating_add(1)).read_to_end(&mut content).map_err(broken)? as u64;
        left = left.checked_sub(read).ok_or_else(|| {
            let message = format!(
                "the archive of {} bytes unfolds into more than {} MB at \"{}\"",
                bytes.len(),
                most >> 20,
                short(&path)
            );
            Error::new(Code::LimitArchive, message)
        })?;
        files.insert(path, content);
    }
    Ok(files)
}

/// The path with `/`; `None` where it is absolute or leads upwards.
fn safe_path(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    if name.starts_with('/') || name.as_bytes().get(1) == Some(&b':') || name.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = name.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// What operating systems add.
fn litter(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with("__MACOSX/") || name.starts_with("._") || name == ".DS_Store" || name == "Thumbs.db"
}

/// The one model of an archive: of those that lie highest the one in the richest format.
fn model(files: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    let rank = |path: &str| {
        let format = MODELS.iter().position(|m| *m == extension(path))?;
        Some((path.matches('/').count(), format))
    };
    let best = files.keys().filter_map(|path| rank(path)).min();
    let fits: Vec<&String> = files.keys().filter(|path| best.is_some() && rank(path) == best).collect();
    match fits.as_slice() {
        [] => {
            let message = format!("the archive holds {} files, but no model", files.len());
            Err(Error::new(Code::NotAModel, message)
                .with_remedy("pack a GLB, glTF, FBX, OBJ or VRM file with what belongs to it"))
        }
        [only] => Ok((*only).clone()),
        several => {
            let list: Vec<String> = several.iter().take(5).map(|p| format!("\"{}\"", short(p))).collect();
            let message = format!("the archive holds {} models: {}", several.len(), list.join(", "));
            Err(Error::new(Code::NotAModel, message).with_remedy("send an archive with one model"))
        }
    }
}
