//! What sticks out of a body: each free end of the tree with its centre line, which pairs it forms, what touches ground.

use glam::DVec3;

use super::{branches::Tree, moments::Moments, symmetry::Mirror};

/// Tips whose mirror images lie closer than this, as a share of the longest way, are a pair.
const PAIR_REACH: f64 = 0.12;
/// Tips nearer to the mirror plane than this, as a share of the longest way, lie on it.
const AXIAL: f64 = 0.05;
/// Thinner than this, measured by their width, limbs are sheets.
const SHEET: f64 = 0.4;

/// A free end.
#[derive(Debug, Clone)]
pub(super) struct Limb {
    /// Its branch in the tree.
    pub(super) branch: usize,
    /// Centres of its level sets, base to tip.
    pub(super) line: Vec<DVec3>,
    /// Half widths of the level sets, across the line: the larger and the smaller.
    pub(super) widths: Vec<(f64, f64)>,
    /// The limb on the other side.
    pub(super) pair: Option<usize>,
    /// On the mirror plane.
    pub(super) axial: bool,
}

impl Limb {
    /// Length of the centre line.
    pub(super) fn length(&self) -> f64 {
        length(&self.line)
    }

    /// Where it leaves the body.
    pub(super) fn base(&self) -> DVec3 {
        self.line[0]
    }

    /// Its end.
    pub(super) fn tip(&self) -> DVec3 {
        self.line[self.line.len() - 1]
    }

    /// Mean smaller half width over a share of the line.
    pub(super) fn thickness(&self, from: f64, to: f64) -> f64 {
        let n = self.widths.len();
        let (a, b) = ((from * n as f64) as usize, ((to * n as f64).ceil() as usize).min(n));
        let part = &self.widths[a.min(n - 1)..b.max(a.min(n - 1) + 1)];
        part.iter().map(|w| w.1).sum::<f64>() / part.len() as f64
    }

    /// How much of the body it is: its length times its thickness.
    pub(super) fn weight(&self) -> f64 {
        self.length() * self.thickness(0.1, 0.9)
    }

    /// Wide and thin: a wing, a fin, the back of a chair.
    pub(super) fn is_sheet(&self) -> bool {
        let n = self.widths.len();
        let middle = &self.widths[n / 5..(n * 4 / 5).max(n / 5 + 1)];
        let (wide, thin) = middle.iter().fold((0.0, 0.0), |s, w| (s.0 + w.0, s.1 + w.1));
        thin < SHEET * wide
    }
}

/// Length of a line through points.
pub(super) fn length(line: &[DVec3]) -> f64 {
    line.windows(2).map(|w| w[0].distance(w[1])).sum()
}

/// The point of a line after a share of its length; beyond the ends it goes straight on.
pub(super) fn along(line: &[DVec3], share: f64) -> DVec3 {
    let mut left = share.clamp(0.0, 1.0) * length(line);
    for w in line.windows(2) {
        let step = w[0].distance(w[1]);
        if left <= step && step > 0.0 {
            return w[0].lerp(w[1], left / step);
        }
        left -= step;
    }
    line[line.len() - 1]
}

/// All free ends of a tree, in the order of its branches.
pub(super) fn limbs(tree: &Tree, mirror: &Mirror) -> Vec<Limb> {
    let mut limbs: Vec<Limb> = tree
        .branches
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(_, b)| b.tip.is_some() && !b.slices.is_empty())
        .map(|(branch, b)| {
            let line: Vec<DVec3> = smooth(&b.slices.iter().map(Moments::centre).collect::<Vec<_>>());
            let widths = b
                .slices
                .iter()
                .map(|s| {
                    let w = s.spread().0 * 2.0;
                    // A level set is one or two cells thick: at a thin limb that is not its smallest measure.
                    (w.x, if w.y > tree.cell { w.y } else { w.z.max(tree.cell * 0.5) })
                })
                .collect();
            Limb { branch, line, widths, pair: None, axial: false }
        })
        .collect();
    pair(&mut limbs, mirror, tree.extent);
    limbs
}

/// Means over three neighbours; the ends stay.
pub(super) fn smooth(line: &[DVec3]) -> Vec<DVec3> {
    let n = line.len();
    (0..n)
        .map(
            |i| {
                if i == 0 || i + 1 == n { line[i] } else { (line[i - 1] + line[i] * 2.0 + line[i + 1]) / 4.0 }
            },
        )
        .collect()
}

/// Pairs limbs with their mirror images, the nearest first.
fn pair(limbs: &mut [Limb], mirror: &Mirror, extent: f64) {
    for limb in limbs.iter_mut() {
        let off = limb.line.iter().map(|p| mirror.side(*p).abs()).sum::<f64>() / limb.line.len() as f64;
        limb.axial = mirror.side(limb.tip()).abs() < AXIAL * extent && off < AXIAL * extent;
    }
    let mut found: Vec<(f64, usize, usize)> = Vec::new();
    for i in 0..limbs.len() {
        for j in 0..i {
            if mirror.side(limbs[i].tip()) * mirror.side(limbs[j].tip()) >= 0.0 {
                continue;
            }
            let apart = mirror.of(limbs[i].tip()).distance(limbs[j].tip())
                + mirror.of(limbs[i].base()).distance(limbs[j].base());
            if apart < 2.0 * PAIR_REACH * extent
                && mirror.side(limbs[i].tip()).abs() > 2.0 * apart.min(0.01 * extent)
            {
                found.push((apart, i, j));
            }
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, i, j) in found {
        if limbs[i].pair.is_none() && limbs[j].pair.is_none() {
            (limbs[i].pair, limbs[j].pair) = (Some(j), Some(i));
            (limbs[i].axial, limbs[j].axial) = (false, false);
        }
    }
}
