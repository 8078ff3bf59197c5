//! A character as a short video: a full turn, then a clip.
//!
//! With the feature `h264` (on by default) an MP4 that every current browser plays: H.264 Constrained Baseline, 4:2:0,
//! index before the data. Without it an animated WebP, which every current browser shows too. Both behind [`VideoEncoder`].

use rayon::prelude::*;

use super::{
    Image,
    reel::{Reel, preview_clip},
};
use crate::{Character, Code, Error, Result};

#[cfg(feature = "h264")]
mod h264;
#[cfg(feature = "h264")]
mod mp4;
mod webp;

#[cfg(feature = "h264")]
pub use h264::H264;
pub use webp::AnimatedWebp;

/// Colour behind the character, sRGB: videos have no transparency.
pub const BACKGROUND: [u8; 3] = [0xe9, 0xec, 0xf0];
/// Pictures that are drawn while the ones before are encoded.
const AHEAD: u32 = 8;

/// Turns pictures into a file.
pub trait VideoEncoder: Send {
    /// Adds the next picture; all have the same size.
    ///
    /// # Errors
    /// `internal` when the encoder refuses it.
    fn push(&mut self, picture: &Image) -> Result<()>;

    /// The whole file.
    ///
    /// # Errors
    /// `internal` when there is no picture, or the encoder fails.
    fn finish(self: Box<Self>) -> Result<Vec<u8>>;
}

/// How a video is made.
#[derive(Debug, Clone, Copy)]
pub struct VideoOptions {
    /// Pixels a side, even.
    pub size: u32,
    /// Pictures a second.
    pub frames_per_second: u32,
    /// Length of the turn, in seconds.
    pub turn_seconds: f32,
    /// The clip that follows; by default [`preview_clip`] chooses.
    pub clip: Option<usize>,
}

impl Default for VideoOptions {
    fn default() -> Self {
        // Lossless pictures of 720 pixels would make tens of megabytes.
        let (size, frames_per_second) = if cfg!(feature = "h264") { (720, 24) } else { (360, 12) };
        Self { size, frames_per_second, turn_seconds: 3.0, clip: None }
    }
}

/// A finished video.
#[derive(Debug, Clone)]
pub struct Video {
    /// The file.
    pub bytes: Vec<u8>,
    /// `video/mp4`, or `image/webp` without the feature `h264`.
    pub mime: &'static str,
    /// `mp4` or `webp`.
    pub extension: &'static str,
    /// Number of pictures.
    pub frames: u32,
}

/// The character turning once and then moving, as this build encodes videos.
///
/// # Errors
/// Those of [`Reel::new`], `invalid_option` for an odd size or one that the encoder does not take, `internal` when the
/// encoder fails.
pub fn video(character: &Character, options: &VideoOptions) -> Result<Video> {
    let clip = options.clip.or_else(|| preview_clip(character));
    let reel = Reel::new(character, options.size, options.frames_per_second, options.turn_seconds, clip)?;
    let frames = reel.frames();
    let (encoder, mime, extension) = encoder(options)?;
    Ok(Video { bytes: encode(&reel, encoder)?, mime, extension, frames })
}

/// Draws a reel into an encoder. Pictures are drawn while the ones before are encoded; their order is the reel's.
///
/// # Errors
/// Those of the encoder, and `invalid_option` for a reel without pictures.
pub fn encode(reel: &Reel<'_>, mut encoder: Box<dyn VideoEncoder>) -> Result<Vec<u8>> {
    let frames = reel.frames();
    if frames == 0 {
        return Err(Error::new(Code::InvalidOption, "a video needs at least one picture"));
    }
    let draw = |first: u32| -> Vec<Image> {
        (first..(first + AHEAD).min(frames)).into_par_iter().map(|i| reel.frame(i)).collect()
    };
    let mut waiting = draw(0);
    let mut next = AHEAD;
    while !waiting.is_empty() {
        let push = |encoder: &mut dyn VideoEncoder| waiting.iter().try_for_each(|p| encoder.push(p));
        let (pushed, drawn) = rayon::join(|| push(encoder.as_mut()), || draw(next.min(frames)));
        pushed?;
        waiting = drawn;
        next += AHEAD;
    }
    encoder.finish()
}

/// The encoder of this build.
#[cfg(feature = "h264")]
fn encoder(options: &VideoOptions) -> Result<(Box<dyn VideoEncoder>, &'static str, &'static str)> {
    Ok((Box::new(H264::new(options.size, options.frames_per_second)?), "video/mp4", "mp4"))
}

/// The encoder of this build.
#[cfg(not(feature = "h264"))]
fn encoder(options: &VideoOptions) -> Result<(Box<dyn VideoEncoder>, &'static str, &'static str)> {
    Ok((Box::new(AnimatedWebp::new(options.frames_per_second)?), "image/webp", "webp"))
}

#[cfg(test)]
mod tests;
