//! Bytes to a [`Scene`]: hostile input stops here, with a typed error.

use std::path::{Path, PathBuf};

use crate::{Limits, Result, scene::Scene};

/// A file to read: its name (for messages and the extension), its bytes, and where the files it
/// refers to are found.
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
}

impl Source {
    /// A file on disk, with its neighbours at hand.
    ///
    /// # Errors
    /// `io_error` when it cannot be read, `limit_file_size` when it is too big.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let _ = (path, limits);
        Err(crate::Error::new(crate::Code::Internal, "being written"))
    }

    /// Bytes already in memory, without neighbours.
    pub fn bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes, siblings: Siblings::None }
    }
}

/// Reads any supported format, recognised by its content.
///
/// # Errors
/// See [`crate::Code`]: everything of kind `Input` and `Limit` up to `precision_lost`.
pub fn read(source: &Source, limits: &Limits) -> Result<Scene> {
    let _ = (source, limits);
    Err(crate::Error::new(crate::Code::Internal, "being written"))
}
