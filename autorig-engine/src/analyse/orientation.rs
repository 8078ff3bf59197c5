//! Which way is up, and where the character faces.
//!
//! A file says neither reliably. Nothing here looks at the file's axes either: every step starts from directions that the
//! body itself has, so a body that comes turned, by any angle about any axis, is understood the same way and gets the same
//! joints.
//!
//! 1. The body's planes of symmetry ([`super::mirror`]) and, within the best of them, the principal axes give a few ways in
//!    which it may stand.
//! 2. The network is asked for front and up in each. An answer counts twice: as a vote for those directions, averaged over
//!    all ways to stand, and as the network's opinion on this way alone, because it is surest of characters that stand
//!    upright. How well the body mirrors itself from left to right counts too.
//! 3. Where that is not clear, more ways to stand and more samplings are asked.
//! 4. Where two ways are still close, a front and a back that look alike, that one gains in which the network is surer of
//!    the joints: it knows faces and toes that its vote overlooks.
//! 5. Left is then the normal of the plane of symmetry. A body in an uneven pose has no such plane; there the network's
//!    front counts, by as much as the plane fails to agree, and then its predicted joints.

use glam::{DMat3, DVec3};
use rayon::prelude::*;

use super::{
    axes::{eigen, symmetric_product},
    mirror::{Mirror, mirrors},
    surface::SurfacePoint,
};
use crate::skeleton::predictor::{Cloud, front_and_up, predict};

/// How a file's frame lies in canonical space.
#[derive(Debug, Clone, Copy)]
pub struct Orientation {
    /// File to canonical: rows are the character's left, up and forward in the file's frame.
    pub rotation: DMat3,
    /// How likely up and forward are right within 45°, 0 to 1.
    pub confidence: f32,
    /// Where the body mirrors itself: the plane's coordinate along the character's left, in the file's frame.
    pub middle: Option<f64>,
}

/// The 24 rotations of a cube: rows are left, up, forward.
pub fn cube_rotations() -> Vec<DMat3> {
    let axes = [DVec3::X, DVec3::NEG_X, DVec3::Y, DVec3::NEG_Y, DVec3::Z, DVec3::NEG_Z];
    let mut turns = Vec::with_capacity(24);
    for up in [2, 4, 0, 5, 3, 1].map(|i: usize| axes[i]) {
        for forward in [4, 5, 0, 1, 2, 3].map(|i: usize| axes[i]) {
            if up.dot(forward) == 0.0 {
                turns.push(DMat3::from_cols(up.cross(forward), up, forward).transpose());
            }
        }
    }
    turns
}

/// A way to stand that leads by this much needs no further look. Scores reach 5: a vote and an opinion of 2 each, and the
/// symmetry's 1.
const CLEAR_LEAD: f64 = 1.2;
/// A plane of symmetry with so many times the agreement of the next is the body's.
const CLEAR_PLANE: f64 = 1.3;
/// With a lead below this, joints are compared.
const CLOSE_LEAD: f64 = 0.8;
/// What a way to stand gains whose joints are e times less in doubt than the other's.
const SURENESS: f64 = 4.0;
/// Ways to stand that are asked about on every sampling when the lead is not clear.
const FINALISTS: usize = 4;
/// Principal variances within a plane closer than this ratio do not tell directions; the diagonals are asked too.
const ROUND: f64 = 1.5;
/// Agreements of a plane of symmetry between which it takes over from the network.
const TRUSTED: (f64, f64) = (0.3, 0.6);
/// Cosine of 15°: the network's up or a plane of symmetry, and the predicted joints, that are farther apart than this
/// contradict each other.
const JOINTS_AGREE: f64 = 0.966;
/// Looks at the joints that a body without a plane of symmetry gets; each starts where the last one led.
const ROUNDS: usize = 4;
/// Logistic calibration of the lead over the runner-up: the lead with even odds, and the lead that multiplies the odds by e.
/// Characters whose front looks like their back lead by 0.2–0.9, others by 2–4.
const EVEN_LEAD: f64 = 0.3;
const LEAD_SCALE: f64 = 0.4;

