//! From linear light to a finished picture.

use glam::{Vec3, Vec4};
use rayon::prelude::*;

use super::{Image, texture::encoded};

/// Steps of the table from light to bytes, along the square root of the light so that shadows have enough of them.
const STEPS: usize = 4096;

/// The way from light to bytes, prepared once for many pictures.
pub(super) struct Developer {
    bytes: Vec<u8>,
}

impl Developer {
    pub(super) fn new() -> Self {
        let byte = |step: usize| {
            let root = step as f32 / (STEPS - 1) as f32;
            (encoded(root * root) * 255.0 + 0.5) as u8
        };
        Self { bytes: (0..STEPS).map(byte).collect() }
    }

    /// A picture of `size` pixels a side out of premultiplied light with `finer` times as many.
    pub(super) fn develop(&self, film: &[Vec4], size: u32, finer: u32) -> Image {
        let (size, finer) = (size as usize, finer as usize);
        let stride = size * finer;
        let mut rgba = vec![0_u8; size * size * 4];
        rgba.par_chunks_exact_mut(size * 4).enumerate().for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
                let mut sum = Vec4::ZERO;
                for line in film.chunks_exact(stride).skip(y * finer).take(finer) {
                    sum += line[x * finer..(x + 1) * finer].iter().copied().sum::<Vec4>();
                }
                let mean = sum / (finer * finer) as f32;
                if mean.w > 0.0 {
                    pixel.copy_from_slice(&self.pixel(mean));
                }
            }
        });
        Image { width: size as u32, height: size as u32, rgba }
    }

    fn pixel(&self, premultiplied: Vec4) -> [u8; 4] {
        let colour = premultiplied.truncate() / premultiplied.w;
        let [r, g, b] = colour.clamp(Vec3::ZERO, Vec3::ONE).to_array().map(|v| {
            let step = (v.sqrt() * (STEPS - 1) as f32 + 0.5) as usize;
            self.bytes[step.min(STEPS - 1)]
        });
        [r, g, b, (premultiplied.w.clamp(0.0, 1.0) * 255.0 + 0.5) as u8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gives_the_transfer_functions_bytes() {
        let developer = Developer::new();
        for byte in 0..=255_u8 {
            let light = super::super::texture::linear(f32::from(byte) / 255.0);
            assert_eq!(developer.pixel(Vec4::new(light, 0.0, 1.0, 1.0)), [byte, 0, 255, 255]);
        }
    }

    #[test]
    fn half_covered_pixels_keep_their_colour() {
        let red = Vec4::new(1.0, 0.0, 0.0, 1.0);
        let film = [red, Vec4::ZERO, red, Vec4::ZERO];
        assert_eq!(Developer::new().develop(&film, 1, 2).rgba, [255, 0, 0, 128]);
    }
}
