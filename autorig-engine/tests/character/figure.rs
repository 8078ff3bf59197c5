//! Characters with bones and weights, made without the engine's own rigging.

use autorig_engine::{
    Character, Limits,
    analyse::Frame,
    character::Bone,
    motion::{Clip, Track, Values},
    sample::{self, Sample},
    scene::Influences,
};
use glam::{DMat3, DMat4, DQuat, DVec3};

/// A sample with the skeleton it was built around; every vertex follows the two nearest bones.
pub(crate) fn figure(kind: Sample) -> Character {
    let scene = sample::generate(kind, Some(2_000)).unwrap().flatten(&Limits::default()).unwrap();
    let truth = sample::truth(kind);
    let bones: Vec<Bone> = truth
        .iter()
        .map(|j| Bone {
            name: j.name.clone(),
            parent: j.parent.as_ref().map(|p| truth.iter().position(|t| t.name == *p).unwrap()),
            rest: DMat4::from_translation(DVec3::from(j.position)),
            canonical: Some(j.name.clone()),
        })
        .collect();
    let influences = scene
        .meshes
        .iter()
        .map(|m| m.primitives.iter().map(|p| nearest(&bones, &p.positions)).collect())
        .collect();
    let frame = Frame { rotation: DMat3::IDENTITY, scale: 1.0, origin: DVec3::ZERO };
    let turns = [0.0, 0.4, 0.9].map(DQuat::from_rotation_x).to_vec();
    let leg = bones.iter().position(|b| b.name == "leftUpperLeg" || b.name.contains("Leg")).unwrap();
    let places = [0.0, 0.1, 0.0].map(|y| bones[0].position() + DVec3::new(0.3 * y, y, 0.0)).to_vec();
    let clip = Clip {
        name: "step".to_owned(),
        times: vec![0.0, 0.5, 1.0],
        morphs: Vec::new(),
        tracks: vec![
            Track { joint: leg, values: Values::Rotations(turns) },
            Track { joint: 0, values: Values::Translations(places) },
        ],
    };
    Character { scene, bones, influences, clips: vec![clip], frame }
}

fn nearest(bones: &[Bone], positions: &[[f32; 3]]) -> Influences {
    let segments: Vec<(usize, DVec3, DVec3)> = (0..bones.len())
        .flat_map(|b| {
            let at = bones[b].position();
            let children: Vec<DVec3> =
                bones.iter().filter(|c| c.parent == Some(b)).map(Bone::position).collect();
            let ends = if children.is_empty() { vec![at] } else { children };
            ends.into_iter().map(move |end| (b, at, end))
        })
        .collect();
    let mut out = Influences { per_vertex: 2, ..Influences::default() };
    for p in positions {
        let p = DVec3::from(p.map(f64::from));
        let mut near: Vec<(f64, usize)> = segments
            .iter()
            .map(|(b, a, e)| {
                let along = *e - *a;
                let t = ((p - *a).dot(along) / along.length_squared().max(1e-12)).clamp(0.0, 1.0);
                (p.distance(*a + along * t), *b)
            })
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let first = near[0];
        let second = near.iter().copied().find(|n| n.1 != first.1).unwrap_or(first);
        let (a, b) = (1.0 / (first.0 * first.0 + 1e-6), 1.0 / (second.0 * second.0 + 1e-6));
        out.joints.extend([first.1 as u16, second.1 as u16]);
        out.weights.extend([(a / (a + b)) as f32, (b / (a + b)) as f32]);
    }
    out
}

/// The figure with its arms hanging by so many degrees, as its bind pose.
pub(crate) fn with_lowered_arms(degrees: f64) -> Character {
    let mut figure = figure(Sample::Human);
    let turn = |c: &Character, joint: &str, angle: f64| {
        (c.find(joint).unwrap(), DQuat::from_rotation_z(angle.to_radians()))
    };
    let turns = [turn(&figure, "leftUpperArm", -degrees), turn(&figure, "rightUpperArm", degrees)];
    let matrices = figure.turned(&turns);
    let moved = figure.deformed(&matrices);
    for (bone, matrix) in figure.bones.iter_mut().zip(&matrices) {
        bone.rest = DMat4::from_translation(matrix.transform_point3(bone.position()));
    }
    for (mesh, points) in figure.scene.meshes.iter_mut().zip(moved) {
        for (primitive, points) in mesh.primitives.iter_mut().zip(points) {
            primitive.positions = points.iter().map(|p| p.to_array().map(|x| x as f32)).collect();
        }
    }
    figure
}

/// The same character in a file of another unit and other axes, away from the origin.
pub(crate) fn elsewhere(character: &Character) -> Character {
    let turn = DQuat::from_rotation_x(1.57) * DQuat::from_rotation_y(0.4);
    let (scale, shift) = (100.0, DVec3::new(30.0, -20.0, 5.0));
    let map = |p: DVec3| turn * p * scale + shift;
    let mut out = character.clone();
    for p in out.scene.meshes.iter_mut().flat_map(|m| &mut m.primitives).flat_map(|p| &mut p.positions) {
        *p = map(DVec3::from(p.map(f64::from))).to_array().map(|x| x as f32);
    }
    for bone in &mut out.bones {
        bone.rest = DMat4::from_translation(map(bone.position())) * DMat4::from_quat(turn);
    }
    for track in out.clips.iter_mut().flat_map(|c| &mut c.tracks) {
        let top = out.bones[track.joint].parent.is_none();
        match &mut track.values {
            Values::Rotations(all) if top => all.iter_mut().for_each(|q| *q = turn * *q),
            Values::Rotations(_) => {}
            Values::Translations(all) if top => all.iter_mut().for_each(|v| *v = map(*v)),
            Values::Translations(all) => all.iter_mut().for_each(|v| *v *= scale),
        }
    }
    out.frame = Frame { rotation: DMat3::from_quat(turn).transpose(), scale: 1.0 / scale, origin: shift };
    out
}

/// Every vertex, in canonical space, after turns of canonical joints about canonical axes.
pub(crate) fn turned(character: &Character, turns: &[(&str, DVec3)]) -> Vec<DVec3> {
    let axes = character.frame.rotation.transpose();
    let turns: Vec<(usize, DQuat)> = turns
        .iter()
        .map(|(joint, v)| (character.find(joint).unwrap(), DQuat::from_scaled_axis(axes * *v)))
        .collect();
    let points = character.deformed(&character.turned(&turns));
    points.into_iter().flatten().flatten().map(|p| character.frame.to_canonical(p)).collect()
}

/// Bone to world at a keyframe of the first clip, in canonical space: where each canonical joint is.
pub(crate) fn joints_at_key(character: &Character, key: usize) -> Vec<(String, DVec3)> {
    let mut locals = character.locals();
    for track in &character.clips[0].tracks {
        let (_, mut turn, mut place) = locals[track.joint].to_scale_rotation_translation();
        match &track.values {
            Values::Rotations(v) => turn = v[key],
            Values::Translations(v) => place = v[key],
        }
        locals[track.joint] = DMat4::from_rotation_translation(turn, place);
    }
    let posed = character.posed(&locals);
    let named = character.bones.iter().zip(posed).filter_map(|(b, m)| Some((b.canonical.clone()?, b, m)));
    named.map(|(n, b, m)| (n, character.frame.to_canonical(m.transform_point3(b.position())))).collect()
}
