//! Series of pictures: a full turn, and a clip played.

use glam::{DMat4, Mat3, Vec3};

use super::{
    Image, Set, THREE_QUARTER,
    camera::{Camera, turned},
    pose::{self, duration},
};
use crate::{Character, Code, Error, Result, motion::Clip};

/// Turns and moments at which the camera makes sure that everything is in the picture.
const PROBES: u32 = 16;
/// A clip is shown for at least about this long, in whole loops, and never much longer.
const CLIP_SECONDS: f32 = 2.4;
/// Longest part of a clip that is shown, in seconds.
const LONGEST_CLIP: f32 = 4.0;

/// Pictures of a character, one after the other, for a video.
///
/// First a full turn, starting and ending in a three-quarter view, then a clip from the same view. One camera holds all of
/// it. The character's way over the ground is taken out of a clip, so that it walks on the spot.
pub struct Reel<'a> {
    set: Set<'a>,
    camera: Camera,
    turntable: u32,
    clip: Option<(&'a Clip, u32)>,
    frames_per_second: u32,
}

impl<'a> Reel<'a> {
    /// A reel of square pictures: `seconds` of turning, then `clip` (an index into the character's clips) if there is one.
    ///
    /// # Errors
    /// Those of [`thumbnail`](super::thumbnail), and `invalid_option` for an unknown clip or a rate of 0.
    pub fn new(
        character: &'a Character,
        size: u32,
        frames_per_second: u32,
        seconds: f32,
        clip: Option<usize>,
    ) -> Result<Self> {
        if frames_per_second == 0 || !(0.0..=60.0).contains(&seconds) {
            let message = "a video needs frames every second, and at most a minute of turning";
            return Err(Error::new(Code::InvalidOption, message));
        }
        let clip = match clip {
            None => None,
            Some(index) => Some(character.clips.get(index).ok_or_else(|| {
                let message =
                    format!("there is no clip {index}; the character has {}", character.clips.len());
                Error::new(Code::InvalidOption, message)
            })?),
        };
        let set = Set::new(character, size)?;
        let rate = frames_per_second as f32;
        let turntable = (seconds * rate + 0.5) as u32;
        let clip = clip.map(|c| (c, (shown(c) * rate + 0.5) as u32)).filter(|(_, frames)| *frames > 1);
        let mut reel =
            Self { set, camera: Camera::holding(std::iter::empty()), turntable, clip, frames_per_second };
        reel.camera = reel.holding();
        Ok(reel)
    }

    /// Number of pictures.
    pub fn frames(&self) -> u32 {
        self.turntable + self.clip.map_or(0, |(_, frames)| frames)
    }

    /// One picture; the first for an index beyond the last.
    pub fn frame(&self, index: u32) -> Image {
        let (skinning, turn) = if index < self.turntable {
            (Vec::new(), turned(THREE_QUARTER + std::f32::consts::TAU * index as f32 / self.turntable as f32))
        } else {
            (self.clip_pose(index - self.turntable), turned(THREE_QUARTER))
        };
        let mut vertices = self.set.stage.posed(&skinning);
        vertices.turn(turn);
        self.set.picture(&vertices, &self.camera, None, 1)
    }

    /// Bones at a frame of the clip, counted from its first.
    fn clip_pose(&self, frame: u32) -> Vec<DMat4> {
        let Some((clip, frames)) = self.clip else { return Vec::new() };
        let duration = duration(clip);
        let time = frame.min(frames) as f32 / self.frames_per_second as f32;
        pose::on_the_spot(self.set.character, clip, time - duration * libm::floorf(time / duration))
    }

    fn holding(&self) -> Camera {
        let stage = &self.set.stage;
        let mut points: Vec<Vec3> = Vec::new();
        if self.turntable > 0 || self.clip.is_none() {
            // The extremes of a turn are those of the outermost points around the axis.
            let probes = (0..PROBES).map(|i| turned(std::f32::consts::TAU * i as f32 / PROBES as f32));
            let probes: Vec<Mat3> =
                if self.turntable > 0 { probes.collect() } else { vec![turned(THREE_QUARTER)] };
            points.extend(probes.iter().flat_map(|turn| stage.corners(&stage.rest).map(|p| *turn * p)));
        }
        if let Some((_, frames)) = self.clip {
            let turn = turned(THREE_QUARTER);
            for probe in 0..PROBES.min(frames) {
                let vertices = stage.posed(&self.clip_pose(probe * frames / PROBES.min(frames)));
                points.extend(stage.corners(&vertices).map(|p| turn * p));
            }
        }
        Camera::holding(points.into_iter())
    }
}

/// Seconds of a clip that are shown: whole loops where they are short.
fn shown(clip: &Clip) -> f32 {
    let duration = duration(clip);
    if duration <= 0.0 {
        return 0.0;
    }
    let loops = (CLIP_SECONDS / duration + 0.5) as u32;
    (duration * loops.max(1) as f32).min(LONGEST_CLIP)
}

/// The clip that shows most of a character: a walk, else standing, running, or whatever there is.
pub fn preview_clip(character: &Character) -> Option<usize> {
    let named = |word: &str| {
        character.clips.iter().position(|c| {
            let name = c.name.to_ascii_lowercase();
            name == word || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word)
        })
    };
    let moves = |c: &Clip| duration(c) > 0.2;
    ["walk", "walking", "idle", "run", "running", "trot"]
        .iter()
        .find_map(|word| named(word))
        .or_else(|| character.clips.iter().position(moves))
        .filter(|i| character.clips.get(*i).is_some_and(moves))
}
