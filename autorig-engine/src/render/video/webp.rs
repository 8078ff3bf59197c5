//! Animated WebP: lossless pictures in a RIFF container ("WebP Container Specification", §Animation).

use super::{BACKGROUND, VideoEncoder};
use crate::{Code, Error, Result, render::Image};

/// Pictures that play without end. Lossless and without differences between pictures: meant for small sizes.
pub struct AnimatedWebp {
    frames_per_second: u32,
    size: Option<(u32, u32)>,
    frames: Vec<Vec<u8>>,
}

impl AnimatedWebp {
    /// An encoder for a rate of 1 to 100 pictures a second.
    ///
    /// # Errors
    /// `invalid_option` for another rate.
    pub fn new(frames_per_second: u32) -> Result<Self> {
        if !(1..=100).contains(&frames_per_second) {
            let message = format!("an animated picture cannot show {frames_per_second} pictures a second");
            return Err(Error::new(Code::InvalidOption, message).with_remedy("choose a rate from 1 to 100"));
        }
        Ok(Self { frames_per_second, size: None, frames: Vec::new() })
    }

    /// How long a picture is shown in milliseconds, so that no error adds up.
    fn shown(&self, index: u64) -> u32 {
        let at = |i: u64| i * 1000 / u64::from(self.frames_per_second);
        (at(index + 1) - at(index)) as u32
    }
}

impl VideoEncoder for AnimatedWebp {
    fn push(&mut self, picture: &Image) -> Result<()> {
        let size = (picture.width, picture.height);
        if *self.size.get_or_insert(size) != size {
            return Err(Error::new(Code::Internal, "a picture of the video has the wrong size"));
        }
        let still = picture.over(BACKGROUND).to_webp()?;
        // A still is RIFF, length, WEBP and its chunks; the picture itself is the chunk VP8L.
        let chunk = chunks(still.get(12..).unwrap_or_default())
            .into_iter()
            .find(|c| c.starts_with(b"VP8L"))
            .ok_or_else(|| Error::new(Code::Internal, "a picture of the video could not be encoded"))?;
        self.frames.push(chunk.to_vec());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        let Some((width, height)) = self.size.filter(|(w, h)| *w > 0 && *h > 0) else {
            return Err(Error::new(Code::Internal, "a video without a picture"));
        };
        let small = |v: u32| [v as u8, (v >> 8) as u8, (v >> 16) as u8];
        let canvas = [small(width - 1), small(height - 1)].concat();
        // Bit 1: animation.
        let mut body = [b"WEBP".to_vec(), chunk(*b"VP8X", &[&[2, 0, 0, 0][..], &canvas].concat())].concat();
        let [r, g, b] = BACKGROUND;
        body.extend(chunk(*b"ANIM", &[b, g, r, 255, 0, 0]));
        for (index, frame) in (0..).zip(&self.frames) {
            // At the corner, over what was there without blending.
            let head = [&[0; 6][..], &canvas, &small(self.shown(index)), &[2]].concat();
            body.extend(chunk(*b"ANMF", &[&head, &frame[..]].concat()));
        }
        let length = u32::try_from(body.len())
            .map_err(|_| Error::new(Code::Internal, "the video is larger than 4 GB"))?;
        Ok([&b"RIFF"[..], &length.to_le_bytes(), &body].concat())
    }
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if data.len().is_multiple_of(2) { &[] } else { &[0] };
    [&name[..], &(data.len() as u32).to_le_bytes(), data, padding].concat()
}

/// The chunks of a file's body, with their heads and padding.
fn chunks(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some(&[a, b, c, d]) = rest.get(4..8) {
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let end = (8 + length + length % 2).min(rest.len());
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}
