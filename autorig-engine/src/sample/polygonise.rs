//! Surface nets: one vertex a cell that the surface passes through, one quad an edge that it crosses.

use glam::{DVec3, IVec3};
use rayon::prelude::*;

use super::{
    bricks::{Brick, Bricks, CELLS, CORNERS, Grid, brick_origin},
    decimate::decimate,
    sdf::Solid,
    warp::Warp,
};

/// A closed triangle mesh in canonical space.
#[derive(Debug, Clone, Default)]
pub(super) struct Surface {
    /// Vertices.
    pub(super) positions: Vec<DVec3>,
    /// Three vertices each, counter-clockwise seen from outside.
    pub(super) triangles: Vec<[u32; 3]>,
}

/// The solid's surface with `wanted` triangles, a few per cent more or less.
///
/// Under `coarsest` triangles thin parts would be lost between cells, so a finer surface is simplified.
pub(super) fn surface(solid: &Solid, warp: &Warp, wanted: usize, coarsest: usize) -> Surface {
    let target = wanted.max(coarsest);
    let size = warp.high - warp.low;
    let area = size.x * size.y + size.y * size.z + size.z * size.x;
    let mut cell = (area / coarsest as f64).sqrt();
    let mut best = polygonise(solid, warp, cell);
    for _ in 0..6 {
        let ratio = best.triangles.len() as f64 / target as f64;
        let near = if wanted < target { 0.9..1.5 } else { 0.97..1.03 };
        if near.contains(&ratio) {
            break;
        }
        cell *= ratio.sqrt();
        best = polygonise(solid, warp, cell);
    }
    if wanted < target { decimate(best, wanted) } else { best }
}

fn polygonise(solid: &Solid, warp: &Warp, cell: f64) -> Surface {
    let grid = Grid::new(solid, warp, cell);
    let mut bricks = grid.bricks();
    grid.fill_pinches(&mut bricks);
    let patches: Vec<Patch> = bricks.bricks.par_iter().map(|brick| Patch::new(&grid, brick)).collect();
    let mut first = Vec::with_capacity(patches.len());
    let mut count = 0_u32;
    for patch in &patches {
        first.push(count);
        count += patch.positions.len() as u32;
    }
    let net = Net { bricks: &bricks, patches: &patches, first: &first };
    let quads: Vec<Vec<[u32; 4]>> = (0..patches.len()).into_par_iter().map(|i| net.quads(i)).collect();
    let positions: Vec<DVec3> = patches.iter().flat_map(|p| p.positions.iter().copied()).collect();
    let triangles = quads.iter().flatten().flat_map(|quad| split(&positions, *quad)).collect();
    Surface { positions, triangles }
}

/// Cuts a quad along its shorter diagonal.
fn split(positions: &[DVec3], [a, b, c, d]: [u32; 4]) -> [[u32; 3]; 2] {
    let length = |i: u32, j: u32| positions[i as usize].distance_squared(positions[j as usize]);
    if length(a, c) <= length(b, d) { [[a, b, c], [a, c, d]] } else { [[a, b, d], [b, c, d]] }
}

/// The vertices of a brick.
struct Patch {
    positions: Vec<DVec3>,
    /// Vertex of each cell, `NONE` without one.
    vertex: Vec<u16>,
}

const NONE: u16 = u16::MAX;

fn cell_slot(cell: IVec3) -> usize {
    ((cell.z * CELLS + cell.y) * CELLS + cell.x) as usize
}

impl Patch {
    fn new(grid: &Grid, brick: &Brick) -> Self {
        let mut patch = Self { positions: Vec::new(), vertex: vec![NONE; (CELLS * CELLS * CELLS) as usize] };
        for cell in Brick::cells() {
            let mask = brick.mask(cell);
            if mask == 0 || mask == u8::MAX {
                continue;
            }
            patch.vertex[cell_slot(cell)] = patch.positions.len() as u16;
            patch.positions.push(place(grid, brick, cell));
        }
        patch
    }
}

/// The mean of the crossings on a cell's edges, moved onto the surface.
fn place(grid: &Grid, brick: &Brick, cell: IVec3) -> DVec3 {
    let (mut sum, mut crossings) = (DVec3::ZERO, 0.0);
    for (i, from) in CORNERS.iter().enumerate() {
        for axis in [1, 2, 4] {
            if i & axis != 0 {
                continue;
            }
            let to = CORNERS[i | axis];
            let a = f64::from(brick.value(cell + *from));
            let b = f64::from(brick.value(cell + to));
            if (a < 0.0) != (b < 0.0) {
                sum += from.as_dvec3().lerp(to.as_dvec3(), a / (a - b));
                crossings += 1.0;
            }
        }
    }
    let low = (brick.origin + cell).as_dvec3();
    let p = grid.real(low + sum / crossings);
    let size = grid.real(low).distance(grid.real(low + 1.0)) / 3.0_f64.sqrt();
    settle(grid.solid, &grid.solid.narrow(p, size, &brick.parts), p, size)
}

/// One Newton step towards the surface, short enough not to fold the mesh.
fn settle(solid: &Solid, parts: &[u16], p: DVec3, size: f64) -> DVec3 {
    const AROUND: [DVec3; 4] = [
        DVec3::new(1.0, -1.0, -1.0),
        DVec3::new(-1.0, -1.0, 1.0),
        DVec3::new(-1.0, 1.0, -1.0),
        DVec3::new(1.0, 1.0, 1.0),
    ];
    let reach = 0.1 * size;
    let (mut gradient, mut distance) = (DVec3::ZERO, 0.0);
    for side in AROUND {
        let d = solid.distance_of(p + side * reach, parts);
        gradient += side * d;
        distance += 0.25 * d;
    }
    gradient /= 4.0 * reach;
    let steepness = gradient.length_squared();
    if steepness < 0.1 {
        return p;
    }
    p + (gradient * (-distance / steepness)).clamp_length_max(0.3 * size)
}

struct Net<'a> {
    bricks: &'a Bricks,
    patches: &'a [Patch],
    first: &'a [u32],
}

impl Net<'_> {
    /// The vertex of a cell.
    fn vertex(&self, home: usize, cell: IVec3) -> Option<u32> {
        let origin = brick_origin(cell);
        let brick = if self.bricks.bricks[home].origin == origin { home } else { self.bricks.of(cell)? };
        let local = *self.patches[brick].vertex.get(cell_slot(cell - origin))?;
        (local != NONE).then(|| self.first[brick] + u32::from(local))
    }

    /// The quads around the crossed edges that start at the lowest corners of a brick's cells.
    fn quads(&self, home: usize) -> Vec<[u32; 4]> {
        const AXES: [(IVec3, IVec3, IVec3); 3] =
            [(IVec3::X, IVec3::Y, IVec3::Z), (IVec3::Y, IVec3::Z, IVec3::X), (IVec3::Z, IVec3::X, IVec3::Y)];
        let brick = &self.bricks.bricks[home];
        let mut quads = Vec::new();
        for local in Brick::cells() {
            let inside = brick.value(local) < 0.0;
            for (along, b, c) in AXES {
                if inside == (brick.value(local + along) < 0.0) {
                    continue;
                }
                let cell = brick.origin + local;
                let corners = [cell - b - c, cell - c, cell, cell - b].map(|at| self.vertex(home, at));
                let [Some(p), Some(q), Some(r), Some(s)] = corners else { continue };
                quads.push(if inside { [p, q, r, s] } else { [s, r, q, p] });
            }
        }
        quads
    }
}
