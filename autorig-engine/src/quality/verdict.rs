//! One score, a verdict and its reasons.
//!
//! Every check is 1 up to a normal value, which four of five rigs with the artist's own joints stay under, one half where
//! users throw a rig away, and falls on. The score is their product, told in five parts: how sure the predictor is of the
//! joints, where the joints lie, whether the two sides agree, whether the skin holds when it is bent, and how sure the
//! engine is of class and orientation. A product, because one bad property is enough to spoil a rig and no other makes up
//! for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Known, bending::Bent, is_finger, symmetry::Symmetry};
use crate::skeleton::Skeleton;

/// The word for a rig.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Use it.
    #[default]
    Good,
    /// Look at what the reasons name before using it.
    Review,
    /// Correct what the reasons name, or it will not bend well.
    Poor,
}

impl Verdict {
    /// Its name in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Review => "review",
            Self::Poor => "poor",
        }
    }
}

/// The parts of the score, each 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scores {
    /// How sure the predictor is of the joints.
    pub joints: f32,
    /// Joints lie inside the body.
    pub placement: f32,
    /// The two sides agree.
    pub symmetry: f32,
    /// The skin holds when it is bent.
    pub bending: f32,
    /// How sure the engine is of class and orientation.
    pub recognition: f32,
}

impl Scores {
    /// The score.
    pub fn product(&self) -> f32 {
        self.joints * self.placement * self.symmetry * self.bending * self.recognition
    }
}

/// Why a rig is not `good`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Stable code; see `docs/quality.md`.
    pub code: String,
    /// The verdict it alone would give.
    pub severity: Verdict,
    /// The number measured.
    pub value: f32,
    /// The joints concerned, at most six, the worst first.
    pub joints: Vec<String>,
}

/// Everything that was measured.
pub(super) struct Findings<'a> {
    pub(super) skeleton: &'a Skeleton,
    pub(super) outside: &'a [usize],
    pub(super) symmetry: Option<&'a Symmetry>,
    pub(super) bent: &'a [Bent],
    pub(super) filled_share: f32,
    pub(super) known: Known,
}

/// A score below this is a reason by itself: many small doubts make a large one.
const REVIEW_BELOW: f32 = 0.5;
/// A score below this makes the largest doubt a serious one.
const POOR_BELOW: f32 = 0.2;
/// Joints named in a reason, at most.
const NAMED: usize = 6;
/// A joint whose confidence is below this is named.
const DOUBTFUL_JOINT: f64 = 0.55;
/// What a finger's joint counts in the mean doubt: all of a hand's together as much as an arm.
const FINGER_WEIGHT: f64 = 0.2;

/// The verdict that the worst reason gives.
pub(super) fn verdict(reasons: &[Reason]) -> Verdict {
    let has = |severity| reasons.iter().any(|r| r.severity == severity);
    if has(Verdict::Poor) {
        Verdict::Poor
    } else if has(Verdict::Review) {
        Verdict::Review
    } else {
        Verdict::Good
    }
}

/// A number that is better small: up to which value nothing is wrong, from which a user should look, from which a rig is
/// beyond use.
struct Check {
    code: &'static str,
    value: f64,
    fine: f64,
    review: f64,
    poor: f64,
    joints: Vec<usize>,
}

impl Check {
    /// How far past normal, 1 where a rig is poor.
    fn excess(&self) -> f64 {
        ((self.value - self.fine) / (self.poor - self.fine)).max(0.0)
    }

    /// 1 while nothing is wrong, half of that where a rig is poor, and always falling.
    fn score(&self) -> f32 {
        (1.0 / (1.0 + self.excess())) as f32
    }

    fn severity(&self) -> Verdict {
        if self.value >= self.poor {
            Verdict::Poor
        } else if self.value >= self.review {
            Verdict::Review
        } else {
            Verdict::Good
        }
    }

    fn reason(&self, skeleton: &Skeleton, severity: Verdict) -> Reason {
        let joints = self.joints.iter().take(NAMED).map(|j| skeleton.joints[*j].name.clone()).collect();
        Reason { code: self.code.to_owned(), severity, value: self.value as f32, joints }
    }
}

/// The scores and the reasons, the worst first.
pub(super) fn judge(found: &Findings<'_>) -> (Scores, Vec<Reason>) {
    let parts = [vec![joints(found)], vec![outside(found)], sides(found), bending(found), recognition(found)];
    let [joints, placement, symmetry, bending, recognition] =
        parts.each_ref().map(|checks| checks.iter().map(Check::score).product::<f32>());
    let scores = Scores { joints, placement, symmetry, bending, recognition };
    let mut checks: Vec<&Check> = parts.iter().flatten().collect();
    checks.sort_by(|a, b| b.excess().total_cmp(&a.excess()));
    let mut reasons: Vec<Reason> = checks
        .iter()
        .filter(|c| c.severity() != Verdict::Good)
        .map(|c| c.reason(found.skeleton, c.severity()))
        .collect();
    if scores.product() < REVIEW_BELOW
        && let Some(worst) = checks.first()
    {
        let severity = if scores.product() < POOR_BELOW { Verdict::Poor } else { worst.severity() };
        let severity = if severity == Verdict::Good { Verdict::Review } else { severity };
        // The worst check is the first reason, if it is one.
        if reasons.first().is_none_or(|r| r.code != worst.code) {
            reasons.insert(0, worst.reason(found.skeleton, severity));
        } else if let Some(first) = reasons.first_mut() {
            first.severity = severity;
        }
    }
    (scores, reasons)
}

