//! Four-legged gaits: which foot follows which, feet planted, the trunk carried over them.
//!
//! Orders of the feet after Hildebrand 1965, "Symmetrical gaits of horses", and 1977, "Analysis of asymmetrical gaits":
//! the walk in lateral sequence, the trot by diagonals, the run as a transverse gallop.

use glam::{DQuat, DVec3};

use super::{RATE, Take};
use crate::{
    Character,
    motion::{
        curve::{Curve, hermite},
        kinematics::{between, ease, frame, give_way, part, pitch, roll, two_bones, wave, yaw},
        puppet::{Posture, Puppet},
    },
};

/// Legs are kept bent by so much of their length at least, for which the trunk goes down.
const STRAIGHT: f64 = 0.985;
/// How soon the trunk gives way, as a share of the legs' length.
const SOFT: f64 = 0.008;

/// A four-legged body as motion sees it.
pub(super) struct Beast {
    pub(super) puppet: Puppet,
    hips: usize,
    spine: Vec<usize>,
    neck: Vec<usize>,
    tail: Vec<usize>,
    /// Left hind, right hind, left front, right front.
    legs: [Leg; 4],
    /// Height of the hips and shoulders over the ground.
    height: f64,
}

struct Leg {
    upper: usize,
    lower: usize,
    foot: usize,
    toes: usize,
    /// Where the elbow or knee lies off the line from hip to hock, at rest.
    pole: DVec3,
}

/// How a gait goes; lengths in heights of the hips, times as shares of a stride.
struct Manner {
    seconds: f64,
    stride: f64,
    duty: f64,
    /// When each foot touches down, in the order of [`Beast::legs`].
    order: [f64; 4],
    lift: f64,
    /// How far feet fold in the air, in degrees: hind and front.
    fold: [f64; 2],
    /// Bounce, how often in a stride, and when it is highest.
    bob: (f64, f64, f64),
    /// Swing of the trunk: nodding, turning and rolling, in degrees.
    trunk: (f64, f64, f64),
    /// Bend of the spine by which the legs reach farther, in degrees.
    flex: f64,
    nod: f64,
}

const WALK: Manner = Manner {
    seconds: 1.15,
    stride: 1.15,
    duty: 0.66,
    order: [0.0, 0.5, 0.25, 0.75],
    lift: 0.10,
    fold: [38.0, 58.0],
    bob: (0.010, 2.0, 0.10),
    trunk: (0.8, 2.5, 2.0),
    flex: 0.0,
    nod: 3.5,
};
const TROT: Manner = Manner {
    seconds: 0.66,
    stride: 1.65,
    duty: 0.46,
    order: [0.0, 0.5, 0.5, 0.0],
    lift: 0.15,
    fold: [48.0, 75.0],
    bob: (0.022, 2.0, 0.48),
    trunk: (0.8, 1.6, 1.2),
    flex: 0.0,
    nod: 1.5,
};
const RUN: Manner = Manner {
    seconds: 0.50,
    stride: 2.9,
    duty: 0.28,
    order: [0.0, 0.10, 0.46, 0.58],
    lift: 0.20,
    fold: [55.0, 85.0],
    bob: (0.035, 1.0, 0.92),
    trunk: (6.0, 0.5, 1.0),
    flex: 16.0,
    nod: 5.0,
};

impl Beast {
    /// A character with the legs of the quadruped template; `None` for any other.
    pub(super) fn new(character: &Character) -> Option<Self> {
        let parents: Vec<Option<usize>> = character.bones.iter().map(|b| b.parent).collect();
        let hips = character.find("hips")?;
        let puppet = Puppet::new(character, parents, &[], Some(character.find("root").unwrap_or(hips)));
        let leg = |side: &str, end: &str, bend: DVec3| {
            let find = |part: &str| character.find(&format!("{side}{end}{part}"));
            let (upper, lower) = (find("UpperLeg")?, find("LowerLeg")?);
            let (foot, toes) = (find("Foot")?, find("Toes")?);
            let at = |b: usize| puppet.normal[b];
            let line = (at(foot) - at(upper)).normalize_or(DVec3::NEG_Y);
            let off = (at(lower) - at(upper)).reject_from_normalized(line);
            let shown = off.length() > 0.04 * at(upper).distance(at(foot));
            Some(Leg { upper, lower, foot, toes, pole: if shown { off.normalize() } else { bend } })
        };
        let legs = [
            leg("left", "Hind", DVec3::Z)?,
            leg("right", "Hind", DVec3::Z)?,
            leg("left", "Front", DVec3::NEG_Z)?,
            leg("right", "Front", DVec3::NEG_Z)?,
        ];
        let height =
            legs.iter().map(|l| puppet.normal[l.upper].y - puppet.normal[l.toes].y).sum::<f64>() / 4.0;
        let series = |name: &str| (1..=8).map_while(|i| character.find(&format!("{name}{i}"))).collect();
        let spine = ["spine", "chest", "upperChest"].iter().filter_map(|n| character.find(n)).collect();
        let neck: Vec<usize> = series("neck");
        let neck = neck.into_iter().chain(character.find("neck")).chain(character.find("head")).collect();
        (height > 1e-3).then_some(Self { hips, spine, neck, tail: series("tail"), legs, height, puppet })
    }

