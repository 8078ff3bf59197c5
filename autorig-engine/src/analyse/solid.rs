//! What is inside: a voxel grid that a flood from outside does not reach.
//!
//! Few characters are one closed shell, so inside is decided on a grid: cells that the surface touches, cells the flood
//! from the border does not reach, and cells with surface in all six directions (the inside of an open coat).

use glam::{DVec3, IVec3};

/// Cells along the longest side.
const RESOLUTION: f64 = 128.0;
/// Distance between the points a triangle is marked with, in cells.
const SPACING: f64 = 0.45;

/// The voxel grid.
#[derive(Debug, Clone)]
pub struct Solid {
    origin: DVec3,
    cell: f64,
    size: IVec3,
    inside: Vec<bool>,
}

impl Solid {
    /// From triangles, in whatever frame the vertices are in.
    pub fn new(vertices: &[DVec3], triangles: &[[u32; 3]]) -> Self {
        let (mut lo, mut hi) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for &v in triangles.iter().flatten() {
            (lo, hi) = (lo.min(vertices[v as usize]), hi.max(vertices[v as usize]));
        }
        if lo.x > hi.x {
            (lo, hi) = (DVec3::ZERO, DVec3::ONE);
        }
        let cell = (hi - lo).max_element().max(f64::MIN_POSITIVE) / RESOLUTION;
        // Two cells of air all around, so that the flood can pass.
        let origin = lo - DVec3::splat(2.0 * cell);
        let size = ((hi - lo) / cell).ceil().as_ivec3() + IVec3::splat(5);
        let mut solid = Self { origin, cell, size, inside: vec![false; (size.x * size.y * size.z) as usize] };
        for t in triangles {
            solid.mark(t.map(|i| vertices[i as usize]));
        }
        solid.fill();
        solid
    }

    /// Edge of a cell.
    pub fn cell(&self) -> f64 {
        self.cell
    }

    /// Cells along each axis; two of air at either end.
    pub fn size(&self) -> IVec3 {
        self.size
    }

    /// Which cells are filled; x runs fastest, then y.
    pub fn cells(&self) -> &[bool] {
        &self.inside
    }

    /// The centre of the first cell.
    pub fn first_centre(&self) -> DVec3 {
        self.origin + DVec3::splat(self.cell * 0.5)
    }

    /// Whether a point lies in a filled cell.
    pub fn contains(&self, p: DVec3) -> bool {
        self.index(((p - self.origin) / self.cell).floor().as_ivec3()).is_some_and(|i| self.inside[i])
    }

    /// How much of the way from `a` to `b` runs outside.
    pub fn outside_length(&self, a: DVec3, b: DVec3) -> f64 {
        let length = a.distance(b);
        let steps = (length / (self.cell * 0.5)).ceil().max(1.0);
        let outside =
            (0..steps as usize).filter(|&i| !self.contains(a.lerp(b, (i as f64 + 0.5) / steps))).count();
        length * outside as f64 / steps
    }

    /// How far one can go from `start` along the unit vector `direction` without leaving, at most `limit`.
    pub fn reach(&self, start: DVec3, direction: DVec3, limit: f64) -> f64 {
        let step = self.cell * 0.5;
        let mut reached = 0.0;
        while reached + step <= limit && self.contains(start + direction * (reached + step)) {
            reached += step;
        }
        reached
    }

    fn index(&self, c: IVec3) -> Option<usize> {
        let inside = c.cmpge(IVec3::ZERO).all() && c.cmplt(self.size).all();
        inside.then(|| ((c.z * self.size.y + c.y) * self.size.x + c.x) as usize)
    }

    fn mark(&mut self, [a, b, c]: [DVec3; 3]) {
        let longest = a.distance(b).max(b.distance(c)).max(c.distance(a));
        let steps = (longest / (self.cell * SPACING)).ceil().max(1.0) as usize;
        for i in 0..=steps {
            for j in 0..=steps - i {
                let (u, v) = (i as f64 / steps as f64, j as f64 / steps as f64);
                let p = a + (b - a) * u + (c - a) * v;
                if let Some(i) = self.index(((p - self.origin) / self.cell).floor().as_ivec3()) {
                    self.inside[i] = true;
                }
            }
        }
    }