/// Finds the orientation from samplings of the surface, at least one of them and each in random order. Where the caller
/// knows about how the body stands, `known` overrules the network when it stands otherwise.
pub fn orient(samplings: &[Vec<SurfacePoint>], known: Option<DMat3>) -> Orientation {
    let (normalised, centroid, radius) = normalise(samplings);
    let Some(first) = normalised.first() else {
        return Orientation { rotation: DMat3::IDENTITY, confidence: 0.0, middle: None };
    };
    let planes = mirrors(first, &normalised[1.min(normalised.len() - 1)..].concat());
    let bases: Vec<Basis> = planes.iter().map(|p| Basis::new(p.normal, first)).collect();
    let clouds: Vec<Cloud> = normalised.iter().map(|points| Cloud::new(points)).collect();
    let mut settled = settle(&ballot(&clouds, &bases, &planes), &planes, &clouds);
    if let Some(known) = known.filter(|known| !alike(*known, settled.rotation)) {
        settled = settle_known(known, &bases, &planes);
    }
    settled.middle = settled.middle.map(|m| m * radius + settled.rotation.row(0).dot(centroid));
    settled
}

/// Centred on the common centroid, with root mean square radius 1.
fn normalise(samplings: &[Vec<SurfacePoint>]) -> (Vec<Vec<SurfacePoint>>, DVec3, f64) {
    let all = || samplings.iter().flatten();
    let count = all().count().max(1) as f64;
    let centroid = all().map(|p| p.position).sum::<DVec3>() / count;
    let square = all().map(|p| p.position.distance_squared(centroid)).sum::<f64>() / count;
    let radius = square.sqrt().max(f64::MIN_POSITIVE);
    let one = |p: &SurfacePoint| SurfacePoint { position: (p.position - centroid) / radius, ..*p };
    (samplings.iter().map(|points| points.iter().map(one).collect()).collect(), centroid, radius)
}

/// A plane's normal and the principal axes within the plane, as columns.
struct Basis {
    axes: DMat3,
    /// Ratio of the principal variances within the plane, at least 1.
    stretch: f64,
}

impl Basis {
    fn new(normal: DVec3, points: &[SurfacePoint]) -> Self {
        let flat = |p: DVec3| p - normal * normal.dot(p);
        let moments = points.iter().fold(DMat3::ZERO, |sum, p| {
            let q = flat(p.position);
            sum + symmetric_product(q, q, 1.0)
        });
        let (variances, axes) = eigen(moments);
        let long = flat(axes.x_axis).normalize_or(normal.any_orthonormal_vector());
        let stretch = variances.x / variances.y.max(f64::MIN_POSITIVE);
        Self { axes: DMat3::from_cols(normal, long, normal.cross(long)), stretch }
    }

    /// Ways to stand whose left is along the plane's normal, or, where `across`, the other sixteen.
    fn turns(&self, across: bool) -> Vec<DMat3> {
        let back = self.axes.transpose();
        cube_rotations()
            .into_iter()
            .filter(|turn| (turn.row(0).x == 0.0) == across)
            .map(|turn| turn * back)
            .collect()
    }

    /// The same plane with the axes within it turned by 45°.
    fn diagonal(&self) -> Self {
        let [normal, a, b] = [self.axes.x_axis, self.axes.y_axis, self.axes.z_axis];
        let long = (a + b).normalize();
        Self { axes: DMat3::from_cols(normal, long, normal.cross(long)), stretch: self.stretch }
    }

    /// Whether each axis is within some 15° of one of the other's.
    fn resembles(&self, other: &Self) -> bool {
        let between = self.axes.transpose() * other.axes;
        (0..3).all(|i| between.col(i).abs().max_element() > 0.966)
    }
}

