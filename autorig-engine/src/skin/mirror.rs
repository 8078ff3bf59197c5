//! Mirrored weights where the mesh mirrors itself.
//!
//! Voxels, samplings and floating point know nothing of symmetry, so the two halves of a symmetric character come out a
//! little different, which an artist sees at once. Where nearly every vertex has a mirror image, and every joint has one
//! too, each vertex takes the mean of its own row and its image's.

use glam::DVec3;
use rayon::prelude::*;

use crate::{
    analyse::{Body, nearest::Nearest},
    skeleton::Skeleton,
};

/// An image lies so near, as a share of the height, or there is none.
const TOLERANCE: f64 = 1e-3;
/// Share of the vertices that must have an image.
const ENOUGH: f64 = 0.95;
/// A joint's image lies so near, as a share of the height.
const JOINT_TOLERANCE: f64 = 0.01;
/// Vertices that are looked at before all are, to save the search on what is plainly not symmetric.
const PROBES: usize = 500;

/// No image.
const NONE: u32 = u32::MAX;

/// Which vertex is the image of which.
pub struct Mirror {
    /// The plane is `x = plane` in canonical space.
    plane: f64,
    /// Image of each welded vertex; [`NONE`] where there is none.
    image: Vec<u32>,
}

impl Mirror {
    /// The mirror of a body that has one: between left and right, in the middle of its box or of its largest part.
    pub fn find(body: &Body) -> Option<Self> {
        let grid = Nearest::new(body.vertices.clone());
        let tolerance = TOLERANCE * body.height;
        let image = |v: usize, plane: f64| {
            let p = body.vertices[v];
            let reflected = DVec3::new(2.0 * plane - p.x, p.y, p.z);
            grid.nearest(reflected).filter(|(_, d)| *d <= tolerance).map_or(NONE, |(i, _)| i as u32)
        };
        let n = body.vertices.len();
        let step = n.div_ceil(PROBES).max(1);
        let share = |plane: f64| {
            let probes: Vec<bool> =
                (0..n).into_par_iter().step_by(step).map(|v| image(v, plane) != NONE).collect();
            probes.iter().filter(|b| **b).count() as f64 / probes.len().max(1) as f64
        };
        let planes = [0.0, middle_of_largest_part(body)];
        let (plane, best) = planes
            .into_iter()
            .map(|plane| (plane, share(plane)))
            .fold((0.0, -1.0), |best, found| if found.1 > best.1 { found } else { best });
        if best < ENOUGH {
            return None;
        }
        let mut found: Vec<u32> = (0..n).into_par_iter().map(|v| image(v, plane)).collect();
        // An image counts if it is mutual.
        let mutual: Vec<bool> =
            found.iter().zip(0..).map(|(&i, v)| i != NONE && found[i as usize] == v).collect();
        for (i, mutual) in found.iter_mut().zip(&mutual) {
            if !mutual {
                *i = NONE;
            }
        }
        let matched = mutual.iter().filter(|m| **m).count();
        (matched as f64 >= ENOUGH * n as f64).then_some(Self { plane, image: found })
    }

    /// The image of each joint, if every one has an image: by name where it says left or right, by place otherwise.
    pub fn joints(&self, body: &Body, skeleton: &Skeleton) -> Option<Vec<usize>> {
        let at: Vec<DVec3> = skeleton.joints.iter().map(|j| body.frame.to_canonical(j.position)).collect();
        let tolerance = JOINT_TOLERANCE * body.height;
        (0..at.len())
            .map(|j| {
                // The root lies anywhere and moves nothing that a mirror could tell.
                if skeleton.joints[j].parent.is_none() {
                    return Some(j);
                }
                let reflected = DVec3::new(2.0 * self.plane - at[j].x, at[j].y, at[j].z);
                let image = match other_side(&skeleton.joints[j].name) {
                    Some(name) => skeleton.find(&name)?,
                    None => (0..at.len()).fold(j, |best, k| {
                        if at[k].distance(reflected) < at[best].distance(reflected) { k } else { best }
                    }),
                };
                (at[image].distance(reflected) <= tolerance).then_some(image)
            })
            .collect()
    }

    /// Takes the mean of each row of `weights` and that of the vertex's image; `image_of_column` says which column is the
    /// image of which.
    pub fn average(&self, weights: &[f64], image_of_column: &[usize]) -> Vec<f64> {
        let columns = image_of_column.len();
        let mut mean = weights.to_vec();
        mean.par_chunks_mut(columns).zip(&self.image).filter(|(_, image)| **image != NONE).for_each(
            |(row, &image)| {
                let other = &weights[image as usize * columns..(image as usize + 1) * columns];
                for (w, &c) in row.iter_mut().zip(image_of_column) {
                    *w = (*w + other[c]) / 2.0;
                }
            },
        );
        mean
    }
}

/// The joint's name on the other side, if the name has a side.
fn other_side(name: &str) -> Option<String> {
    name.strip_prefix("left")
        .map(|rest| format!("right{rest}"))
        .or_else(|| name.strip_prefix("right").map(|rest| format!("left{rest}")))
}

fn middle_of_largest_part(body: &Body) -> f64 {
    let mut area = vec![0.0; body.welded.parts];
    let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); body.welded.parts];
    for t in &body.welded.triangles {
        let [a, b, c] = t.map(|i| body.vertices[i as usize]);
        let part = body.welded.part[t[0] as usize] as usize;
        area[part] += (b - a).cross(c - a).length();
        for p in [a, b, c] {
            range[part] = (range[part].0.min(p.x), range[part].1.max(p.x));
        }
    }
    let largest = (0..area.len()).fold(0, |best, p| if area[p] > area[best] { p } else { best });
    range.get(largest).map_or(0.0, |(lo, hi)| f64::midpoint(*lo, *hi))
}
