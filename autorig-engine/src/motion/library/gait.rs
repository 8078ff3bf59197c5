//! Walking and running.
//!
//! One stride of each foot: touch-down on the heel, flat, heel up about the ball, swing. The ground under a standing foot
//! moves back at a constant speed, so that the foot does not slide on it. Pelvis, chest and arms follow the determinants of
//! gait (Saunders, Inman, Eberhart 1953, "The major determinants in normal and pathological gait").

use glam::DVec3;

use super::{RATE, Take, paced};
use crate::motion::{
    curve::{Curve, hermite},
    figure::{Figure, Side},
    kinematics::{ease, part, pitch, roll, wave, yaw},
    pose::{ArmAngles, Foot, Pose},
};

/// How a gait goes. Lengths in leg lengths, angles in degrees, times as shares of a stride.
struct Manner {
    seconds: f64,
    /// Way of a whole stride: two steps.
    stride: f64,
    /// Share of the stride that a foot is on the ground.
    duty: f64,
    /// When the sole is flat, and when the heel leaves the ground.
    flat: (f64, f64),
    /// Pitch of the foot at touch-down, at toe-off and in the middle of the swing.
    pitch: (f64, f64, f64),
    /// How far the ankle is raised in the middle of the swing.
    lift: f64,
    /// How far the middle of the stance lies ahead of the hips.
    ahead: f64,
    /// How low the hips are carried, and how far they go up and down; negative when they are high in the flight.
    low: f64,
    bob: f64,
    /// Sway to the standing leg, turn with the step and drop to the swinging leg.
    sway: f64,
    turn: f64,
    drop: f64,
    /// The chest leans forward and turns against the hips.
    lean: f64,
    counter: f64,
    /// Arms: swing to both sides of where they hang, elbow, and how much more it bends forward.
    arms: (f64, f64, f64, f64),
    /// How far the feet come under the body: 1 keeps them under the hip joints, 0 on one line.
    track: f64,
    /// Fists: 0 open, 1 closed.
    fists: f64,
}

const WALK: Manner = Manner {
    seconds: 1.07,
    stride: 1.50,
    duty: 0.62,
    flat: (0.12, 0.36),
    pitch: (20.0, -52.0, -25.0),
    lift: 0.035,
    ahead: 0.02,
    low: 0.012,
    bob: 0.014,
    sway: 0.022,
    turn: 6.0,
    drop: 3.5,
    lean: 2.5,
    counter: 9.0,
    arms: (2.0, 22.0, 16.0, 12.0),
    track: 0.62,
    fists: 0.22,
};

const RUN: Manner = Manner {
    seconds: 0.70,
    stride: 2.5,
    duty: 0.34,
    flat: (0.05, 0.15),
    pitch: (6.0, -50.0, -80.0),
    lift: 0.22,
    ahead: -0.02,
    low: 0.075,
    bob: -0.032,
    sway: 0.010,
    turn: 8.0,
    drop: 3.0,
    lean: 11.0,
    counter: 16.0,
    arms: (2.0, 38.0, 82.0, 18.0),
    track: 0.4,
    fists: 0.75,
};

/// A walk; with `travels` the root carries it.
pub(super) fn walk(figure: &Figure, travels: bool) -> Take<'_> {
    gait(figure, &WALK, travels)
}

/// A run; with `travels` the root carries it.
pub(super) fn run(figure: &Figure, travels: bool) -> Take<'_> {
    gait(figure, &RUN, travels)
}

fn gait<'a>(figure: &'a Figure, manner: &'static Manner, travels: bool) -> Take<'a> {
    // An even number of keyframes: both feet are then sampled alike.
    let seconds = 2.0 * libm::round(paced(manner.seconds, figure) * RATE / 2.0) / RATE;
    let walker = Walker::new(figure, manner);
    let ground = if travels { DVec3::ZERO } else { DVec3::NEG_Z * (walker.stride / seconds) };
    let take = Take::round(seconds, move |t| {
        let mut pose = walker.pose(t);
        if travels {
            pose.posture.carried = DVec3::Z * (walker.stride * t);
        }
        pose
    });
    take.on(ground)
}

