//! H.264 through Cisco's OpenH264, compiled from source.
//!
//! One thread and a constant quantiser: the bytes depend on the pictures alone.

use openh264::{
    OpenH264API, Timestamp,
    encoder::{
        BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, QpRange,
        RateControlMode, UsageType, VuiConfig,
    },
    formats::YUVSource,
};

use super::{BACKGROUND, VideoEncoder, mp4};
use crate::{Code, Error, Result, render::Image};

/// Largest side that the encoder takes.
const LARGEST: u32 = 2160;
/// Seconds between pictures that stand alone, at which a player can start.
const KEY_SECONDS: u32 = 2;

/// An H.264 stream in an MP4 file.
pub struct H264 {
    encoder: Encoder,
    track: mp4::Track,
    pushed: u32,
}

impl H264 {
    /// An encoder for square pictures of an even size.
    ///
    /// # Errors
    /// `invalid_option` for a size that is odd, below 16 or above 2160, and for a rate of 0 or above 120; `internal` when
    /// the encoder cannot be made.
    pub fn new(size: u32, frames_per_second: u32) -> Result<Self> {
        if !(16..=LARGEST).contains(&size)
            || !size.is_multiple_of(2)
            || !(1..=120).contains(&frames_per_second)
        {
            let message = format!("a video cannot have {size} pixels a side at {frames_per_second} a second");
            return Err(Error::new(Code::InvalidOption, message).with_remedy(format!(
                "choose an even size from 16 to {LARGEST} and 1 to 120 pictures a second"
            )));
        }
        let config = EncoderConfig::new()
            // The encoder takes no other usage but screens, which turns off what helps a camera's pictures.
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Off)
            .bitrate(BitRate::from_bps(6_000_000))
            .qp(QpRange::new(18, 30))
            .max_frame_rate(FrameRate::from_hz(frames_per_second as f32))
            .intra_frame_period(IntraFramePeriod::from_num_frames(KEY_SECONDS * frames_per_second))
            .complexity(Complexity::Low)
            .skip_frames(false)
            .scene_change_detect(false)
            .background_detection(false)
            .adaptive_quantization(false)
            .num_threads(1)
            .vui(VuiConfig::bt709());
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
        let track = mp4::Track::new(size, frames_per_second);
        Ok(Self { encoder, track, pushed: 0 })
    }
}

impl VideoEncoder for H264 {
    fn push(&mut self, picture: &Image) -> Result<()> {
        let planes = Planes::new(picture)?;
        let time = u64::from(self.pushed) * 1000 / u64::from(self.track.frames_per_second());
        let stream = self.encoder.encode_at(&planes, Timestamp::from_millis(time)).map_err(failed)?;
        let key = matches!(stream.frame_type(), FrameType::IDR | FrameType::I);
        self.track.push(&stream.to_vec(), key)?;
        self.pushed += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        self.track.file()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: openh264::Error) -> Error {
    Error::new(Code::Internal, format!("the video could not be encoded: {error}"))
}

/// A picture as 4:2:0 planes: BT.709, limited range.
struct Planes {
    size: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Planes {
    fn new(picture: &Image) -> Result<Self> {
        let size = picture.width as usize;
        if picture.height != picture.width || !size.is_multiple_of(2) || picture.rgba.len() != size * size * 4
        {
            return Err(Error::new(Code::Internal, "a picture of the video has the wrong size"));
        }
        let solid = picture.over(BACKGROUND);
        let pixel = |x: usize, y: usize| {
            let at = (y * size + x) * 4;
            [solid.rgba[at], solid.rgba[at + 1], solid.rgba[at + 2]].map(i32::from)
        };
        let half = size / 2;
        let mut planes = Self {
            size,
            y: Vec::with_capacity(size * size),
            u: Vec::with_capacity(half * half),
            v: Vec::with_capacity(half * half),
        };
        planes.y.extend(solid.rgba.chunks_exact(4).map(|p| luma([p[0], p[1], p[2]].map(i32::from))));
        for y in 0..half {
            for x in 0..half {
                let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| pixel(2 * x + dx, 2 * y + dy));
                let sum = corners.iter().fold([0; 3], |s, c| [s[0] + c[0], s[1] + c[1], s[2] + c[2]]);
                let (u, v) = chroma(sum);
                planes.u.push(u);
                planes.v.push(v);
            }
        }
        Ok(planes)
    }
}

/// 16 + 219/255 (0.2126 R + 0.7152 G + 0.0722 B), in 1/65536.
fn luma([r, g, b]: [i32; 3]) -> u8 {
    (16 + ((11_966 * r + 40_254 * g + 4_064 * b + 32_768) >> 16)) as u8
}

/// 128 + 224/255 (B − Y) / 1.8556 and 128 + 224/255 (R − Y) / 1.5748, for the sum of four pixels, in 1/262144.
fn chroma([r, g, b]: [i32; 3]) -> (u8, u8) {
    let u = -6_596 * r - 22_188 * g + 28_784 * b;
    let v = 28_784 * r - 26_145 * g - 2_639 * b;
    let place = |v: i32| (128 + ((v + 131_072) >> 18)).clamp(16, 240) as u8;
    (place(u), place(v))
}

impl YUVSource for Planes {
    fn dimensions(&self) -> (usize, usize) {
        (self.size, self.size)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.size, self.size / 2, self.size / 2)
    }

    fn y(&self) -> &[u8] {
        &self.y
    }

    fn u(&self) -> &[u8] {
        &self.u
    }

    fn v(&self) -> &[u8] {
        &self.v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_primaries_land_where_the_standard_puts_them() {
        assert_eq!((luma([0; 3]), luma([255; 3])), (16, 235));
        assert_eq!(chroma([0; 3]), (128, 128));
        assert_eq!(chroma([1020; 3]), (128, 128));
        assert_eq!((luma([255, 0, 0]), chroma([1020, 0, 0])), (63, (102, 240)));
        assert_eq!((luma([0, 0, 255]), chroma([0, 0, 1020])), (32, (240, 118)));
    }

    #[test]
    fn odd_and_wild_sizes_are_refused() {
        for (size, rate) in [(721, 24), (8, 24), (4000, 24), (64, 0), (64, 1000)] {
            assert_eq!(H264::new(size, rate).err().unwrap().code, Code::InvalidOption);
        }
    }
}
