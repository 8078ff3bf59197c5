//! A clip to text.

use std::fmt::Write;

use glam::{DMat4, DQuat, DVec3, EulerRot};

use crate::{
    Character, Code, Error, Result,
    motion::{Clip, Local, measure::rest},
};

/// Writes the skeleton of a character and a clip as BVH, in the character's own axes and unit, sampled at a rate of
/// frames a second.
///
/// BVH knows no rest rotations: bone frames become parallel to the file's axes. Every bone has three rotation channels;
/// a bone that moves in the clip, and the topmost, have three position channels too.
///
/// # Errors
/// `invalid_option` for a character without bones, a clip without keyframes or a rate that is not positive.
pub fn write(character: &Character, clip: &Clip, rate: f32) -> Result<String> {
    let usable = rate.is_finite() && rate > 0.0;
    if character.bones.is_empty() || clip.times.is_empty() || !usable {
        return Err(Error::new(Code::InvalidOption, "there is no motion of bones to write as BVH")
            .with_remedy("choose a clip with keyframes on a character with bones, and a rate above 0"));
    }
    let clip = clip.resampled(rate);
    let mut writer = Writer::new(character, &clip);
    let roots: Vec<usize> =
        (0..character.bones.len()).filter(|b| character.bones[*b].parent.is_none()).collect();
    writer.text.push_str("HIERARCHY\n");
    for root in roots {
        writer.joint(root, 0);
    }
    writer.frames(&clip, rate);
    Ok(writer.text)
}

struct Writer<'a> {
    character: &'a Character,
    rest: Vec<Local>,
    children: Vec<Vec<usize>>,
    moves: Vec<bool>,
    order: Vec<usize>,
    text: String,
}

impl<'a> Writer<'a> {
    fn new(character: &'a Character, clip: &Clip) -> Self {
        let count = character.bones.len();
        let mut children = vec![Vec::new(); count];
        let mut moves = vec![false; count];
        for (b, bone) in character.bones.iter().enumerate() {
            match bone.parent {
                Some(p) => children[p].push(b),
                None => moves[b] = true,
            }
        }
        for track in &clip.tracks {
            if let (super::super::Values::Translations(_), Some(slot)) =
                (&track.values, moves.get_mut(track.joint))
            {
                *slot = true;
            }
        }
        Self { character, rest: rest(character), children, moves, order: Vec::new(), text: String::new() }
    }

    /// One joint and all below it, without recursion into depths a file might have.
    fn joint(&mut self, root: usize, depth: usize) {
        let mut todo = vec![(root, depth, false)];
        while let Some((bone, depth, close)) = todo.pop() {
            let tab = "\t".repeat(depth);
            if close {
                let _ = writeln!(self.text, "{tab}}}");
                continue;
            }
            self.open(bone, depth);
            todo.push((bone, depth, true));
            todo.extend(self.children[bone].iter().rev().map(|c| (*c, depth + 1, false)));
        }
    }

    fn open(&mut self, bone: usize, depth: usize) {
        let of = &self.character.bones[bone];
        let tab = "\t".repeat(depth);
        let kind = if of.parent.is_none() { "ROOT" } else { "JOINT" };
        let above = of.parent.map_or(DVec3::ZERO, |p| self.character.bones[p].position());
        let offset = of.position() - above;
        let channels = if self.moves[bone] {
            "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
        } else {
            "3 Zrotation Xrotation Yrotation"
        };
        let name = of.name.replace(['{', '}', '\n', '\r'], "_");
        let _ = writeln!(self.text, "{tab}{kind} {name}\n{tab}{{");
        let _ = writeln!(
            self.text,
            "{tab}\tOFFSET {} {} {}\n{tab}\tCHANNELS {channels}",
            offset.x, offset.y, offset.z
        );
        if self.children[bone].is_empty() {
            let _ = writeln!(self.text, "{tab}\tEnd Site\n{tab}\t{{\n{tab}\t\tOFFSET 0 0 0\n{tab}\t}}");
        }
        self.order.push(bone);
    }

    fn frames(&mut self, clip: &Clip, rate: f32) {
        let _ = writeln!(
            self.text,
            "MOTION\nFrames: {}\nFrame Time: {:.9}",
            clip.times.len(),
            1.0 / f64::from(rate)
        );
        for time in &clip.times {
            let world = super::super::measure::world(self.character, &clip.sample(*time, &self.rest));
            let turns: Vec<DQuat> =
                world.iter().zip(&self.character.bones).map(|(w, b)| turned(w, &b.rest)).collect();
            let mut line: Vec<String> = Vec::new();
            for &bone in &self.order {
                let parent = self.character.bones[bone].parent;
                let above = parent.map_or(DQuat::IDENTITY, |p| turns[p]);
                if self.moves[bone] {
                    let from = parent.map_or(DVec3::ZERO, |p| world[p].w_axis.truncate());
                    let at = above.inverse() * (world[bone].w_axis.truncate() - from);
                    line.extend(at.to_array().iter().map(|v| format!("{v:.7}")));
                }
                let (z, x, y) = (above.inverse() * turns[bone]).to_euler(EulerRot::ZXY);
                line.extend([z, x, y].iter().map(|v| format!("{:.7}", v.to_degrees())));
            }
            self.text.push_str(&line.join(" "));
            self.text.push('\n');
        }
    }
}

/// Turn of a bone in the world against its rest.
fn turned(world: &DMat4, rest: &DMat4) -> DQuat {
    (DQuat::from_mat4(world) * DQuat::from_mat4(rest).inverse()).normalize()
}
