//! What the benchmarks share: characters of a wished size, and a clock for each stage of a rig.
//!
//! `./dev bench stages` runs them; `./dev bench rig` measures quality instead.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use autorig_engine::{
    Code, Error, Options, Progress, Result, Rig, Session, Silent, Stage,
    read::{self, Source},
    rig, sample,
    skeleton::Skeleton,
    write,
};

/// A human of about this many triangles, as the GLB a user would send.
///
/// # Errors
/// Those of the engine's generator and writer.
pub fn human_glb(triangles: usize) -> Result<Vec<u8>> {
    write::scene_glb(&sample::generate(sample::Sample::Human, Some(triangles))?)
}

/// Adds up the time between one stage's first word and the next one's.
#[derive(Debug)]
pub struct StageClock {
    current: Option<(Stage, Instant)>,
    spent: BTreeMap<Stage, Duration>,
}

impl StageClock {
    /// A clock that starts with `first`.
    #[must_use]
    pub fn start(first: Stage) -> Self {
        Self { current: Some((first, Instant::now())), spent: BTreeMap::new() }
    }

    /// What each stage took.
    #[must_use]
    pub fn stop(mut self) -> BTreeMap<Stage, Duration> {
        self.close();
        self.spent
    }

    fn close(&mut self) {
        if let Some((stage, since)) = self.current.take() {
            *self.spent.entry(stage).or_default() += since.elapsed();
        }
    }
}

impl Progress for StageClock {
    fn report(&mut self, stage: Stage, _fraction: f32) {
        if self.current.is_none_or(|(current, _)| current != stage) {
            self.close();
            self.current = Some((stage, Instant::now()));
        }
    }
}

/// Rigs a file from bytes to bytes and says what each stage took; `export` includes writing the GLB.
///
/// # Errors
/// Those of [`rig()`](autorig_engine::rig()).
pub fn timed_rig(glb: &[u8]) -> Result<(Rig, BTreeMap<Stage, Duration>)> {
    let source = Source::bytes("human.glb", glb.to_vec());
    let mut clock = StageClock::start(Stage::Read);
    let rig = rig(&source, &Options::default(), &mut clock)?;
    clock.report(Stage::Export, 1.0);
    let written = rig.to_glb()?;
    std::hint::black_box(written);
    Ok((rig, clock.stop()))
}

/// A session with its first rig made, as a user has it who begins to drag joints.
///
/// # Errors
/// Those of [`rig()`](autorig_engine::rig()).
pub fn dragging(source: &Source) -> Result<Session> {
    let options = Options::default();
    let scene = read::read(source, &options.limits)?;
    let mut session = Session::new(scene, &options, &mut Silent)?;
    session.rig(&mut Silent)?;
    Ok(session)
}

/// Puts the left elbow `step` hundredths of its upper arm further and rigs again, weights and all.
///
/// # Errors
/// Those of [`rig()`](autorig_engine::rig()); `internal` when the character has no arms.
pub fn drag_elbow(session: &mut Session, skeleton: &Skeleton, step: usize) -> Result<Rig> {
    let at = |name: &str| {
        let found = skeleton.find(name).map(|joint| skeleton.joints[joint].position);
        found.ok_or_else(|| Error::new(Code::Internal, format!("the character has no {name}")))
    };
    let (shoulder, elbow) = (at("leftUpperArm")?, at("leftLowerArm")?);
    let moved = elbow + (elbow - shoulder) * (0.01 * step as f64);
    session.move_joint("leftLowerArm", moved.to_array())?;
    session.rig(&mut Silent)
}

/// What each of `times` drags of an elbow takes, in seconds.
///
/// # Errors
/// Those of [`drag_elbow`].
pub fn elbow_moves(source: &Source, times: usize) -> Result<Vec<f64>> {
    let mut session = dragging(source)?;
    let skeleton = session.rig(&mut Silent)?.skeleton;
    (1..=times)
        .map(|step| {
            let start = Instant::now();
            std::hint::black_box(drag_elbow(&mut session, &skeleton, step)?);
            Ok(start.elapsed().as_secs_f64())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_of_a_rig_is_timed() {
        let (rig, spent) = timed_rig(&human_glb(2_000).unwrap()).unwrap();
        assert!(rig.report.input.triangles > 1_000);
        assert_eq!(spent.keys().copied().collect::<Vec<_>>(), Stage::RIG);
    }

    #[test]
    fn a_dragged_elbow_is_rigged_again_each_time() {
        let source = Source::bytes("human.glb", human_glb(1_000).unwrap());
        assert_eq!(elbow_moves(&source, 2).unwrap().len(), 2);
    }
}
