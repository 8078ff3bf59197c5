//! The procedural samples: counts, closedness, symmetry, truth, and the same bytes every time.

mod shells;

use autorig_engine::{
    Code,
    sample::{FEWEST_TRIANGLES, MOST_TRIANGLES, Sample, generate, truth},
    scene::{Format, Scene},
    skeleton::predictor::NAMES,
};
use shells::{Shells, world};

fn assert_count(scene: &Scene, wanted: usize, what: &str) {
    let count = scene.triangle_count();
    assert!(count.abs_diff(wanted) * 10 <= wanted, "{what}: {count} triangles instead of {wanted}");
}

/// Checks that hold for every sample: valid indices, unit normals, real triangles, UVs.
fn assert_sound(scene: &Scene, what: &str) {
    assert_eq!(scene.format, Format::Generated);
    for mesh in &scene.meshes {
        assert!(!mesh.name.is_empty());
        for primitive in &mesh.primitives {
            let count = primitive.positions.len();
            assert!(primitive.indices.iter().all(|i| (*i as usize) < count), "{what}: index out of range");
            assert!(primitive.material.is_some_and(|m| m < scene.materials.len()));
            assert_eq!(primitive.uvs.len(), 1);
            assert_eq!(primitive.uvs[0].len(), count);
            assert!(primitive.uvs[0].iter().flatten().all(|c| (0.0..=1.0).contains(c)), "{what}: UV outside");
            assert!(primitive.colors.iter().all(|c| c.len() == count));
            let normals = primitive.normals.as_ref().expect("normals");
            assert_eq!(normals.len(), count);
            for n in normals {
                let length = n.iter().map(|c| c * c).sum::<f32>().sqrt();
                assert!((length - 1.0).abs() < 1e-4, "{what}: normal of length {length}");
            }
        }
    }
    let (positions, triangles) = world(scene);
    for t in &triangles {
        let [p, q, r] = t.map(|i| positions[i as usize]);
        let area = (q - p).cross(r - p).length();
        let longest = p.distance_squared(q).max(q.distance_squared(r)).max(r.distance_squared(p));
        assert!(area > 1e-4 * longest, "{what}: degenerate triangle {p} {q} {r}");
    }
}

#[test]
fn every_sample_meets_the_number_of_triangles_asked_for() {
    for sample in Sample::ALL {
        for wanted in [FEWEST_TRIANGLES, 700, 1_000, 2_000, 3_000, 5_000, 9_000, 30_000, 200_000] {
            let scene = generate(sample, Some(wanted)).unwrap();
            assert_count(&scene, wanted, sample.name());
            assert_sound(&scene, &format!("{} with {wanted}", sample.name()));
        }
    }
}

#[test]
fn every_sample_has_a_number_of_its_own() {
    for (sample, own) in Sample::ALL.into_iter().zip([30_000, 12_000, 8_000, 10_000]) {
        assert_count(&generate(sample, None).unwrap(), own, sample.name());
    }
}

#[test]
fn a_number_out_of_range_is_refused_with_the_range() {
    for wanted in [0, FEWEST_TRIANGLES - 1, MOST_TRIANGLES + 1, usize::MAX] {
        let error = generate(Sample::Human, Some(wanted)).unwrap_err();
        assert_eq!(error.code, Code::InvalidOption);
        assert!(error.remedy.contains("500") && error.remedy.contains("20000000"), "{}", error.remedy);
    }
}

#[test]
fn shells_are_closed_manifolds_that_face_outwards() {
    for (sample, shells) in Sample::ALL.into_iter().zip([1, 5, 28, 1]) {
        for wanted in [500, 1_000, 4_000, 12_000, 30_000, 100_000] {
            let what = format!("{} with {wanted}", sample.name());
            let found = Shells::of(&generate(sample, Some(wanted)).unwrap(), &what);
            assert_eq!(found.count(), shells, "{what}");
            for shell in &found.list {
                assert!(shell.volume > 0.0, "{what}: a shell is inside out");
                assert_eq!(shell.euler, 2, "{what}: a shell has handles");
            }
        }
    }
}

#[test]
fn fingers_of_the_default_human_are_separate() {
    let (positions, triangles) = world(&generate(Sample::Human, None).unwrap());
    for side in [1.0, -1.0] {
        let fingers = shells::components(&triangles, |i| {
            let p = positions[i as usize];
            // Past the knuckles: the thumb ends before x = 0.80, so look for it in front of the hand.
            side * p.x > 0.815 || (side * p.x > 0.755 && p.z > 0.062)
        });
        assert_eq!(fingers, 5, "side {side}");
    }
}

