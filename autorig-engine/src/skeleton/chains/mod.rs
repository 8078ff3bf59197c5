//! What a humanoid has besides its limbs: tails, ears, hair, capes, skirts, and eyeballs.
//!
//! | module | what |
//! | --- | --- |
//! | `sticks` | what sticks out of the solid: tails, ears, ponytails |
//! | `cloth` | shells that hang on the body: capes, skirts, long hair |
//! | `eyes` | eyeballs that are shells of their own |
//!
//! A chain is made only of what clearly is one, for a plain character must not get bones that mean nothing. Chains hang on the
//! body's joints and change nothing about them: a rig whose chains nobody moves behaves as one without.

use glam::DVec3;

use super::{Joint, Skeleton};
use crate::{
    analyse::Body,
    rig::{ExtraChains, Eyes, Options, Symmetry},
};

mod cloth;
mod eyes;
mod sticks;

/// What the joints of chains are called, with a number behind and left or right before, where they have a side.
const KINDS: [&str; 7] = ["tail", "ear", "hair", "cape", "skirt", "skirtFront", "skirtBack"];

/// What moves together: one chain, or several side by side on one piece of cloth.
#[derive(Debug, Clone)]
pub struct Extra {
    /// The chains.
    pub chains: Vec<Chain>,
    /// Welded vertices that may follow them.
    pub members: Vec<u32>,
    /// Which of their weight the chains take.
    pub takes: Takes,
}

/// Joints in a row.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Names of its joints, from the body outwards.
    pub joints: Vec<String>,
    /// The joint that it hangs on.
    pub parent: &'static str,
    /// Where the joints are, and where the last one's bone ends, in canonical space.
    pub line: Vec<DVec3>,
    /// How sure the joints are, 0 to 1.
    pub confidence: f32,
}

/// Which of a vertex' weight goes to the chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// All of it, more and more over the first half of the first bone.
    All,
    /// What the joint has on which the chain hangs, likewise: the rest moves as it did.
    OfParent,
    /// All of it: a ball that turns in its socket.
    Rigid,
}

impl Chain {
    fn new(name: &str, side: Option<Side>, parent: &'static str, line: Vec<DVec3>, confidence: f32) -> Self {
        let joints = (1..line.len()).map(|i| format!("{}{i}", sided(side, name))).collect();
        Self { joints, parent, line, confidence }
    }
}

/// Whether a joint is one of a chain: by its name, as [`find`] gives it.
///
/// ```
/// use autorig_engine::skeleton::chains::is_chain;
/// assert!(is_chain("tail3") && is_chain("leftSkirtFront1"));
/// assert!(!is_chain("leftHand") && !is_chain("tail"));
/// ```
pub fn is_chain(joint: &str) -> bool {
    let bare = joint.trim_end_matches(|c: char| c.is_ascii_digit());
    if bare.len() == joint.len() {
        return false;
    }
    KINDS.iter().any(|kind| {
        [None, Some(Side::Left), Some(Side::Right)].into_iter().any(|side| sided(side, kind) == bare)
    })
}

/// A side of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// `left` or `right` before a name, or the name as it is.
fn sided(side: Option<Side>, name: &str) -> String {
    let Some(side) = side else { return name.to_owned() };
    let (first, rest) = name.split_at(name.len().min(1));
    let side = if side == Side::Left { "left" } else { "right" };
    format!("{side}{}{rest}", first.to_ascii_uppercase())
}

/// Where the joints of a humanoid's body are that chains are measured by, in canonical space.
struct Figure<'a> {
    body: &'a Body,
    skeleton: &'a Skeleton,
    hips: DVec3,
    chest: DVec3,
    neck: DVec3,
    head: DVec3,
    /// Left and right.
    shoulders: [DVec3; 2],
    /// Left and right hip joint, knee and ankle.
    legs: [[DVec3; 3]; 2],
    mirrored: bool,
}

