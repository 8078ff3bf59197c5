//! A character's bones as a puppet in canonical space: turned limb by limb, baked into a clip.
//!
//! Motion is described in the body's own axes (left, up, forward) against a *normal pose*, the same for every character
//! of a kind. Each bone has an alignment that brings it from its rest to the normal pose. With the turn `D` of a bone
//! against the normal pose, its alignment `A` and its rest `R`, all in world axes, the bone stands at `D · A · R`: so a clip
//! depends neither on the pose nor on the bone frames a character came with.

use glam::{DQuat, DVec3};

use super::clip::{Clip, Local, Track, Values, continuous};
use crate::{Character, analyse::Frame, scene::Influences};

/// A translation nearer to the rest than this share of the height of a metre is no motion.
const STILL: f64 = 1e-6;

/// Bones in canonical space, in their normal pose.
#[derive(Debug, Clone)]
pub(super) struct Puppet {
    /// Parents in motion: those of the file, save where a limb of the file hangs on something else.
    pub(super) parents: Vec<Option<usize>>,
    /// The bones, parents in motion before children.
    order: Vec<usize>,
    /// Where each bone is in the normal pose, in metres.
    pub(super) normal: Vec<DVec3>,
    /// From rest to normal pose, in canonical axes.
    pub(super) align: Vec<DQuat>,
    /// Vertices that lie farthest out in each bone's share of the mesh, from the bone, in the normal pose.
    pub(super) outline: Vec<Vec<DVec3>>,
    /// The bone that carries the motion of the whole: `root`, else the hips.
    pub(super) carrier: Option<usize>,
    rest: Vec<Local>,
    world: Vec<DQuat>,
    file_parents: Vec<Option<usize>>,
    frame: Frame,
}

/// A pose: turns and moves against the normal pose.
#[derive(Debug, Clone)]
pub(super) struct Posture {
    /// Turn of each bone in the axes of its parent as that is turned.
    pub(super) turns: Vec<DQuat>,
    /// Move of each bone, in metres, in the same axes.
    pub(super) moves: Vec<DVec3>,
    /// Where the whole is carried to, in metres.
    pub(super) carried: DVec3,
    /// Turn of the whole about the axis that goes up through its carrier.
    pub(super) facing: DQuat,
}

/// Where every bone is in a pose, in canonical space.
#[derive(Debug, Clone)]
pub(super) struct Stance {
    /// Turns against the normal pose.
    pub(super) turns: Vec<DQuat>,
    /// Places.
    pub(super) at: Vec<DVec3>,
}

impl Puppet {
    /// The bones of a character. `parents` and `align` say what differs from the file: a parent in motion, and the
    /// alignment of a bone whose alignment is not that of its parent.
    pub(super) fn new(
        character: &Character,
        parents: Vec<Option<usize>>,
        align: &[Option<DQuat>],
        carrier: Option<usize>,
    ) -> Self {
        let frame = character.frame;
        let to_canonical = DQuat::from_mat3(&frame.rotation).normalize();
        let at: Vec<DVec3> = character.bones.iter().map(|b| frame.to_canonical(b.position())).collect();
        let order = parents_first(&parents);
        let mut whole = vec![DQuat::IDENTITY; at.len()];
        let mut normal = at.clone();
        for &bone in &order {
            let above = parents[bone].map_or(DQuat::IDENTITY, |p| whole[p]);
            whole[bone] = align.get(bone).copied().flatten().unwrap_or(above);
            if let Some(p) = parents[bone] {
                normal[bone] = normal[p] + above * (at[bone] - at[p]);
            }
        }
        let rotation = |b: &crate::character::Bone| to_canonical * DQuat::from_mat4(&b.rest).normalize();
        let mut outline = outline(character, &at);
        for (points, turn) in outline.iter_mut().zip(&whole) {
            points.iter_mut().for_each(|p| *p = *turn * *p);
        }
        Self {
            world: character.bones.iter().map(rotation).collect(),
            rest: character.locals().iter().map(Local::new).collect(),
            file_parents: character.bones.iter().map(|b| b.parent).collect(),
            align: whole,
            parents,
            order,
            normal,
            outline,
            carrier,
            frame,
        }
    }

    /// Whether a bone is another one or hangs on it.
    pub(super) fn hangs_on(&self, bone: usize, ancestor: usize) -> bool {
        std::iter::successors(Some(bone), |b| self.parents[*b]).any(|b| b == ancestor)
    }

