//! Segments that stand for the joints.

use glam::DVec3;

use crate::{analyse::Body, skeleton::Skeleton};

/// A bone without a child reaches on to the end of the solid, at most this share of the height.
const LEAF_REACH: f64 = 0.3;
/// A leaf bone is at least so long, as a share of the height.
const LEAF_MIN: f64 = 0.02;

/// A segment in canonical space, from a joint to the child that continues it best.
#[derive(Debug, Clone, Copy)]
pub struct Bone {
    /// Index of the joint in the skeleton.
    pub joint: usize,
    /// The joint's position.
    pub head: DVec3,
    /// Where the bone ends.
    pub tail: DVec3,
}

impl Bone {
    /// The point of the bone nearest to `p`.
    pub fn nearest(&self, p: DVec3) -> DVec3 {
        let along = self.tail - self.head;
        let t = (p - self.head).dot(along) / along.length_squared().max(f64::MIN_POSITIVE);
        self.head + along * t.clamp(0.0, 1.0)
    }
}

/// One bone for every joint but the root, in the skeleton's order.
pub fn bones(body: &Body, skeleton: &Skeleton) -> Vec<Bone> {
    let at: Vec<DVec3> = skeleton.joints.iter().map(|j| body.frame.to_canonical(j.position)).collect();
    (0..skeleton.joints.len())
        .filter(|&j| skeleton.joints[j].parent.is_some())
        .map(|joint| {
            let head = at[joint];
            let parent = skeleton.joints[joint].parent.filter(|&p| skeleton.joints[p].parent.is_some());
            let incoming = parent.map_or(DVec3::Y, |p| (head - at[p]).normalize_or(DVec3::Y));
            let children = (0..at.len()).filter(|&c| skeleton.joints[c].parent == Some(joint));
            let best = children.map(|c| ((at[c] - head).normalize_or_zero().dot(incoming), c)).fold(
                None,
                |best: Option<(f64, usize)>, c| if best.is_some_and(|b| b.0 >= c.0) { best } else { Some(c) },
            );
            let tail = best
                .map_or_else(|| leaf_end(body, &skeleton.joints[joint].name, head, incoming), |(_, c)| at[c]);
            Bone { joint, head, tail }
        })
        .collect()
}

/// A leaf bone goes on in its direction as far as the solid does. Toes lie on the ground, whatever the foot does.
fn leaf_end(body: &Body, name: &str, head: DVec3, incoming: DVec3) -> DVec3 {
    let direction = if name.ends_with("Toes") {
        DVec3::new(incoming.x, 0.0, incoming.z).normalize_or(DVec3::Z)
    } else if name == "head" {
        DVec3::Y
    } else {
        incoming
    };
    let reach = body.solid.reach(head, direction, LEAF_REACH * body.height);
    head + direction * reach.max(LEAF_MIN * body.height)
}