impl<'a> Figure<'a> {
    /// `None` where a joint is missing: it is no humanoid of the engine's.
    fn new(body: &'a Body, skeleton: &'a Skeleton, mirrored: bool) -> Option<Self> {
        let at =
            |name: &str| skeleton.find(name).map(|j| body.frame.to_canonical(skeleton.joints[j].position));
        let leg = |side: &str| {
            Some([
                at(&format!("{side}UpperLeg"))?,
                at(&format!("{side}LowerLeg"))?,
                at(&format!("{side}Foot"))?,
            ])
        };
        Some(Self {
            body,
            skeleton,
            hips: at("hips")?,
            chest: at("chest")?,
            neck: at("neck")?,
            head: at("head")?,
            shoulders: [at("leftUpperArm")?, at("rightUpperArm")?],
            legs: [leg("left")?, leg("right")?],
            mirrored,
        })
    }

    fn height(&self) -> f64 {
        self.body.height
    }

    /// The point mirrored between left and right.
    fn image(&self, p: DVec3) -> DVec3 {
        DVec3::new(2.0 * self.hips.x - p.x, p.y, p.z)
    }

    /// Puts a line that lies about in the middle right there.
    fn centred(&self, mut line: Vec<DVec3>) -> Vec<DVec3> {
        /// As a share of the height.
        const MIDDLE: f64 = 0.02;
        let off = |p: &DVec3| (p.x - self.hips.x).abs() < MIDDLE * self.height();
        if self.mirrored && line.iter().all(off) {
            line.iter_mut().for_each(|p| p.x = self.hips.x);
        }
        line
    }

    /// Makes two lines of one length mirror images of each other.
    fn paired(&self, mut left: Vec<DVec3>, mut right: Vec<DVec3>) -> [Vec<DVec3>; 2] {
        if self.mirrored {
            for (l, r) in left.iter_mut().zip(&mut right) {
                *l = l.midpoint(self.image(*r));
                *r = self.image(*l);
            }
        }
        [left, right]
    }
}

/// The extra chains of a humanoid whose body has these joints, as far as the options want them. Nothing where the
/// skeleton is not one of the engine's own humanoids.
pub fn find(body: &Body, skeleton: &Skeleton, options: &Options) -> Vec<Extra> {
    let Some(figure) = Figure::new(body, skeleton, options.symmetry == Symmetry::Auto) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if options.extra_chains == ExtraChains::Auto {
        found.extend(cloth::find(&figure));
        found.extend(sticks::find(&figure, &found));
    }
    if options.eyes == Eyes::Auto {
        found.extend(eyes::find(&figure));
    }
    found
}

/// Hangs the joints of chains on a skeleton, behind all that it has.
pub fn hang(body: &Body, skeleton: &mut Skeleton, extras: &[Extra]) {
    for chain in extras.iter().flat_map(|e| &e.chains) {
        let mut parent = skeleton.find(chain.parent);
        for (name, at) in chain.joints.iter().zip(&chain.line) {
            skeleton.joints.push(Joint {
                name: name.clone(),
                parent,
                position: body.frame.to_file(*at),
                confidence: chain.confidence,
            });
            parent = Some(skeleton.joints.len() - 1);
        }
    }
}

/// Length of a line through points.
fn length(line: &[DVec3]) -> f64 {
    line.windows(2).map(|w| w[0].distance(w[1])).sum()
}

/// So many bones of one length along a line: their ends, one more than bones.
fn resampled(line: &[DVec3], bones: usize) -> Vec<DVec3> {
    let total = length(line);
    let point = |share: f64| {
        let mut left = share * total;
        for w in line.windows(2) {
            let step = w[0].distance(w[1]);
            if left <= step && step > 0.0 {
                return w[0].lerp(w[1], left / step);
            }
            left -= step;
        }
        line[line.len() - 1]
    };
    (0..=bones).map(|i| point(i as f64 / bones as f64)).collect()
}

/// The distance of a point from a line, how far along the line its nearest point is, and which piece that is on.
fn nearest(line: &[DVec3], p: DVec3) -> (f64, f64, usize) {
    let mut best = (f64::INFINITY, 0.0, 0);
    let mut before = 0.0;
    for (i, w) in line.windows(2).enumerate() {
        let along = w[1] - w[0];
        let step = along.length();
        let t = ((p - w[0]).dot(along) / (step * step).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let away = p.distance(w[0] + along * t);
        if away < best.0 {
            best = (away, before + t * step, i);
        }
        before += step;
    }
    best
}
