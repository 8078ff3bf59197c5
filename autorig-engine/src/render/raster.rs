//! From triangles to pixels: a z-buffer over tiles.
//!
//! Corners are snapped to 1/256 of a pixel and edges are tested in whole numbers (Pineda 1988, "A Parallel Algorithm for
//! Polygon Rasterization"), so that neighbouring triangles share every pixel exactly once. Visibility is kept for four
//! places in each pixel, on a rotated grid; a triangle is shaded once in each pixel that it is seen in, at the middle of
//! its places there. Tiles are independent of each other, so threads change nothing.

use glam::{Vec2, Vec4};
use rayon::prelude::*;

use super::{
    camera::Camera,
    ground::Ground,
    shade::Shader,
    stage::{Stage, Vertices},
};
use crate::scene::Alpha;

/// Pixels along a side of a tile.
const TILE: u32 = 32;
/// Fixed-point steps of a pixel.
const STEPS: i64 = 256;
/// Places in a pixel at which visibility is tested, in fixed-point steps.
const PLACES: [(i64, i64); 4] = [(96, 32), (224, 96), (32, 160), (160, 224)];
/// Corners are kept within so many pixels, so that products stay within 64 bits.
const FARTHEST: f32 = 1e6;
/// No triangle.
const NONE: u32 = u32::MAX;
/// What a blended surface covers more than this is drawn as if it were opaque, so that shells of one mesh hide each other.
const SOLID: f32 = 0.95;

/// A corner in the picture.
#[derive(Clone, Copy)]
struct Corner {
    x: i64,
    y: i64,
    /// One over the depth; 0 for what is not in front of the camera.
    inverse_depth: f32,
}

/// A triangle as it lies in the picture, corners so ordered that its area is positive.
pub(super) struct Face {
    /// Index of the triangle.
    pub(super) triangle: u32,
    /// Its vertices, in the order of the corners.
    pub(super) vertices: [usize; 3],
    corners: [Corner; 3],
    area: i64,
    /// Whether its front is seen.
    pub(super) front: bool,
}

/// A place on a face.
pub(super) struct Place {
    /// Perspective-correct weights of the corners.
    pub(super) weights: [f32; 3],
}

impl Face {
    /// `None` for what is not seen: behind the camera, without area, or turned away.
    fn new(stage: &Stage<'_>, screen: &[Corner], triangle: u32) -> Option<Self> {
        let t = stage.triangles[triangle as usize].map(|i| i as usize);
        let c = t.map(|i| screen[i]);
        // The camera stands outside of the character; what reaches behind it is left out as a whole.
        if c.iter().any(|c| c.inverse_depth <= 0.0) {
            return None;
        }
        let area = (c[1].x - c[0].x) * (c[2].y - c[0].y) - (c[1].y - c[0].y) * (c[2].x - c[0].x);
        // Rows run downwards, so the counter-clockwise front has a negative area.
        let front = area < 0;
        let surface = &stage.library.surfaces[stage.surface_of[triangle as usize] as usize];
        if area == 0 || !(front || surface.double_sided) {
            return None;
        }
        let (vertices, corners) = if front { ([t[0], t[2], t[1]], [c[0], c[2], c[1]]) } else { (t, c) };
        Some(Self { triangle, vertices, corners, area: area.abs(), front })
    }

    /// First and last pixel that it may touch, within `size`; `None` outside of the picture.
    fn bounds(&self, size: u32) -> Option<[u32; 4]> {
        let span = |values: [i64; 3]| {
            let low = values.iter().copied().fold(i64::MAX, i64::min).div_euclid(STEPS);
            let high = values.iter().copied().fold(i64::MIN, i64::max).div_euclid(STEPS);
            let last = i64::from(size) - 1;
            (low <= last && high >= 0).then(|| (low.max(0) as u32, high.min(last) as u32))
        };
        let (x0, x1) = span(self.corners.map(|c| c.x))?;
        let (y0, y1) = span(self.corners.map(|c| c.y))?;
        Some([x0, y0, x1, y1])
    }

    /// Depth order for blending: the mean of the corners.
    fn nearness(&self) -> f32 {
        self.corners.iter().map(|c| c.inverse_depth).sum()
    }

    /// Twice its area in pixels.
    pub(super) fn pixels(&self) -> f32 {
        self.area as f32 / (STEPS * STEPS) as f32
    }

