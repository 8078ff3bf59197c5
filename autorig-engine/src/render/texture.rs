//! Textures: decoded, reduced step by step, read with filtering.

use std::io::Cursor;

use glam::{Vec2, Vec4};

use crate::scene;

/// Larger textures are halved until they fit: no picture made here shows more of them.
const LARGEST_SIDE: u32 = 2048;
/// Textures beyond this many pixels are not decoded; readers refuse them already.
const MOST_SIDE: u32 = 8192;
/// Bytes a decoder may take for one texture.
const MOST_BYTES: u64 = 512 << 20;

/// What the numbers of a texture mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    /// Colours: sRGB transfer, averaged as light.
    Srgb,
    /// Data: taken as they are.
    Linear,
}

/// A texture and its halvings.
pub(super) struct Texture {
    levels: Vec<Level>,
    space: Space,
    /// Linear value of each sRGB byte.
    decode: Box<[f32; 256]>,
}

struct Level {
    width: u32,
    height: u32,
    texels: Vec<[u8; 4]>,
}

/// What happens outside of 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrap {
    Repeat,
    Mirror,
    Clamp,
}

impl Wrap {
    /// From glTF's number.
    pub(super) fn of(code: Option<u64>) -> Self {
        match code {
            Some(33_071) => Self::Clamp,
            Some(33_648) => Self::Mirror,
            _ => Self::Repeat,
        }
    }

    /// A texel index brought inside.
    fn apply(self, at: i32, size: i32) -> i32 {
        match self {
            Self::Clamp => at.clamp(0, size - 1),
            Self::Repeat => at.rem_euclid(size),
            Self::Mirror => {
                let period = at.rem_euclid(2 * size);
                if period < size { period } else { 2 * size - 1 - period }
            }
        }
    }
}

impl Texture {
    /// Decodes an image; `None` for what this build has no decoder for (KTX2, AVIF) or what is broken.
    pub(super) fn decode(image: &scene::Image, space: Space) -> Option<Self> {
        let mut reader = image::ImageReader::new(Cursor::new(&image.bytes)).with_guessed_format().ok()?;
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(MOST_SIDE);
        limits.max_image_height = Some(MOST_SIDE);
        limits.max_alloc = Some(MOST_BYTES);
        reader.limits(limits);
        let decoded = reader.decode().ok()?.into_rgba8();
        let (width, height) = decoded.dimensions();
        if width == 0 || height == 0 {
            return None;
        }
        let texels = decoded.into_raw().chunks_exact(4).map(|t| [t[0], t[1], t[2], t[3]]).collect();
        Some(Self::new(Level { width, height, texels }, space))
    }

    /// One white texel.
    pub(super) fn white() -> Self {
        Self::new(Level { width: 1, height: 1, texels: vec![[255; 4]] }, Space::Linear)
    }

    fn new(base: Level, space: Space) -> Self {
        let decode = Box::new(std::array::from_fn(|byte| match space {
            Space::Srgb => linear(byte as f32 / 255.0),
            Space::Linear => byte as f32 / 255.0,
        }));
        let mut texture = Self { levels: vec![base], space, decode };
        while let Some(last) = texture.levels.last().filter(|l| l.width > 1 || l.height > 1) {
            let needless = last.width.max(last.height) > LARGEST_SIDE;
            let next = texture.halved(last);
            if needless {
                texture.levels.clear();
            }
            texture.levels.push(next);
        }
        texture
    }

    /// Half as many texels along each side, colours averaged as light and weighed by alpha.
    fn halved(&self, level: &Level) -> Level {
        let (width, height) = ((level.width / 2).max(1), (level.height / 2).max(1));
        let mut texels = Vec::with_capacity((width * height) as usize);
        for y in 0..height {
            for x in 0..width {
                let (x1, y1) = ((2 * x + 1).min(level.width - 1), (2 * y + 1).min(level.height - 1));
                let corners = [(2 * x, 2 * y), (x1, 2 * y), (2 * x, y1), (x1, y1)].map(|(x, y)| {
                    self.texel(level, x.min(level.width - 1) as i32, y.min(level.height - 1) as i32)
                });
                let alpha: f32 = corners.iter().map(|c| c.w).sum();
                let weigh = self.space == Space::Srgb && alpha > 0.0;
                let sum = corners.iter().fold(Vec4::ZERO, |sum, c| {
                    sum + if weigh { (c.truncate() * c.w).extend(c.w) } else { *c }
                });
                let mean = (sum.truncate() / if weigh { alpha } else { 4.0 }).extend(alpha / 4.0);
                texels.push(self.encode(mean));
            }
        }
        Level { width, height, texels }
    }

    fn encode(&self, colour: Vec4) -> [u8; 4] {
        let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        let encode = |v: f32| byte(if self.space == Space::Srgb { encoded(v) } else { v });
        [encode(colour.x), encode(colour.y), encode(colour.z), byte(colour.w)]
    }

    /// Width and height of the finest level, in texels.
    pub(super) fn size(&self) -> Vec2 {
        self.levels.first().map_or(Vec2::ONE, |l| Vec2::new(l.width as f32, l.height as f32))
    }

