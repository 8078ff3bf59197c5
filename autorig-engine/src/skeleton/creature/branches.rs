//! The body as a tree of branches: a curve skeleton from the level sets of geodesic distance.
//!
//! Distance is measured inside the solid from the body's middle. Seen from the far ends, every local maximum is the tip
//! of something; as the level falls, tips grow into branches and branches run into each other (the join tree of the
//! distance, Carr, Snoeyink & Axen 2003, §4; its use for skeletons is that of Lazarus & Verroust 1999, §3). A branch that
//! is short against the body or against its own width is a bump and is swallowed. The centres of a branch's level sets
//! are its centre line; they stay in the middle of what is hollow or thin, where a distance to the surface says nothing.

use glam::{DMat3, DVec3};

use super::{
    grid::{Grid, UNITS, find},
    moments::Moments,
};

/// Thickness of a level set, in units of the geodesic distance.
const BIN: u32 = 2 * UNITS;
/// A branch is at least so long, as a share of the longest way through the body.
const SHORTEST: f64 = 0.045;
/// A branch is at least so long, in half widths at its base: legs of a bear are hardly longer than they are thick.
const SLENDER: f64 = 0.6;
/// Junctions closer than this, in level sets, are one.
const SAME_JUNCTION: usize = 3;

/// One unbranched piece of the body.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    /// The branch it leaves; `None` for the middle of the body.
    pub(super) parent: Option<usize>,
    /// Level sets from base to end.
    pub(super) slices: Vec<Moments>,
    /// Where it ends, if it ends free.
    pub(super) tip: Option<DVec3>,
}

/// The whole body; branch 0 is its middle, parents come before children.
pub(super) struct Tree {
    pub(super) branches: Vec<Branch>,
    /// The longest way through the body.
    pub(super) extent: f64,
    /// Edge of a cell.
    pub(super) cell: f64,
}

impl Branch {
    /// The centre of all its level sets.
    pub(super) fn middle(&self) -> DVec3 {
        let mut all = Moments::default();
        self.slices.iter().for_each(|s| all.merge(s));
        all.centre()
    }
}

impl Tree {
    /// Turns the whole tree about the origin.
    pub(super) fn turn(&mut self, rotation: DMat3) {
        for branch in &mut self.branches {
            branch.slices.iter_mut().for_each(|s| s.turn(rotation));
            branch.tip = branch.tip.map(|t| rotation * t);
        }
    }
}

/// A branch while it grows from its tip down.
struct Growing {
    parent: Option<usize>,
    /// The number of the farthest level set, which comes first.
    top: usize,
    slices: Vec<Moments>,
    tip: Option<DVec3>,
}

impl Growing {
    fn slice(&mut self, bin: usize) -> &mut Moments {
        let i = self.top.saturating_sub(bin);
        if self.slices.len() <= i {
            self.slices.resize(i + 1, Moments::default());
        }
        &mut self.slices[i]
    }

    /// Takes over the level sets of a branch that was a bump.
    fn swallow(&mut self, other: &Self) {
        for (i, slice) in other.slices.iter().enumerate() {
            self.slice(other.top - i).merge(slice);
        }
    }

    /// Half width at the lowest levels.
    fn base_width(&self) -> f64 {
        let mut base = Moments::default();
        self.slices.iter().rev().take(2).for_each(|s| base.merge(s));
        base.half_width()
    }
}

/// A connected piece of what lies farther than the present level.
#[derive(Clone, Copy)]
struct Piece {
    branch: usize,
    /// The farthest distance in it.
    birth: u32,
}

/// Grows the tree of a body.
pub(super) fn grow(grid: &Grid) -> Tree {
    let (source, longest) = middle(grid);
    let distance = grid.distances(source);
    let extent = f64::from(longest) / f64::from(UNITS) * grid.cell;
    let branches = join_tree(grid, &distance, extent);
    Tree { branches: in_order(branches), extent, cell: grid.cell }
}

