//! Text to a skeleton and a clip. Tabs, any line ends, names with spaces and colons, exponents and wrong frame counts all
//! occur in files that other programs accept.

use glam::{DMat4, DQuat, DVec3};

use super::{MOST_JOINTS, MOST_VALUES, frame};
use crate::{
    Character, Code, Error, Limits, Result,
    character::Bone,
    motion::{Clip, Track, Values, kinematics::about},
    scene::Scene,
    skeleton::names,
};

/// Times between two frames within which a file is believed, in seconds.
const FRAME_TIMES: (f64, f64) = (0.001, 60.0);
/// A take lasts no longer than this, in seconds: beyond, times in single precision no longer tell frames apart.
const LONGEST: f64 = 4_096.0;
/// Frames a second where the file gives no usable time.
const USUAL_RATE: f64 = 30.0;
/// Numbers beyond this are no place or angle of anything.
const LARGEST: f64 = 1e9;

/// What a number of a frame means.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Channel {
    Position(DVec3),
    Rotation(DVec3),
}

struct Joint {
    name: String,
    parent: Option<usize>,
    offset: DVec3,
    channels: Vec<Channel>,
    /// Where the bone ends and no other begins.
    is_end: bool,
}

/// Reads a BVH file: a skeleton without a mesh whose one clip is called `name`.
///
/// Bones are named as in the file, made unique; canonical names are recognised. What is doubtful is in the warnings of
/// the scene: `bvh_frame_count` where the file has more or fewer frames than it says, `bvh_frame_time` where the time
/// between frames is missing or impossible.
///
/// # Errors
/// `empty_file`, `unknown_format` for a text that is no BVH, `corrupt_file`, `truncated_file`, `limit_file_size`,
/// `limit_nodes`, `limit_memory`.
pub fn read(name: &str, bytes: &[u8], limits: &Limits) -> Result<Character> {
    if bytes.is_empty() {
        return Err(Error::new(Code::EmptyFile, "the BVH file is empty"));
    }
    if bytes.len() as u64 > limits.file_bytes {
        let message =
            format!("the BVH file has {} bytes, at most {} are read", bytes.len(), limits.file_bytes);
        return Err(Error::new(Code::LimitFileSize, message));
    }
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = Lines { rest: text, number: 0 };
    let joints = hierarchy(&mut lines, limits)?;
    let mut scene = Scene::default();
    let motion = motion(&mut lines, &joints, &mut scene)?;
    let mut character = skeleton(&joints, scene);
    character.clips.push(motion.clip(name, &joints));
    Ok(character)
}

/// Lines with something on them, counted from 1.
struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let end = self.rest.find(['\n', '\r']);
            let (line, rest) = match end {
                Some(end) => (self.rest.get(..end)?, self.rest.get(end..)?),
                None => (self.rest, ""),
            };
            // A pair of carriage return and line feed is one end.
            self.rest = rest.strip_prefix("\r\n").or_else(|| rest.get(1..)).unwrap_or("");
            self.number += 1;
            let line = line.trim();
            if !line.is_empty() {
                return Some(line);
            }
        }
        None
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(Code::CorruptFile, format!("line {} of the BVH file {what}", self.number))
    }
}

/// A line's first word in capitals, and the rest.
fn word(line: &str) -> (String, &str) {
    let end = line.find(|c: char| c.is_whitespace() || c == '{').unwrap_or(line.len());
    let (first, rest) = line.split_at(end);
    (first.trim_end_matches(':').to_ascii_uppercase(), rest.trim())
}

