//! Whatever the geometry and the options, a rig ends, in a valid result or a typed error.
//!
//! A few cases a family run with every test. `./dev fuzz [MINUTES]` runs on; a case that fails names its seed, and
//! `AUTORIG_FUZZ_SEED=N` begins there.

use std::time::{Duration, Instant};

use autorig_engine::{
    Class, JointHint, Kind, Options, Rig, Silent,
    read::{self, Source},
    rig::{Fingers, RestPose, Symmetry},
    rig_scene,
    scene::Scene,
};

mod shapes;

use shapes::{Dice, Family};

/// Cases of a family in every run of the tests: each is a whole rig.
const CASES: u64 = 4;
/// A rig of a few thousand triangles that takes more processor time hangs. Looked at in long runs only.
const HANGS: Duration = Duration::from_secs(60);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a whole number"))
}

/// Processor time of this process, because a busy machine is no defect; where the system does not tell, time on the wall.
fn spent(since: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").ok();
    let fields = stat.as_deref().and_then(|text| text.rsplit_once(')')).map(|(_, rest)| rest);
    // User and system time, fields 14 and 15 of the whole line, in hundredths of a second.
    let ticks =
        fields.map(|rest| rest.split_whitespace().skip(11).take(2).map_while(|f| f.parse::<u64>().ok()));
    ticks.map_or_else(|| since.elapsed(), |ticks| Duration::from_millis(ticks.sum::<u64>() * 10))
}

/// Runs the family's first cases, or for `AUTORIG_FUZZ_SECONDS`.
#[expect(clippy::print_stdout, reason = "the test runner shows it when a case fails")]
fn run(family: Family) {
    let first = number("AUTORIG_FUZZ_SEED").unwrap_or(1);
    let long = number("AUTORIG_FUZZ_SECONDS").map(Duration::from_secs);
    let start = Instant::now();
    let (mut slowest, mut rigged, mut seed) = ((Duration::ZERO, first), 0, first);
    while long.map_or(seed < first + CASES, |limit| start.elapsed() < limit) {
        let before = spent(start);
        // Printed only when the case fails: it names what to repeat.
        println!("{family:?}: AUTORIG_FUZZ_SEED={seed}");
        rigged += u64::from(check(family, seed));
        let took = spent(start).saturating_sub(before);
        slowest = slowest.max((took, seed));
        assert!(long.is_none() || took < HANGS, "{family:?}: seed {seed} took {took:?}");
        seed += 1;
    }
    let (time, at) = slowest;
    println!("{family:?}: {} cases, {rigged} rigged, the slowest {time:.1?} (seed {at})", seed - first);
}

/// One case; whether it was rigged.
fn check(family: Family, seed: u64) -> bool {
    let mut dice = Dice::new(seed);
    let scene = family.scene(&mut dice);
    let options = options(&mut dice, &scene);
    match rig_scene(scene.clone(), &options, &mut Silent) {
        Err(error) => {
            let usage = error.code.kind() == Kind::Usage && !options.joints.is_empty();
            assert!(usage || error.code.kind() == Kind::Input, "{}: {error}", error.code);
            false
        }
        Ok(rig) => {
            valid(&rig, &options);
            let glb = rig.to_glb().expect("a rig can be written");
            read::read(&Source::bytes("rig.glb", glb.clone()), &options.limits).expect("and read again");
            if dice.one_in(4) {
                let other = Options { threads: Some(7), ..options };
                let again = rig_scene(scene, &other, &mut Silent).and_then(|rig| rig.to_glb());
                assert!(again.expect("it was rigged before") == glb, "other threads, other bytes");
            }
            true
        }
    }
}

fn options(dice: &mut Dice, scene: &Scene) -> Options {
    let classes = [
        Class::Auto,
        Class::Auto,
        Class::Humanoid,
        Class::Humanoid,
        Class::Quadruped,
        Class::Bird,
        Class::Creature,
        Class::Prop,
    ];
    let mut options = Options {
        class: dice.pick(&classes),
        influences: dice.pick(&[4, 4, 1, 2, 8]),
        fingers: dice.pick(&[Fingers::Auto, Fingers::None]),
        symmetry: dice.pick(&[Symmetry::Auto, Symmetry::Off]),
        rest_pose: dice.pick(&[RestPose::AsIs, RestPose::TPose]),
        threads: Some(1 + dice.below(3)),
        ..Options::default()
    };
    if dice.one_in(3) {
        let names = ["hips", "head", "leftHand", "rightFoot", "leftIndexDistal", "jaw", "mixamorig:LeftLeg"];
        let positions: Vec<[f32; 3]> = scene
            .meshes
            .iter()
            .flat_map(|m| &m.primitives)
            .flat_map(|p| p.positions.iter().copied())
            .collect();
        for name in &names[..dice.below(names.len() + 1)] {
            let position = positions.get(dice.below(positions.len())).map_or([1e30; 3], |p| p.map(f64::from));
            options.joints.push(JointHint { name: (*name).to_owned(), parent: None, position });
        }
    }
    options
}

fn valid(rig: &Rig, options: &Options) {
    let joints = &rig.skeleton.joints;
    assert!(!joints.is_empty());
    for (j, joint) in joints.iter().enumerate() {
        assert!(joint.position.is_finite(), "{} is nowhere", joint.name);
        assert!((0.0..=1.0).contains(&joint.confidence), "{}: {}", joint.name, joint.confidence);
        assert_eq!(joint.parent.is_none(), j == 0, "one root");
        assert!(joint.parent.is_none_or(|parent| parent < j), "parents come first");
        assert!(joints[..j].iter().all(|other| other.name != joint.name), "{} twice", joint.name);
    }
    for confidence in [rig.report.confidence, rig.report.class_confidence, rig.report.orientation.confidence]
    {
        assert!((0.0..=1.0).contains(&confidence), "{confidence}");
    }
    for (mesh, influences) in rig.scene.meshes.iter().zip(&rig.influences) {
        for (primitive, influences) in mesh.primitives.iter().zip(influences) {
            assert_eq!(influences.per_vertex, options.influences);
            assert_eq!(influences.weights.len(), primitive.positions.len() * options.influences);
            for (of, weights) in influences.iter() {
                assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{weights:?}");
                assert!(weights.iter().all(|weight| (0.0..=1.0).contains(weight)), "{weights:?}");
                assert!(of.iter().all(|joint| usize::from(*joint) < joints.len()));
            }
        }
    }
}

#[test]
fn any_things_are_rigged_or_refused() {
    run(Family::Things);
}

#[test]
fn any_rubbish_is_rigged_or_refused() {
    run(Family::Rubbish);
}

#[test]
fn distorted_characters_are_rigged_or_refused() {
    run(Family::Characters);
}
