//! Segments that stand for the joints.

use glam::DVec3;

use crate::{analyse::Body, skeleton::Skeleton};

/// A bone without a child reaches on to the end of the solid, at most this share of the height.
const LEAF_REACH: f64 = 0.3;
/// A leaf bone is at least so long, as a share of the height.
const LEAF_MIN: f64 = 0.02;
/// A bone beside others on the same joint (a thigh, an upper arm) begins this share of its length away from the joint,
/// which leaves crotch and armpit to the torso.
const ROOT_TRIM: f64 = 0.15;
/// A skull reaches forward to the face by this share of its height at most, or the chin would follow the neck.
const JAW: f64 = 0.45;
/// But only where the head sticks out over the neck by this factor: a pineapple's does not.
const OVERHANG: f64 = 1.2;

/// A joint's bone in canonical space: a segment from near the joint to the child that continues it best.
#[derive(Debug, Clone)]
pub struct Bone {
    /// Index of the joint in the skeleton.
    pub joint: usize,
    /// Index of the bone of the joint's parent, if that has one.
    pub parent: Option<usize>,
    /// The joint's position.
    pub head: DVec3,
    /// Where the bone begins: at the joint or a little after it.
    pub start: DVec3,
    /// Where the bone ends.
    pub tail: DVec3,
    /// End of a second segment that begins at the joint: the jaw.
    pub side: Option<DVec3>,
}

impl Bone {
    /// The point of the bone nearest to `p`.
    pub fn nearest(&self, p: DVec3) -> DVec3 {
        let on = |head: DVec3, tail: DVec3| head + (tail - head) * along(head, tail, p).clamp(0.0, 1.0);
        let main = on(self.start, self.tail);
        match self.side.map(|side| on(self.head, side)) {
            Some(other) if other.distance_squared(p) < main.distance_squared(p) => other,
            _ => main,
        }
    }

    /// Where `p` is along the bone: 0 at the start, 1 at the tail, unbounded.
    pub fn along(&self, p: DVec3) -> f64 {
        along(self.start, self.tail, p)
    }
}

fn along(head: DVec3, tail: DVec3, p: DVec3) -> f64 {
    let along = tail - head;
    (p - head).dot(along) / along.length_squared().max(f64::MIN_POSITIVE)
}

/// One bone for every joint but the root, in the skeleton's order.
pub fn bones(body: &Body, skeleton: &Skeleton) -> Vec<Bone> {
    let joints = &skeleton.joints;
    let at: Vec<DVec3> = joints.iter().map(|j| body.frame.to_canonical(j.position)).collect();
    let mut children = vec![Vec::new(); at.len()];
    for (j, joint) in joints.iter().enumerate() {
        if let Some(p) = joint.parent {
            children[p].push(j);
        }
    }
    // The root moves nothing and has no bone.
    let mut of_joint = vec![None; at.len()];
    let with_bone: Vec<usize> = (0..at.len()).filter(|&j| joints[j].parent.is_some()).collect();
    for (bone, &joint) in with_bone.iter().enumerate() {
        of_joint[joint] = Some(bone);
    }
    with_bone
        .into_iter()
        .map(|joint| {
            let (head, name) = (at[joint], joints[joint].name.as_str());
            let parent = joints[joint].parent.filter(|&p| of_joint[p].is_some());
            let incoming = parent.map_or(DVec3::Y, |p| (head - at[p]).normalize_or(DVec3::Y));
            let tail = match continuation(&children[joint], &at, head, incoming) {
                // Eyes and jaw are no continuation of the head.
                Some(child) if name != "head" => at[child],
                _ => leaf_end(body, name, head, incoming),
            };
            let side = parent.filter(|_| name == "head").and_then(|neck| jaw(body, at[neck], head, tail));
            let has_siblings = parent.is_some_and(|p| children[p].len() > 1);
            let start = if has_siblings { head.lerp(tail, ROOT_TRIM) } else { head };
            Bone { joint, parent: parent.and_then(|p| of_joint[p]), head, start, tail, side }
        })
        .collect()
}

/// The child in the straightest line with the way from the parent.
fn continuation(children: &[usize], at: &[DVec3], head: DVec3, incoming: DVec3) -> Option<usize> {
    let straight = |c: usize| (at[c] - head).normalize_or_zero().dot(incoming);
    children.iter().copied().fold(None, |best: Option<usize>, c| match best {
        Some(b) if straight(b) >= straight(c) => best,
        _ => Some(c),
    })
}

/// Where the skull ends forward, if it sticks out over the neck.
fn jaw(body: &Body, neck: DVec3, head: DVec3, top: DVec3) -> Option<DVec3> {
    let limit = LEAF_REACH * body.height;
    let [front, below] = [head, neck].map(|p| body.solid.reach(p, DVec3::Z, limit));
    (front > OVERHANG * below).then(|| head + DVec3::Z * front.min(JAW * head.distance(top)))
}

/// A leaf bone goes on in its direction as far as the solid does. Toes lie on the ground, whatever the foot does; a foot
/// without toes lies on the ground too.
fn leaf_end(body: &Body, name: &str, head: DVec3, incoming: DVec3) -> DVec3 {
    if name.ends_with("Foot") {
        return foot_end(body, head);
    }
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

/// The tip of a foot: of all ways forward at half the ankle's height, the longest inside the solid.
fn foot_end(body: &Body, ankle: DVec3) -> DVec3 {
    /// Ways tried, evenly over ±75° from straight ahead, as (sine, cosine).
    const WAYS: [(f64, f64); 7] = [
        (0.0, 1.0),
        (0.422_618_261_740_699_4, 0.906_307_787_036_65),
        (-0.422_618_261_740_699_4, 0.906_307_787_036_65),
        (0.766_044_443_118_978, 0.642_787_609_686_539_3),
        (-0.766_044_443_118_978, 0.642_787_609_686_539_3),
        (0.965_925_826_289_068_3, 0.258_819_045_102_520_8),
        (-0.965_925_826_289_068_3, 0.258_819_045_102_520_8),
    ];
    let start = DVec3::new(ankle.x, ankle.y / 2.0, ankle.z);
    let mut best = start + DVec3::Z * (LEAF_MIN * body.height);
    for (sine, cosine) in WAYS {
        let direction = DVec3::new(sine, 0.0, cosine);
        let reach = body.solid.reach(start, direction, LEAF_REACH * body.height);
        if reach > best.distance(start) {
            best = start + direction * reach;
        }
    }
    best
}