    /// The normal pose itself.
    pub(super) fn normal_pose(&self) -> Posture {
        Posture {
            turns: vec![DQuat::IDENTITY; self.normal.len()],
            moves: vec![DVec3::ZERO; self.normal.len()],
            carried: DVec3::ZERO,
            facing: DQuat::IDENTITY,
        }
    }

    /// Where one bone is in a pose: its turn and its place.
    pub(super) fn locate(&self, posture: &Posture, bone: usize) -> (DQuat, DVec3) {
        let (turn, at) = match self.parents[bone] {
            Some(p) => {
                let (turn, at) = self.locate(posture, p);
                (turn, at + turn * (self.normal[bone] - self.normal[p] + posture.moves[bone]))
            }
            None => (DQuat::IDENTITY, self.normal[bone] + posture.moves[bone]),
        };
        let own = turn * posture.turns[bone];
        if self.carrier == Some(bone) { (posture.facing * own, self.carry(posture, at)) } else { (own, at) }
    }

    /// Where the motion of the whole takes a place.
    pub(super) fn carry(&self, posture: &Posture, place: DVec3) -> DVec3 {
        let pivot = self.pivot();
        pivot + posture.facing * (place - pivot) + posture.carried
    }

    /// The point on the ground about which the whole turns.
    pub(super) fn pivot(&self) -> DVec3 {
        self.carrier.map_or(DVec3::ZERO, |c| self.normal[c].with_y(0.0))
    }

    /// Where all bones are in a pose (forward kinematics).
    pub(super) fn stance(&self, posture: &Posture) -> Stance {
        let mut turns = vec![DQuat::IDENTITY; self.normal.len()];
        let mut at = self.normal.clone();
        for &bone in &self.order {
            let (above, place) = match self.parents[bone] {
                Some(p) => {
                    (turns[p], at[p] + turns[p] * (self.normal[bone] - self.normal[p] + posture.moves[bone]))
                }
                None => (DQuat::IDENTITY, self.normal[bone] + posture.moves[bone]),
            };
            turns[bone] = (above * posture.turns[bone]).normalize();
            at[bone] = place;
            if self.carrier == Some(bone) {
                turns[bone] = (posture.facing * turns[bone]).normalize();
                at[bone] = self.carry(posture, place);
            }
        }
        Stance { turns, at }
    }

    /// Height of the lowest vertex that is known of, in metres.
    pub(super) fn lowest(&self, stance: &Stance) -> f64 {
        let of = |bone: usize| {
            let points = self.outline[bone].iter();
            points.map(move |p| (stance.at[bone] + stance.turns[bone] * *p).y)
        };
        (0..self.normal.len()).flat_map(of).fold(f64::INFINITY, f64::min)
    }

    /// A length in metres in the file's unit.
    pub(super) fn in_file(&self, metres: f64) -> f64 {
        metres / self.frame.scale
    }

    /// The clip of some poses, one every `1 / rate` seconds. Bones that stay as they are at rest have no track.
    pub(super) fn bake(&self, name: &str, rate: f64, postures: &[Posture]) -> Clip {
        let count = self.normal.len();
        let mut turns: Vec<Vec<DQuat>> = vec![Vec::with_capacity(postures.len()); count];
        let mut places: Vec<Vec<DVec3>> = vec![Vec::with_capacity(postures.len()); count];
        for posture in postures {
            for (bone, local) in self.locals(&self.stance(posture)).into_iter().enumerate() {
                turns[bone].push(local.rotation);
                places[bone].push(local.translation);
            }
        }
        let mut tracks = Vec::new();
        for (bone, (mut turns, places)) in turns.into_iter().zip(places).enumerate() {
            let rest = &self.rest[bone];
            if turns.iter().any(|q| super::clip::apart(*q, rest.rotation) > 1e-4) {
                continuous(&mut turns);
                tracks.push(Track { joint: bone, values: Values::Rotations(turns) });
            }
            let still = STILL / self.frame.scale;
            if places.iter().any(|p| p.distance(rest.translation) > still) {
                tracks.push(Track { joint: bone, values: Values::Translations(places) });
            }
        }
        let times = (0..postures.len()).map(|i| (i as f64 / rate) as f32).collect();
        Clip { name: name.to_owned(), times, tracks, morphs: Vec::new() }
    }

