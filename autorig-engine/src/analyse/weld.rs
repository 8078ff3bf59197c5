//! One indexed mesh out of all primitives: positions merged, degenerate triangles dropped, parts found.
//!
//! A third of real files shrink to a quarter of their vertices when seams and flat-shaded corners are merged,
//! and connectivity means nothing before. `of_file_vertex` leads back.

use glam::{DMat3, DVec3};

pub use super::merge::UNUSED;
use super::{
    axes::{eigen, symmetric_product},
    merge::merge,
};
use crate::{Code, Error, Result, scene::Scene};

/// Positions closer than this share of the body's diameter are one vertex.
const TOLERANCE: f64 = 1e-5;
/// Characters outside this range of units have numbers that carry no shape in single precision.
const EXTENT_RANGE: std::ops::Range<f64> = 1e-5..1e8;
/// At least so many representable steps over the extent, or the shape is gone.
const MIN_STEPS: f64 = 256.0;

/// A triangle of the file that has an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Face {
    /// Indices of its merged vertices.
    pub corners: [u32; 3],
    /// Which triangle of the file it is, counted over all primitives.
    pub ordinal: u32,
}

/// All triangles of a flattened scene over merged vertices, in the file's frame.
#[derive(Debug, Clone)]
pub struct Welded {
    /// Merged positions.
    pub vertices: Vec<DVec3>,
    /// Triangles of non-zero area, in the file's order.
    pub triangles: Vec<[u32; 3]>,
    /// Which triangle of the file each of them is, counted over all primitives.
    pub ordinals: Vec<u32>,
    /// For each vertex of each primitive of each mesh, in order: its merged vertex, or [`UNUSED`].
    pub of_file_vertex: Vec<u32>,
    /// The connected part of each merged vertex.
    pub part: Vec<u32>,
    /// Number of parts.
    pub parts: usize,
}

impl Welded {
    /// Welds a flattened scene.
    ///
    /// # Errors
    /// `no_geometry`, `degenerate_geometry`, `scale_out_of_range`, `precision_lost`.
    pub fn new(scene: &Scene) -> Result<Self> {
        let (lo, hi) =
            scene.bounds().ok_or_else(|| Error::new(Code::NoGeometry, "the file has no triangles"))?;
        let extent = (hi - lo).max_element();
        check_scale(lo, hi, extent)?;
        let positions = referenced_positions(scene);
        let (vertices, of_file_vertex) = merge(&positions, diameter(&positions) * TOLERANCE);
        let (triangles, ordinals) = triangles(scene, &of_file_vertex, &vertices);
        if triangles.is_empty() {
            return Err(Error::new(Code::DegenerateGeometry, "every triangle of the file has zero area"));
        }
        let (part, parts) = parts(vertices.len(), &triangles);
        Ok(Self { vertices, triangles, ordinals, of_file_vertex, part, parts })
    }

    /// The triangles of parts that belong to the character: a ground plane or backdrop is left out, so that it cannot
    /// decide where up is or how tall the character stands.
    pub fn character_triangles(&self) -> Vec<[u32; 3]> {
        self.character_faces().into_iter().map(|f| f.corners).collect()
    }

    /// As [`Self::character_triangles`], with their place in the file.
    pub fn character_faces(&self) -> Vec<Face> {
        let backdrop = self.backdrops();
        let faces = || {
            let one = |(&corners, &ordinal)| Face { corners, ordinal };
            self.triangles.iter().zip(&self.ordinals).map(one)
        };
        let kept: Vec<Face> =
            faces().filter(|f| !backdrop[self.part[f.corners[0] as usize] as usize]).collect();
        if kept.is_empty() { faces().collect() } else { kept }
    }

    /// Which parts are large flat sheets beside something that is not. However the file is turned.
    fn backdrops(&self) -> Vec<bool> {
        /// Thinner than this share of its length is a sheet.
        const THIN: f64 = 2e-3;
        /// A backdrop is at least so long, measured by what stands before it.
        const LARGE: f64 = 0.9;
        let part_of = |v: &u32| self.part[*v as usize] as usize;
        let corners = || self.triangles.iter().flatten().map(|v| (part_of(v), self.vertices[*v as usize]));
        let mut shapes = vec![Shape::default(); self.parts];
        corners().for_each(|(part, p)| shapes[part].count(p));
        corners().for_each(|(part, p)| shapes[part].spread(p));
        shapes.iter_mut().for_each(Shape::flatten);
        corners().for_each(|(part, p)| shapes[part].thicken(p));
        let sheet = |s: &Shape| s.half_thickness < THIN * s.radius;
        let (solid_count, solid_sum) = shapes
            .iter()
            .filter(|s| !sheet(s))
            .fold((0.0, DVec3::ZERO), |(count, sum), s| (count + s.corners, sum + s.sum));
        let centre = solid_sum / solid_count;
        let radius = corners()
            .filter(|(part, _)| !sheet(&shapes[*part]))
            .map(|(_, p)| p.distance(centre))
            .reduce(f64::max)
            .unwrap_or(f64::INFINITY);
        shapes.iter().map(|s| sheet(s) && s.radius > LARGE * radius).collect()
    }
}

/// How the corners of a part's triangles lie, gathered in three passes.
#[derive(Clone, Copy)]
struct Shape {
    corners: f64,
    sum: DVec3,
    moments: DMat3,
    radius: f64,
    thinnest: DVec3,
    half_thickness: f64,
}

