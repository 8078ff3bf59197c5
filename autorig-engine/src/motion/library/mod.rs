//! Clips made by procedure for a character's own proportions, 30 keyframes a second.
//!
//! Lengths are in leg lengths and times in the time a leg needs to swing, so that a child steps faster than an ogre
//! (dynamic similarity: Alexander 1984, "The gaits of bipedal and quadrupedal animals"). Feet are planted by inverse
//! kinematics, on the heel when they touch down and on the ball when they leave.
//!
//! | class | clips |
//! | --- | --- |
//! | humanoid | `idle`, `walk`, `run`, `jump`, `turn_left`, `turn_right`, `wave`, `point`, `clap`, `sit`, `crouch`, `punch`, `kick`, `death`, `dance`, `t_pose`, `a_pose`, `range_of_motion` |
//! | quadruped | `idle`, `walk`, `trot`, `run` |
//! | bird | `idle`, `sway`, `fly` |
//! | anything else with bones | `idle`, `sway` |
//!
//! `walk`, `run`, `trot`, `turn_left` and `turn_right` have a twin with root motion: `walk_root`, …
//! `idle`, the gaits, `clap` and `dance` loop: their last keyframe equals the first, but for the way the root has gone.
//! `sit` and `crouch` go down, stay a moment and come up again; `death` ends on the ground; a turn ends turned by 90°.

use glam::DVec3;

use super::{
    clear,
    clip::Clip,
    figure::Figure,
    pose::Pose,
    puppet::{Posture, Puppet},
    sole,
};
use crate::Character;

mod act;
mod creature;
mod dance;
mod fall;
mod fight;
mod gait;
mod ground;
mod jump;
mod poses;
mod quadruped;
mod range;
mod stand;
mod turn;

/// Keyframes a second.
pub const RATE: f64 = 30.0;
/// How far a keyframe may lie from the way between its neighbours and still be left out, in degrees.
const SAME_TURN: f64 = 0.1;
/// The same for translations, in metres.
const SAME_PLACE: f64 = 0.0002;

/// Clips that can be made for humanoids, in the order [`clips`] gives them.
pub const HUMANOID: &[&str] = &[
    "idle",
    "walk",
    "walk_root",
    "run",
    "run_root",
    "jump",
    "turn_left",
    "turn_left_root",
    "turn_right",
    "turn_right_root",
    "wave",
    "point",
    "clap",
    "sit",
    "crouch",
    "punch",
    "kick",
    "death",
    "dance",
    "t_pose",
    "a_pose",
    "range_of_motion",
];
/// Clips that can be made for quadrupeds.
pub const QUADRUPED: &[&str] = &["idle", "walk", "walk_root", "trot", "trot_root", "run", "run_root"];
/// Clips that can be made for anything else that has bones.
pub const CREATURE: &[&str] = &["idle", "sway"];
/// Clips that can be made for what has wings.
pub const BIRD: &[&str] = &["idle", "sway", "fly"];

/// All clips for a character, by what canonical bones it has. None for a character without bones, or with one alone.
pub fn clips(character: &Character) -> Vec<Clip> {
    let cast = Cast::new(character);
    cast.names().iter().filter_map(|name| cast.clip(name)).collect()
}

/// One clip by its name; `None` where the character has no such clip.
pub fn clip(character: &Character, name: &str) -> Option<Clip> {
    let cast = Cast::new(character);
    if cast.names().contains(&name) { cast.clip(name) } else { None }
}

/// Whether a clip of the library ends as it begins.
pub fn loops(name: &str) -> bool {
    matches!(
        name.trim_end_matches("_root"),
        "idle" | "walk" | "run" | "trot" | "clap" | "dance" | "sway" | "fly"
    )
}

/// What a character is for motion.
enum Cast {
    Humanoid(Box<Figure>),
    Quadruped(Box<quadruped::Beast>),
    Creature(Box<creature::Chains>),
    Nothing,
}

impl Cast {
    fn new(character: &Character) -> Self {
        if let Some(figure) = Figure::new(character) {
            return Self::Humanoid(Box::new(figure));
        }
        if let Some(beast) = quadruped::Beast::new(character) {
            return Self::Quadruped(Box::new(beast));
        }
        creature::Chains::new(character).map_or(Self::Nothing, |c| Self::Creature(Box::new(c)))
    }