/// The joints, parents first.
fn hierarchy(lines: &mut Lines, limits: &Limits) -> Result<Vec<Joint>> {
    let first = lines.next().map(word).unwrap_or_default();
    if first.0 != "HIERARCHY" {
        return Err(Error::new(
            Code::UnknownFormat,
            "the text does not begin with HIERARCHY, as a BVH file does",
        )
        .with_remedy("send a BVH file, or a GLB or FBX with a clip"));
    }
    let most = MOST_JOINTS.min(limits.nodes as usize);
    let mut joints: Vec<Joint> = Vec::new();
    // Joints whose braces are open, the innermost last.
    let mut open: Vec<usize> = Vec::new();
    let mut expected: Option<usize> = None;
    loop {
        let Some(line) = lines.next() else {
            return Err(Error::new(Code::TruncatedFile, "the BVH file ends before its MOTION"));
        };
        let (key, rest) = word(line);
        match key.as_str() {
            "MOTION" if open.is_empty() && !joints.is_empty() => return Ok(joints),
            "ROOT" | "JOINT" | "END" => {
                if joints.len() >= most {
                    return Err(Error::new(
                        Code::LimitNodes,
                        format!("the BVH file has more than {most} joints"),
                    ));
                }
                if expected.is_some() || (key == "ROOT") != open.is_empty() {
                    return Err(lines.wrong("begins a joint where none can begin"));
                }
                let (name, brace) = named(rest);
                let name = if key == "END" { String::new() } else { name.to_owned() };
                joints.push(Joint {
                    name,
                    parent: open.last().copied(),
                    offset: DVec3::ZERO,
                    channels: Vec::new(),
                    is_end: key == "END",
                });
                if brace { open.push(joints.len() - 1) } else { expected = Some(joints.len() - 1) }
            }
            // A brace on a line of its own, perhaps with what should follow it.
            "" if line.starts_with('{') => match expected.take() {
                Some(joint) => {
                    open.push(joint);
                    inner(lines, &mut joints, &open, line.get(1..).unwrap_or("").trim())?;
                }
                None => return Err(lines.wrong("opens a brace that belongs to no joint")),
            },
            _ if line.starts_with('}') => {
                for c in line.chars().filter(|c| !c.is_whitespace()) {
                    if c != '}' || open.pop().is_none() {
                        return Err(lines.wrong("closes a brace that is not open"));
                    }
                }
            }
            _ => inner(lines, &mut joints, &open, line)?,
        }
    }
}

/// A joint's name, and whether its brace follows on the same line.
fn named(rest: &str) -> (&str, bool) {
    match rest.strip_suffix('{') {
        Some(name) => (name.trim(), true),
        None => (rest, false),
    }
}

/// An OFFSET or CHANNELS line of the innermost joint.
fn inner(lines: &Lines, joints: &mut [Joint], open: &[usize], line: &str) -> Result<()> {
    if line.is_empty() {
        return Ok(());
    }
    let Some(joint) = open.last().and_then(|j| joints.get_mut(*j)) else {
        return Err(lines.wrong("belongs to no joint"));
    };
    let (key, rest) = word(line);
    match key.as_str() {
        "OFFSET" => {
            let numbers = numbers(rest).filter(|n| n.len() == 3);
            let numbers = numbers.ok_or_else(|| lines.wrong("has no three numbers for an OFFSET"))?;
            joint.offset = DVec3::from_slice(&numbers);
        }
        "CHANNELS" => {
            let mut words = rest.split_whitespace();
            let count = words.next().and_then(|n| n.parse::<usize>().ok());
            let channels: Option<Vec<Channel>> = words.map(channel).collect();
            match (count, channels) {
                (Some(count), Some(channels)) if count == channels.len() && count <= 6 && !joint.is_end => {
                    joint.channels = channels;
                }
                _ => return Err(lines.wrong("has CHANNELS that cannot be")),
            }
        }
        _ => return Err(lines.wrong("is none of OFFSET, CHANNELS, JOINT and End Site")),
    }
    Ok(())
}

fn channel(word: &str) -> Option<Channel> {
    let axis = match word.chars().next()?.to_ascii_uppercase() {
        'X' => DVec3::X,
        'Y' => DVec3::Y,
        'Z' => DVec3::Z,
        _ => return None,
    };
    match word.get(1..)?.to_ascii_lowercase().as_str() {
        "position" => Some(Channel::Position(axis)),
        "rotation" => Some(Channel::Rotation(axis)),
        _ => None,
    }
}

/// All words as numbers within reason.
fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split_whitespace().map(number).collect()
}

fn number(word: &str) -> Option<f64> {
    word.parse::<f64>().ok().filter(|v| v.abs() <= LARGEST)
}

/// Frames as the file has them.
struct Motion {
    frame_time: f64,
    width: usize,
    values: Vec<f64>,
}

