//! Posing a humanoid: from the hips outwards, limbs by angles or by where hands and feet should be.
//!
//! Everything is said in the body's axes. What is said of one side is said as of the left; the right is its mirror image.

use glam::{DQuat, DVec3};

use super::{
    figure::{Figure, Side},
    kinematics::{about, between, frame, give_way, mirrored, part, pitch, roll, twist, two_bones, yaw},
    puppet::Posture,
};

/// Legs are kept bent by so much of their length at least, for which the hips go down.
const KNEES: f64 = 0.996;
/// How soon the hips give way to a leg at full stretch, as a share of its length.
const SOFT: f64 = 0.005;

/// A pose of a humanoid that is being made.
#[derive(Debug, Clone)]
pub(super) struct Pose<'a> {
    pub(super) figure: &'a Figure,
    pub(super) posture: Posture,
}

/// An arm by its angles, in degrees, from hanging straight out to the side with the palm down.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ArmAngles {
    /// How far it is lowered: 90 is straight down, negative is above the shoulder.
    pub(super) down: f64,
    /// How far it then swings forward about the shoulders' axis.
    pub(super) swing: f64,
    /// Turn about its own length: positive brings the elbow's fold upwards when the arm is out.
    pub(super) twist: f64,
    /// Bend of the elbow.
    pub(super) elbow: f64,
    /// Bend of the wrist towards the palm.
    pub(super) wrist: f64,
}

/// Where a foot is and how it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foot {
    /// Where the ankle would be were the foot flat on the floor.
    pub(super) at: DVec3,
    /// Turn about up against where the foot points by itself, in degrees.
    pub(super) yaw: f64,
    /// Positive stands on the heel with the toes up, negative on the ball with the heel up, in degrees.
    pub(super) pitch: f64,
    /// How much of the bend at the ball the toes take: 1 keeps them flat on the floor.
    pub(super) toes: f64,
}

impl<'a> Pose<'a> {
    /// The normal pose.
    pub(super) fn new(figure: &'a Figure) -> Self {
        Self { figure, posture: figure.puppet.normal_pose() }
    }

    /// Turns a bone further, in the axes of its parent.
    pub(super) fn turn(&mut self, bone: Option<usize>, q: DQuat) {
        if let Some(bone) = bone {
            self.posture.turns[bone] = (q * self.posture.turns[bone]).normalize();
        }
    }

    /// Turn and place of a bone.
    pub(super) fn locate(&self, bone: usize) -> (DQuat, DVec3) {
        self.figure.puppet.locate(&self.posture, bone)
    }

    /// Sets the turn of a bone in world axes.
    pub(super) fn aim(&mut self, bone: usize, q: DQuat) {
        let above = self.figure.puppet.parents[bone].map_or(DQuat::IDENTITY, |p| self.locate(p).0);
        self.posture.turns[bone] = (above.inverse() * q).normalize();
    }

    /// Moves and turns the hips against the normal pose.
    pub(super) fn hips(&mut self, by: DVec3, q: DQuat) {
        self.posture.moves[self.figure.hips] = by;
        self.posture.turns[self.figure.hips] = q;
    }

    /// Bends the spine by a rotation in all.
    pub(super) fn spine(&mut self, q: DQuat) {
        let share = part(q, 1.0 / self.figure.spine.len().max(1) as f64);
        for bone in self.figure.spine.clone() {
            self.turn(Some(bone), share);
        }
    }

    /// Turns the head to stand so in world axes, the neck going along for its part.
    pub(super) fn look(&mut self, q: DQuat) {
        let Some(head) = self.figure.head else { return };
        if let Some(neck) = self.figure.neck {
            let (now, _) = self.locate(neck);
            self.aim(neck, now.slerp(q, 0.4));
        }
        self.aim(head, q);
    }

    /// Raises a shoulder, in degrees, and draws it forward.
    pub(super) fn shrug(&mut self, side: Side, up: f64, forward: f64) {
        let q = sided(side, yaw(-forward) * roll(up));
        self.turn(self.figure.arm(side).shoulder, q);
    }

