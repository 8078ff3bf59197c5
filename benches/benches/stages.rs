//! Cost against triangle count: each stage of a rig, and the whole, on the same human in growing detail.

use std::time::{Duration, Instant};

use autorig_benches::{drag_elbow, dragging, human_glb, timed_rig};
use autorig_engine::{Limits, Silent, Stage, read};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TRIANGLES: [usize; 7] = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
/// Above this only the whole rig is timed: every stage's own benchmark runs the whole rig again.
const LARGEST_BY_STAGE: usize = 100_000;

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rig");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5));
    for triangles in TRIANGLES {
        let glb = human_glb(triangles).expect("a sample of this size");
        group.throughput(Throughput::Elements(triangles as u64));
        group.bench_with_input(BenchmarkId::from_parameter(triangles), &glb, |bencher, glb| {
            bencher.iter_custom(|times| {
                let start = Instant::now();
                for _ in 0..times {
                    timed_rig(glb).expect("the sample rigs");
                }
                start.elapsed()
            });
        });
    }
    group.finish();
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stage");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    for triangles in TRIANGLES.into_iter().filter(|count| *count <= LARGEST_BY_STAGE) {
        let glb = human_glb(triangles).expect("a sample of this size");
        group.throughput(Throughput::Elements(triangles as u64));
        for stage in Stage::RIG {
            group.bench_with_input(BenchmarkId::new(stage.as_str(), triangles), &glb, |bencher, glb| {
                bencher.iter_custom(|times| {
                    (0..times)
                        .map(|_| {
                            let (_, spent) = timed_rig(glb).expect("the sample rigs");
                            spent.get(&stage).copied().unwrap_or_default()
                        })
                        .sum()
                });
            });
        }
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.sample_size(20);
    for triangles in TRIANGLES {
        let source = read::Source::bytes("human.glb", human_glb(triangles).expect("a sample of this size"));
        group.throughput(Throughput::Bytes(source.bytes.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(triangles), &source, |bencher, source| {
            bencher.iter(|| read::read(source, &Limits::default()).expect("the sample reads"));
        });
    }
    group.finish();
}

/// One joint dragged, all weights made anew: what a user waits for.
fn moving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("move_joint");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(3));
    for triangles in TRIANGLES.into_iter().filter(|count| *count <= LARGEST_BY_STAGE) {
        let source = read::Source::bytes("human.glb", human_glb(triangles).expect("a sample of this size"));
        let mut session = dragging(&source).expect("the sample rigs");
        let skeleton = session.rig(&mut Silent).expect("the sample rigs").skeleton;
        group.throughput(Throughput::Elements(triangles as u64));
        group.bench_function(BenchmarkId::from_parameter(triangles), |bencher| {
            let mut step = 0;
            bencher.iter(|| {
                step = step % 20 + 1;
                drag_elbow(&mut session, &skeleton, step).expect("the sample rigs")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole, moving, stages, reading);
criterion_main!(benches);