/// A way to stand and what the network says about it.
struct Candidate {
    turn: DMat3,
    /// How well the body mirrors itself from left to right.
    symmetry: f64,
    /// Mean answers, in the frame of the points.
    front: DVec3,
    up: DVec3,
    answers: f64,
    /// What the joints say for it.
    sureness: f64,
    score: f64,
}

impl Candidate {
    fn hear(&mut self, (front, up): (DVec3, DVec3)) {
        self.front = (self.front * self.answers + front) / (self.answers + 1.0);
        self.up = (self.up * self.answers + up) / (self.answers + 1.0);
        self.answers += 1.0;
    }

    fn agreement_with(&self, front: DVec3, up: DVec3) -> f64 {
        self.turn.row(2).dot(front) + self.turn.row(1).dot(up)
    }
}

/// Asks about the ways to stand, the likely ones first, until one leads clearly. Best first.
fn ballot(clouds: &[Cloud], bases: &[Basis], planes: &[Mirror]) -> Vec<Candidate> {
    let mut candidates = ask(&clouds[0], &bases[0].turns(false), planes);
    if lead(&mut candidates) < CLEAR_LEAD && !stands_out(planes) {
        let mut more = bases[0].turns(true);
        if bases[0].stretch < ROUND {
            more.extend(bases[0].diagonal().turns(false));
        }
        let others = bases.iter().skip(1).filter(|b| !bases[0].resembles(b));
        more.extend(others.take(1).flat_map(|b| [b.turns(false), b.turns(true)].concat()));
        candidates.extend(ask(&clouds[0], &more, planes));
    }
    if lead(&mut candidates) < CLEAR_LEAD {
        for cloud in &clouds[1..] {
            let finalists = &mut candidates[..FINALISTS];
            let turns: Vec<DMat3> = finalists.iter().map(|c| c.turn).collect();
            for (candidate, answer) in finalists.iter_mut().zip(answers(cloud, &turns)) {
                candidate.hear(answer);
            }
        }
        if lead(&mut candidates) < CLOSE_LEAD {
            compare_joints(&mut candidates, clouds);
            lead(&mut candidates);
        }
    }
    candidates
}

/// Lets the first and the runner-up gain by how sure the network is of the joints it sees in them.
fn compare_joints(ranked: &mut [Candidate], clouds: &[Cloud]) {
    let Some(second) = ranked.iter().position(|c| !alike(c.turn, ranked[0].turn)) else { return };
    for place in [0, second] {
        let turned: Vec<Cloud> = clouds.iter().map(|cloud| cloud.turned(ranked[place].turn)).collect();
        let seen = predict(&turned);
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
        let doubt = mean(&seen.spread) * seen.expected_error.map_or(1.0, |error| mean(&error));
        // Halved, as of a geometric mean.
        ranked[place].sureness = -SURENESS * libm::log(doubt.max(f64::MIN_POSITIVE)) / 2.0;
    }
    // The rest stands behind both as before.
    let least = ranked[0].sureness.min(ranked[second].sureness);
    for place in [0, second] {
        ranked[place].sureness -= least;
    }
}

/// Whether the best plane is so much better than the next that left is across it for certain.
fn stands_out(planes: &[Mirror]) -> bool {
    planes.get(1).is_none_or(|next| planes[0].agreement > CLEAR_PLANE * next.agreement)
}

fn answers(cloud: &Cloud, turns: &[DMat3]) -> Vec<(DVec3, DVec3)> {
    turns.par_iter().map(|&turn| front_and_up(cloud, turn)).collect()
}

fn ask(cloud: &Cloud, turns: &[DMat3], planes: &[Mirror]) -> Vec<Candidate> {
    let candidate = |(&turn, (front, up)): (&DMat3, (DVec3, DVec3))| {
        let symmetry = plane_across(planes, turn.row(0), 0.97).map_or(0.0, |p| p.agreement);
        Candidate { turn, symmetry, front, up, answers: 1.0, sureness: 0.0, score: 0.0 }
    };
    turns.iter().zip(answers(cloud, turns)).map(candidate).collect()
}