fn joints(found: &Findings<'_>) -> Check {
    let all = &found.skeleton.joints;
    let mut doubt: Vec<(f64, usize)> = (0..all.len())
        .filter(|j| all[*j].parent.is_some() || all.len() == 1)
        .map(|j| (1.0 - f64::from(all[j].confidence), j))
        .collect();
    doubt.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let weight = |j: usize| if is_finger(&all[j].name) { FINGER_WEIGHT } else { 1.0 };
    let weights = doubt.iter().map(|d| weight(d.1)).sum::<f64>();
    let mean = doubt.iter().map(|d| d.0 * weight(d.1)).sum::<f64>() / weights.max(f64::MIN_POSITIVE);
    let named = doubt.iter().filter(|d| d.0 > 1.0 - DOUBTFUL_JOINT).map(|d| d.1).collect();
    Check { code: "low_joint_confidence", value: mean, fine: 0.1, review: 0.35, poor: 0.8, joints: named }
}

fn outside(found: &Findings<'_>) -> Check {
    let others = found.skeleton.joints.len().saturating_sub(1).max(1);
    let share = found.outside.len() as f64 / others as f64;
    let joints = found.outside.to_vec();
    // One joint outside is worth a look, however many there are.
    Check { code: "joint_outside", value: share, fine: 0.0, review: f64::MIN_POSITIVE, poor: 0.3, joints }
}

fn sides(found: &Findings<'_>) -> Vec<Check> {
    let Some(symmetry) = found.symmetry else { return Vec::new() };
    let report = &symmetry.report;
    let one = |joint: Option<usize>| joint.into_iter().collect::<Vec<_>>();
    let check = |code, value: f32, [fine, review, poor]: [f64; 3], joints| Check {
        code,
        value: value.into(),
        fine,
        review,
        poor,
        joints,
    };
    let mut checks = vec![check("uneven_bones", report.bones, [0.1, 0.25, 0.6], one(symmetry.worst_bone))];
    if report.mirrored {
        let joints = one(symmetry.worst_pair);
        checks.push(check("asymmetric_joints", report.joints_pct, [0.5, 1.5, 5.0], joints));
        checks.push(check("asymmetric_weights", report.weights, [0.05, 0.1, 0.3], Vec::new()));
    }
    checks
}

/// The worst pose for each kind of damage.
fn bending(found: &Findings<'_>) -> Vec<Check> {
    let check = |code, limits: [f64; 3], of: fn(&Bent) -> (f32, Option<usize>)| {
        let worst = found.bent.iter().map(of).reduce(|a, b| if b.0 > a.0 { b } else { a });
        let (value, joint) = worst.unwrap_or((0.0, None));
        let [fine, review, poor] = limits;
        Check { code, value: value.into(), fine, review, poor, joints: joint.into_iter().collect() }
    };
    vec![
        check("stretch", [5.0, 8.0, 30.0], |b| (b.report.longest_pct, Some(b.stretched_at))),
        // Linear blend skinning loses volume at every sharp bend, so this alone makes no rig poor.
        check("collapse", [60.0, 85.0, 150.0], |b| (b.report.collapse_pct, Some(b.collapsed_at))),
        check("bleed", [1.0, 4.0, 12.0], |b| (b.report.bleed_pct, b.bent_first)),
        check("self_intersection", [1.0, 3.0, 15.0], |b| (b.report.intersection_pct, b.bent_first)),
        Check {
            code: "unweighted",
            value: found.filled_share.into(),
            fine: 0.4,
            review: 0.5,
            poor: 0.95,
            joints: Vec::new(),
        },
    ]
}

fn recognition(found: &Findings<'_>) -> Vec<Check> {
    let check = |code, confidence: f32, [fine, review, poor]: [f64; 3]| Check {
        code,
        value: 1.0 - f64::from(confidence.clamp(0.0, 1.0)),
        fine,
        review,
        poor,
        joints: Vec::new(),
    };
    vec![
        check("class_uncertain", found.known.class_confidence, [0.2, 0.6, 0.95]),
        // Even a character that can stand in one way only leaves the vote with some doubt.
        check("orientation_uncertain", found.known.orientation_confidence, [0.5, 0.85, 1.05]),
    ]
}