impl Default for Shape {
    fn default() -> Self {
        let zero = DVec3::ZERO;
        Self {
            corners: 0.0,
            sum: zero,
            moments: DMat3::ZERO,
            radius: 0.0,
            thinnest: zero,
            half_thickness: 0.0,
        }
    }
}

impl Shape {
    fn count(&mut self, p: DVec3) {
        self.corners += 1.0;
        self.sum += p;
    }

    fn spread(&mut self, p: DVec3) {
        let d = p - self.sum / self.corners;
        self.moments += symmetric_product(d, d, 1.0);
        self.radius = self.radius.max(d.length());
    }

    fn flatten(&mut self) {
        self.thinnest = eigen(self.moments).1.z_axis;
    }

    fn thicken(&mut self, p: DVec3) {
        let d = p - self.sum / self.corners;
        self.half_thickness = self.half_thickness.max(d.dot(self.thinnest).abs());
    }
}

fn check_scale(lo: DVec3, hi: DVec3, extent: f64) -> Result<()> {
    if extent == 0.0 {
        return Err(Error::new(Code::DegenerateGeometry, "all points of the file are at one place"));
    }
    if !EXTENT_RANGE.contains(&extent) {
        return Err(Error::new(Code::ScaleOutOfRange, format!("the model is {extent:e} units long")));
    }
    let farthest = lo.abs().max(hi.abs()).max_element();
    let step = farthest * f64::from(f32::EPSILON);
    if step * MIN_STEPS > extent {
        return Err(Error::new(
            Code::PrecisionLost,
            format!("the model is {extent:.3} units long but {farthest:.0} units from the origin"),
        ));
    }
    Ok(())
}

/// Twice the largest distance from the mean of the finite positions, which is the same however the file is turned.
fn diameter(positions: &[DVec3]) -> f64 {
    let finite = || positions.iter().filter(|p| p.is_finite());
    let mean = finite().sum::<DVec3>() / finite().count().max(1) as f64;
    2.0 * finite().map(|p| p.distance(mean)).fold(0.0, f64::max)
}

/// Positions of all primitives' vertices in order; NaN for those no triangle uses.
fn referenced_positions(scene: &Scene) -> Vec<DVec3> {
    let mut all = Vec::with_capacity(scene.vertex_count());
    for primitive in scene.meshes.iter().flat_map(|m| &m.primitives) {
        let start = all.len();
        all.resize(start + primitive.positions.len(), DVec3::NAN);
        for &i in &primitive.indices {
            if let (Some(p), Some(slot)) =
                (primitive.positions.get(i as usize), all.get_mut(start + i as usize))
            {
                *slot = DVec3::new(p[0].into(), p[1].into(), p[2].into());
            }
        }
    }
    all
}

/// Triangles with an area, and which of the file's each is.
fn triangles(scene: &Scene, of_file_vertex: &[u32], vertices: &[DVec3]) -> (Vec<[u32; 3]>, Vec<u32>) {
    let mut triangles = Vec::with_capacity(scene.triangle_count());
    let mut ordinals = Vec::with_capacity(scene.triangle_count());
    let (mut start, mut ordinal) = (0, 0_u32..);
    for primitive in scene.meshes.iter().flat_map(|m| &m.primitives) {
        for (t, ordinal) in primitive.indices.chunks_exact(3).zip(&mut ordinal) {
            let corner = |i: u32| of_file_vertex.get(start + i as usize).copied().unwrap_or(UNUSED);
            let [a, b, c] = [corner(t[0]), corner(t[1]), corner(t[2])];
            if a == b || b == c || c == a || a == UNUSED || b == UNUSED || c == UNUSED {
                continue;
            }
            let [p, q, r] = [a, b, c].map(|i| vertices[i as usize]);
            if (q - p).cross(r - p).length_squared() > 0.0 {
                triangles.push([a, b, c]);
                ordinals.push(ordinal);
            }
        }
        start += primitive.positions.len();
    }
    (triangles, ordinals)
}

/// Connected parts by shared vertices, numbered by first appearance; a vertex without a triangle is its own part.
pub fn parts(vertices: usize, triangles: &[[u32; 3]]) -> (Vec<u32>, usize) {
    let mut leader: Vec<u32> = (0..vertices as u32).collect();
    for t in triangles {
        let a = find(&mut leader, t[0]);
        let b = find(&mut leader, t[1]);
        let low = a.min(b);
        leader[a.max(b) as usize] = low;
        let c = find(&mut leader, t[2]);
        let lowest = low.min(c);
        leader[low.max(c) as usize] = lowest;
    }
    let mut number = vec![UNUSED; vertices];
    let mut part = Vec::with_capacity(vertices);
    let mut count = 0;
    for v in 0..vertices as u32 {
        let root = find(&mut leader, v) as usize;
        if number[root] == UNUSED {
            number[root] = count;
            count += 1;
        }
        part.push(number[root]);
    }
    (part, count as usize)
}

/// Union–find with path halving.
fn find(leader: &mut [u32], mut v: u32) -> u32 {
    while leader[v as usize] != v {
        let up = leader[leader[v as usize] as usize];
        leader[v as usize] = up;
        v = up;
    }
    v
}