    /// Linear weights of the corners at a place given in fixed-point steps.
    fn flat(&self, x: i64, y: i64) -> [f32; 3] {
        let edge = |a: Corner, b: Corner| (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x);
        let [a, b, c] = self.corners;
        let scale = 1.0 / self.area as f32;
        let mut weights = [edge(b, c) as f32 * scale, edge(c, a) as f32 * scale, 0.0];
        weights[2] = 1.0 - weights[0] - weights[1];
        weights
    }

    /// The place on the face that is seen at a place of the picture.
    pub(super) fn place(&self, x: i64, y: i64) -> Place {
        let mut weights = self.flat(x, y);
        for (weight, corner) in weights.iter_mut().zip(&self.corners) {
            // Clamped, because the mean of covered places may lie a little outside of a sliver.
            *weight = weight.clamp(0.0, 1.0) * corner.inverse_depth;
        }
        let sum: f32 = weights.iter().sum();
        Place { weights: weights.map(|w| w / sum) }
    }

    /// Calls `covered` for every pixel of a rectangle that it covers a place of, with the places as bits.
    fn cover(&self, [x0, y0, x1, y1]: [u32; 4], mut covered: impl FnMut(u32, u32, u8)) {
        let [a, b, c] = self.corners;
        let edges = [(a, b), (b, c), (c, a)].map(|(from, to)| {
            let (dx, dy) = (to.x - from.x, to.y - from.y);
            // An edge belongs to one of its two triangles: the other walks it in the opposite direction.
            let owned = dy > 0 || (dy == 0 && dx < 0);
            let start = dx * (i64::from(y0) * STEPS - from.y) - dy * (i64::from(x0) * STEPS - from.x);
            let places = PLACES.map(|(px, py)| dx * py - dy * px - i64::from(!owned));
            (start, -dy * STEPS, dx * STEPS, places)
        });
        let mut rows = edges.map(|e| e.0);
        for y in y0..=y1 {
            let mut at = rows;
            for x in x0..=x1 {
                let mut mask = 0_u8;
                for place in 0..PLACES.len() {
                    let inside = (0..3).all(|e| at[e] + edges[e].3[place] >= 0);
                    mask |= u8::from(inside) << place;
                }
                if mask != 0 {
                    covered(x, y, mask);
                }
                (0..3).for_each(|e| at[e] += edges[e].1);
            }
            (0..3).for_each(|e| rows[e] += edges[e].2);
        }
    }
}

/// What a picture is made of.
pub(super) struct Shot<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) vertices: &'a Vertices,
    pub(super) camera: &'a Camera,
    pub(super) shader: Shader<'a>,
    pub(super) ground: Option<&'a Ground>,
}

/// The triangles that may be seen in a tile.
#[derive(Default, Clone)]
struct Bin {
    solid: Vec<u32>,
    /// Farthest first.
    blended: Vec<u32>,
}