    /// A clip by its name.
    pub(super) fn take(&self, name: &str) -> Option<Take<'_>> {
        let (manner, travels) = match name {
            "idle" => return Some(self.idle()),
            "walk" => (&WALK, false),
            "walk_root" => (&WALK, true),
            "trot" => (&TROT, false),
            "trot_root" => (&TROT, true),
            "run" => (&RUN, false),
            "run_root" => (&RUN, true),
            _ => return None,
        };
        let pace = libm::sqrt(self.height / 0.65).clamp(0.5, 1.7);
        let frames = 2.0 * libm::round(manner.seconds * pace * RATE / 2.0);
        let pose = move |t: f64| {
            let mut posture = self.gait(manner, t);
            if travels {
                posture.carried = DVec3::Z * (manner.stride * self.height * t);
            }
            posture
        };
        Some(Take { frames: frames as usize, looping: true, ground: DVec3::ZERO, pose: Box::new(pose) })
    }

    /// Breathing, looking round, the tail swaying.
    fn idle(&self) -> Take<'_> {
        let pose = move |t: f64| {
            let mut posture = self.puppet.normal_pose();
            let sway = wave(t);
            posture.moves[self.hips] =
                DVec3::new(0.010 * sway, -0.006 + 0.003 * wave(2.0 * t), 0.0) * self.height;
            posture.turns[self.hips] = roll(0.8 * sway) * yaw(0.6 * wave(t + 0.1));
            self.bend(&mut posture, &self.spine, pitch(-0.8 * wave(2.0 * t)) * roll(-0.4 * sway));
            self.bend(&mut posture, &self.neck, yaw(9.0 * wave(t + 0.2)) * pitch(2.5 * wave(2.0 * t + 0.3)));
            self.wag(&mut posture, t, 2.0, 14.0, 3.0);
            let feet = [0, 1, 2, 3].map(|i| (self.at(i), DQuat::IDENTITY, DQuat::IDENTITY));
            self.stand(&mut posture, feet);
            posture
        };
        Take { frames: (5.0 * RATE) as usize, looping: true, ground: DVec3::ZERO, pose: Box::new(pose) }
    }

    /// Place of a leg's toes in the normal pose.
    fn at(&self, leg: usize) -> DVec3 {
        self.puppet.normal[self.legs[leg].toes]
    }

    fn gait(&self, m: &Manner, t: f64) -> Posture {
        let mut posture = self.puppet.normal_pose();
        let (bob, often, top) = m.bob;
        let (nod, turn, lean) = m.trunk;
        let up = bob * wave(often * (t - top) + 0.25) - 0.02;
        posture.moves[self.hips] = DVec3::new(0.0, up * self.height, 0.0);
        // Turns to the side whose hind leg is ahead, and leans over the hind leg that stands.
        let step = wave(t + 0.25);
        let gathered = wave(t - m.order[0] + 0.25 - 0.05);
        posture.turns[self.hips] =
            yaw(-turn * step) * roll(lean * wave(t)) * pitch(nod * wave(t + 0.30) + 0.4 * m.flex * gathered);
        let spine = yaw(2.0 * turn * step) * roll(-1.6 * lean * wave(t)) * pitch(-m.flex * gathered);
        self.bend(&mut posture, &self.spine, spine);
        let level = pitch(-nod * wave(t + 0.30) + 0.6 * m.flex * gathered);
        let often = if m.flex > 0.0 { 1.0 } else { 2.0 };
        self.bend(
            &mut posture,
            &self.neck,
            level * yaw(-turn * step) * pitch(m.nod * wave(often * t + 0.15)),
        );
        self.wag(&mut posture, t, 1.0, 8.0, 4.0);
        let feet = [0, 1, 2, 3].map(|i| self.foot(m, i, t - m.order[i]));
        self.stand(&mut posture, feet);
        posture
    }

    /// Place of the toes' joint, turn of the foot and turn of the toes at a phase: 0 is touch-down.
    fn foot(&self, m: &Manner, leg: usize, phase: f64) -> (DVec3, DQuat, DQuat) {
        let phase = phase - libm::floor(phase);
        let stride = m.stride * self.height;
        let fold = m.fold[leg / 2];
        let z = |phase: f64| stride * (m.duty / 2.0 - phase);
        let off = 0.45 * fold;
        if phase <= m.duty {
            let heel = off * ease(0.45, 1.3, phase / m.duty) / ease(0.45, 1.3, 1.0);
            let land = -9.0 * (1.0 - ease(-0.3, 0.3, phase / m.duty)) * 2.0;
            let heel = if phase < 0.4 * m.duty { land.max(-9.0) } else { heel };
            return (self.at(leg) + DVec3::Z * z(phase), pitch(heel), DQuat::IDENTITY);
        }
        let air = 1.0 - m.duty;
        let s = (phase - m.duty) / air;
        let slope = -stride * air;
        let ahead = hermite(z(m.duty), slope, z(0.0), slope, 1.0, s);
        // Steep at both ends: a foot that skims the ground seems to slide on it.
        let bump = wave(s / 2.0);
        let lift = m.lift * self.height * bump * (1.25 - 0.5 * s);
        let turn =
            Curve::new(&[(0.0, off), (0.32, fold), (0.82, -8.0), (1.0, -9.0)]).leaving_at(0.8 * fold).at(s);
        let turn = pitch(turn);
        // The toes let go of the ground, fold with the foot, and are level again at touch-down.
        let toes = part(turn, 0.8 * ease(0.0, 0.25, s) * (1.0 - ease(0.75, 1.0, s)));
        let at = self.at(leg) + DVec3::new(0.0, lift, ahead);
        (at + DVec3::Y * self.sunk(leg, at, turn, toes), turn, toes)
    }

    /// How far a turned foot would go below where it stands.
    fn sunk(&self, leg: usize, at: DVec3, foot: DQuat, toes: DQuat) -> f64 {
        let leg = &self.legs[leg];
        let bones = &self.puppet;
        let up = bones.normal[leg.foot] - bones.normal[leg.toes];
        let lowest = |at: DVec3, foot: DQuat, toes: DQuat| {
            let of_foot = bones.outline[leg.foot].iter().map(|p| (at + foot * (up + *p)).y);
            let of_toes = bones.outline[leg.toes].iter().map(|p| (at + toes * *p).y);
            of_foot.chain(of_toes).fold(at.y, f64::min)
        };
        let level = lowest(bones.normal[leg.toes], DQuat::IDENTITY, DQuat::IDENTITY);
        (level - lowest(at, foot, toes)).max(0.0)
    }

    /// Bends a chain by a rotation in all.
    fn bend(&self, posture: &mut Posture, chain: &[usize], q: DQuat) {
        let share = part(q, 1.0 / chain.len().max(1) as f64);
        for &bone in chain {
            posture.turns[bone] = share * posture.turns[bone];
        }
    }

    /// A wave that runs down the tail.
    fn wag(&self, posture: &mut Posture, t: f64, often: f64, side: f64, up: f64) {
        let share = 1.0 / libm::sqrt(self.tail.len().max(1) as f64);
        for (i, &bone) in self.tail.iter().enumerate() {
            let late = 0.07 * i as f64;
            let q =
                yaw(side * share * wave(often * t - late)) * pitch(up * share * wave(2.0 * often * t - late));
            posture.turns[bone] = q * posture.turns[bone];
        }
    }

    /// Brings the feet to their places, the trunk as low as that takes.
    fn stand(&self, posture: &mut Posture, feet: [(DVec3, DQuat, DQuat); 4]) {
        let hock = |leg: &Leg, (toes, turn, _): (DVec3, DQuat, DQuat)| {
            toes - turn * (self.puppet.normal[leg.toes] - self.puppet.normal[leg.foot])
        };
        let too_high = |(leg, foot): (&Leg, (DVec3, DQuat, DQuat))| {
            let (_, hip) = self.puppet.locate(posture, leg.upper);
            let goal = hock(leg, foot);
            let (upper, lower) = self.lengths(leg);
            let long = STRAIGHT * (upper + lower);
            let level = (hip - goal).with_y(0.0).length();
            hip.y - goal.y - (long * long - level * level).max(0.0).sqrt()
        };
        let down = give_way(self.legs.iter().zip(feet).map(too_high), SOFT * self.height);
        posture.moves[self.hips].y -= down;
        for (leg, foot) in self.legs.iter().zip(feet) {
            self.step(posture, leg, hock(leg, foot), foot);
        }
    }

    fn lengths(&self, leg: &Leg) -> (f64, f64) {
        let at = &self.puppet.normal;
        (at[leg.upper].distance(at[leg.lower]), at[leg.lower].distance(at[leg.foot]))
    }

    fn step(&self, posture: &mut Posture, leg: &Leg, hock: DVec3, (_, turn, toes): (DVec3, DQuat, DQuat)) {
        let at = &self.puppet.normal;
        let (_, hip) = self.puppet.locate(posture, leg.upper);
        let rest = (at[leg.foot] - at[leg.upper]).normalize_or(DVec3::NEG_Y);
        let bent = two_bones(hip, self.lengths(leg), hock, leg.pole);
        let hinge = leg.pole.cross(rest);
        let turned = |from: usize, to: usize, along: DVec3| {
            between(frame(at[to] - at[from], hinge), frame(along, bent.hinge))
        };
        let (upper, lower) =
            (turned(leg.upper, leg.lower, bent.upper), turned(leg.lower, leg.foot, bent.lower));
        for (bone, q) in [(leg.upper, upper), (leg.lower, lower), (leg.foot, turn), (leg.toes, toes)] {
            let above =
                self.puppet.parents[bone].map_or(DQuat::IDENTITY, |p| self.puppet.locate(posture, p).0);
            posture.turns[bone] = (above.inverse() * q).normalize();
        }
    }
}
