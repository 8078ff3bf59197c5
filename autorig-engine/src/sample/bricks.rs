//! Sampling of a solid on a sparse grid: only bricks that the surface may pass through are kept.

use std::collections::{BTreeSet, HashMap};

use glam::{DVec3, IVec3};
use rayon::prelude::*;

use super::{
    sdf::{LIPSCHITZ, Solid},
    warp::Warp,
};

/// Cells along a brick's edge.
pub(super) const CELLS: i32 = 8;
/// Samples along a brick's edge: neighbours share their faces.
const SAMPLES: i32 = CELLS + 1;
/// Cells along the edge of the smallest blocks that are looked at as a whole.
const FINEST: i32 = 2;
/// Cells along the edge of the blocks that the search starts from.
const ROOT: i32 = 64;

/// Corners of a cell: bit 0 is +x, bit 1 +y, bit 2 +z.
pub(super) const CORNERS: [IVec3; 8] = {
    let mut corners = [IVec3::ZERO; 8];
    let mut i = 0;
    while i < 8 {
        corners[i] = IVec3::new((i & 1) as i32, (i >> 1 & 1) as i32, (i >> 2 & 1) as i32);
        i += 1;
    }
    corners
};

/// Distances at the corners of 8³ cells.
pub(super) struct Brick {
    /// Lowest cell, in cells.
    pub(super) origin: IVec3,
    /// Parts of the solid that matter here.
    pub(super) parts: Vec<u16>,
    values: Vec<f32>,
}

impl Brick {
    fn slot(local: IVec3) -> usize {
        ((local.z * SAMPLES + local.y) * SAMPLES + local.x) as usize
    }

    /// The distance at a local sample, each coordinate 0 to 8; negative is inside.
    pub(super) fn value(&self, local: IVec3) -> f32 {
        self.values[Self::slot(local)]
    }

    /// Which corners of a local cell are inside, as bits in the order of [`CORNERS`].
    pub(super) fn mask(&self, cell: IVec3) -> u8 {
        let inside = |i: usize| u8::from(self.value(cell + CORNERS[i]) < 0.0) << i;
        (0..8).fold(0, |mask, i| mask | inside(i))
    }

    fn holds(&self, sample: IVec3) -> bool {
        let local = sample - self.origin;
        local.min_element() >= 0 && local.max_element() <= CELLS
    }

    /// The cells of a brick in order.
    pub(super) fn cells() -> impl Iterator<Item = IVec3> {
        block(IVec3::ZERO, CELLS)
    }
}

/// The points of a cubic block in order.
fn block(low: IVec3, size: i32) -> impl Iterator<Item = IVec3> {
    (0..size)
        .flat_map(move |z| (0..size).flat_map(move |y| (0..size).map(move |x| low + IVec3::new(x, y, z))))
}

/// A solid, the space it is sampled in, and the size of a cell.
pub(super) struct Grid<'a> {
    /// What is sampled.
    pub(super) solid: &'a Solid,
    warp: &'a Warp,
    cell: f64,
}

impl<'a> Grid<'a> {
    /// A grid with a plane at x = 0, so that mirrored solids get mirrored samples.
    pub(super) fn new(solid: &'a Solid, warp: &'a Warp, cell: f64) -> Self {
        Self { solid, warp, cell }
    }

    /// Real place of a point given in cells.
    pub(super) fn real(&self, at: DVec3) -> DVec3 {
        // A third of a cell off keeps samples from lying on the flat soles.
        let low = DVec3::new(0.0, self.warp.low.y - 0.37 * self.cell, self.warp.low.z);
        self.warp.real(at * self.cell + low)
    }

    /// Every brick that the surface passes through, in rising order of z, y, x.
    pub(super) fn bricks(&self) -> Bricks {
        let side = (self.warp.high.x / self.cell / f64::from(ROOT)).ceil() as i32;
        let size = (self.warp.high - self.warp.low) / self.cell / f64::from(ROOT);
        let (rows, layers) = (size.y.ceil() as i32 + 1, size.z.ceil() as i32 + 1);
        let roots: Vec<IVec3> = (-1..layers)
            .flat_map(|z| {
                (-1..rows).flat_map(move |y| (-side..side).map(move |x| IVec3::new(x, y, z) * ROOT))
            })
            .collect();
        let all = self.solid.all();
        let found: Vec<Vec<Brick>> = roots
            .par_iter()
            .map(|&root| {
                let mut bricks = Vec::new();
                self.search(root, ROOT, &all, &mut bricks);
                bricks
            })
            .collect();
        let mut bricks = Bricks { bricks: found.into_iter().flatten().collect(), index: HashMap::new() };
        bricks.sort();
        bricks
    }

    fn search(&self, origin: IVec3, size: i32, parts: &[u16], found: &mut Vec<Brick>) {
        let (centre, radius) = self.around(origin, size);
        let parts = self.solid.narrow(centre, radius, parts);
        if self.solid.distance_of(centre, &parts).abs() > LIPSCHITZ * radius {
            return;
        }
        if size > CELLS {
            for corner in CORNERS {
                self.search(origin + corner * (size / 2), size / 2, &parts, found);
            }
            return;
        }
        let brick = self.sample(origin, parts);
        let inside = brick.values.iter().filter(|v| **v < 0.0).count();
        if inside > 0 && inside < brick.values.len() {
            found.push(brick);
        }
    }