#[test]
fn samples_stand_where_they_are_documented_to() {
    // Low and high corners, metres.
    let boxes = [
        ([-0.895, 0.0, -0.13], [0.895, 1.75, 0.21]),
        ([-0.43, 0.0, -0.24], [0.43, 1.20, 0.36]),
        ([-0.92, 0.0, -0.14], [0.92, 1.80, 0.19]),
        ([-0.18, 0.0, -0.86], [0.18, 1.03, 0.77]),
    ];
    for (sample, (low, high)) in Sample::ALL.into_iter().zip(boxes) {
        let (positions, _) = world(&generate(sample, None).unwrap());
        for axis in 0..3 {
            let lowest = positions.iter().map(|p| p[axis]).fold(f64::INFINITY, f64::min);
            let highest = positions.iter().map(|p| p[axis]).fold(f64::NEG_INFINITY, f64::max);
            assert!((lowest - low[axis]).abs() < 0.025, "{} axis {axis}: {lowest}", sample.name());
            assert!((highest - high[axis]).abs() < 0.025, "{} axis {axis}: {highest}", sample.name());
        }
        let feet = positions.iter().map(|p| p.y).fold(f64::INFINITY, f64::min);
        assert!(feet.abs() < 0.003, "{} stands at {feet}", sample.name());
    }
}

#[test]
fn left_and_right_mirror_each_other() {
    for sample in Sample::ALL {
        let (positions, _) = world(&generate(sample, Some(30_000)).unwrap());
        let key = |p: glam::DVec3, x: f64| [x, p.y, p.z].map(|c| (c * 500.0).round() as i64);
        let known: std::collections::HashSet<_> = positions.iter().map(|p| key(*p, p.x)).collect();
        let near = |k: [i64; 3]| {
            (-1..=1)
                .any(|x| (-1..=1).any(|y| (-1..=1).any(|z| known.contains(&[k[0] + x, k[1] + y, k[2] + z]))))
        };
        let lonely = positions.iter().filter(|p| !near(key(**p, -p.x))).count();
        // Simplified shells (the cartoon's small ones) are mirrored in shape, not vertex by vertex.
        let allowed = if sample == Sample::Cartoon { positions.len() / 3 } else { 0 };
        assert!(lonely <= allowed, "{}: {lonely} of {} have no mirror image", sample.name(), positions.len());
        let middle = positions.iter().map(|p| p.x).sum::<f64>() / positions.len() as f64;
        assert!(middle.abs() < 1e-3, "{}: middle at {middle}", sample.name());
    }
}

#[test]
fn true_joints_lie_inside_the_body() {
    for sample in [Sample::Human, Sample::Cartoon, Sample::Quadruped] {
        let (positions, triangles) = world(&generate(sample, None).unwrap());
        for joint in truth(sample) {
            let winding = shells::winding(&positions, &triangles, joint.position.into());
            assert!(winding > 0.9, "{}: {} is outside ({winding:.2})", sample.name(), joint.name);
        }
    }
}

#[test]
fn truth_lists_the_humanoid_joints_with_their_left_at_positive_x() {
    for (sample, count) in [(Sample::Human, 52), (Sample::Cartoon, 22), (Sample::Robot, 22)] {
        let joints = truth(sample);
        assert_eq!(joints.len(), count, "{}", sample.name());
        for name in NAMES {
            assert!(joints.iter().any(|j| j.name == name), "{} has no {name}", sample.name());
        }
    }
    for sample in Sample::ALL {
        let joints = truth(sample);
        for (i, joint) in joints.iter().enumerate() {
            let parent_known = |name: &String| joints[..i].iter().any(|j| j.name == *name);
            assert!(joint.parent.as_ref().map_or(i == 0, parent_known), "{}: {:?}", sample.name(), joint);
            if let Some(rest) = joint.name.strip_prefix("left") {
                let right = joints.iter().find(|j| j.name == format!("right{rest}")).expect("a right one");
                let [x, y, z] = joint.position;
                assert!(x > 0.0);
                assert_eq!(right.position, [-x, y, z]);
            }
        }
    }
}

#[test]
fn textures_are_pngs_and_vertex_colours_are_kept_in_range() {
    for sample in [Sample::Human, Sample::Cartoon, Sample::Quadruped] {
        let scene = generate(sample, Some(1_000)).unwrap();
        let textured = scene.materials.iter().filter(|m| m.base_color_texture.is_some()).count();
        assert_eq!(textured, 1, "{}", sample.name());
        for image in &scene.images {
            assert_eq!(image.mime, "image/png");
            let picture = image::load_from_memory(&image.bytes).expect("a PNG");
            assert!(picture.width() <= 1024 && image.bytes.len() < 200_000);
        }
    }
    for sample in [Sample::Cartoon, Sample::Robot] {
        let scene = generate(sample, None).unwrap();
        let colours = || scene.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| &p.colors).flatten();
        assert!(colours().count() > 0, "{}", sample.name());
        assert!(colours().flatten().all(|c| (0.0..=1.0).contains(c)), "{}", sample.name());
    }
}

#[test]
fn one_and_two_threads_give_the_same_scene() {
    let make = |sample, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        format!("{:?}", pool.install(|| generate(sample, Some(20_000)).unwrap()))
    };
    for sample in Sample::ALL {
        assert!(make(sample, 1) == make(sample, 2), "{} differs", sample.name());
    }
}

#[test]
#[ignore = "makes ten million triangles; run it in a release build"]
fn ten_million_triangles_can_be_made() {
    for sample in Sample::ALL {
        assert_count(&generate(sample, Some(10_000_000)).unwrap(), 10_000_000, sample.name());
    }
}
