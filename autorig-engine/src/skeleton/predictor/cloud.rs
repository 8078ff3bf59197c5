//! A point cloud with its patches, as a network sees it.

use glam::{DMat3, DVec3};

use crate::analyse::surface::SurfacePoint;

/// How a cloud is cut into patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patches {
    /// Patches, each around a centre chosen by farthest-point sampling.
    pub centres: usize,
    /// Points of a patch: those nearest to its centre, itself included.
    pub neighbours: usize,
}

impl Patches {
    /// What the body network was trained on.
    pub const BODY: Self = Self { centres: 128, neighbours: 32 };
    /// What the hand network was trained on.
    pub const HAND: Self = Self { centres: 64, neighbours: 24 };
}

/// A point cloud in a network's unit with its patches.
#[derive(Clone)]
pub struct Cloud {
    /// Position and unit normal.
    pub(super) points: Vec<[f32; 6]>,
    /// Indices of the patch centres, by farthest-point sampling from point 0.
    pub(super) centres: Vec<u16>,
    /// Nearest points of each centre, [`Self::patch`] of them in a row.
    pub(super) neighbours: Vec<u16>,
    /// Points of a patch.
    pub(super) patch: usize,
    /// What was subtracted.
    centroid: DVec3,
    /// What it was divided by.
    pub(super) scale: f64,
}

impl Cloud {
    /// From surface points of a body in random order, at least one patch of them: centroid at the origin, root mean
    /// square radius 1.
    pub fn new(points: &[SurfacePoint]) -> Self {
        let n = points.len().max(1) as f64;
        let centroid = points.iter().map(|p| p.position).sum::<DVec3>() / n;
        let mean_square = points.iter().map(|p| p.position.distance_squared(centroid)).sum::<f64>() / n;
        let scale = mean_square.sqrt().max(f64::MIN_POSITIVE);
        Self::with(points, Patches::BODY, centroid, scale)
    }

    /// From points that are in the network's unit already.
    pub fn as_given(points: &[SurfacePoint], patches: Patches) -> Self {
        Self::with(points, patches, DVec3::ZERO, 1.0)
    }

    fn with(points: &[SurfacePoint], patches: Patches, centroid: DVec3, scale: f64) -> Self {
        let places: Vec<DVec3> = points.iter().map(|p| (p.position - centroid) / scale).collect();
        let steady: Vec<f64> = points.iter().map(|p| p.steady).collect();
        let (centres, neighbours) = cut(&places, &steady, patches);
        let points = points
            .iter()
            .zip(places)
            .map(|(p, q)| {
                [q.x as f32, q.y as f32, q.z as f32, p.normal.x as f32, p.normal.y as f32, p.normal.z as f32]
            })
            .collect();
        Self { points, centres, neighbours, patch: patches.neighbours, centroid, scale }
    }

    /// The same cloud turned by `rotation` about its centroid; patches stay.
    pub fn turned(&self, rotation: DMat3) -> Self {
        let turn = |v: &[f32]| rotation * DVec3::new(v[0].into(), v[1].into(), v[2].into());
        self.with_points(|p| {
            let (q, n) = (turn(&p[..3]), turn(&p[3..]));
            [q.x as f32, q.y as f32, q.z as f32, n.x as f32, n.y as f32, n.z as f32]
        })
    }

    /// The same cloud with left and right exchanged; patches stay.
    pub(super) fn mirrored(&self) -> Self {
        self.with_points(|p| [-p[0], p[1], p[2], -p[3], p[4], p[5]])
    }

    fn with_points(&self, map: impl Fn(&[f32; 6]) -> [f32; 6]) -> Self {
        Self {
            points: self.points.iter().map(map).collect(),
            centres: self.centres.clone(),
            neighbours: self.neighbours.clone(),
            ..*self
        }
    }

    /// From the network's unit to the frame of the points given.
    pub(super) fn denormalise(&self, p: [f32; 3]) -> DVec3 {
        DVec3::new(p[0].into(), p[1].into(), p[2].into()) * self.scale + self.centroid
    }

    /// From the frame of the points given to the network's unit.
    pub(super) fn normalise(&self, p: DVec3) -> [f32; 3] {
        let q = (p - self.centroid) / self.scale;
        [q.x as f32, q.y as f32, q.z as f32]
    }
}

/// Farthest-point sampling and the nearest neighbours of each centre (Qi et al. 2017, PointNet++, §3.2).
///
/// Each choice follows from the ones before, so one that a rounding error turns changes all that come after, and rounding
/// differs from turn to turn of one body. Hence double precision, and distances that count less for a point that is less
/// `steady`: one that a rounding error may take away is no centre.
fn cut(points: &[DVec3], steady: &[f64], patches: Patches) -> (Vec<u16>, Vec<u16>) {
    let mut closest = vec![f64::INFINITY; points.len()];
    let mut distances: Vec<(f64, u16)> = vec![(0.0, 0); points.len()];
    let mut centres = Vec::with_capacity(patches.centres);
    let mut neighbours = Vec::with_capacity(patches.centres * patches.neighbours);
    let mut current = 0_usize;
    for _ in 0..patches.centres {
        let Some(c) = points.get(current).copied() else { break };
        centres.push(current as u16);
        let mut farthest = (-1.0_f64, 0_usize);
        for (i, ((p, steady), closest)) in points.iter().zip(steady).zip(&mut closest).enumerate() {
            let d = p.distance_squared(c);
            distances[i] = (d, i as u16);
            *closest = closest.min(d);
            if *closest * steady > farthest.0 {
                farthest = (*closest * steady, i);
            }
        }
        let count = patches.neighbours.min(distances.len());
        if count < distances.len() {
            distances.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        neighbours.extend(distances[..count].iter().map(|(_, i)| *i));
        neighbours.resize(centres.len() * patches.neighbours, current as u16);
        current = farthest.1;
    }
    (centres, neighbours)
}
