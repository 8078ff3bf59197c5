//! Keyword arguments as the engine's options.

use autorig_engine::{
    JointHint, Options,
    rig::{Class, ExtraChains, Eyes, Fingers, RestPose, Symmetry},
};
use pyo3::{prelude::*, types::PyMapping};

use crate::error::usage;

/// What joints must look like.
const JOINTS: &str = "pass {name: (x, y, z)}, or a list of {\"name\": ..., \"position\": (x, y, z)}";

/// Keyword arguments that are words.
pub(crate) struct Choices<'a> {
    /// `class_`
    pub(crate) class: &'a str,
    /// `fingers`
    pub(crate) fingers: &'a str,
    /// `extra_chains`
    pub(crate) extra_chains: &'a str,
    /// `eyes`
    pub(crate) eyes: &'a str,
    /// `symmetry`
    pub(crate) symmetry: &'a str,
    /// `rest_pose`
    pub(crate) rest_pose: &'a str,
}

/// The options of a call.
pub(crate) fn options(
    choices: &Choices<'_>,
    joints: Option<&Bound<'_, PyAny>>,
    influences: i64,
    threads: Option<i64>,
) -> PyResult<Options> {
    let class = choose(
        "class_",
        choices.class,
        &[
            ("auto", Class::Auto),
            ("humanoid", Class::Humanoid),
            ("quadruped", Class::Quadruped),
            ("bird", Class::Bird),
            ("creature", Class::Creature),
            ("prop", Class::Prop),
        ],
    )?;
    let fingers = choose("fingers", choices.fingers, &[("auto", Fingers::Auto), ("none", Fingers::None)])?;
    let chains = [("auto", ExtraChains::Auto), ("none", ExtraChains::None)];
    let extra_chains = choose("extra_chains", choices.extra_chains, &chains)?;
    let eyes = choose("eyes", choices.eyes, &[("auto", Eyes::Auto), ("none", Eyes::None)])?;
    let symmetry = choose("symmetry", choices.symmetry, &[("auto", Symmetry::Auto), ("off", Symmetry::Off)])?;
    let poses = [("as_is", RestPose::AsIs), ("t_pose", RestPose::TPose)];
    let rest_pose = choose("rest_pose", choices.rest_pose, &poses)?;
    let influences = usize::try_from(influences)
        .ok()
        .filter(|number| (1..=8).contains(number))
        .ok_or_else(|| usage(format!("influences is {influences}"), "choose a number from 1 to 8"))?;
    let threads = threads
        .map(|number| {
            usize::try_from(number).ok().filter(|number| (1..=256).contains(number)).ok_or_else(|| {
                usage(format!("threads is {number}"), "choose a number from 1 to 256, or None")
            })
        })
        .transpose()?;
    let joints = joints.map(hints).transpose()?.unwrap_or_default();
    Ok(Options {
        class,
        joints,
        influences,
        fingers,
        extra_chains,
        eyes,
        symmetry,
        rest_pose,
        threads,
        ..Options::default()
    })
}

/// The value of a word, which must be one of those given.
fn choose<T: Copy>(argument: &str, word: &str, known: &[(&str, T)]) -> PyResult<T> {
    known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = known.iter().map(|(name, _)| format!("{name:?}")).collect();
        usage(format!("{argument} is {word:?}"), &format!("choose one of {}", names.join(", ")))
    })
}

/// Joints by name, or as a list like the one in a report.
fn hints(joints: &Bound<'_, PyAny>) -> PyResult<Vec<JointHint>> {
    if let Ok(by_name) = joints.cast::<PyMapping>() {
        return by_name
            .items()?
            .iter()
            .map(|item| {
                let (name, position): (String, Bound<'_, PyAny>) =
                    item.extract().map_err(|_| usage("a joint's name is no text", JOINTS))?;
                Ok(JointHint { position: point(&name, &position)?, name, parent: None })
            })
            .collect();
    }
    joints
        .try_iter()
        .map_err(|_| usage("joints is neither a mapping nor a list", JOINTS))?
        .map(|joint| hint(&joint?))
        .collect()
}

fn hint(joint: &Bound<'_, PyAny>) -> PyResult<JointHint> {
    let field = |key: &str| joint.get_item(key).ok();
    let name: String = field("name")
        .and_then(|name| name.extract().ok())
        .ok_or_else(|| usage("a joint has no name", JOINTS))?;
    let position =
        field("position").ok_or_else(|| usage(format!("the joint {name:?} has no position"), JOINTS))?;
    let parent = field("parent").and_then(|parent| parent.extract().ok());
    Ok(JointHint { position: point(&name, &position)?, name, parent })
}

/// Any three numbers in a row: a tuple, a list, a numpy array.
fn point(name: &str, position: &Bound<'_, PyAny>) -> PyResult<[f64; 3]> {
    let numbers = position.try_iter().and_then(|numbers| {
        numbers.take(4).map(|number| number?.extract::<f64>()).collect::<PyResult<Vec<_>>>()
    });
    numbers
        .ok()
        .and_then(|numbers| <[f64; 3]>::try_from(numbers).ok())
        .filter(|point| point.iter().all(|number| number.is_finite()))
        .ok_or_else(|| usage(format!("the position of {name:?} is not three finite numbers"), JOINTS))
}
