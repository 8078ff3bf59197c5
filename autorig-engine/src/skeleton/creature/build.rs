//! A skeleton as it is put together, in the shape's own frame.

use glam::DVec3;

use super::limbs::{along, length};

/// A joint in the shape's frame.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    pub(super) at: DVec3,
    /// 0 to 1.
    pub(super) confidence: f32,
}

/// Joints, parents before children; joint 0 is the root.
#[derive(Debug, Clone)]
pub(super) struct Builder {
    pub(super) joints: Vec<Placed>,
}

impl Builder {
    /// A root at the given place.
    pub(super) fn new(root: DVec3) -> Self {
        Self { joints: vec![Placed { name: "root".to_owned(), parent: None, at: root, confidence: 1.0 }] }
    }

    /// Adds a joint; gives its index.
    pub(super) fn joint(&mut self, name: String, parent: usize, at: DVec3, confidence: f32) -> usize {
        self.joints.push(Placed { name, parent: Some(parent), at, confidence });
        self.joints.len() - 1
    }

    /// Adds joints at shares of a line, each the child of the one before; gives the index of the last.
    pub(super) fn chain(
        &mut self,
        names: &[String],
        parent: usize,
        line: &[DVec3],
        at: &[f64],
        confidence: f32,
    ) -> usize {
        names.iter().zip(at).fold(parent, |parent, (name, share)| {
            self.joint(name.clone(), parent, along(line, *share), confidence)
        })
    }

    /// Index of a joint by name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.joints.iter().position(|j| j.name == name)
    }

    /// The joint nearest to a point; the root only where there is nothing else.
    pub(super) fn nearest(&self, p: DVec3) -> usize {
        (1..self.joints.len())
            .map(|i| (self.joints[i].at.distance_squared(p), i))
            .fold((f64::INFINITY, 0), |best, c| if c.0 < best.0 { c } else { best })
            .1
    }
}

/// How many joints a line takes at a spacing.
pub(super) fn count(line: &[DVec3], spacing: f64, least: usize, most: usize) -> usize {
    ((length(line) / spacing.max(f64::MIN_POSITIVE)).round() as usize).clamp(least, most)
}

/// Shares of a line at which `count` joints sit: each begins a bone, the last bone ends with the line.
pub(super) fn even(count: usize) -> Vec<f64> {
    (0..count).map(|i| i as f64 / count as f64).collect()
}

/// `left` or `right` before a name, or the name as it is.
pub(super) fn sided(side: Option<bool>, name: &str) -> String {
    match side {
        None => name.to_owned(),
        Some(left) => {
            let mut letters = name.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase()).into_iter().collect::<String>();
            format!("{}{first}{}", if left { "left" } else { "right" }, letters.as_str())
        }
    }
}
