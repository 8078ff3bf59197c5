//! Bytes to a [`Scene`]: hostile input stops here, with a typed error.

#![deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use self::archive::Archive;
use self::detect::Content;
use crate::scene::{Format, Scene};
use crate::{Code, Error, Limits, Result};

mod archive;
mod detect;
mod fbx;
mod gltf;
mod image;
mod obj;
mod ply;
mod repair;
mod siblings;
mod stl;

/// A file to read: its name (for messages and the extension), its bytes, and where the files it
/// refers to are found.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// File name without folders.
    pub name: String,
    /// The file's contents.
    pub bytes: Vec<u8>,
    /// Where external buffers, images and material files come from.
    pub siblings: Siblings,
}

/// Where the files that a glTF or OBJ refers to are found.
#[derive(Debug, Clone, Default)]
pub enum Siblings {
    /// Nowhere: a single uploaded file.
    #[default]
    None,
    /// In this folder and below; never outside of it.
    Folder(PathBuf),
    /// In the archive the model came in.
    Archive(Archive),
}

impl Source {
    /// A file on disk, with its neighbours at hand.
    ///
    /// # Errors
    /// `io_error` when it cannot be read, `limit_file_size` when it is too big.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let unreadable =
            |why: String| Error::new(Code::Io, format!("{} cannot be read: {why}", path.display()));
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let meta = file.metadata().map_err(|error| unreadable(error.to_string()))?;
        if !meta.is_file() {
            return Err(unreadable("it is not a plain file".to_owned()));
        }
        check_size(meta.len(), limits)?;
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
        // The file may grow while it is read.
        file.take(limits.file_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(error.to_string()))?;
        check_size(bytes.len() as u64, limits)?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self { name, bytes, siblings: Siblings::Folder(folder) })
    }

    /// Bytes already in memory, without neighbours.
    pub fn bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes, siblings: Siblings::None }
    }
}

fn check_size(bytes: u64, limits: &Limits) -> Result<()> {
    if bytes > limits.file_bytes {
        let message = format!("the file has {bytes} bytes; at most {} are accepted", limits.file_bytes);
        return Err(Error::new(Code::LimitFileSize, message));
    }
    Ok(())
}

/// Reads any supported format, recognised by its content.
///
/// # Errors
/// See [`crate::Code`]: everything of kind `Input` and `Limit` up to `precision_lost`.
pub fn read(source: &Source, limits: &Limits) -> Result<Scene> {
    check_size(source.bytes.len() as u64, limits)?;
    let resolver = siblings::Resolver::new(&source.siblings, source.bytes.len(), limits);
    let (mut scene, extensions): (Scene, &[&str]) = match detect::detect(&source.name, &source.bytes)? {
        Content::Glb => {
            let scene = gltf::read_glb(&source.bytes, &resolver, limits)?;
            let extensions: &[&str] = if scene.format == Format::Vrm { &["vrm", "glb"] } else { &["glb"] };
            (scene, extensions)
        }
        Content::GltfJson(text) => (gltf::read_json(&text, &resolver, limits)?, &["gltf"]),
        Content::Obj(text) => (obj::read(&source.name, &text, &resolver, limits)?, &["obj"]),
        Content::Fbx => (fbx::read(&source.bytes, &resolver, limits)?, &["fbx"]),
        Content::StlBinary => (stl::read_binary(&source.name, &source.bytes, limits)?, &["stl"]),
        Content::StlText(text) => (stl::read_text(&source.name, &text, limits)?, &["stl"]),
        Content::Ply => (ply::read(&source.name, &source.bytes, limits)?, &["ply"]),
        Content::Zip => return read_archive(source, limits),
    };
    let extension = detect::extension(&source.name);
    if detect::contradicts(&extension, extensions) {
        let found = extensions.first().copied().unwrap_or_default().to_uppercase();
        scene.warn("extension_mismatch", format!("the file is named .{extension}, but it is {found}"));
    }
    Ok(scene)
}

/// The model in a ZIP, with the rest of the archive beside it.
fn read_archive(source: &Source, limits: &Limits) -> Result<Scene> {
    if matches!(source.siblings, Siblings::Archive(_)) {
        return Err(Error::new(Code::NotAModel, "the archive holds an archive")
            .with_remedy("unpack it and send what is inside"));
    }
    let (name, bytes, archive) = archive::open(&source.bytes, limits)?;
    // The archive's own limits have been checked; what it unfolds into may be larger than an upload.
    let limits = Limits { file_bytes: limits.file_bytes.max(limits.archive_bytes), ..*limits };
    read(&Source { name, bytes, siblings: Siblings::Archive(archive) }, &limits)
}
