//! What the benchmarks share: characters of a wished size, and a clock for each stage of a rig.
//!
//! `./dev bench stages` runs them; `./dev bench rig` measures quality instead.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use autorig_engine::{Options, Progress, Result, Rig, Stage, read::Source, rig, sample, write};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_of_a_rig_is_timed() {
        let (rig, spent) = timed_rig(&human_glb(2_000).unwrap()).unwrap();
        assert!(rig.report.input.triangles > 1_000);
        assert_eq!(spent.keys().copied().collect::<Vec<_>>(), Stage::ALL);
    }
}
