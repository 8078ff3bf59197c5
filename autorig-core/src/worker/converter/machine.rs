//! What is known of a converter machine, and which one gets the next job: pure, so that it is tested without
//! a network.

use std::time::Duration;

use super::protocol::QueueAnswer;
use crate::clock::Time;

/// Failures in a row after which a machine is left alone.
const FAILURES: u32 = 3;
/// The first rest; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_secs(10);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(300);
/// Weight of the newest job in the measured speed.
const NEWEST: f64 = 0.3;
/// What a job is thought to take on a machine that has not done one.
const UNKNOWN_SECONDS: f64 = 30.0;

/// Keeps a failing machine from getting work: after three in a row it rests, then one probe decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circuit {
    failures: u32,
    /// How often it has rested without a success in between.
    rests: u32,
    open_until: Option<Time>,
}

impl Circuit {
    /// Something worked.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Something failed that a working machine would have done.
    pub fn failed(&mut self, now: Time) {
        self.failures += 1;
        // One failure after a rest is enough for the next.
        if self.failures >= FAILURES || (self.rests > 0 && !self.is_open(now)) {
            let rest = FIRST_REST * 2_u32.saturating_pow(self.rests.min(16));
            self.open_until = Some(now + rest.min(LONGEST_REST));
            self.rests += 1;
            self.failures = 0;
        }
    }

    /// True while it gets nothing, not even a probe.
    pub fn is_open(&self, now: Time) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }

    /// True until a probe has succeeded: no work yet.
    pub fn is_suspect(&self) -> bool {
        self.open_until.is_some()
    }
}

/// One machine as the pool sees it.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// What it last said; `None` while it does not answer.
    pub queue: Option<QueueAnswer>,
    /// Whether it is left alone.
    pub circuit: Circuit,
    /// Jobs of ours that it has.
    pub ours: u32,
    /// Mean seconds of a job, measured by us.
    pub seconds: Option<f64>,
    /// It gets nothing new.
    pub draining: bool,
}

/// What a job needs of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs<'a> {
    /// The kind of the task.
    pub kind: &'a str,
    /// The input's format, by its file extension in small letters; the pool turns FBX into GLB first where a
    /// machine cannot read it.
    pub format: &'a str,
    /// The machine that began it.
    pub machine: Option<&'a str>,
}

impl Machine {
    /// It answers and works.
    pub fn is_online(&self) -> bool {
        self.queue.is_some() && !self.circuit.is_suspect()
    }

    /// How many more jobs it takes now.
    pub fn free(&self) -> u32 {
        match &self.queue {
            Some(queue) if self.is_online() && !self.draining => {
                // Jobs of others count as well; ours may not be in its last word yet.
                let busy = queue.active.saturating_add(queue.queued).max(self.ours);
                queue.max_concurrent.saturating_sub(busy)
            }
            _ => 0,
        }
    }

    /// A job of ours has ended well after so long.
    pub fn measured(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.seconds = Some(self.seconds.map_or(seconds, |mean| mean + NEWEST * (seconds - mean)));
    }

    /// When one more job would be done, in seconds from now: its load, weighted by its speed.
    fn expected(&self, queue: &QueueAnswer) -> f64 {
        let seconds = self.seconds.or(queue.avg_seconds).filter(|s| s.is_finite() && *s > 0.0);
        let busy = f64::from(queue.active.saturating_add(queue.queued).max(self.ours));
        let places = f64::from(queue.max_concurrent.max(1));
        seconds.unwrap_or(UNKNOWN_SECONDS) * (busy / places + 1.0)
    }

    fn can(&self, needs: &Needs<'_>, queue: &QueueAnswer) -> bool {
        let has = |list: &Option<Vec<String>>, wanted: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|one| one.eq_ignore_ascii_case(wanted)))
        };
        let format = if needs.format == "fbx" { "glb" } else { needs.format };
        has(&queue.kinds, needs.kind) && (has(&queue.formats, format) || has(&queue.formats, needs.format))
    }
}

