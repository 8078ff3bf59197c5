//! A character whose bones are being changed: bones keep their index until the end, whatever hangs on what.

use glam::{DMat3, DMat4, DQuat, DVec3};

use crate::{
    Character,
    analyse::Frame,
    character::Bone,
    motion::{Clip, Track, Values},
    scene::{Influences, Scene},
};

/// Where the weight of one of the character's own bones goes.
#[derive(Debug, Clone)]
pub(super) enum Share {
    /// All to one bone.
    To(usize),
    /// Along a segment: to the bones that begin at these shares of it.
    Along { bones: Vec<(usize, f64)>, from: DVec3, to: DVec3 },
}

/// A character on its way into a profile.
pub(super) struct Work {
    pub(super) scene: Scene,
    pub(super) influences: Vec<Vec<Influences>>,
    /// Bones; parents may come later.
    pub(super) bones: Vec<Bone>,
    /// Bones that are gone.
    pub(super) gone: Vec<bool>,
    /// Bones that have the axes of another one.
    pub(super) copies: Vec<Option<usize>>,
    /// What the target calls a bone, where that is decided.
    pub(super) called: Vec<Option<String>>,
    /// One for each of the character's own bones.
    pub(super) shares: Vec<Share>,
    pub(super) clips: Vec<Clip>,
    pub(super) frame: Frame,
}

impl Work {
    pub(super) fn new(character: &Character) -> Self {
        let count = character.bones.len();
        let mut clips = character.clips.clone();
        clips.iter_mut().for_each(|c| c.tracks.retain(|t| t.joint < count));
        Self {
            scene: character.scene.clone(),
            influences: character.influences.clone(),
            bones: character.bones.clone(),
            gone: vec![false; count],
            copies: vec![None; count],
            called: vec![None; count],
            shares: (0..count).map(Share::To).collect(),
            clips,
            frame: character.frame,
        }
    }

    /// Back to a character without bones.
    pub(super) fn into_still(self) -> Character {
        Character {
            scene: self.scene,
            bones: Vec::new(),
            influences: self.influences,
            clips: self.clips,
            frame: self.frame,
        }
    }

    /// The character's left, up and forward.
    pub(super) fn directions(&self) -> [DVec3; 3] {
        let rows = self.frame.rotation.transpose();
        [rows.x_axis, rows.y_axis, rows.z_axis]
    }

    pub(super) fn find(&self, joint: &str) -> Option<usize> {
        (0..self.bones.len()).find(|&b| !self.gone[b] && self.bones[b].canonical.as_deref() == Some(joint))
    }

    pub(super) fn children(&self, bone: usize) -> Vec<usize> {
        (0..self.bones.len()).filter(|&b| !self.gone[b] && self.bones[b].parent == Some(bone)).collect()
    }

    pub(super) fn position(&self, bone: usize) -> DVec3 {
        self.bones[bone].position()
    }

    /// The bone to its parent, at rest.
    pub(super) fn local(&self, bone: usize) -> DMat4 {
        let above = self.bones[bone].parent.map_or(DMat4::IDENTITY, |p| self.bones[p].rest);
        above.inverse() * self.bones[bone].rest
    }

    /// A bone at rest of its own.
    pub(super) fn add(&mut self, name: Option<&str>, parent: Option<usize>, rest: DMat4) -> usize {
        self.bones.push(Bone { name: name.unwrap_or("bone").to_owned(), parent, rest, canonical: None });
        self.gone.push(false);
        self.copies.push(None);
        self.called.push(name.map(str::to_owned));
        self.bones.len() - 1
    }

    /// Hangs a bone on another one, which is at rest against its old parent or the old parent's ancestor; motion stays.
    pub(super) fn hang(&mut self, bone: usize, parent: Option<usize>) {
        let rest = |p: Option<usize>| p.map_or(DMat4::IDENTITY, |p| self.bones[p].rest);
        let between = rest(parent).inverse() * rest(self.bones[bone].parent);
        self.bones[bone].parent = parent;
        self.premultiply(bone, &between);
    }

    fn premultiply(&mut self, bone: usize, by: &DMat4) {
        let turn = DQuat::from_mat3(&DMat3::from_mat4(*by)).normalize();
        self.each_track(bone, |values| match values {
            Values::Rotations(all) => all.iter_mut().for_each(|q| *q = (turn * *q).normalize()),
            Values::Translations(all) => all.iter_mut().for_each(|v| *v = by.transform_point3(*v)),
        });
    }