/// The plane with the best agreement among those whose normal is along `left`, up to the given cosine.
fn plane_across(planes: &[Mirror], left: DVec3, cosine: f64) -> Option<&Mirror> {
    planes.iter().find(|p| p.normal.dot(left).abs() > cosine)
}

/// Scores and ranks; how far the first is ahead of the next that stands otherwise.
fn lead(candidates: &mut [Candidate]) -> f64 {
    let n = candidates.len().max(1) as f64;
    let front = candidates.iter().map(|c| c.front).sum::<DVec3>() / n;
    let up = candidates.iter().map(|c| c.up).sum::<DVec3>() / n;
    for c in candidates.iter_mut() {
        c.score = c.agreement_with(front, up) + c.agreement_with(c.front, c.up) + c.symmetry + c.sureness;
    }
    // A stable sort: of equals the one asked about earlier wins.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    runner_up(candidates).map_or(0.0, |next| candidates[0].score - next.score)
}

/// The best of the ranked that stands otherwise than the first.
fn runner_up(ranked: &[Candidate]) -> Option<&Candidate> {
    ranked.iter().find(|c| !alike(c.turn, ranked[0].turn))
}

/// Whether left, up and forward are each within 45° of the other's.
pub fn alike(a: DMat3, b: DMat3) -> bool {
    (0..3).all(|i| a.row(i).dot(b.row(i)) > std::f64::consts::FRAC_1_SQRT_2)
}

/// The exact directions of the winner.
fn settle(ranked: &[Candidate], planes: &[Mirror], clouds: &[Cloud]) -> Orientation {
    let best = &ranked[0];
    let lead = runner_up(ranked).map_or(0.0, |next| best.score - next.score);
    let confidence = 1.0 / (1.0 + libm::exp((EVEN_LEAD - lead) / LEAD_SCALE));
    let facing = best.turn.row(1).cross(best.front).normalize_or(best.turn.row(0));
    let (rotation, mut middle) = straighten(best.turn, facing, planes);
    let mut rotation = nod(rotation, clouds);
    for _ in 0..ROUNDS {
        let Some((left, up)) = as_the_joints_lie(rotation, clouds) else { break };
        let leans = up.dot(rotation.row(1)) < JOINTS_AGREE;
        if middle.is_some() && left.dot(rotation.row(0)) > JOINTS_AGREE && !leans {
            break;
        }
        // A plane across something else, a weapon or a hat, is none of the body's.
        let near: Vec<Mirror> =
            planes.iter().filter(|p| p.normal.dot(left).abs() > JOINTS_AGREE).copied().collect();
        let upright = if leans { with_up(rotation, up) } else { rotation };
        (rotation, middle) = straighten(upright, left, &near);
        rotation = nod(rotation, clouds);
    }
    Orientation { rotation, confidence: confidence as f32, middle }
}

/// The character's left, along shoulders and hips, and its up, from between the feet to the neck, as the joints tell them
/// that are predicted where it nearly stands. `None` where they contradict that, and for what is no humanoid.
fn as_the_joints_lie(rotation: DMat3, clouds: &[Cloud]) -> Option<(DVec3, DVec3)> {
    /// Left and right upper arms and upper legs. A stride turns the two pairs against each other.
    const PAIRS: [(usize, usize); 2] = [(7, 15), (10, 18)];
    const NECK: usize = 4;
    const FEET: [usize; 2] = [12, 20];
    /// Least learned probability of a humanoid.
    const HUMANOID: f32 = 0.5;
    /// Cosine of the largest turn, 45°.
    const FARTHEST: f64 = std::f64::consts::FRAC_1_SQRT_2;
    let turned: Vec<Cloud> = clouds.iter().take(2).map(|cloud| cloud.turned(rotation)).collect();
    let prediction = predict(&turned);
    if prediction.class.is_some_and(|class| class[0] < HUMANOID) {
        return None;
    }
    let joints = prediction.joints;
    let across: DVec3 = PAIRS.iter().map(|&(l, r)| (joints[l] - joints[r]).normalize_or_zero()).sum();
    let along = joints[NECK] - (joints[FEET[0]] + joints[FEET[1]]) / 2.0;
    let back = rotation.transpose();
    let (left, up) = ((back * across).try_normalize()?, (back * along).try_normalize()?);
    (left.dot(rotation.row(0)) > FARTHEST && up.dot(rotation.row(1)) > FARTHEST).then_some((left, up))
}