    /// A ball around a block of cells in real space.
    fn around(&self, origin: IVec3, size: i32) -> (DVec3, f64) {
        let (low, size) = (origin.as_dvec3(), f64::from(size));
        let centre = self.real(low + 0.5 * size);
        let far = |corner: &IVec3| self.real(low + corner.as_dvec3() * size).distance(centre);
        (centre, 1.05 * CORNERS.iter().map(far).fold(0.0, f64::max))
    }

    fn sample(&self, origin: IVec3, parts: Vec<u16>) -> Brick {
        let values = vec![f32::NAN; (SAMPLES * SAMPLES * SAMPLES) as usize];
        let mut brick = Brick { origin, parts: Vec::new(), values };
        self.fill(&mut brick, IVec3::ZERO, CELLS, &parts);
        brick.parts = parts;
        brick
    }

    /// Samples a block of a brick, exactly where the surface may pass, elsewhere by sign alone.
    fn fill(&self, brick: &mut Brick, low: IVec3, size: i32, parts: &[u16]) {
        let (centre, radius) = self.around(brick.origin + low, size);
        let parts = self.solid.narrow(centre, radius, parts);
        let distance = self.solid.distance_of(centre, &parts);
        if distance.abs() > LIPSCHITZ * radius {
            for local in block(low, size + 1) {
                let value = &mut brick.values[Brick::slot(local)];
                // A neighbouring block may have had this one exactly.
                if value.is_nan() {
                    *value = distance as f32;
                }
            }
        } else if size > FINEST {
            for corner in CORNERS {
                self.fill(brick, low + corner * (size / 2), size / 2, &parts);
            }
        } else {
            for local in block(low, size + 1) {
                let at = self.real((brick.origin + local).as_dvec3());
                brick.values[Brick::slot(local)] = self.solid.distance_of(at, &parts) as f32;
            }
        }
    }

    /// Fills samples until no two inside or outside regions touch at a bare edge or corner, which is
    /// what makes the surface a manifold (a "well-composed" set).
    pub(super) fn fill_pinches(&self, bricks: &mut Bricks) {
        let mut waiting: BTreeSet<[i32; 3]> = bricks
            .bricks
            .par_iter()
            .flat_map_iter(|brick| {
                Brick::cells()
                    .filter(|&cell| is_pinched(brick.mask(cell)))
                    .map(|cell| (brick.origin + cell).to_array())
            })
            .collect::<Vec<_>>()
            .into_iter()
            .collect();
        while let Some(cell) = waiting.pop_first() {
            let cell = IVec3::from(cell);
            let brick = self.at(bricks, cell);
            let brick = &bricks.bricks[brick];
            let local = cell - brick.origin;
            if !is_pinched(brick.mask(local)) {
                continue;
            }
            let outside = CORNERS.iter().filter(|c| brick.value(local + **c) >= 0.0);
            let Some(corner) =
                outside.min_by(|a, b| brick.value(local + **a).total_cmp(&brick.value(local + **b)))
            else {
                continue;
            };
            let sample = cell + *corner;
            for neighbour in CORNERS {
                let around = sample - neighbour;
                let brick = self.at(bricks, around);
                let brick = &mut bricks.bricks[brick];
                if brick.holds(sample) {
                    let slot = Brick::slot(sample - brick.origin);
                    brick.values[slot] = -(self.cell as f32) * 0.02;
                }
                waiting.insert(around.to_array());
            }
        }
        bricks.sort();
    }

    /// The brick that a cell lies in, sampled now if it was not yet.
    fn at(&self, bricks: &mut Bricks, cell: IVec3) -> usize {
        let origin = brick_origin(cell);
        if let Some(&found) = bricks.index.get(&origin) {
            return found as usize;
        }
        bricks.bricks.push(self.sample(origin, self.solid.all()));
        let place = bricks.bricks.len() - 1;
        bricks.index.insert(origin, place as u32);
        place
    }
}

/// Bricks in order, found by their origin.
pub(super) struct Bricks {
    /// In rising order of z, y, x.
    pub(super) bricks: Vec<Brick>,
    index: HashMap<IVec3, u32>,
}

impl Bricks {
    fn sort(&mut self) {
        self.bricks.sort_unstable_by_key(|b| (b.origin.z, b.origin.y, b.origin.x));
        self.index = self.bricks.iter().enumerate().map(|(i, b)| (b.origin, i as u32)).collect();
    }

    /// The brick that a cell lies in.
    pub(super) fn of(&self, cell: IVec3) -> Option<usize> {
        self.index.get(&brick_origin(cell)).map(|i| *i as usize)
    }
}

/// Lowest cell of the brick that a cell lies in.
pub(super) fn brick_origin(cell: IVec3) -> IVec3 {
    IVec3::new(cell.x.div_euclid(CELLS), cell.y.div_euclid(CELLS), cell.z.div_euclid(CELLS)) * CELLS
}

/// Do the inside corners, or the outside ones, touch at an edge or a corner alone?
fn is_pinched(mask: u8) -> bool {
    // Two opposite corners against the other six.
    if [0, 1, 2, 3].iter().any(|i| {
        let pair = 1 << i | 1 << (7 - i);
        mask == pair || mask == !pair
    }) {
        return true;
    }
    // A face with two corners of each kind, crosswise.
    [(1, 2, 4), (2, 1, 4), (4, 1, 2)].iter().any(|&(side, a, b)| {
        [0, side].iter().any(|&base| {
            let bit = |i: usize| mask >> i & 1 == 1;
            let (p, q, r, s) = (bit(base), bit(base + a), bit(base + b), bit(base + a + b));
            p == s && q == r && p != q
        })
    })
}
