//! A humanoid as motion sees it: its limbs, how long they are, where its soles, palms and sides lie.

use std::collections::BTreeMap;

use glam::DVec3;

use super::{align::Rest, puppet::Puppet, sole::Soles};
use crate::Character;

/// One of a pair: +1 for the left, −1 for the right, as the sign of x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub(super) fn sign(self) -> f64 {
        if self == Self::Left { 1.0 } else { -1.0 }
    }

    /// Place in a pair.
    pub(super) fn index(self) -> usize {
        usize::from(self == Self::Right)
    }

    fn name(self) -> &'static str {
        if self == Self::Left { "left" } else { "right" }
    }
}

/// An arm in the normal pose.
#[derive(Debug, Clone)]
pub(super) struct Arm {
    pub(super) shoulder: Option<usize>,
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) hand: usize,
    /// Fingers from the thumb on, knuckles first.
    pub(super) fingers: Vec<Vec<usize>>,
    /// Lengths of the two bones, in metres.
    pub(super) lengths: (f64, f64),
    /// From the wrist to the tips of the hand.
    pub(super) reach: f64,
    /// From the wrist's middle to the surface of the palm.
    pub(super) palm: f64,
}

/// A leg in the normal pose. Offsets are from the ankle.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) foot: usize,
    pub(super) toes: Option<usize>,
    /// Lengths of the two bones, in metres.
    pub(super) lengths: (f64, f64),
    /// The hindmost point of the sole.
    pub(super) heel: DVec3,
    /// About what the heel is raised: where the toes begin, or the tip of a foot without toes.
    pub(super) ball: DVec3,
    /// The foremost point of the sole.
    pub(super) tip: DVec3,
    /// Half the width of the foot.
    pub(super) half_width: f64,
}

impl Leg {
    /// Length from hip to ankle.
    pub(super) fn length(&self) -> f64 {
        self.lengths.0 + self.lengths.1
    }
}

/// A humanoid in its normal pose, standing on the floor.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) puppet: Puppet,
    pub(super) hips: usize,
    /// Bones between hips and neck, upwards.
    pub(super) spine: Vec<usize>,
    pub(super) neck: Option<usize>,
    pub(super) head: Option<usize>,
    /// Left and right.
    pub(super) arms: [Arm; 2],
    /// Left and right.
    pub(super) legs: [Leg; 2],
    pub(super) soles: Soles,
    /// How far the upper arms stand off the body when they hang, in degrees from straight down.
    pub(super) hang: f64,
    /// Half the width of the head with what is on it, in metres.
    pub(super) head_half_width: f64,
}

/// What each bone of a humanoid hangs on, if it is there: the first of the list that is.
fn anatomy(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    let (side, bare) = match name.strip_prefix("left") {
        Some(bare) => ("left", bare),
        None => name.strip_prefix("right").map_or(("", name), |bare| ("right", bare)),
    };
    let list: &[&str] = match bare {
        "hips" => &["root"],
        "spine" | "UpperLeg" => &["hips"],
        "chest" => &["spine", "hips"],
        "upperChest" => &["chest", "spine", "hips"],
        "neck" | "Shoulder" => &["upperChest", "chest", "spine", "hips"],
        "head" => &["neck", "upperChest", "chest", "spine", "hips"],
        "UpperArm" => &["Shoulder", "upperChest", "chest", "spine", "hips"],
        "LowerArm" => &["UpperArm"],
        "Hand" => &["LowerArm"],
        "LowerLeg" => &["UpperLeg"],
        "Foot" => &["LowerLeg"],
        "Toes" => &["Foot"],
        _ => return None,
    };
    Some((side, list))
}

impl Figure {
    /// A character with the limbs of a humanoid; `None` for any other.
    pub(super) fn new(character: &Character) -> Option<Self> {
        let names: BTreeMap<String, usize> = character
            .bones
            .iter()
            .enumerate()
            .rev()
            .filter_map(|(i, b)| b.canonical.clone().map(|n| (n, i)))
            .collect();
        let hips = *names.get("hips")?;
        let limbs = ["UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot"];
        let whole = |side: Side| limbs.iter().all(|l| names.contains_key(&format!("{}{l}", side.name())));
        if !Side::BOTH.into_iter().all(whole) {
            return None;
        }
        let parents = parents(character, &names);
        let carrier = names.get("root").copied().filter(|r| above(&parents, hips, *r)).unwrap_or(hips);
        // A first puppet without alignment has the places and outlines at rest.
        let resting = Puppet::new(character, parents.clone(), &[], Some(carrier));
        let align = vec![None; character.bones.len()];
        let mut rest = Rest { names: &names, at: &resting.normal, outline: &resting.outline, align };
        rest.align_limbs();
        let align = rest.align;
        let mut puppet = Puppet::new(character, parents, &align, Some(carrier));
        let legs = Side::BOTH.map(|side| leg(&puppet, &names, side));
        stand(&mut puppet, hips, &legs);
        let find = |name: &str| names.get(name).copied();
        let arms = Side::BOTH.map(|side| arm(&puppet, &names, side));
        let spine: Vec<usize> = ["spine", "chest", "upperChest"].iter().filter_map(|n| find(n)).collect();
        let head = find("head");
        let head_half_width = head.map_or(0.1, |h| {
            let under = below(&puppet.parents, h);
            let points = (0..under.len()).filter(|b| under[*b]).flat_map(|b| {
                let from = puppet.normal[b] - puppet.normal[h];
                puppet.outline[b].iter().map(move |p| (from + *p).x.abs())
            });
            points.fold(0.0, f64::max)
        });
        let hang = hang(&puppet, hips, &spine, &arms, &legs);
        let soles = Soles::new(character, &puppet, &legs);
        Some(Self { soles, hips, spine, neck: find("neck"), head, arms, legs, hang, head_half_width, puppet })
    }