impl Shot<'_> {
    /// The picture as linear colours with premultiplied alpha, row by row from the top.
    pub(super) fn take(&self, size: u32) -> Vec<Vec4> {
        let screen = self.project(size);
        let tiles = size.div_ceil(TILE);
        let bins = self.sort(&screen, size, tiles);
        let drawn: Vec<Vec<Vec4>> = (0..tiles * tiles)
            .into_par_iter()
            .map(|tile| self.tile(&screen, &bins[tile as usize], tile, size))
            .collect();
        let mut film = vec![Vec4::ZERO; size as usize * size as usize];
        for (tile, pixels) in (0..).zip(&drawn) {
            let [x0, y0, x1, y1] = rectangle(tile, size);
            let width = (x1 - x0 + 1) as usize;
            for (row, y) in pixels.chunks_exact(width).zip(y0..=y1) {
                let start = y as usize * size as usize + x0 as usize;
                film[start..start + width].copy_from_slice(row);
            }
        }
        film
    }

    fn project(&self, size: u32) -> Vec<Corner> {
        let half = size as f32 / 2.0;
        let fixed = |v: f32| (v.clamp(-FARTHEST, FARTHEST) * STEPS as f32 + 0.5) as i64;
        let corner = |p: &glam::Vec3| {
            let seen = self.camera.see(*p);
            let front = seen.depth > self.camera.near && seen.x.is_finite() && seen.y.is_finite();
            Corner {
                x: fixed((seen.x + 1.0) * half),
                y: fixed((1.0 - seen.y) * half),
                inverse_depth: if front { 1.0 / seen.depth } else { 0.0 },
            }
        };
        self.vertices.positions.par_iter().with_min_len(4096).map(corner).collect()
    }

    fn sort(&self, screen: &[Corner], size: u32, tiles: u32) -> Vec<Bin> {
        let mut bins = vec![Bin::default(); tiles as usize * tiles as usize];
        let mut blended: Vec<(f32, u32, [u32; 4])> = Vec::new();
        for triangle in 0..self.stage.triangles.len() as u32 {
            let Some(face) = Face::new(self.stage, screen, triangle) else { continue };
            let Some(bounds) = face.bounds(size) else { continue };
            for bin in touched(bounds, tiles) {
                bins[bin].solid.push(triangle);
            }
            if self.surface_alpha(triangle) == Alpha::Blend {
                blended.push((face.nearness(), triangle, bounds));
            }
        }
        blended.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, triangle, bounds) in blended {
            for bin in touched(bounds, tiles) {
                bins[bin].blended.push(triangle);
            }
        }
        bins
    }

    fn surface_alpha(&self, triangle: u32) -> Alpha {
        self.shader.alpha_of(self.stage.surface_of[triangle as usize])
    }

    fn tile(&self, screen: &[Corner], bin: &Bin, tile: u32, size: u32) -> Vec<Vec4> {
        let rect = rectangle(tile, size);
        let mut canvas = Canvas::new(rect);
        for &triangle in &bin.solid {
            let Some(face) = Face::new(self.stage, screen, triangle) else { continue };
            let Some(bounds) = face.bounds(size).map(|b| overlap(b, rect)) else { continue };
            let least = match self.surface_alpha(triangle) {
                Alpha::Opaque => None,
                Alpha::Mask(cut) => Some(cut),
                Alpha::Blend => Some(SOLID),
            };
            face.cover(bounds, |x, y, mask| self.hide(&mut canvas, &face, (x, y), mask, least));
        }
        self.shade(&mut canvas, screen);
        for &triangle in &bin.blended {
            let Some(face) = Face::new(self.stage, screen, triangle) else { continue };
            let Some(bounds) = face.bounds(size).map(|b| overlap(b, rect)) else { continue };
            face.cover(bounds, |x, y, mask| self.blend(&mut canvas, &face, (x, y), mask));
        }
        self.resolve(&canvas, size)
    }

    /// Lets a face hide what is behind it at the given places, where its alpha reaches `least`.
    fn hide(&self, canvas: &mut Canvas, face: &Face, (x, y): (u32, u32), mask: u8, least: Option<f32>) {
        let pixel = canvas.pixel(x, y);
        for place in (0..PLACES.len()).filter(|p| mask & (1 << p) != 0) {
            let (px, py) = position(x, y, place);
            let depth = inverse_depth(face, px, py);
            let slot = pixel * PLACES.len() + place;
            if depth <= canvas.depth[slot] {
                continue;
            }
            if let Some(least) = least
                && self.shader.alpha(face, &face.place(px, py)) < least
            {
                continue;
            }
            canvas.depth[slot] = depth;
            canvas.seen[slot] = face.triangle;
        }
    }

    fn shade(&self, canvas: &mut Canvas, screen: &[Corner]) {
        let [x0, y0, x1, y1] = canvas.rect;
        for (y, x) in (y0..=y1).flat_map(|y| (x0..=x1).map(move |x| (y, x))) {
            let first = canvas.pixel(x, y) * PLACES.len();
            for place in 0..PLACES.len() {
                let triangle = canvas.seen[first + place];
                let earlier = &canvas.seen[first..first + place];
                if triangle == NONE || earlier.contains(&triangle) {
                    continue;
                }
                let Some(face) = Face::new(self.stage, screen, triangle) else { continue };
                let mask = (place..PLACES.len())
                    .filter(|p| canvas.seen[first + p] == triangle)
                    .fold(0, |mask, p| mask | 1 << p);
                let (px, py) = middle(x, y, mask);
                let colour = self.shader.colour(&face, &face.place(px, py)).truncate().extend(1.0);
                for p in (0..PLACES.len()).filter(|p| mask & (1 << p) != 0) {
                    canvas.colour[first + p] = colour;
                }
            }
        }
    }

    fn blend(&self, canvas: &mut Canvas, face: &Face, (x, y): (u32, u32), mask: u8) {
        let first = canvas.pixel(x, y) * PLACES.len();
        let visible = (0..PLACES.len()).filter(|p| mask & (1 << p) != 0).fold(0_u8, |visible, place| {
            let (px, py) = position(x, y, place);
            let nearer = inverse_depth(face, px, py) > canvas.depth[first + place];
            visible | u8::from(nearer) << place
        });
        if visible == 0 {
            return;
        }
        let (px, py) = middle(x, y, visible);
        let colour = self.shader.colour(face, &face.place(px, py));
        let source = (colour.truncate() * colour.w).extend(colour.w);
        for place in (0..PLACES.len()).filter(|p| visible & (1 << p) != 0) {
            let below = &mut canvas.colour[first + place];
            *below = source + *below * (1.0 - colour.w);
        }
    }

    /// The mean of the places, with the ground's shadow where they leave it visible.
    fn resolve(&self, canvas: &Canvas, size: u32) -> Vec<Vec4> {
        let [x0, y0, x1, y1] = canvas.rect;
        let pixels = (y0..=y1).flat_map(|y| (x0..=x1).map(move |x| (x, y)));
        pixels
            .zip(canvas.colour.chunks_exact(PLACES.len()))
            .map(|((x, y), places)| {
                let mean = places.iter().copied().sum::<Vec4>() / PLACES.len() as f32;
                let Some(ground) = self.ground.filter(|_| mean.w < 0.999) else { return mean };
                let at = Vec2::new(x as f32 + 0.5, y as f32 + 0.5) * (2.0 / size as f32) - 1.0;
                let shadow = ground.shadow(self.camera.eye, self.camera.ray(at.x, -at.y));
                // Black behind what is drawn: only the alpha grows.
                mean + Vec4::W * (shadow * (1.0 - mean.w))
            })
            .collect()
    }
}