/// Turned about the left axis so that `up` is up.
fn with_up(rotation: DMat3, up: DVec3) -> DMat3 {
    let left = rotation.row(0);
    let up = up.reject_from_normalized(left).normalize_or(rotation.row(1));
    DMat3::from_cols(left, up, left.cross(up)).transpose()
}

/// Turns about the left axis towards the network's up, as seen on two samplings from where it nearly is.
fn nod(rotation: DMat3, clouds: &[Cloud]) -> DMat3 {
    /// Cosine of the largest such turn, 25°: the principal axes are hardly farther off, the network may be.
    const FARTHEST: f64 = 0.906;
    let seen: Vec<(DVec3, DVec3)> =
        clouds[..clouds.len().min(2)].par_iter().map(|cloud| front_and_up(cloud, rotation)).collect();
    let left = rotation.row(0);
    let up = seen.iter().map(|(_, up)| *up).sum::<DVec3>().reject_from_normalized(left).normalize_or_zero();
    if up.dot(rotation.row(1)) < FARTHEST {
        return rotation;
    }
    with_up(rotation, up)
}

/// The way to stand that is nearest to the known one; the known one itself where none is near.
fn settle_known(known: DMat3, bases: &[Basis], planes: &[Mirror]) -> Orientation {
    let likeness = |t: &DMat3| (0..3).map(|i| t.row(i).dot(known.row(i))).fold(1.0, f64::min);
    let turns = bases.iter().flat_map(|b| [b.turns(false), b.turns(true)].concat());
    let nearest = turns.fold((std::f64::consts::FRAC_1_SQRT_2, None), |best, t| {
        let like = likeness(&t);
        if like > best.0 { (like, Some(t)) } else { best }
    });
    let turn = nearest.1.unwrap_or(known);
    let (rotation, middle) = straighten(turn, known.row(0), planes);
    Orientation { rotation, confidence: 1.0, middle }
}

/// Turns `turn` so that left is the normal of the plane of symmetry, or `left` as far as there is none.
fn straighten(turn: DMat3, left: DVec3, planes: &[Mirror]) -> (DMat3, Option<f64>) {
    /// Cosine between left and the normal of the plane, some 30°.
    const NEAR: f64 = 0.87;
    let plane = plane_across(planes, turn.row(0), NEAR);
    let share = plane.map_or(0.0, |p| ((p.agreement - TRUSTED.0) / (TRUSTED.1 - TRUSTED.0)).clamp(0.0, 1.0));
    let trust = share * share * (3.0 - 2.0 * share);
    let normal = plane.map_or(DVec3::ZERO, |p| p.normal * p.normal.dot(turn.row(0)).signum());
    let left = (normal * trust + left * (1.0 - trust)).normalize_or(turn.row(0));
    let up = turn.row(1).reject_from_normalized(left).normalize();
    let rotation = DMat3::from_cols(left, up, left.cross(up)).transpose();
    let middle = plane.filter(|_| trust >= 1.0).map(|p| p.offset * p.normal.dot(left).signum());
    (rotation, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cube_has_24_different_rotations_and_the_first_changes_nothing() {
        let turns = cube_rotations();
        assert_eq!(turns.len(), 24);
        assert_eq!(turns[0], DMat3::IDENTITY);
        for (i, a) in turns.iter().enumerate() {
            assert_eq!(a.determinant(), 1.0);
            assert!(turns[..i].iter().all(|b| a != b));
        }
    }
}
