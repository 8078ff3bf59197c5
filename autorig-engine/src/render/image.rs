//! A finished picture and its encodings.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, codecs};

use crate::{Code, Error, Result};

/// A picture: sRGB with straight alpha, eight bits a channel, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Four bytes a pixel: red, green, blue, alpha.
    pub rgba: Vec<u8>,
}

impl Image {
    /// The picture as PNG.
    ///
    /// # Errors
    /// `internal` when the buffer does not fit the size.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        codecs::png::PngEncoder::new_with_quality(
            Cursor::new(&mut bytes),
            codecs::png::CompressionType::Default,
            codecs::png::FilterType::Adaptive,
        )
        .write_image(self.checked()?, self.width, self.height, ExtendedColorType::Rgba8)
        .map_err(failed)?;
        Ok(bytes)
    }

    /// The picture as lossless WebP.
    ///
    /// # Errors
    /// `internal` when the buffer does not fit the size.
    pub fn to_webp(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        codecs::webp::WebPEncoder::new_lossless(Cursor::new(&mut bytes))
            .write_image(self.checked()?, self.width, self.height, ExtendedColorType::Rgba8)
            .map_err(failed)?;
        Ok(bytes)
    }

    /// The picture over a background of one sRGB colour; opaque.
    #[must_use]
    pub fn over(&self, background: [u8; 3]) -> Self {
        let mut rgba = Vec::with_capacity(self.rgba.len());
        for pixel in self.rgba.chunks_exact(4) {
            let (colour, alpha) = (&pixel[..3], u32::from(pixel[3]));
            // Blended as displays do it, in sRGB: an edge looks the same here and over a page.
            let mix = |(c, b): (&u8, &u8)| {
                ((u32::from(*c) * alpha + u32::from(*b) * (255 - alpha) + 127) / 255) as u8
            };
            rgba.extend(colour.iter().zip(&background).map(mix));
            rgba.push(255);
        }
        Self { width: self.width, height: self.height, rgba }
    }

    /// The buffer, if it is as long as the size says.
    fn checked(&self) -> Result<&[u8]> {
        let expected = self.width as usize * self.height as usize * 4;
        if self.rgba.len() != expected {
            let message = format!("a picture of {expected} bytes has {}", self.rgba.len());
            return Err(Error::new(Code::Internal, message));
        }
        Ok(&self.rgba)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: image::ImageError) -> Error {
    Error::new(Code::Internal, format!("a picture could not be encoded: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Image {
        Image { width: 2, height: 1, rgba: vec![255, 0, 0, 255, 0, 200, 0, 128] }
    }

    #[test]
    fn png_and_webp_come_back_as_they_went_in() {
        let picture = picture();
        for bytes in [picture.to_png().unwrap(), picture.to_webp().unwrap()] {
            let back = image::load_from_memory(&bytes).unwrap().to_rgba8();
            assert_eq!(back.into_raw(), picture.rgba);
        }
    }

    #[test]
    fn over_a_background_nothing_stays_transparent() {
        assert_eq!(picture().over([0, 0, 100]).rgba, [255, 0, 0, 255, 0, 100, 50, 255]);
    }

    #[test]
    fn a_buffer_of_the_wrong_length_is_an_error_and_no_panic() {
        let picture = Image { width: 4, height: 4, rgba: vec![0; 12] };
        assert_eq!(picture.to_png().unwrap_err().code, Code::Internal);
        assert_eq!(picture.to_webp().unwrap_err().code, Code::Internal);
    }
}