/// One tile's places.
struct Canvas {
    rect: [u32; 4],
    /// One over the depth of what is seen.
    depth: Vec<f32>,
    /// Triangle that is seen.
    seen: Vec<u32>,
    /// Linear, premultiplied.
    colour: Vec<Vec4>,
}

impl Canvas {
    fn new(rect: [u32; 4]) -> Self {
        let places = ((rect[2] - rect[0] + 1) * (rect[3] - rect[1] + 1)) as usize * PLACES.len();
        Self { rect, depth: vec![0.0; places], seen: vec![NONE; places], colour: vec![Vec4::ZERO; places] }
    }

    fn pixel(&self, x: u32, y: u32) -> usize {
        ((y - self.rect[1]) * (self.rect[2] - self.rect[0] + 1) + (x - self.rect[0])) as usize
    }
}

fn inverse_depth(face: &Face, x: i64, y: i64) -> f32 {
    let weights = face.flat(x, y);
    weights.iter().zip(&face.corners).map(|(w, c)| w * c.inverse_depth).sum()
}

fn position(x: u32, y: u32, place: usize) -> (i64, i64) {
    let (px, py) = PLACES[place];
    (i64::from(x) * STEPS + px, i64::from(y) * STEPS + py)
}

/// The middle of several places of a pixel.
fn middle(x: u32, y: u32, mask: u8) -> (i64, i64) {
    let chosen = (0..PLACES.len()).filter(|p| mask & (1 << p) != 0);
    let (sx, sy) = chosen.fold((0, 0), |(sx, sy), p| (sx + PLACES[p].0, sy + PLACES[p].1));
    let count = i64::from(mask.count_ones().max(1));
    (i64::from(x) * STEPS + sx / count, i64::from(y) * STEPS + sy / count)
}

/// First and last pixel of a tile.
fn rectangle(tile: u32, size: u32) -> [u32; 4] {
    let across = size.div_ceil(TILE);
    let (x, y) = (tile % across * TILE, tile / across * TILE);
    [x, y, (x + TILE).min(size) - 1, (y + TILE).min(size) - 1]
}

fn overlap(a: [u32; 4], b: [u32; 4]) -> [u32; 4] {
    [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]
}

/// Tiles that a rectangle of pixels touches.
fn touched([x0, y0, x1, y1]: [u32; 4], tiles: u32) -> impl Iterator<Item = usize> {
    let columns = x0 / TILE..=x1 / TILE;
    (y0 / TILE..=y1 / TILE).flat_map(move |y| columns.clone().map(move |x| (y * tiles + x) as usize))
}