    pub(super) fn arm(&self, side: Side) -> &Arm {
        &self.arms[side.index()]
    }

    pub(super) fn leg(&self, side: Side) -> &Leg {
        &self.legs[side.index()]
    }

    /// Where a bone is in the normal pose.
    pub(super) fn at(&self, bone: usize) -> DVec3 {
        self.puppet.normal[bone]
    }

    /// Length of the legs from hip to ankle, in metres.
    pub(super) fn leg_length(&self) -> f64 {
        (self.legs[0].length() + self.legs[1].length()) / 2.0
    }

    /// Where the ankle is when the foot stands flat in its place in the normal pose.
    pub(super) fn ankle(&self, side: Side) -> DVec3 {
        let leg = self.leg(side);
        let beside = self.at(leg.upper).x - self.middle().x;
        // Thick feet under narrow hips would stand in each other.
        let apart = beside.abs().max(1.15 * leg.half_width) * side.sign();
        DVec3::new(self.middle().x + apart, -leg.heel.y, self.at(leg.foot).z)
    }

    /// The point on the ground under the middle between the hip joints.
    pub(super) fn middle(&self) -> DVec3 {
        ((self.at(self.legs[0].upper) + self.at(self.legs[1].upper)) / 2.0).with_y(0.0)
    }
}

/// Parents in motion: the file's own where the limb it should hang on is above it, that limb where it is not.
pub(super) fn parents(character: &Character, names: &BTreeMap<String, usize>) -> Vec<Option<usize>> {
    let mut parents: Vec<Option<usize>> = character.bones.iter().map(|b| b.parent).collect();
    for (name, &bone) in names {
        let Some((side, list)) = anatomy(name) else { continue };
        let find = |n: &&str| names.get(*n).or_else(|| names.get(&format!("{side}{n}"))).copied();
        let Some(wanted) = list.iter().find_map(find) else { continue };
        // Never a ring: a bone does not hang on what hangs on it.
        if !above(&parents, bone, wanted) && !above(&parents, wanted, bone) {
            parents[bone] = Some(wanted);
        }
    }
    parents
}

/// Whether `ancestor` is above `bone`.
pub(super) fn above(parents: &[Option<usize>], bone: usize, ancestor: usize) -> bool {
    let mut at = parents[bone];
    while let Some(b) = at {
        if b == ancestor {
            return true;
        }
        at = parents[b];
    }
    false
}

/// A bone and everything that hangs on it.
fn below(parents: &[Option<usize>], bone: usize) -> Vec<bool> {
    (0..parents.len()).map(|b| b == bone || above(parents, b, bone)).collect()
}

fn arm(puppet: &Puppet, names: &BTreeMap<String, usize>, side: Side) -> Arm {
    let find = |name: &str| names.get(&format!("{}{name}", side.name())).copied();
    // The caller has looked: these are there.
    let [upper, lower, hand] = ["UpperArm", "LowerArm", "Hand"].map(|n| find(n).unwrap_or(0));
    let chain = |parts: &[String]| parts.iter().filter_map(|p| find(p)).collect::<Vec<usize>>();
    let finger = |name: &str| match name {
        "Thumb" => chain(&["Metacarpal", "Proximal", "Distal"].map(|p| format!("Thumb{p}"))),
        _ => chain(&["Proximal", "Intermediate", "Distal"].map(|p| format!("{name}{p}"))),
    };
    let fingers: Vec<Vec<usize>> = ["Thumb", "Index", "Middle", "Ring", "Little"].map(finger).into();
    let at = &puppet.normal;
    let lengths = (at[upper].distance(at[lower]), at[lower].distance(at[hand]));
    let under = below(&puppet.parents, hand);
    let tips = (0..at.len()).filter(|b| under[*b]).flat_map(|b| {
        let from = at[b] - at[hand];
        puppet.outline[b].iter().map(move |p| from + *p).chain([from])
    });
    let (reach, depth) =
        tips.fold((0.0_f64, 0.0_f64), |(far, low), p| (far.max(p.x * side.sign()), low.max(-p.y)));
    let fallback = 0.35 * lengths.1;
    let reach = if reach > 0.0 { reach } else { fallback };
    let palm = depth.clamp(0.15 * reach, 0.5 * reach);
    Arm { shoulder: find("Shoulder"), upper, lower, hand, fingers, lengths, reach, palm }
}

