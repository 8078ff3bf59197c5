//! What an encoded image is and how large it unfolds, without decoding it.

use std::io::Cursor;

use super::siblings::short;
use crate::scene::{Image, Scene, Texture};
use crate::{Code, Error, Limits, Result};

/// A white pixel: stands where the file's own image is missing, so that texture indices stay true.
pub(crate) const WHITE_PIXEL: &[u8] = &[
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3A, 0x7E, 0x9B, 0x55, 0x00,
    0x00, 0x00, 0x0A, 0x49, 0x44, 0x41, 0x54, 0x78, 0xDA, 0x63, 0xF8, 0x0F, 0x00, 0x01, 0x01, 0x01, 0x00,
    0x1C, 0xB0, 0x8C, 0x99, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
];

/// What the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
    Webp,
    Ktx2,
    Avif,
    Dds,
    /// Nothing a glTF may hold.
    Other,
}

impl Kind {
    /// Recognises an image by its first bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Self::Png
        } else if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Self::Jpeg
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Self::Webp
        } else if bytes.starts_with(b"\xABKTX 20\xBB\r\n\x1A\n") {
            Self::Ktx2
        } else if bytes.get(4..12) == Some(b"ftypavif") {
            Self::Avif
        } else if bytes.starts_with(b"DDS ") {
            Self::Dds
        } else {
            Self::Other
        }
    }

    /// Its media type.
    pub(crate) fn mime(self) -> Option<&'static str> {
        Some(match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Ktx2 => "image/ktx2",
            Self::Avif => "image/avif",
            Self::Dds => "image/vnd-ms.dds",
            Self::Other => return None,
        })
    }

    /// Width and height as the header declares them; `None` when the header is unreadable or the kind
    /// has none that is known here.
    pub(crate) fn size(self, bytes: &[u8]) -> Option<(u32, u32)> {
        let format = match self {
            Self::Png => image::ImageFormat::Png,
            Self::Jpeg => image::ImageFormat::Jpeg,
            Self::Webp => image::ImageFormat::WebP,
            Self::Ktx2 => return Some((u32_at(bytes, 20)?, u32_at(bytes, 24)?)),
            Self::Dds => return Some((u32_at(bytes, 16)?, u32_at(bytes, 12)?)),
            Self::Avif | Self::Other => return None,
        };
        image::ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok()
    }

    /// True when a header that cannot be read means that the image is broken.
    pub(crate) fn is_decodable(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Webp)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..at + 4)? {
        [a, b, c, d] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// Adds up what the images unfold to.
pub(crate) struct Meter<'a> {
    limits: &'a Limits,
    used: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self { limits, used: 0 }
    }

    /// Counts an image of the given size.
    pub(crate) fn add(&mut self, name: &str, (width, height): (u32, u32)) -> Result<()> {
        let side = self.limits.texture_side;
        if width > side || height > side {
            let message = format!("{name} is {width} × {height} pixels; at most {side} a side are accepted");
            return Err(Error::new(Code::LimitTexture, message)
                .with_remedy(format!("reduce the textures, at most {side} pixels a side")));
        }
        self.used += u64::from(width) * u64::from(height) * 4;
        if self.used > self.limits.texture_bytes {
            let message =
                format!("the textures take more than {} MB once decoded", self.limits.texture_bytes >> 20);
            return Err(Error::new(Code::LimitTexture, message)
                .with_remedy("reduce the size or the number of the textures"));
        }
        Ok(())
    }
}

/// Adds a picture with a texture of its own, named after its file, and returns the texture. `None`, and said, where it is
/// no picture that glTF may hold.
pub(crate) fn add_texture(
    scene: &mut Scene,
    meter: &mut Meter<'_>,
    path: &str,
    bytes: Vec<u8>,
) -> Result<Option<usize>> {
    let kind = Kind::of(&bytes);
    let size = kind.size(&bytes).filter(|(w, h)| *w > 0 && *h > 0);
    let (Some(mime), Some(size), true) = (kind.mime(), size, kind.is_decodable()) else {
        let message =
            format!("the texture \"{}\" is no PNG, JPEG or WebP picture and is left out", short(path));
        scene.warn("image_unreadable", message);
        return Ok(None);
    };
    meter.add(&format!("texture \"{}\"", short(path)), size)?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let (image, webp) = (scene.images.len(), kind == Kind::Webp);
    scene.images.push(Image { name: name.clone(), mime: mime.to_owned(), bytes });
    let mut texture = Texture { name, image: Some(image), ..Texture::default() };
    if webp {
        // Plain glTF has no WebP.
        texture.image = None;
        texture.extensions.insert("EXT_texture_webp".into(), serde_json::json!({"source": image}));
        for list in [&mut scene.extensions_used, &mut scene.extensions_required] {
            if list.is_empty() {
                list.push("EXT_texture_webp".to_owned());
            }
        }
    }
    scene.textures.push(texture);
    Ok(Some(scene.textures.len() - 1))
}