    /// Poses an arm by its angles.
    pub(super) fn arm(&mut self, side: Side, angles: ArmAngles) {
        let arm = self.figure.arm(side);
        let (upper, lower, hand) = (arm.upper, arm.lower, arm.hand);
        let q = pitch(-angles.swing) * roll(-angles.down) * pitch(-angles.twist);
        self.turn(Some(upper), sided(side, q));
        self.turn(Some(lower), sided(side, yaw(-angles.elbow)));
        self.turn(Some(hand), sided(side, roll(-angles.wrist)));
    }

    /// An arm that hangs, off the body as far as the body asks for.
    pub(super) fn hang(&self) -> ArmAngles {
        ArmAngles { down: 90.0 - self.figure.hang, elbow: 14.0, wrist: 4.0, ..ArmAngles::default() }
    }

    /// Brings a wrist to a place, the elbow towards `pole`, the hand as `hand` says in world axes; without it the hand goes
    /// on as the forearm does.
    pub(super) fn reach(&mut self, side: Side, wrist: DVec3, pole: DVec3, hand: Option<DQuat>) {
        let arm = self.figure.arm(side);
        let (upper, lower, end, lengths) = (arm.upper, arm.lower, arm.hand, arm.lengths);
        let (_, shoulder) = self.locate(upper);
        let bent = two_bones(shoulder, lengths, wrist, pole);
        let out = DVec3::X * side.sign();
        let normal = frame(out, DVec3::NEG_Y * side.sign());
        self.aim(upper, between(normal, frame(bent.upper, bent.hinge)));
        let forearm = between(normal, frame(bent.lower, bent.hinge));
        self.aim(lower, forearm);
        if let Some(hand) = hand {
            // The forearm takes half of the hand's twist, as a living one does.
            let turned = twist(forearm.inverse() * hand, out);
            self.aim(lower, forearm * part(turned, 0.5));
            self.aim(end, hand);
        }
    }

    /// Curls the fingers: 0 straight, 1 a fist.
    pub(super) fn fingers(&mut self, side: Side, curl: f64) {
        let fingers = self.figure.arm(side).fingers.clone();
        for (i, finger) in fingers.iter().enumerate() {
            if i == 0 {
                // The thumb lies across the fingers: it turns inwards and bends in its last two joints.
                for (bone, degrees) in finger.iter().zip([12.0, 25.0, 35.0]) {
                    let q = about(DVec3::new(0.25, 0.6, -0.75).normalize(), -degrees * curl);
                    self.turn(Some(*bone), sided(side, q.inverse()));
                }
                continue;
            }
            // Relaxed fingers curl more towards the little one.
            let more = 1.0 + 0.12 * (i as f64 - 2.0) * (1.0 - curl);
            for (bone, degrees) in finger.iter().zip([75.0, 95.0, 65.0]) {
                self.turn(Some(*bone), sided(side, roll(-degrees * curl * more)));
            }
        }
    }

    /// Curls one finger by itself: 1 is the index finger.
    pub(super) fn finger(&mut self, side: Side, which: usize, curl: f64) {
        let finger = self.figure.arm(side).fingers.get(which).cloned().unwrap_or_default();
        for (bone, degrees) in finger.iter().zip([75.0, 95.0, 65.0]) {
            self.turn(Some(*bone), sided(side, roll(-degrees * curl)));
        }
    }

    /// A leg by its angles in degrees: forward at the hip, out to the side, bent at the knee, the foot's toes up.
    pub(super) fn leg(&mut self, side: Side, forward: f64, out: f64, knee: f64, foot: f64) {
        let leg = self.figure.leg(side);
        let (upper, lower, end) = (leg.upper, leg.lower, leg.foot);
        self.turn(Some(upper), sided(side, roll(out)) * pitch(-forward));
        self.turn(Some(lower), pitch(knee));
        self.turn(Some(end), pitch(-foot));
    }

    /// Where the ankle is and how the foot is turned when it stands so.
    pub(super) fn planted(&self, side: Side, foot: Foot) -> (DVec3, DQuat) {
        let leg = self.figure.leg(side);
        let ahead = (leg.ball - leg.heel).with_y(0.0).normalize_or(DVec3::Z);
        let turn = yaw(foot.yaw) * about(ahead.cross(DVec3::Y), foot.pitch);
        let pivot = if foot.pitch > 0.0 { leg.heel } else { leg.ball };
        (foot.at + yaw(foot.yaw) * pivot - turn * pivot, turn)
    }