fn leg(puppet: &Puppet, names: &BTreeMap<String, usize>, side: Side) -> Leg {
    let find = |name: &str| names.get(&format!("{}{name}", side.name())).copied();
    let [upper, lower, foot] = ["UpperLeg", "LowerLeg", "Foot"].map(|n| find(n).unwrap_or(0));
    let toes = find("Toes");
    let at = &puppet.normal;
    let lengths = (at[upper].distance(at[lower]), at[lower].distance(at[foot]));
    let under = below(&puppet.parents, foot);
    let points: Vec<DVec3> = (0..at.len())
        .filter(|b| under[*b])
        .flat_map(|b| {
            let from = at[b] - at[foot];
            puppet.outline[b].iter().map(move |p| from + *p)
        })
        .collect();
    let ahead = toes.map_or(DVec3::Z, |t| (at[t] - at[foot]).with_y(0.0).normalize_or(DVec3::Z));
    let long = 0.25 * (lengths.0 + lengths.1);
    // Without a mesh the ankle's height over the floor at rest is all there is.
    let sole = points.iter().map(|p| p.y).reduce(f64::min).unwrap_or(-at[foot].y.max(0.02 * long));
    let low = || points.iter().filter(move |p| p.y < 0.6 * sole);
    let along = |p: &DVec3| p.dot(ahead);
    let back = low().map(along).reduce(f64::min).unwrap_or(-0.3 * long);
    let front = low().map(along).reduce(f64::max).unwrap_or(0.7 * long);
    let across = DVec3::Y.cross(ahead);
    let half_width = low().map(|p| p.dot(across).abs()).fold(0.15 * long, f64::max);
    let on_sole = |z: f64| ahead * z + DVec3::Y * sole;
    let ball = toes.map(|t| at[t] - at[foot]).filter(|b| (0.05 * front..front).contains(&along(b)));
    // Toes to stand on begin before the ankle and move the tip of the sole.
    let moves_tip = |t: usize| {
        let tips = puppet.outline[t].iter().map(|p| along(&(at[t] - at[foot] + *p)));
        points.is_empty() || tips.fold(f64::NEG_INFINITY, f64::max) > 0.9 * front
    };
    let toes = toes.filter(|t| ball.is_some() && moves_tip(*t));
    let ball = ball.filter(|_| toes.is_some()).unwrap_or_else(|| on_sole(front));
    Leg { upper, lower, foot, toes, lengths, heel: on_sole(back), ball, tip: on_sole(front), half_width }
}

/// Puts the normal pose onto the floor: all but what does not hang on the hips goes up or down.
fn stand(puppet: &mut Puppet, hips: usize, legs: &[Leg; 2]) {
    let floor = |leg: &Leg| puppet.normal[leg.foot].y + leg.heel.y;
    let up = -floor(&legs[0]).min(floor(&legs[1]));
    let under = below(&puppet.parents, hips);
    for (at, under) in puppet.normal.iter_mut().zip(under) {
        if under {
            at.y += up;
        }
    }
}

/// How far the arms stand off when they hang, so that they go past hips, thighs and belly.
fn hang(puppet: &Puppet, hips: usize, spine: &[usize], arms: &[Arm; 2], legs: &[Leg; 2]) -> f64 {
    const LEAST: f64 = 7.0;
    const MOST: f64 = 50.0;
    let trunk: Vec<usize> = spine.iter().copied().chain([hips]).chain(legs.iter().map(|l| l.upper)).collect();
    let mut most = LEAST;
    for (arm, side) in arms.iter().zip(Side::BOTH) {
        let shoulder = puppet.normal[arm.upper];
        let long = arm.lengths.0 + arm.lengths.1 + 0.6 * arm.reach;
        let thick = thickness(puppet, arm.lower, arm.lengths.1).max(arm.palm);
        for &bone in &trunk {
            for p in &puppet.outline[bone] {
                let p = puppet.normal[bone] + *p - shoulder;
                let (out, down) = (p.x * side.sign(), -p.y);
                // What lies near the shoulder belongs to it, and only what the arm passes is in its way.
                if (0.45 * long..1.05 * long).contains(&down) && p.z.abs() < 0.45 * long {
                    most = libm::atan2(out + 1.1 * thick, down).to_degrees().max(most);
                }
            }
        }
    }
    most.min(MOST)
}

/// Half the thickness of a bone that lies along x, around its middle.
fn thickness(puppet: &Puppet, bone: usize, long: f64) -> f64 {
    let points = puppet.outline[bone].iter();
    let from_axis: Vec<f64> = points.map(|p| DVec3::new(0.0, p.y, p.z).length()).collect();
    let mean = from_axis.iter().sum::<f64>() / from_axis.len().max(1) as f64;
    mean.min(0.5 * long)
}