/// The node in the middle of the longest way, and the length of that way.
fn middle(grid: &Grid) -> (u32, u32) {
    let farthest = |d: &[u32]| {
        (0..d.len()).filter(|&i| d[i] != u32::MAX).fold(0, |best, i| if d[i] > d[best] { i } else { best })
            as u32
    };
    let one = farthest(&grid.distances(0));
    let from_one = grid.distances(one);
    let other = farthest(&from_one);
    let from_other = grid.distances(other);
    let longest = from_one[other as usize];
    // All that is as far from one end as from the other: a slice across the middle. Its centre is the source.
    let mut slice = Moments::default();
    let apart = |i: usize| {
        let (a, b) = (from_one[i], from_other[i]);
        (a != u32::MAX && a + b <= longest + longest / 5).then(|| a.abs_diff(b))
    };
    // Nothing may lie exactly half way: loose parts leave a gap there.
    let least = (0..grid.len()).filter_map(apart).min().unwrap_or(0);
    let halfway = |i: usize| apart(i).is_some_and(|d| d <= least + BIN);
    (0..grid.len()).filter(|&i| halfway(i)).for_each(|i| slice.add(grid.at[i]));
    let centre = slice.centre();
    let source = (0..grid.len())
        .filter(|&i| halfway(i))
        .map(|i| (grid.at[i].distance_squared(centre), i as u32))
        .fold((f64::INFINITY, one), |best, c| if c.0 < best.0 { c } else { best });
    (source.1, longest)
}

/// Nodes by falling distance; of equals the first comes first.
fn by_falling_distance(distance: &[u32]) -> Vec<u32> {
    let reached = |d: &&u32| **d != u32::MAX;
    let most = distance.iter().filter(reached).max().copied().unwrap_or(0) as usize;
    let mut starts = vec![0_usize; most + 2];
    for d in distance.iter().filter(reached) {
        starts[most - *d as usize + 1] += 1;
    }
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    let mut order = vec![0; starts[most + 1]];
    for (i, d) in distance.iter().enumerate().filter(|(_, d)| reached(d)) {
        order[starts[most - *d as usize]] = i as u32;
        starts[most - *d as usize] += 1;
    }
    order
}

fn join_tree(grid: &Grid, distance: &[u32], extent: f64) -> Vec<Growing> {
    const NOT_YET: u32 = u32::MAX;
    let unit = grid.cell / f64::from(UNITS);
    let mut leader = vec![NOT_YET; grid.len()];
    let mut pieces = vec![Piece { branch: 0, birth: 0 }; grid.len()];
    let mut branches: Vec<Growing> = Vec::new();
    let mut touching: Vec<u32> = Vec::new();
    for node in by_falling_distance(distance) {
        let level = distance[node as usize];
        touching.clear();
        grid.neighbours(node, |other, _| {
            if leader[other as usize] != NOT_YET {
                touching.push(other);
            }
        });
        for t in &mut touching {
            *t = find(&mut leader, *t);
        }
        touching.sort_unstable();
        touching.dedup();
        // The farthest-reaching piece first: it goes on, the others join it or are swallowed.
        touching.sort_by_key(|t| std::cmp::Reverse(pieces[*t as usize].birth));
        leader[node as usize] = node;
        let bin = (level / BIN) as usize;
        let mut piece = match touching.first() {
            Some(&first) => pieces[first as usize],
            None => {
                branches.push(Growing {
                    parent: None,
                    top: bin,
                    slices: Vec::new(),
                    tip: Some(grid.at[node as usize]),
                });
                Piece { branch: branches.len() - 1, birth: level }
            }
        };
        for other in touching.iter().skip(1).map(|t| pieces[*t as usize]) {
            let long = f64::from(other.birth - level) * unit;
            if long >= SHORTEST * extent && long >= SLENDER * branches[other.branch].base_width() {
                let joined = branches.len();
                branches.push(Growing { parent: None, top: bin, slices: Vec::new(), tip: None });
                branches[piece.branch].parent = Some(joined);
                branches[other.branch].parent = Some(joined);
                piece.branch = joined;
            } else {
                let bump = std::mem::replace(
                    &mut branches[other.branch],
                    Growing { parent: None, top: 0, slices: Vec::new(), tip: None },
                );
                branches[piece.branch].swallow(&bump);
                // What had grown into the bump now grows into what swallowed it. Few branches have no tip of their own.
                if bump.tip.is_none() {
                    let grown = branches.iter_mut().filter(|b| b.parent == Some(other.branch));
                    grown.for_each(|b| b.parent = Some(piece.branch));
                }
            }
        }
        branches[piece.branch].slice(bin).add(grid.at[node as usize]);
        for t in &touching {
            leader[*t as usize] = node;
        }
        pieces[node as usize] = piece;
    }
    branches
}