    /// The bones, parents in motion before children.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().copied()
    }

    /// Where the bones are that stand so in the nodes of the file.
    pub(super) fn stance_of(&self, locals: &[Local]) -> Stance {
        let to_canonical = DQuat::from_mat3(&self.frame.rotation).normalize();
        let mut world: Vec<(DQuat, DVec3)> = Vec::with_capacity(locals.len());
        for (parent, local) in self.file_parents.iter().zip(locals) {
            let (above, at) =
                parent.and_then(|p| world.get(p)).copied().unwrap_or((DQuat::IDENTITY, DVec3::ZERO));
            world.push(((above * local.rotation).normalize(), at + above * local.translation));
        }
        let rest = self.align.iter().zip(&self.world).map(|(align, rest)| *align * *rest);
        let turns =
            world.iter().zip(rest).map(|((q, _), rest)| (to_canonical * *q * rest.inverse()).normalize());
        Stance {
            turns: turns.collect(),
            at: world.iter().map(|(_, p)| self.frame.to_canonical(*p)).collect(),
        }
    }

    /// Rotations and translations as the nodes of the file have them.
    pub(super) fn locals(&self, stance: &Stance) -> Vec<Local> {
        let to_file = DQuat::from_mat3(&self.frame.rotation).normalize().inverse();
        let world: Vec<DQuat> = (0..self.normal.len())
            .map(|b| (to_file * stance.turns[b] * self.align[b] * self.world[b]).normalize())
            .collect();
        let at: Vec<DVec3> = stance.at.iter().map(|p| self.frame.to_file(*p)).collect();
        (0..world.len())
            .map(|b| match self.file_parents[b] {
                Some(p) => Local {
                    rotation: (world[p].inverse() * world[b]).normalize(),
                    translation: world[p].inverse() * (at[b] - at[p]),
                },
                None => Local { rotation: world[b], translation: at[b] },
            })
            .collect()
    }
}

/// The bones in an order in which parents come first. A bone in a ring of parents, which no reader lets pass, is left out.
fn parents_first(parents: &[Option<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut order: Vec<usize> = Vec::with_capacity(parents.len());
    for (bone, parent) in parents.iter().enumerate() {
        match parent {
            Some(p) => children[*p].push(bone),
            None => order.push(bone),
        }
    }
    let mut next = 0;
    while let Some(&bone) = order.get(next) {
        order.extend(&children[bone]);
        next += 1;
    }
    order
}

/// The vertices that follow each bone most and lie farthest in 26 directions, from the bone, in canonical space at rest.
fn outline(character: &Character, at: &[DVec3]) -> Vec<Vec<DVec3>> {
    let steps = || [-1.0, 0.0, 1.0].into_iter();
    let directions: Vec<DVec3> = steps()
        .flat_map(|x| steps().flat_map(move |y| steps().map(move |z| DVec3::new(x, y, z))))
        .filter(|d| *d != DVec3::ZERO)
        .collect();
    let mut best: Vec<Vec<(f64, DVec3)>> = vec![Vec::new(); at.len()];
    for (mesh, influences) in character.scene.meshes.iter().zip(&character.influences) {
        for (primitive, influences) in mesh.primitives.iter().zip(influences) {
            for (position, bone) in primitive.positions.iter().zip(strongest(influences)) {
                let Some(origin) = at.get(bone) else { continue };
                let p = character.frame.to_canonical(DVec3::from(position.map(f64::from))) - *origin;
                let slots = &mut best[bone];
                if slots.is_empty() {
                    slots.resize(directions.len(), (f64::NEG_INFINITY, p));
                }
                for (slot, direction) in slots.iter_mut().zip(&directions) {
                    let far = p.dot(*direction);
                    if far > slot.0 {
                        *slot = (far, p);
                    }
                }
            }
        }
    }
    best.into_iter().map(|slots| slots.into_iter().map(|(_, p)| p).collect()).collect()
}

/// The bone each vertex follows most.
fn strongest(influences: &Influences) -> impl Iterator<Item = usize> + '_ {
    influences.iter().map(|(joints, weights)| {
        let most = joints
            .iter()
            .zip(weights)
            .fold((0, 0.0), |best, (j, w)| if *w > best.1 { (*j, *w) } else { best });
        usize::from(most.0)
    })
}
