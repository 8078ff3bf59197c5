//! The skeletons that the samples are built around: ground truth for tests and benchmarks.

use super::TruthJoint;

/// Joint names of the fingers without their side, thumb to little finger.
pub(super) const FINGERS: [[&str; 3]; 5] = [
    ["ThumbMetacarpal", "ThumbProximal", "ThumbDistal"],
    ["IndexProximal", "IndexIntermediate", "IndexDistal"],
    ["MiddleProximal", "MiddleIntermediate", "MiddleDistal"],
    ["RingProximal", "RingIntermediate", "RingDistal"],
    ["LittleProximal", "LittleIntermediate", "LittleDistal"],
];

/// A skeleton that grows joint by joint, parents first.
#[derive(Default)]
pub(super) struct Bones {
    joints: Vec<TruthJoint>,
}

impl Bones {
    /// A chain in the middle; the first joint has no parent unless there are joints already.
    pub(super) fn chain(&mut self, chain: &[(&str, [f64; 3])]) {
        let mut parent: Option<String> = None;
        for &(name, position) in chain {
            self.joint(name, parent.as_deref(), position);
            parent = Some(name.to_owned());
        }
    }

    /// One joint.
    pub(super) fn joint(&mut self, name: &str, parent: Option<&str>, position: [f64; 3]) {
        self.joints.push(TruthJoint {
            name: name.to_owned(),
            parent: parent.map(ToOwned::to_owned),
            position,
        });
    }

    /// A joint and its mirror image. A parent that begins with a capital is one of a pair too.
    pub(super) fn pair(&mut self, name: &str, parent: &str, [x, y, z]: [f64; 3]) {
        for (side, x) in [("left", x), ("right", -x)] {
            let paired = parent.starts_with(char::is_uppercase);
            let parent = if paired { format!("{side}{parent}") } else { parent.to_owned() };
            self.joint(&format!("{side}{name}"), Some(&parent), [x, y, z]);
        }
    }

    /// The finished skeleton.
    pub(super) fn finish(self) -> Vec<TruthJoint> {
        self.joints
    }
}