/// Drops what was swallowed, makes near junctions one, and numbers parents before children from the middle outwards.
fn in_order(mut branches: Vec<Growing>) -> Vec<Branch> {
    // A branch is made after those that grow into it, so the last one that holds anything is the middle.
    let Some(root) = (0..branches.len()).rev().find(|&b| !branches[b].slices.is_empty()) else {
        return Vec::new();
    };
    for b in (0..root).rev() {
        let short = branches[b].tip.is_none() && branches[b].slices.len() < SAME_JUNCTION;
        if short
            && !branches[b].slices.is_empty()
            && let Some(parent) = branches[b].parent
        {
            let gone = Growing { parent: None, top: 0, slices: Vec::new(), tip: None };
            let gone = std::mem::replace(&mut branches[b], gone);
            branches[parent].swallow_above(&gone);
            for other in &mut branches[..b] {
                if other.parent == Some(b) {
                    other.parent = Some(parent);
                }
            }
        }
    }
    let mut number = vec![usize::MAX; branches.len()];
    let mut ordered: Vec<Branch> = Vec::new();
    for b in (0..=root).rev() {
        let growing = &mut branches[b];
        let parent = growing.parent.map(|p| number[p]);
        if growing.slices.is_empty() || (b != root && parent.is_none_or(|p| p == usize::MAX)) {
            continue;
        }
        number[b] = ordered.len();
        let mut slices = std::mem::take(&mut growing.slices);
        slices.reverse();
        slices.retain(|s| s.count > 0.0);
        ordered.push(Branch { parent, slices, tip: growing.tip });
    }
    ordered
}

impl Growing {
    /// Takes over level sets that lie farther out than its own.
    fn swallow_above(&mut self, other: &Self) {
        let more = other.top.saturating_sub(self.top);
        if more > 0 {
            let mut slices = vec![Moments::default(); more];
            slices.append(&mut self.slices);
            (self.slices, self.top) = (slices, other.top);
        }
        self.swallow(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::solid::Solid;

    /// Free ends of boxes given by two corners each.
    fn tips(boxes: &[([f64; 3], [f64; 3])]) -> usize {
        let (mut vertices, mut triangles) = (Vec::new(), Vec::new());
        for (lo, hi) in boxes {
            let start = vertices.len() as u32;
            vertices.extend((0..8).map(|i| {
                DVec3::from_array(std::array::from_fn(|k| if i >> k & 1 == 0 { lo[k] } else { hi[k] }))
            }));
            let sides = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
            triangles.extend(sides.iter().flat_map(|[a, b, c, d]: &[u32; 4]| {
                [[start + a, start + b, start + c], [start + a, start + c, start + d]]
            }));
        }
        let tree = grow(&Grid::new(&Solid::new(&vertices, &triangles)));
        assert!(tree.branches.iter().enumerate().all(|(i, b)| b.parent.is_none_or(|p| p < i)));
        tree.branches.iter().filter(|b| b.tip.is_some()).count()
    }

    #[test]
    fn a_cross_has_four_ends_and_a_cube_none_worth_the_name() {
        let cross = [([-1.0, -0.1, -0.1], [1.0, 0.1, 0.1]), ([-0.1, -1.0, -0.1], [0.1, 1.0, 0.1])];
        assert_eq!(tips(&cross), 4);
        assert!(tips(&[([-1.0; 3], [1.0; 3])]) < 2);
    }

    #[test]
    fn loose_parts_that_nearly_touch_are_one_body() {
        let apart = [([-1.0, -0.1, -0.1], [-0.05, 0.1, 0.1]), ([0.05, -0.1, -0.1], [1.0, 0.1, 0.1])];
        assert_eq!(tips(&apart), 2);
    }
}
