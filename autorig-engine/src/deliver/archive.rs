//! The ZIP of everything, written as files are made.

use std::io::{Cursor, Write};

use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{Code, Error, Result};

/// Compressed already.
const PACKED: [&str; 4] = [".png", ".webp", ".mp4", ".zip"];

/// An archive under construction, in memory.
pub(super) struct Archive {
    stem: String,
    writer: ZipWriter<Cursor<Vec<u8>>>,
}

impl Archive {
    /// An archive of a model's files.
    pub(super) fn new(stem: &str) -> Self {
        Self { stem: stem.to_owned(), writer: ZipWriter::new(Cursor::new(Vec::new())) }
    }

    /// Adds the model's file with this suffix.
    pub(super) fn add(&mut self, suffix: &str, bytes: &[u8]) -> Result<()> {
        let name = format!("{}{suffix}", self.stem);
        self.add_as(&name, bytes)
    }

    /// Adds a file of this name.
    pub(super) fn add_as(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let packed = PACKED.iter().any(|end| name.ends_with(end));
        let method = if packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        // No clock in any file: the archive's own beginning of time.
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(bytes.len() > 1 << 31);
        self.writer.start_file(name, options).map_err(failed)?;
        self.writer.write_all(bytes).map_err(failed)
    }

    /// The whole archive.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.writer.finish().map_err(failed)?.into_inner())
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Code::Internal, format!("the archive cannot be written: {error}"))
}
