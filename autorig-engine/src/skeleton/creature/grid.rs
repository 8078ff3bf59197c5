//! The filled cells of the solid as a graph: neighbours, bridges between loose parts, geodesic distances.

use glam::{DVec3, IVec3};

use crate::analyse::solid::Solid;

/// More cells than this are merged by eights until they are fewer, so that a crate costs no more than a spider.
const MOST_NODES: usize = 160_000;
/// Loose parts farther apart than this share of the longest side do not belong together.
const BRIDGE_REACH: f64 = 0.2;
/// Loose parts of fewer cells than this share of all say nothing about the shape.
const SPECK: f64 = 5e-4;
/// Marks a cell without a node.
const NONE: u32 = u32::MAX;

/// Distances are whole numbers: this many units a cell.
pub(super) const UNITS: u32 = 10;

/// A step from a node to a neighbour: cells to go along the grid, and its length in [`UNITS`].
struct Step {
    offset: isize,
    length: u32,
}

/// The connected filled cells of a solid.
pub(super) struct Grid {
    /// Edge of a cell.
    pub(super) cell: f64,
    /// Where each node lies.
    pub(super) at: Vec<DVec3>,
    origin: DVec3,
    size: IVec3,
    /// Node of each cell.
    node: Vec<u32>,
    /// Cell of each node.
    place: Vec<u32>,
    steps: Vec<Step>,
    /// `(from, to, length)` in both directions, sorted by `from`.
    bridges: Vec<(u32, u32, u32)>,
}

impl Grid {
    /// The filled cells; loose parts near each other are joined, specks and what lies apart are left out.
    pub(super) fn new(solid: &Solid) -> Self {
        let mut factor = 1;
        let mut grid = Self::coarse(solid, factor);
        while grid.place.len() > MOST_NODES {
            factor *= 2;
            grid = Self::coarse(solid, factor);
        }
        grid.join_parts();
        grid
    }

    fn coarse(solid: &Solid, factor: i32) -> Self {
        let fine = solid.size();
        let size = (fine - IVec3::ONE) / factor + IVec3::splat(3);
        let cell = solid.cell() * f64::from(factor);
        let origin = solid.first_centre() + DVec3::splat(solid.cell() * 0.5 * f64::from(factor - 1) - cell);
        let mut filled = vec![false; (size.x * size.y * size.z) as usize];
        let cells = solid.cells();
        for z in 0..fine.z {
            for y in 0..fine.y {
                let row = ((z * fine.y + y) * fine.x) as usize;
                let to = (((z / factor + 1) * size.y + y / factor + 1) * size.x + 1) as usize;
                for x in 0..fine.x as usize {
                    if cells[row + x] {
                        filled[to + x / factor as usize] = true;
                    }
                }
            }
        }
        let mut grid = Self {
            cell,
            at: Vec::new(),
            origin,
            size,
            node: Vec::new(),
            place: Vec::new(),
            steps: steps(size),
            bridges: Vec::new(),
        };
        grid.number(&filled);
        grid
    }

    /// Numbers the filled cells in the grid's order.
    fn number(&mut self, filled: &[bool]) {
        self.node = vec![NONE; filled.len()];
        self.place.clear();
        self.at.clear();
        for (i, _) in filled.iter().enumerate().filter(|(_, f)| **f) {
            self.node[i] = self.place.len() as u32;
            self.place.push(i as u32);
            let (nx, ny) = (self.size.x as usize, self.size.y as usize);
            let c = DVec3::new((i % nx) as f64, (i / nx % ny) as f64, (i / nx / ny) as f64);
            self.at.push(self.origin + c * self.cell);
        }
    }

    /// Number of nodes.
    pub(super) fn len(&self) -> usize {
        self.place.len()
    }

    /// Whether the cell at a point, or one beside it, is filled.
    pub(super) fn near(&self, p: DVec3) -> bool {
        let c = ((p - self.origin) / self.cell).round().as_ivec3();
        if !(c.cmpgt(IVec3::ZERO).all() && c.cmplt(self.size - IVec3::ONE).all()) {
            return false;
        }
        let i = ((c.z * self.size.y + c.y) * self.size.x + c.x) as usize;
        let (dx, dy, dz) = (1, self.size.x as usize, (self.size.x * self.size.y) as usize);
        [i, i - dx, i + dx, i - dy, i + dy, i - dz, i + dz].iter().any(|&i| self.node[i] != NONE)
    }

    /// Calls `visit` with each neighbour of a node and the length of the way.
    pub(super) fn neighbours(&self, node: u32, mut visit: impl FnMut(u32, u32)) {
        let place = self.place[node as usize] as isize;
        for step in &self.steps {
            let other = self.node[(place + step.offset) as usize];
            if other != NONE {
                visit(other, step.length);
            }
        }
        if !self.bridges.is_empty() {
            let first = self.bridges.partition_point(|b| b.0 < node);
            for &(_, to, length) in self.bridges[first..].iter().take_while(|b| b.0 == node) {
                visit(to, length);
            }
        }
    }

    /// Shortest way from `source` to every node inside the solid, in [`UNITS`], by Dial's buckets.
    pub(super) fn distances(&self, source: u32) -> Vec<u32> {
        let mut distance = vec![u32::MAX; self.len()];
        let mut buckets: Vec<Vec<u32>> = vec![vec![source]];
        distance[source as usize] = 0;
        let mut d = 0;
        while d < buckets.len() {
            for node in std::mem::take(&mut buckets[d]) {
                if distance[node as usize] as usize != d {
                    continue;
                }
                self.neighbours(node, |other, length| {
                    let there = d as u32 + length;
                    if there < distance[other as usize] {
                        distance[other as usize] = there;
                        if buckets.len() <= there as usize {
                            buckets.resize_with(there as usize + 1, Vec::new);
                        }
                        buckets[there as usize].push(other);
                    }
                });
            }
            d += 1;
        }
        distance
    }