    fn names(&self) -> &'static [&'static str] {
        match self {
            Self::Humanoid(_) => HUMANOID,
            Self::Quadruped(_) => QUADRUPED,
            Self::Creature(chains) => chains.clips(),
            Self::Nothing => &[],
        }
    }

    fn clip(&self, name: &str) -> Option<Clip> {
        match self {
            Self::Humanoid(figure) => {
                humanoid(figure, name).map(|take| take.bake(&figure.puppet, name, Some(figure)))
            }
            Self::Quadruped(beast) => beast.take(name).map(|take| take.bake(&beast.puppet, name, None)),
            Self::Creature(chains) => chains.take(name).map(|take| take.bake(&chains.puppet, name, None)),
            Self::Nothing => None,
        }
    }
}

/// A clip before it is baked: a pose for every moment, given as a share of the whole.
struct Take<'a> {
    /// Steps of 1/30 s.
    frames: usize,
    /// Whether the last pose is the first one, but for what carries the whole.
    looping: bool,
    /// How the ground moves under it, in metres a second: a gait in place goes on a treadmill.
    ground: DVec3,
    pose: Box<dyn Fn(f64) -> Posture + 'a>,
}

impl<'a> Take<'a> {
    /// A take that ends elsewhere than it began.
    fn once(seconds: f64, pose: impl Fn(f64) -> Pose<'a> + 'a) -> Self {
        let frames = libm::round(seconds * RATE) as usize;
        Self { frames, looping: false, ground: DVec3::ZERO, pose: Box::new(move |t| pose(t).posture) }
    }

    /// A take that goes round.
    fn round(seconds: f64, pose: impl Fn(f64) -> Pose<'a> + 'a) -> Self {
        Self { looping: true, ..Self::once(seconds, pose) }
    }

    /// Over a ground that moves.
    fn on(self, ground: DVec3) -> Self {
        Self { ground, ..self }
    }

    fn bake(&self, puppet: &Puppet, name: &str, figure: Option<&Figure>) -> Clip {
        let count = self.frames.max(1);
        let mut postures: Vec<Posture> = (0..=count).map(|i| (self.pose)(i as f64 / count as f64)).collect();
        if self.looping
            && let [first, .., last] = postures.as_mut_slice()
        {
            *last = Posture { carried: last.carried, facing: last.facing, ..first.clone() };
        }
        // What lies down or shows its joints does not stand.
        if let Some(figure) =
            figure.filter(|_| !matches!(name, "death" | "range_of_motion" | "t_pose" | "a_pose"))
        {
            let times: Vec<f32> = (0..=count).map(|i| (i as f64 / RATE) as f32).collect();
            clear::hands(figure, &mut postures);
            sole::plant(figure, &times, &mut postures, Some(self.ground), self.looping);
        }
        let clip = puppet.bake(name, RATE, &postures);
        clip.reduced(SAME_TURN, puppet.in_file(SAME_PLACE))
    }
}

/// Seconds on an adult, on a character with these legs: a pendulum's time goes with the root of its length.
fn paced(seconds: f64, figure: &Figure) -> f64 {
    const ADULT_LEG: f64 = 0.84;
    seconds * libm::sqrt(figure.leg_length() / ADULT_LEG).clamp(0.6, 1.6)
}

fn humanoid<'a>(figure: &'a Figure, name: &str) -> Option<Take<'a>> {
    Some(match name {
        "idle" => stand::idle(figure),
        "walk" => gait::walk(figure, false),
        "walk_root" => gait::walk(figure, true),
        "run" => gait::run(figure, false),
        "run_root" => gait::run(figure, true),
        "jump" => jump::jump(figure),
        "turn_left" => turn::turn(figure, 90.0, false),
        "turn_left_root" => turn::turn(figure, 90.0, true),
        "turn_right" => turn::turn(figure, -90.0, false),
        "turn_right_root" => turn::turn(figure, -90.0, true),
        "wave" => act::wave_hand(figure),
        "point" => act::point(figure),
        "clap" => act::clap(figure),
        "sit" => ground::sit(figure),
        "crouch" => ground::crouch(figure),
        "punch" => fight::punch(figure),
        "kick" => fight::kick(figure),
        "death" => fall::death(figure),
        "dance" => dance::dance(figure),
        "t_pose" => poses::t_pose(figure),
        "a_pose" => poses::a_pose(figure),
        "range_of_motion" => range::range_of_motion(figure),
        _ => return None,
    })
}