    /// Turns the bones' own axes, one rotation each; what they do to the world stays.
    pub(super) fn reframe(&mut self, turned: &[DQuat]) {
        for bone in 0..self.bones.len() {
            let own = turned[bone];
            let back = self.bones[bone].parent.map_or(DQuat::IDENTITY, |p| turned[p].inverse());
            self.bones[bone].rest *= DMat4::from_quat(own);
            self.each_track(bone, |values| match values {
                Values::Rotations(all) => all.iter_mut().for_each(|q| *q = (back * *q * own).normalize()),
                Values::Translations(all) => all.iter_mut().for_each(|v| *v = back * *v),
            });
        }
    }

    fn each_track(&mut self, bone: usize, change: impl Fn(&mut Values)) {
        for track in self.clips.iter_mut().flat_map(|c| &mut c.tracks).filter(|t| t.joint == bone) {
            change(&mut track.values);
        }
    }

    /// Puts a bone's rest frame elsewhere; neither its children's frames nor any motion of the mesh change.
    pub(super) fn replant(&mut self, bone: usize, rest: DMat4) {
        let old = std::mem::replace(&mut self.bones[bone].rest, rest);
        if old == rest {
            return;
        }
        let shift = old.inverse() * rest;
        let above = self.bones[bone].parent.map_or(DMat4::IDENTITY, |p| self.bones[p].rest);
        let still = above.inverse() * old;
        for clip in &mut self.clips {
            if clip.tracks.iter().any(|t| t.joint == bone) {
                let locals: Vec<DMat4> =
                    (0..clip.times.len()).map(|key| at(clip, bone, key, &still) * shift).collect();
                set(clip, bone, &locals);
            }
        }
        let back = shift.inverse();
        for child in self.children(bone) {
            self.premultiply(child, &back);
        }
    }

    /// Takes a bone away. Its weight goes to `heir`, its children hang on its parent and move as they did.
    pub(super) fn remove(&mut self, bone: usize, heir: usize) {
        let above = self.local(bone);
        for child in self.children(bone) {
            let own = self.local(child);
            for clip in &mut self.clips {
                let moving = |b: usize| clip.tracks.iter().any(|t| t.joint == b);
                if moving(bone) || moving(child) {
                    let local = |key: usize| at(clip, bone, key, &above) * at(clip, child, key, &own);
                    let locals: Vec<DMat4> = (0..clip.times.len()).map(local).collect();
                    set(clip, child, &locals);
                }
            }
            self.bones[child].parent = self.bones[bone].parent;
        }
        self.gone[bone] = true;
        for share in &mut self.shares {
            match share {
                Share::To(b) if *b == bone => *b = heir,
                _ => {}
            }
        }
        for clip in &mut self.clips {
            clip.tracks.retain(|t| t.joint != bone);
        }
    }
}

/// Replaces the tracks of a bone.
fn set(clip: &mut Clip, bone: usize, locals: &[DMat4]) {
    let mut turns: Vec<DQuat> =
        locals.iter().map(|m| DQuat::from_mat3(&DMat3::from_mat4(*m)).normalize()).collect();
    for i in 1..turns.len() {
        turns[i] = if turns[i].dot(turns[i - 1]) < 0.0 { -turns[i] } else { turns[i] };
    }
    let places = locals.iter().map(|m| m.w_axis.truncate()).collect();
    clip.tracks.retain(|t| t.joint != bone);
    clip.tracks.push(Track { joint: bone, values: Values::Rotations(turns) });
    clip.tracks.push(Track { joint: bone, values: Values::Translations(places) });
}

/// A bone's transform to its parent at a keyframe.
fn at(clip: &Clip, bone: usize, key: usize, rest: &DMat4) -> DMat4 {
    let mut turn = DQuat::from_mat3(&DMat3::from_mat4(*rest)).normalize();
    let mut place = rest.w_axis.truncate();
    for track in clip.tracks.iter().filter(|t| t.joint == bone) {
        match &track.values {
            Values::Rotations(all) => turn = all.get(key).copied().unwrap_or(turn),
            Values::Translations(all) => place = all.get(key).copied().unwrap_or(place),
        }
    }
    DMat4::from_rotation_translation(turn, place)
}