    /// Lowers the hips as far as both legs ask for that should reach these ankles. Call it when the hips are turned.
    pub(super) fn settle(&mut self, ankles: [DVec3; 2]) {
        let too_high = |(side, ankle): (Side, DVec3)| {
            let leg = self.figure.leg(side);
            let (_, hip) = self.locate(leg.upper);
            let level = (hip - ankle).with_y(0.0).length();
            let long = KNEES * leg.length();
            hip.y - ankle.y - (long * long - level * level).max(0.0).sqrt()
        };
        let soft = SOFT * self.figure.leg_length();
        let down = give_way(Side::BOTH.into_iter().zip(ankles).map(too_high), soft);
        self.posture.moves[self.figure.hips].y -= down;
    }

    /// Bends a leg so that the ankle is at a place and the foot turned so.
    pub(super) fn step(&mut self, side: Side, ankle: DVec3, turn: DQuat, toes: DQuat) {
        let leg = self.figure.leg(side);
        let (upper, lower, foot, toe, lengths) = (leg.upper, leg.lower, leg.foot, leg.toes, leg.lengths);
        let (above, hip) = self.locate(upper);
        let above = above * self.posture.turns[upper].inverse();
        // Knees point between where the hips and the foot do.
        let level = |q: DQuat| (q * DVec3::Z).with_y(0.0).normalize_or_zero();
        let own =
            (self.figure.leg(side).ball - self.figure.leg(side).heel).with_y(0.0).normalize_or(DVec3::Z);
        let pointing = (turn * own).with_y(0.0).normalize_or_zero();
        let pole = above * DVec3::Z + level(above) * 0.5 + pointing * 0.8;
        let bent = two_bones(hip, lengths, ankle, pole);
        let normal = frame(DVec3::NEG_Y, DVec3::X);
        self.aim(upper, between(normal, frame(bent.upper, bent.hinge)));
        self.aim(lower, between(normal, frame(bent.lower, bent.hinge)));
        self.aim(foot, turn);
        if let Some(toe) = toe {
            self.posture.turns[toe] = toes;
        }
    }

    /// Stands on both feet as they are planted, the hips as low as that takes.
    pub(super) fn stand(&mut self, feet: [Foot; 2]) {
        let planted = [0, 1].map(|i| self.planted(Side::BOTH[i], feet[i]));
        self.settle([planted[0].0, planted[1].0]);
        for ((side, foot), (ankle, turn)) in Side::BOTH.into_iter().zip(feet).zip(planted) {
            let toes = self.bend_of_toes(side, foot);
            self.step(side, ankle, turn, toes);
        }
    }

    /// What keeps the toes on the floor while the heel is up.
    pub(super) fn bend_of_toes(&self, side: Side, foot: Foot) -> DQuat {
        let leg = self.figure.leg(side);
        let ahead = (leg.ball - leg.heel).with_y(0.0).normalize_or(DVec3::Z);
        about(ahead.cross(DVec3::Y), -foot.pitch.min(0.0) * foot.toes)
    }

    /// Both feet flat in their places.
    pub(super) fn flat(&self) -> [Foot; 2] {
        Side::BOTH.map(|side| Foot::flat(self.figure.ankle(side)))
    }

    /// Raises or lowers the whole so that its lowest point lies on the floor: by a share of the way where it is above the
    /// floor, wholly where it is below. Only for poses whose feet need not stay.
    pub(super) fn rest_on_floor(&mut self, share: f64) {
        let lowest = self.figure.puppet.lowest(&self.figure.puppet.stance(&self.posture));
        if lowest.is_finite() {
            self.posture.moves[self.figure.hips].y -= if lowest > 0.0 { lowest * share } else { lowest };
        }
    }
}

impl Foot {
    /// A flat foot.
    pub(super) fn flat(at: DVec3) -> Self {
        Self { at, yaw: 0.0, pitch: 0.0, toes: 1.0 }
    }
}

/// A rotation meant for the left, for a side.
fn sided(side: Side, q: DQuat) -> DQuat {
    if side == Side::Left { q } else { mirrored(q) }
}
