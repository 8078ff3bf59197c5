use glam::{DMat3, DMat4, DVec3};

use super::*;
use crate::{
    Limits,
    analyse::Frame,
    character::Bone,
    sample::{self, Sample},
    scene::{Influences, Morph},
};

/// A made-up human with bones along the vertical, weights running smoothly from one to the next, and a morph target.
fn character(triangles: usize) -> Character {
    let scene = sample::generate(Sample::Human, Some(triangles)).unwrap();
    let mut scene = scene.flatten(&Limits::default()).unwrap();
    let heights = [0.0, 0.5, 1.0, 1.5];
    let mut influences = Vec::new();
    for mesh in &mut scene.meshes {
        mesh.morph_names = vec!["wide".to_owned()];
        mesh.morph_weights = vec![0.0];
        let mut own = Vec::new();
        for primitive in &mut mesh.primitives {
            let wide = primitive.positions.iter().map(|p| [p[0] * 0.1, 0.0, 0.0]).collect();
            primitive.morphs = vec![Morph { positions: wide, ..Morph::default() }];
            let (mut joints, mut weights) = (Vec::new(), Vec::new());
            for p in &primitive.positions {
                let at = (p[1] / 0.5).clamp(0.0, 2.999);
                joints.extend([at as u16, at as u16 + 1]);
                weights.extend([1.0 - at.fract(), at.fract()]);
            }
            own.push(Influences { per_vertex: 2, joints, weights });
        }
        influences.push(own);
    }
    let bone = |(i, y): (usize, &f64)| Bone {
        name: format!("bone{i}"),
        parent: i.checked_sub(1),
        rest: DMat4::from_translation(DVec3::Y * *y),
        canonical: None,
    };
    let bones = heights.iter().enumerate().map(bone).collect();
    let frame = Frame { rotation: DMat3::IDENTITY, scale: 1.0, origin: DVec3::ZERO };
    Character { scene, bones, influences, clips: Vec::new(), frame }
}

fn bits(p: [f32; 3]) -> [u32; 3] {
    p.map(f32::to_bits)
}

#[test]
fn the_budget_is_kept_and_not_wasted() {
    let character = character(6_000);
    for target in [4_000, 1_500, 300, FEWEST] {
        let (level, report) = simplify(&character, target).unwrap();
        assert!(report.triangles <= target, "{report:?}");
        assert!(report.triangles * 10 >= target * 7, "{report:?}");
        assert_eq!(level.scene.triangle_count(), report.triangles);
        assert_eq!(report.triangles_before, character.scene.triangle_count());
    }
}

#[test]
fn every_vertex_is_an_original_one_with_its_weights_uvs_and_morphs() {
    let character = character(5_000);
    let (level, _) = simplify(&character, 1_000).unwrap();
    let (whole, part) = (&character.scene.meshes[0].primitives[0], &level.scene.meshes[0].primitives[0]);
    let (all, kept) = (&character.influences[0][0], &level.influences[0][0]);
    let mut from = 0;
    for vertex in 0..part.positions.len() {
        // Kept in order, so each is found after the one before.
        from += whole.positions[from..]
            .iter()
            .zip(&whole.uvs[0][from..])
            .position(|(p, uv)| bits(*p) == bits(part.positions[vertex]) && *uv == part.uvs[0][vertex])
            .expect("not a vertex of the original");
        assert_eq!(whole.morphs[0].positions[from], part.morphs[0].positions[vertex]);
        assert_eq!(all.weights[from * 2..from * 2 + 2], kept.weights[vertex * 2..vertex * 2 + 2]);
        assert_eq!(all.joints[from * 2..from * 2 + 2], kept.joints[vertex * 2..vertex * 2 + 2]);
        from += 1;
    }
    assert_eq!(kept.weights.len(), part.positions.len() * 2);
    assert!(part.indices.iter().all(|i| (*i as usize) < part.positions.len()));
}