    /// Fills what the flood does not reach, and what has surface on all six sides.
    fn fill(&mut self) {
        let surface = self.inside.clone();
        let mut air = vec![false; surface.len()];
        let mut queue = vec![0_usize];
        air[0] = true;
        let (dx, dy, dz) = (1, self.size.x as usize, (self.size.x * self.size.y) as usize);
        let (nx, ny, nz) = (self.size.x as usize, self.size.y as usize, self.size.z as usize);
        while let Some(i) = queue.pop() {
            let (x, y, z) = (i % nx, i / dy % ny, i / dz);
            let mut visit = |ok: bool, j: usize| {
                if ok && !air[j] && !surface[j] {
                    air[j] = true;
                    queue.push(j);
                }
            };
            visit(x > 0, i.wrapping_sub(dx));
            visit(x + 1 < nx, i + dx);
            visit(y > 0, i.wrapping_sub(dy));
            visit(y + 1 < ny, i + dy);
            visit(z > 0, i.wrapping_sub(dz));
            visit(z + 1 < nz, i + dz);
        }
        let mut sides = vec![0_u8; surface.len()];
        for (stride, count, bit) in [(dx, nx, 0), (dy, ny, 2), (dz, nz, 4)] {
            mark_sides(&surface, &mut sides, stride, count, bit);
        }
        for (i, inside) in self.inside.iter_mut().enumerate() {
            *inside = surface[i] || !air[i] || sides[i] == 0b11_1111;
        }
    }
}

/// Sets `bit` where surface lies before a cell along an axis, and the next bit where it lies behind.
fn mark_sides(surface: &[bool], sides: &mut [u8], stride: usize, count: usize, bit: u8) {
    for start in (0..surface.len()).filter(|i| (i / stride).is_multiple_of(count)) {
        let mut seen = false;
        for k in 0..count {
            let i = start + k * stride;
            sides[i] |= u8::from(seen) << bit;
            seen |= surface[i];
        }
        let mut seen = false;
        for k in (0..count).rev() {
            let i = start + k * stride;
            sides[i] |= u8::from(seen) << (bit + 1);
            seen |= surface[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A box from −1 to 1, without its top if `open`.
    fn cube(open: bool) -> (Vec<DVec3>, Vec<[u32; 3]>) {
        let vertices = (0..8)
            .map(|i| {
                DVec3::new(f64::from(i & 1), f64::from(i >> 1 & 1), f64::from(i >> 2)) * 2.0 - DVec3::ONE
            })
            .collect();
        let mut quads = vec![[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [0, 2, 6, 4], [1, 3, 7, 5]];
        if !open {
            quads.push([2, 3, 7, 6]);
        }
        (vertices, quads.iter().flat_map(|q| [[q[0], q[1], q[2]], [q[0], q[2], q[3]]]).collect())
    }

    #[test]
    fn the_inside_of_a_closed_box_is_solid_and_the_outside_is_not() {
        let (vertices, triangles) = cube(false);
        let solid = Solid::new(&vertices, &triangles);
        assert!(solid.contains(DVec3::ZERO));
        assert!(!solid.contains(DVec3::new(0.0, 1.1, 0.0)));
        assert!((solid.outside_length(DVec3::ZERO, DVec3::X * 2.0) - 1.0).abs() < 0.05);
        assert!((solid.reach(DVec3::ZERO, DVec3::X, 5.0) - 1.0).abs() < 0.05);
    }

    #[test]
    fn an_open_box_is_not_filled_through_its_opening() {
        let (vertices, triangles) = cube(true);
        assert!(!Solid::new(&vertices, &triangles).contains(DVec3::ZERO));
    }
}
