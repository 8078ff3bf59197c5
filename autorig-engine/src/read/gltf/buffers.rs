//! Buffers: the BIN chunk, data URIs, neighbouring files.

use std::borrow::Cow;

use super::json::{Root, corrupt};
use crate::read::siblings::Resolver;
use crate::{Code, Error, Result};

/// The bytes of every buffer.
pub(crate) struct Buffers<'a> {
    buffers: Vec<Cow<'a, [u8]>>,
}

impl<'a> Buffers<'a> {
    /// Fetches every buffer; `bin` is the GLB's own chunk.
    pub(crate) fn load(root: &Root, bin: Option<&'a [u8]>, resolver: &Resolver<'_>) -> Result<Self> {
        let mut buffers = Vec::with_capacity(root.buffers.len());
        for (index, def) in root.buffers.iter().enumerate() {
            let bytes = match &def.uri {
                Some(uri) => Cow::Owned(resolver.fetch_uri(uri)?.bytes),
                None if index == 0 && bin.is_some() => Cow::Borrowed(bin.unwrap_or_default()),
                // The fallback buffer of meshopt may be left out; whoever reads from it finds it empty.
                None if def.extensions.keys().any(|k| k.ends_with("meshopt_compression")) => {
                    Cow::Borrowed(&[][..])
                }
                None => {
                    return Err(Error::new(
                        Code::MissingResource,
                        format!("buffer {index} has no data: neither an address nor a binary chunk"),
                    ));
                }
            };
            let complete = def.extensions.keys().any(|k| k.ends_with("meshopt_compression"))
                || bytes.len() as u64 >= def.byte_length;
            if !complete {
                return Err(Error::new(
                    Code::TruncatedFile,
                    format!("buffer {index} should have {} bytes and has {}", def.byte_length, bytes.len()),
                ));
            }
            buffers.push(bytes);
        }
        Ok(Self { buffers })
    }

    /// Adds bytes that were decoded from others; the new buffer's index.
    pub(crate) fn add(&mut self, bytes: Vec<u8>) -> usize {
        self.buffers.push(Cow::Owned(bytes));
        self.buffers.len() - 1
    }

    /// The bytes at a place of a buffer; `None` where it has fewer.
    pub(crate) fn range(&self, buffer: usize, offset: u64, length: u64) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.buffers.get(buffer)?.get(start..end)
    }

    /// The bytes of a buffer view and its stride.
    pub(crate) fn view(&self, root: &Root, index: usize) -> Result<(&[u8], Option<usize>)> {
        let count = root.buffer_views.len();
        let view = root.buffer_views.get(index).ok_or_else(|| {
            corrupt(format!("buffer view {index} is referred to, but there are only {count}"))
        })?;
        let buffer = self.buffers.get(view.buffer).ok_or_else(|| {
            corrupt(format!("buffer view {index} refers to buffer {}, which does not exist", view.buffer))
        })?;
        let range = usize::try_from(view.byte_offset)
            .ok()
            .zip(usize::try_from(view.byte_length).ok())
            .and_then(|(start, length)| Some(start..start.checked_add(length)?));
        let bytes = range.and_then(|range| buffer.get(range)).ok_or_else(|| {
            corrupt(format!("buffer view {index} runs past the end of buffer {}", view.buffer))
        })?;
        let stride = match view.byte_stride {
            None | Some(0) => None,
            Some(stride) => Some(
                usize::try_from(stride)
                    .ok()
                    .filter(|s| *s <= 65_536)
                    .ok_or_else(|| corrupt(format!("buffer view {index} has stride {stride}")))?,
            ),
        };
        Ok((bytes, stride))
    }
}