#[test]
fn the_deviation_grows_as_triangles_go_and_is_nothing_where_none_do() {
    let character = character(6_000);
    let (same, none) = simplify(&character, 1_000_000).unwrap();
    assert_eq!(same.scene.vertex_count(), character.scene.vertex_count());
    assert!(none.deviation.max < 1e-4 && none.deviation.weight_max < 1e-4, "{none:?}");
    let (_, fine) = simplify(&character, 3_000).unwrap();
    let (_, coarse) = simplify(&character, 300).unwrap();
    assert!(fine.deviation.mean < 0.1 && fine.deviation.max < 2.0, "{fine:?}");
    assert!(coarse.deviation.mean > fine.deviation.mean * 3.0, "{fine:?} {coarse:?}");
    assert!(fine.deviation.weight_mean < 0.01 && fine.deviation.weight_mean < coarse.deviation.weight_mean);
}

#[test]
fn a_missing_limb_shows_in_the_deviation() {
    let character = character(3_000);
    let mut armless = character.clone();
    let primitive = &mut armless.scene.meshes[0].primitives[0];
    let near = |t: &&[u32]| t.iter().all(|v| primitive.positions[*v as usize][0].abs() < 0.5);
    primitive.indices = primitive.indices.chunks_exact(3).filter(near).flatten().copied().collect();
    let deviation = compare(&character, &armless).unwrap();
    // The arms of this one reach 0.88 m from the middle: 0.38 m are missing of 1.75 m.
    assert!((15.0..30.0).contains(&deviation.max), "{}", deviation.max);
}

#[test]
fn weights_of_other_bones_show_in_the_deviation_whatever_their_order() {
    let character = character(2_000);
    let mut renamed = character.clone();
    renamed.bones.reverse();
    let last = character.bones.len() as u16 - 1;
    renamed.influences[0][0].joints.iter_mut().for_each(|j| *j = last - *j);
    assert!(compare(&character, &renamed).unwrap().weight_max < 1e-6);
    renamed.influences[0][0].joints.iter_mut().for_each(|j| *j = last - *j);
    assert!(compare(&character, &renamed).unwrap().weight_mean > 0.5);
}

#[test]
fn a_mesh_split_at_every_edge_is_reduced_all_the_same() {
    let mut character = character(3_000);
    let primitive = &mut character.scene.meshes[0].primitives[0];
    let influences = &mut character.influences[0][0];
    let corners = primitive.indices.clone();
    primitive.positions = corners.iter().map(|i| primitive.positions[*i as usize]).collect();
    primitive.morphs.clear();
    primitive.uvs.clear();
    primitive.tangents = None;
    let flat = |t: &[[f32; 3]]| {
        let [a, b, c] = [t[0], t[1], t[2]].map(glam::Vec3::from);
        [(b - a).cross(c - a).normalize_or_zero().to_array(); 3]
    };
    primitive.normals = Some(primitive.positions.chunks_exact(3).flat_map(flat).collect());
    let places = || corners.iter().flat_map(|i| [*i as usize * 2, *i as usize * 2 + 1]);
    influences.weights = places().map(|i| influences.weights[i]).collect();
    influences.joints = places().map(|i| influences.joints[i]).collect();
    primitive.indices = (0..corners.len() as u32).collect();
    let (_, report) = simplify(&character, 800).unwrap();
    assert!(report.method != Method::Sloppy && report.triangles <= 800, "{report:?}");
    assert!(report.deviation.mean < 0.3 && report.deviation.max < 6.0, "{report:?}");
}

#[test]
fn a_level_is_the_same_every_time() {
    let character = character(4_000);
    let level = || simplify(&character, 700).unwrap();
    let (a, b) = (level(), level());
    assert_eq!(a.1, b.1);
    assert_eq!(a.0.scene.meshes[0].primitives[0].indices, b.0.scene.meshes[0].primitives[0].indices);
}

#[test]
fn budgets_that_no_level_can_keep_are_refused_and_needless_levels_not_named() {
    let character = character(2_000);
    assert_eq!(simplify(&character, 3).unwrap_err().code, Code::InvalidOption);
    assert!(levels_below(&character.scene).is_empty());
    let mut scene = character.scene;
    scene.meshes[0].primitives[0].indices = [0, 1, 2].repeat(60_000);
    assert_eq!(levels_below(&scene), [("lod_50k", 50_000), ("lod_10k", 10_000)]);
}
