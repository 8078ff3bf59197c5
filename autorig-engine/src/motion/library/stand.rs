//! Standing: what most clips begin and end with.

use glam::{DQuat, DVec3};

use super::Take;
use crate::motion::{
    figure::{Figure, Side},
    kinematics::{pitch, roll, wave, yaw},
    pose::{ArmAngles, Foot, Pose},
};

/// Seconds of an idle loop: two breaths and one shift of the weight.
const IDLE: f64 = 6.0;

/// A whole-body pose in words of the body. Left first in pairs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    /// Move of the hips from where they stand, in leg lengths.
    pub(super) hips: DVec3,
    /// Turn of the hips.
    pub(super) tilt: DQuat,
    /// Bend of the spine against the hips.
    pub(super) spine: DQuat,
    /// How the head stands in the world.
    pub(super) look: DQuat,
    /// Shoulders up and forward, in degrees.
    pub(super) shrug: [(f64, f64); 2],
    pub(super) arms: [ArmAngles; 2],
    /// 0 straight, 1 a fist.
    pub(super) fingers: [f64; 2],
    pub(super) feet: [Foot; 2],
}

impl Body {
    /// At ease.
    pub(super) fn at_ease(figure: &Figure) -> Self {
        let pose = Pose::new(figure);
        let hang = ArmAngles { twist: 6.0, ..pose.hang() };
        Self {
            hips: DVec3::ZERO,
            tilt: DQuat::IDENTITY,
            spine: DQuat::IDENTITY,
            look: DQuat::IDENTITY,
            shrug: [(0.0, 0.0); 2],
            arms: [hang; 2],
            fingers: [0.22; 2],
            feet: pose.flat(),
        }
    }

    /// Breathes in and out: `breath` from −1 to 1.
    pub(super) fn breathe(&mut self, breath: f64) {
        self.spine *= pitch(-0.9 * breath);
        self.hips.y += 0.0015 * breath;
        for (shrug, arm) in self.shrug.iter_mut().zip(&mut self.arms) {
            shrug.0 += 0.9 * breath;
            arm.down -= 0.7 * breath;
        }
    }

    /// Bends the spine without the head.
    pub(super) fn bend(&mut self, q: DQuat) {
        self.spine = q * self.spine;
    }

    /// The pose without legs and feet.
    pub(super) fn upper<'a>(&self, figure: &'a Figure) -> Pose<'a> {
        let mut pose = Pose::new(figure);
        pose.hips(self.hips * figure.leg_length(), self.tilt);
        pose.spine(self.spine);
        pose.look(self.look);
        for side in Side::BOTH {
            let i = side.index();
            pose.shrug(side, self.shrug[i].0, self.shrug[i].1);
            pose.arm(side, self.arms[i]);
            pose.fingers(side, self.fingers[i]);
        }
        pose
    }

    /// The pose with both feet planted.
    pub(super) fn standing<'a>(&self, figure: &'a Figure) -> Pose<'a> {
        let mut pose = self.upper(figure);
        pose.stand(self.feet);
        pose
    }
}

/// Breathing, the weight going from one leg to the other.
pub(super) fn idle(figure: &Figure) -> Take<'_> {
    Take::round(IDLE, move |t| {
        let shift = wave(t);
        let mut body = Body::at_ease(figure);
        body.hips = DVec3::new(0.018 * shift, -0.004, 0.004 * wave(2.0 * t + 0.1));
        body.tilt = roll(1.4 * shift) * yaw(1.2 * wave(t + 0.06));
        body.bend(roll(-1.7 * wave(t - 0.03)) * yaw(-0.8 * wave(t)) * pitch(0.5));
        body.breathe(wave(2.0 * t));
        body.look = yaw(3.0 * wave(t + 0.15)) * pitch(1.0 * wave(2.0 * t + 0.2)) * roll(0.6 * shift);
        for (i, arm) in body.arms.iter_mut().enumerate() {
            let late = t - 0.05 - 0.03 * i as f64;
            arm.swing += 1.2 * wave(2.0 * late) + 0.8 * wave(late);
            arm.elbow += 1.5 * wave(2.0 * late - 0.1);
            body.fingers[i] += 0.03 * wave(2.0 * late);
        }
        body.standing(figure)
    })
}
