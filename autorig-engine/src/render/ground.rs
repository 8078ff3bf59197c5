//! The shadow that a character throws on the ground under light from everywhere: dark where something touches it, fading
//! with the height above it.

use glam::{Vec2, Vec3};

use super::stage::{Stage, Vertices};

/// Cells along a side of the map.
const CELLS: usize = 192;
/// Free cells around the character, for the blur.
const BORDER: f32 = 0.22;
/// Darkness of the tight shadow under what touches the ground, and of the wide one.
const TIGHT: f32 = 0.62;
const WIDE: f32 = 0.34;

/// Darkness over the ground plane.
pub(super) struct Ground {
    /// Canonical x and z of the map's corner.
    corner: Vec2,
    /// Cells per metre.
    scale: f32,
    /// Canonical y of the plane.
    height: f32,
    darkness: Vec<f32>,
}

impl Ground {
    /// The shadow of the posed character on the plane at `height`; `tall` is how far up things still darken it.
    pub(super) fn new(stage: &Stage<'_>, vertices: &Vertices, height: f32, tall: f32) -> Self {
        let (mut low, mut high) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
        for p in stage.corners(vertices).filter(|p| p.y < height + tall) {
            (low, high) = (low.min(Vec2::new(p.x, p.z)), high.max(Vec2::new(p.x, p.z)));
        }
        let side = (high - low).max_element().max(tall * 0.05) / (1.0 - 2.0 * BORDER);
        let mut ground = Self { corner: Vec2::ZERO, scale: 1.0, height, darkness: Vec::new() };
        if !side.is_finite() {
            return ground;
        }
        ground.corner = (low + high) / 2.0 - side / 2.0;
        ground.scale = CELLS as f32 / side;
        let above = ground.clearance(stage, vertices, tall);
        // Squares, so that contact counts far more than what hangs above.
        let near = |h: &f32| (1.0 - h / (tall * 0.12)).max(0.0);
        let far = |h: &f32| (1.0 - h / tall).max(0.0);
        let tight = blurred(above.iter().map(|h| near(h) * near(h)).collect(), 2);
        let wide = blurred(above.iter().map(|h| far(h) * far(h)).collect(), 9);
        let join = |(t, w): (&f32, &f32)| 1.0 - (1.0 - TIGHT * t) * (1.0 - WIDE * w);
        ground.darkness = tight.iter().zip(&wide).map(join).collect();
        ground
    }

    /// How dark the ground is where a ray meets it, 0 to 1.
    pub(super) fn shadow(&self, eye: Vec3, direction: Vec3) -> f32 {
        if self.darkness.is_empty() || direction.y > -1e-4 || eye.y <= self.height {
            return 0.0;
        }
        let p = eye + direction * ((self.height - eye.y) / direction.y);
        let at = (Vec2::new(p.x, p.z) - self.corner) * self.scale - 0.5;
        let limit = (CELLS - 1) as f32;
        if !(at.x >= 0.0 && at.y >= 0.0 && at.x < limit && at.y < limit) {
            return 0.0;
        }
        let (x, y) = (at.x as usize, at.y as usize);
        let (fx, fy) = (at.x - x as f32, at.y - y as f32);
        let value = |x: usize, y: usize| self.darkness[y * CELLS + x];
        let top = value(x, y) * (1.0 - fx) + value(x + 1, y) * fx;
        let bottom = value(x, y + 1) * (1.0 - fx) + value(x + 1, y + 1) * fx;
        top * (1.0 - fy) + bottom * fy
    }

    /// Height of the lowest thing above each cell, infinite where there is none.
    fn clearance(&self, stage: &Stage<'_>, vertices: &Vertices, tall: f32) -> Vec<f32> {
        let mut above = vec![f32::INFINITY; CELLS * CELLS];
        for t in &stage.triangles {
            let p = t.map(|i| vertices.positions[i as usize]);
            let low = p[0].y.min(p[1].y).min(p[2].y) - self.height;
            if !p.iter().all(|p| p.is_finite()) || low > tall {
                continue;
            }
            let low = low.max(0.0);
            let q = p.map(|p| (Vec2::new(p.x, p.z) - self.corner) * self.scale);
            let span = |a: f32, b: f32, c: f32| {
                let last = (CELLS - 1) as f32;
                (a.min(b).min(c).clamp(0.0, last) as usize, a.max(b).max(c).clamp(0.0, last) as usize)
            };
            let (x0, x1) = span(q[0].x, q[1].x, q[2].x);
            let (y0, y1) = span(q[0].y, q[1].y, q[2].y);
            for y in y0..=y1 {
                for x in x0..=x1 {
                    let small = x1 - x0 < 2 && y1 - y0 < 2;
                    if small || inside(&q, Vec2::new(x as f32 + 0.5, y as f32 + 0.5)) {
                        let cell = &mut above[y * CELLS + x];
                        *cell = cell.min(low);
                    }
                }
            }
        }
        above
    }
}

fn inside(q: &[Vec2; 3], at: Vec2) -> bool {
    let side = |a: Vec2, b: Vec2| (b - a).perp_dot(at - a);
    let (a, b, c) = (side(q[0], q[1]), side(q[1], q[2]), side(q[2], q[0]));
    (a >= 0.0 && b >= 0.0 && c >= 0.0) || (a <= 0.0 && b <= 0.0 && c <= 0.0)
}

/// Three box blurs along each axis: close to a Gaussian (Wells 1986).
fn blurred(mut map: Vec<f32>, radius: usize) -> Vec<f32> {
    for _ in 0..3 {
        map =
            transposed(&map.chunks_exact(CELLS).flat_map(|row| averaged(row, radius)).collect::<Vec<f32>>());
        map =
            transposed(&map.chunks_exact(CELLS).flat_map(|row| averaged(row, radius)).collect::<Vec<f32>>());
    }
    map
}

fn averaged(row: &[f32], radius: usize) -> Vec<f32> {
    let width = (2 * radius + 1) as f32;
    let at = |i: usize| row.get(i).copied().unwrap_or(0.0);
    let mut sum: f32 = row.iter().take(radius).sum();
    (0..row.len())
        .map(|i| {
            sum += at(i + radius);
            let mean = sum / width;
            if i >= radius {
                sum -= at(i - radius);
            }
            mean.max(0.0)
        })
        .collect()
}

fn transposed(map: &[f32]) -> Vec<f32> {
    (0..CELLS * CELLS).map(|i| map[i % CELLS * CELLS + i / CELLS]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_sum_and_the_middle() {
        let mut map = vec![0.0; CELLS * CELLS];
        map[90 * CELLS + 100] = 1.0;
        let map = blurred(map, 4);
        assert!((map.iter().sum::<f32>() - 1.0).abs() < 1e-3);
        let most = (0..map.len()).max_by(|a, b| map[*a].total_cmp(&map[*b])).unwrap();
        assert_eq!((most % CELLS, most / CELLS), (100, 90));
    }
}