struct Walker<'a> {
    figure: &'a Figure,
    manner: &'static Manner,
    /// Way of a stride in metres.
    stride: f64,
    swing_pitch: [Curve; 2],
}

impl<'a> Walker<'a> {
    fn new(figure: &'a Figure, manner: &'static Manner) -> Self {
        let stride = manner.stride * figure.leg_length();
        let swing_pitch = Side::BOTH.map(|side| {
            let (strike, off, middle) = manner.pitch;
            // A foot without toes rolls over its tip, and not so far.
            let off = if figure.leg(side).toes.is_some() { off } else { off * 0.6 };
            let middle = middle.max(off + middle - manner.pitch.1);
            // The foot goes on turning as it did when it left the ground, and slower.
            let slope = 0.7 * off / (manner.duty - manner.flat.1) * (1.0 - manner.duty);
            Curve::new(&[(0.0, off), (0.35, middle), (0.8, strike * 0.9), (1.0, strike)]).leaving_at(slope)
        });
        Self { figure, manner, stride, swing_pitch }
    }

    fn pose(&self, t: f64) -> Pose<'a> {
        let m = self.manner;
        let leg = self.figure.leg_length();
        let mut pose = Pose::new(self.figure);
        // The left foot touches down at 0, the right one half a stride later.
        let middle = t - m.duty / 2.0;
        let bob = m.bob * wave(2.0 * middle + 0.25);
        let sway = m.sway * wave(t + 0.25 - m.duty / 2.0);
        let step = wave(t + 0.25);
        let by = DVec3::new(sway, bob - m.low, 0.0) * leg;
        let hips = yaw(-m.turn * step) * roll(m.drop * wave(t + 0.25 - m.duty / 2.0)) * pitch(m.lean * 0.35);
        pose.hips(by, hips);
        pose.spine(
            pitch(m.lean * 0.65 + 1.2 * wave(2.0 * middle))
                * yaw((m.turn + m.counter) * step)
                * roll(-m.drop * 1.1 * wave(t + 0.25 - m.duty / 2.0)),
        );
        self.head(&mut pose, step, t);
        for side in Side::BOTH {
            self.arm(&mut pose, side, t);
        }
        let feet = [self.foot(Side::Left, t), self.foot(Side::Right, t + 0.5)];
        pose.settle([feet[0].0, feet[1].0]);
        for (side, (ankle, pitch, toes)) in Side::BOTH.into_iter().zip(feet) {
            let foot = Foot { at: DVec3::ZERO, yaw: 0.0, pitch, toes };
            let (_, turn) = pose.planted(side, foot);
            let toes = pose.bend_of_toes(side, foot);
            pose.step(side, ankle, turn, toes);
        }
        pose
    }

    /// The head looks ahead and takes only a little of what the chest does.
    fn head(&self, pose: &mut Pose, step: f64, t: f64) {
        let m = self.manner;
        let chest = pose.figure.spine.last().copied().unwrap_or(pose.figure.hips);
        let (turn, _) = pose.locate(chest);
        let ahead = yaw(-0.1 * m.counter * step) * pitch(m.lean * 0.25 + 0.8 * wave(2.0 * t + 0.1));
        pose.look(part(turn, 0.12) * ahead);
    }

    /// Each arm swings with the other leg, the elbow a little after the shoulder.
    fn arm(&self, pose: &mut Pose, side: Side, t: f64) {
        let (middle, swing, elbow, more) = self.manner.arms;
        let t = if side == Side::Left { t } else { t + 0.5 };
        let forward = -wave(t + 0.25 - 0.03);
        let late = -wave(t + 0.25 - 0.10);
        let hang = pose.hang();
        pose.shrug(side, 0.0, 3.0 * forward);
        pose.arm(
            side,
            ArmAngles {
                down: hang.down - 1.5 * forward.abs(),
                swing: middle + swing * forward,
                twist: 8.0 + 6.0 * forward,
                elbow: elbow + more * (late + 0.4),
                wrist: 4.0 - 5.0 * wave(t + 0.25 - 0.16),
            },
        );
        pose.fingers(side, self.manner.fists);
    }

    /// Ankle, pitch of the foot and share of the toes at a phase: 0 is touch-down.
    fn foot(&self, side: Side, phase: f64) -> (DVec3, f64, f64) {
        let m = self.manner;
        let phase = phase - libm::floor(phase);
        if phase <= m.duty {
            let (ankle, pitch) = self.standing(side, phase);
            return (ankle, pitch, 1.0);
        }
        let s = (phase - m.duty) / (1.0 - m.duty);
        let pitch = self.swing_pitch[side.index()].at(s);
        let toes = 1.0 - ease(0.0, 0.35, s);
        (self.swinging(side, s, pitch, toes), pitch, toes)
    }

    /// A foot on the ground, which moves back under the body.
    fn standing(&self, side: Side, phase: f64) -> (DVec3, f64) {
        let m = self.manner;
        let (strike, off) = (m.pitch.0, self.swing_pitch[side.index()].at(0.0));
        let heel = strike * (1.0 - ease(-m.flat.0, m.flat.0, phase)) * 2.0;
        let ball = off * rise((phase - m.flat.1) / (m.duty - m.flat.1));
        let pitch = if phase < m.flat.0 { heel.min(strike) } else { ball };
        let z = self.stride * (m.duty / 2.0 - phase) + m.ahead * self.figure.leg_length();
        let own = self.figure.ankle(side);
        let middle = self.figure.middle().x;
        let leg = self.figure.leg(side);
        // Feet come under the body, but do not step on each other.
        let apart = ((own.x - middle).abs() * m.track).max(1.05 * leg.half_width);
        let at = DVec3::new(middle + apart * side.sign(), own.y, own.z + z);
        let pose = Pose::new(self.figure);
        let (ankle, _) = pose.planted(side, Foot { at, yaw: 0.0, pitch, toes: 1.0 });
        (ankle, pitch)
    }

    /// A foot in the air: from where and as fast as it leaves the ground to where and as fast as it will touch it.
    fn swinging(&self, side: Side, s: f64, pitch: f64, toes: f64) -> DVec3 {
        const STEP: f64 = 1e-4;
        let m = self.manner;
        let air = 1.0 - m.duty;
        let (from, to) = (self.standing(side, m.duty).0, self.standing(side, 0.0).0);
        let before = (from - self.standing(side, m.duty - STEP).0) / STEP * air;
        let after = (self.standing(side, STEP).0 - to) / STEP * air;
        let way = |i: usize| hermite(from[i], before[i], to[i], after[i], 1.0, s);
        // Steep at both ends: a foot that skims the ground seems to slide on it.
        let bump = wave(s / 2.0);
        let lift = m.lift * self.figure.leg_length() * bump * (1.3 - 0.6 * s);
        let mut ankle = DVec3::new(from.x, way(1) + lift, way(2));
        // The lowest point of the sole stays a little above the ground.
        let pose = Pose::new(self.figure);
        let foot = Foot { at: DVec3::ZERO, yaw: 0.0, pitch, toes };
        let (_, turn) = pose.planted(side, foot);
        let leg = self.figure.leg(side);
        let bend = turn * pose.bend_of_toes(side, foot);
        let tip = turn * leg.ball + bend * (leg.tip - leg.ball);
        let lowest = (turn * leg.heel).y.min(tip.y);
        let clear = 0.012 * self.figure.leg_length() * bump;
        ankle.y = soft_max(ankle.y, clear - lowest, 0.006 * self.figure.leg_length() * bump);
        ankle
    }
}

/// From 0 to 1, slowly at first and still fast at the end.
fn rise(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (1.6 - 0.6 * x)
}

/// The larger of two values with a rounded corner.
fn soft_max(a: f64, b: f64, soft: f64) -> f64 {
    let d = a - b;
    (a + b + libm::sqrt(d * d + soft * soft)) / 2.0
}