    /// The filtered value; `lod` counts halvings from the finest level.
    pub(super) fn sample(&self, uv: Vec2, wrap: (Wrap, Wrap), lod: f32, nearest: bool) -> Vec4 {
        if !uv.is_finite() {
            return Vec4::ONE;
        }
        let last = self.levels.len() - 1;
        let lod = lod.clamp(0.0, last as f32);
        if nearest && lod <= 0.5 {
            return self.nearest(uv, wrap);
        }
        let fine = lod as usize;
        let share = lod - fine as f32;
        let a = self.bilinear(&self.levels[fine], uv, wrap);
        // Nearly on a level: the other adds nothing that eight bits show.
        if share < 0.05 || fine == last {
            return a;
        }
        a.lerp(self.bilinear(&self.levels[fine + 1], uv, wrap), share)
    }

    fn nearest(&self, uv: Vec2, wrap: (Wrap, Wrap)) -> Vec4 {
        let level = &self.levels[0];
        let at = |v: f32, size: u32, wrap: Wrap| wrap.apply(floor(v * size as f32), size as i32);
        self.texel(level, at(uv.x, level.width, wrap.0), at(uv.y, level.height, wrap.1))
    }

    fn bilinear(&self, level: &Level, uv: Vec2, wrap: (Wrap, Wrap)) -> Vec4 {
        let (w, h) = (level.width as i32, level.height as i32);
        let (x, y) = (uv.x * w as f32 - 0.5, uv.y * h as f32 - 0.5);
        let (x0, y0) = (floor(x), floor(y));
        let (fx, fy) = ((x - x0 as f32).clamp(0.0, 1.0), (y - y0 as f32).clamp(0.0, 1.0));
        let columns = [wrap.0.apply(x0, w), wrap.0.apply(x0.saturating_add(1), w)];
        let rows = [wrap.1.apply(y0, h), wrap.1.apply(y0.saturating_add(1), h)];
        let top = self.texel(level, columns[0], rows[0]).lerp(self.texel(level, columns[1], rows[0]), fx);
        let bottom = self.texel(level, columns[0], rows[1]).lerp(self.texel(level, columns[1], rows[1]), fx);
        top.lerp(bottom, fy)
    }

    fn texel(&self, level: &Level, x: i32, y: i32) -> Vec4 {
        let [r, g, b, a] = level.texels[(y as u32 * level.width + x as u32) as usize];
        let decode = |byte: u8| self.decode[usize::from(byte)];
        Vec4::new(decode(r), decode(g), decode(b), f32::from(a) / 255.0)
    }
}

/// The next whole number below; saturates.
fn floor(v: f32) -> i32 {
    let whole = v as i32;
    if (whole as f32) > v { whole.saturating_sub(1) } else { whole }
}

/// An sRGB value as linear light (IEC 61966-2-1).
pub(super) fn linear(v: f32) -> f32 {
    if v <= 0.040_45 { v / 12.92 } else { libm::powf((v + 0.055) / 1.055, 2.4) }
}

/// Linear light as an sRGB value.
pub(super) fn encoded(v: f32) -> f32 {
    if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * libm::powf(v, 1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(space: Space) -> Texture {
        let texels = (0..16).map(|i| if (i % 4 + i / 4) % 2 == 0 { [255; 4] } else { [0, 0, 0, 255] });
        Texture::new(Level { width: 4, height: 4, texels: texels.collect() }, space)
    }

    #[test]
    fn halving_averages_light_and_not_bytes() {
        let colours = checks(Space::Srgb);
        let grey = colours.sample(Vec2::splat(0.5), (Wrap::Repeat, Wrap::Repeat), 2.0, false);
        assert!((grey.x - 0.5).abs() < 0.01, "{grey}");
        let data = checks(Space::Linear).sample(Vec2::splat(0.5), (Wrap::Repeat, Wrap::Repeat), 2.0, false);
        assert!((data.x - 0.5).abs() < 0.01, "{data}");
    }

    #[test]
    fn outside_of_the_square_the_wrap_mode_decides() {
        let inside = |wrap: Wrap| [-1, 0, 3, 4, 5].map(|at| wrap.apply(at, 4));
        assert_eq!(inside(Wrap::Repeat), [3, 0, 3, 0, 1]);
        assert_eq!(inside(Wrap::Clamp), [0, 0, 3, 3, 3]);
        assert_eq!(inside(Wrap::Mirror), [0, 0, 3, 3, 2]);
    }

    #[test]
    fn what_cannot_be_decoded_is_no_texture() {
        for bytes in
            [Vec::new(), b"\xABKTX 20\xBB\r\n\x1A\nrest".to_vec(), b"\x89PNG\r\n\x1a\nbroken".to_vec()]
        {
            let image = scene::Image { bytes, ..scene::Image::default() };
            assert!(Texture::decode(&image, Space::Srgb).is_none());
        }
    }

    #[test]
    fn wild_coordinates_are_answered() {
        for uv in [Vec2::splat(f32::NAN), Vec2::splat(f32::INFINITY), Vec2::splat(-1e30), Vec2::splat(3e9)] {
            assert!(checks(Space::Srgb).sample(uv, (Wrap::Repeat, Wrap::Mirror), 0.3, false).is_finite());
        }
    }

    #[test]
    fn srgb_there_and_back_is_the_same() {
        for byte in 0..=255_u8 {
            let v = f32::from(byte) / 255.0;
            assert!((encoded(linear(v)) - v).abs() < 1e-5);
        }
    }
}