/// Which machine gets the job: the one that began it, as long as it is there; else, of those with a free place
/// that can do it, the one that is expected to be done first; the earlier of two equals.
pub fn choose<'a>(machines: &'a [(String, Machine)], needs: &Needs<'_>) -> Option<&'a str> {
    let able = |(_, machine): &&(String, Machine)| {
        machine.queue.as_ref().is_some_and(|queue| machine.free() > 0 && machine.can(needs, queue))
    };
    if let Some(began) = needs.machine
        && let Some((name, _)) = machines.iter().find(|(name, machine)| name == began && machine.is_online())
    {
        return Some(name);
    }
    let expected =
        |machine: &Machine| machine.queue.as_ref().map_or(f64::MAX, |queue| machine.expected(queue));
    machines
        .iter()
        .filter(able)
        .min_by(|(_, a), (_, b)| expected(a).total_cmp(&expected(b)))
        .map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn now() -> Time {
        DateTime::from_timestamp(1_000_000, 0).unwrap()
    }

    fn queue(active: u32, max_concurrent: u32, avg_seconds: f64) -> QueueAnswer {
        QueueAnswer { active, max_concurrent, avg_seconds: Some(avg_seconds), ..QueueAnswer::default() }
    }

    fn machines(queues: &[Option<QueueAnswer>]) -> Vec<(String, Machine)> {
        let machine = |queue: &Option<QueueAnswer>| Machine { queue: queue.clone(), ..Machine::default() };
        queues.iter().enumerate().map(|(n, queue)| (n.to_string(), machine(queue))).collect()
    }

    const GLB: Needs<'static> = Needs { kind: "rig", format: "glb", machine: None };

    #[test]
    fn of_equals_the_least_loaded_gets_the_job() {
        let all = machines(&[Some(queue(3, 4, 10.0)), Some(queue(1, 4, 10.0)), Some(queue(2, 4, 10.0))]);
        assert_eq!(choose(&all, &GLB), Some("1"));
    }

    #[test]
    fn a_fast_machine_may_be_busier_than_a_slow_one() {
        let all = machines(&[Some(queue(0, 4, 60.0)), Some(queue(3, 4, 10.0))]);
        assert_eq!(choose(&all, &GLB), Some("1"));
        let mut measured = all;
        measured[1].1.seconds = Some(90.0);
        assert_eq!(choose(&measured, &GLB), Some("0"));
    }

    #[test]
    fn full_silent_draining_and_broken_machines_get_nothing() {
        let mut all =
            machines(&[Some(queue(4, 4, 1.0)), None, Some(queue(0, 4, 1.0)), Some(queue(0, 4, 1.0))]);
        all[2].1.draining = true;
        (0..FAILURES).for_each(|_| all[3].1.circuit.failed(now()));
        assert_eq!(choose(&all, &GLB), None);
        assert_eq!(all.iter().map(|(_, machine)| machine.free()).sum::<u32>(), 0);
    }

    #[test]
    fn a_job_that_was_begun_goes_on_where_it_was() {
        let all = machines(&[Some(queue(0, 4, 1.0)), Some(queue(4, 4, 1.0))]);
        assert_eq!(choose(&all, &Needs { machine: Some("1"), ..GLB }), Some("1"));
        let gone = machines(&[Some(queue(0, 4, 1.0)), None]);
        assert_eq!(choose(&gone, &Needs { machine: Some("1"), ..GLB }), Some("0"));
    }

    #[test]
    fn a_machine_gets_only_what_it_says_it_can() {
        let only = |kinds: &[&str], formats: &[&str]| {
            let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
            machines(&[Some(QueueAnswer { kinds: list(kinds), formats: list(formats), ..queue(0, 1, 1.0) })])
        };
        assert_eq!(choose(&only(&["rig"], &["glb"]), &GLB), Some("0"));
        assert_eq!(choose(&only(&["video"], &["glb"]), &GLB), None);
        assert_eq!(choose(&only(&["rig"], &["glb"]), &Needs { format: "obj", ..GLB }), None);
        // FBX becomes GLB before.
        assert_eq!(choose(&only(&["rig"], &["glb"]), &Needs { format: "fbx", ..GLB }), Some("0"));
    }

    #[test]
    fn our_own_jobs_count_before_the_machine_has_told_of_them() {
        let mut all = machines(&[Some(queue(0, 2, 1.0))]);
        all[0].1.ours = 2;
        assert_eq!(choose(&all, &GLB), None);
    }

    #[test]
    fn a_machine_rests_after_three_failures_longer_each_time_and_one_probe_decides() {
        let mut circuit = Circuit::default();
        let mut at = now();
        circuit.failed(at);
        circuit.failed(at);
        assert!(!circuit.is_suspect());
        for rest in [10, 20, 40, 80, 160, 300, 300] {
            circuit.failed(at);
            assert!(circuit.is_open(at + TimeDelta::seconds(rest - 1)), "{rest}");
            at += TimeDelta::seconds(rest);
            assert!(!circuit.is_open(at) && circuit.is_suspect(), "{rest}");
        }
        circuit.succeeded();
        assert_eq!(circuit, Circuit::default());
    }

    #[test]
    fn speed_follows_the_newest_jobs() {
        let mut machine = Machine::default();
        machine.measured(Duration::from_secs(10));
        assert_eq!(machine.seconds, Some(10.0));
        (0..20).for_each(|_| machine.measured(Duration::from_secs(20)));
        assert!((machine.seconds.unwrap() - 20.0).abs() < 0.1);
    }
}