fn motion(lines: &mut Lines, joints: &[Joint], scene: &mut Scene) -> Result<Motion> {
    let width: usize = joints.iter().map(|j| j.channels.len()).sum();
    if width == 0 {
        return Err(Error::new(Code::CorruptFile, "no joint of the BVH file has a channel"));
    }
    let cut = || Error::new(Code::TruncatedFile, "the BVH file ends before its first frame");
    let (key, said) = word(lines.next().ok_or_else(cut)?);
    let said = said.trim_start_matches(':').trim().parse::<u64>().ok();
    let said = said
        .filter(|_| key == "FRAMES")
        .ok_or_else(|| lines.wrong("should say how many Frames there are"))?;
    let line = lines.next().ok_or_else(cut)?;
    let time = line.rsplit(|c: char| c == ':' || c.is_whitespace()).next().and_then(number);
    if !word(line).0.starts_with("FRAME") {
        return Err(lines.wrong("should give the Frame Time"));
    }
    let frame_time = time.filter(|t| *t >= FRAME_TIMES.0 && *t <= FRAME_TIMES.1).unwrap_or_else(|| {
        scene.warn(
            "bvh_frame_time",
            "the time between frames is missing or impossible; 30 frames a second were taken",
        );
        1.0 / USUAL_RATE
    });
    let mut values: Vec<f64> = Vec::new();
    while let Some(line) = lines.next() {
        for word in line.split_whitespace() {
            values.push(number(word).ok_or_else(|| lines.wrong("has a word where a number should be"))?);
        }
        if values.len() > MOST_VALUES {
            return Err(Error::new(
                Code::LimitMemory,
                format!("the BVH file has more than {MOST_VALUES} numbers"),
            )
            .with_remedy("cut the take into pieces"));
        }
    }
    let frames = values.len() / width;
    if frames == 0 {
        return Err(cut());
    }
    if frames as u64 != said || !values.len().is_multiple_of(width) {
        scene.warn("bvh_frame_count", format!("the file says it has {said} frames and has {frames}"));
    }
    if frames as f64 * frame_time > LONGEST {
        return Err(Error::new(Code::LimitMemory, format!("the take lasts more than {LONGEST} seconds"))
            .with_remedy("cut the take into pieces"));
    }
    values.truncate(frames * width);
    Ok(Motion { frame_time, width, values })
}

impl Motion {
    /// Tracks of the joints that have channels.
    fn clip(&self, name: &str, joints: &[Joint]) -> Clip {
        let frames = || self.values.chunks_exact(self.width);
        let mut tracks = Vec::new();
        let mut first = 0;
        for (index, joint) in joints.iter().enumerate() {
            let range = first..first + joint.channels.len();
            first = range.end;
            let of = |frame: &[f64]| frame.get(range.clone()).map(<[f64]>::to_vec).unwrap_or_default();
            if joint.channels.iter().any(|c| matches!(c, Channel::Position(_))) {
                let places = frames().map(|f| place(joint, &of(f))).collect();
                tracks.push(Track { joint: index, values: Values::Translations(places) });
            }
            if joint.channels.iter().any(|c| matches!(c, Channel::Rotation(_))) {
                let turns = frames().map(|f| turn(joint, &of(f))).collect();
                tracks.push(Track { joint: index, values: Values::Rotations(turns) });
            }
        }
        let times = (0..frames().count()).map(|i| (i as f64 * self.frame_time) as f32).collect();
        let mut clip = Clip { name: name.to_owned(), times, tracks, morphs: Vec::new() };
        clip.make_continuous();
        clip
    }
}

fn place(joint: &Joint, values: &[f64]) -> DVec3 {
    let mut at = joint.offset;
    for (channel, value) in joint.channels.iter().zip(values) {
        if let Channel::Position(axis) = channel {
            at = at - *axis * at.dot(*axis) + *axis * *value;
        }
    }
    at
}

fn turn(joint: &Joint, values: &[f64]) -> DQuat {
    let turns = joint.channels.iter().zip(values).filter_map(|(channel, value)| match channel {
        Channel::Rotation(axis) => Some(about(*axis, *value % 360.0)),
        Channel::Position(_) => None,
    });
    turns.fold(DQuat::IDENTITY, |all, one| all * one).normalize()
}

/// The skeleton at zero rotations.
fn skeleton(joints: &[Joint], scene: Scene) -> Character {
    let mut bones: Vec<Bone> = Vec::with_capacity(joints.len());
    let mut used = std::collections::BTreeSet::new();
    let mut known = std::collections::BTreeSet::new();
    for joint in joints {
        let above = joint.parent.and_then(|p| bones.get(p));
        let at = above.map_or(DVec3::ZERO, Bone::position) + joint.offset;
        let wanted = match (joint.is_end, above) {
            (true, Some(parent)) => format!("{}_end", parent.name),
            _ if joint.name.is_empty() => "joint".to_owned(),
            _ => joint.name.clone(),
        };
        let mut name = wanted.clone();
        let mut number = 1;
        while !used.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        let canonical = names::canonical(&joint.name).filter(|c| known.insert(*c)).map(ToOwned::to_owned);
        bones.push(Bone { name, parent: joint.parent, rest: DMat4::from_translation(at), canonical });
    }
    let frame = frame::of(&bones);
    Character { scene, bones, influences: Vec::new(), clips: Vec::new(), frame }
}