    /// Joins loose parts over the shortest gaps and keeps the largest assembly.
    fn join_parts(&mut self) {
        let (part, sizes) = self.parts();
        if sizes.len() < 2 {
            return;
        }
        let least = (SPECK * self.len() as f64) as usize;
        let mut gaps = self.gaps(&part);
        gaps.retain(|g| sizes[g.1 as usize] > least && sizes[g.2 as usize] > least);
        let mut leader: Vec<u32> = (0..sizes.len() as u32).collect();
        let mut bridges = Vec::new();
        for (length, a, b, from, to) in gaps {
            let (a, b) = (find(&mut leader, a), find(&mut leader, b));
            if a != b {
                leader[a.max(b) as usize] = a.min(b);
                bridges.push((self.place[from as usize], self.place[to as usize], length));
            }
        }
        let mut totals = vec![0; sizes.len()];
        for (p, size) in sizes.iter().enumerate() {
            totals[find(&mut leader, p as u32) as usize] += size;
        }
        let largest = (0..totals.len()).fold(0, |best, p| if totals[p] > totals[best] { p } else { best });
        let mut filled = vec![false; self.node.len()];
        for (node, place) in self.place.iter().enumerate() {
            filled[*place as usize] = find(&mut leader, part[node]) as usize == largest;
        }
        self.number(&filled);
        let node = |place: u32| self.node[place as usize];
        let mut both: Vec<(u32, u32, u32)> = bridges
            .iter()
            .filter(|b| node(b.0) != NONE && node(b.1) != NONE)
            .flat_map(|&(a, b, length)| [(node(a), node(b), length), (node(b), node(a), length)])
            .collect();
        both.sort_unstable();
        self.bridges = both;
    }

    /// The connected part of each node, and how many nodes each part has.
    fn parts(&self) -> (Vec<u32>, Vec<usize>) {
        let mut part = vec![NONE; self.len()];
        let mut sizes = Vec::new();
        let mut stack = Vec::new();
        for start in 0..self.len() as u32 {
            if part[start as usize] != NONE {
                continue;
            }
            let number = sizes.len() as u32;
            let mut size = 0;
            part[start as usize] = number;
            stack.push(start);
            while let Some(node) = stack.pop() {
                size += 1;
                self.neighbours(node, |other, _| {
                    if part[other as usize] == NONE {
                        part[other as usize] = number;
                        stack.push(other);
                    }
                });
            }
            sizes.push(size);
        }
        (part, sizes)
    }

    /// Whether a cell has neighbours on all sides.
    fn inner(&self, cell: usize) -> bool {
        let (nx, ny) = (self.size.x as usize, self.size.y as usize);
        let c = IVec3::new((cell % nx) as i32, (cell / nx % ny) as i32, (cell / nx / ny) as i32);
        c.cmpgt(IVec3::ZERO).all() && c.cmplt(self.size - IVec3::ONE).all()
    }

    /// Shortest gaps between parts, `(length, part, part, node, node)`, shortest first: the fronts that grow from all
    /// parts through the air at once meet there.
    fn gaps(&self, part: &[u32]) -> Vec<(u32, u32, u32, u32, u32)> {
        let reach = (BRIDGE_REACH * f64::from(self.size.max_element())) as u32;
        let mut owner = self.node.clone();
        let mut depth = vec![0_u16; owner.len()];
        let mut front: Vec<u32> = self.place.clone();
        let mut best: std::collections::BTreeMap<(u32, u32), (u32, u32, u32)> = Default::default();
        let (dx, dy, dz) = (1, self.size.x as usize, (self.size.x * self.size.y) as usize);
        for step in 1..=reach / 2 + 1 {
            let mut next = Vec::new();
            for &cell in &front {
                let cell = cell as usize;
                let from = owner[cell];
                if !self.inner(cell) {
                    continue;
                }
                for other in [cell - dx, cell + dx, cell - dy, cell + dy, cell - dz, cell + dz] {
                    if owner[other] == NONE {
                        owner[other] = from;
                        depth[other] = step as u16;
                        next.push(other as u32);
                    } else if part[owner[other] as usize] != part[from as usize] {
                        let (a, b) = (part[from as usize], part[owner[other] as usize]);
                        let length = u32::from(depth[cell]) + u32::from(depth[other]) + 1;
                        let (key, ends) = if a < b {
                            ((a, b), (from, owner[other]))
                        } else {
                            ((b, a), (owner[other], from))
                        };
                        let found = (length * UNITS, ends.0, ends.1);
                        best.entry(key).and_modify(|e| *e = (*e).min(found)).or_insert(found);
                    }
                }
            }
            front = next;
        }
        let mut gaps: Vec<_> = best.into_iter().map(|((a, b), (l, from, to))| (l, a, b, from, to)).collect();
        gaps.sort_unstable();
        gaps
    }
}

/// The 26 neighbours of a cell.
fn steps(size: IVec3) -> Vec<Step> {
    let mut steps = Vec::with_capacity(26);
    for (z, y, x) in (0..27).map(|i| (i / 9 - 1, i / 3 % 3 - 1, i % 3 - 1)) {
        let length = match x * x + y * y + z * z {
            0 => continue,
            1 => UNITS,
            2 => 14,
            _ => 17,
        };
        steps.push(Step { offset: ((z * size.y + y) * size.x + x) as isize, length });
    }
    steps
}

/// Union–find with path halving.
pub(super) fn find(leader: &mut [u32], mut v: u32) -> u32 {
    while leader[v as usize] != v {
        let up = leader[leader[v as usize] as usize];
        leader[v as usize] = up;
        v = up;
    }
    v
}
