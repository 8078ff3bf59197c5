//! Everything a rig is delivered as, in one go.

use std::{collections::BTreeMap, io::Read};

use autorig_engine::{
    Code, Error, Options, Report, Result, Stage,
    deliver::{self, Output, Plan},
    profile::check,
    read::{Source, read},
    sample::Sample,
    write,
};
use zip::ZipArchive;

use crate::scene;

/// Keeps what is made.
#[derive(Default)]
struct Kept {
    order: Vec<Output>,
    files: BTreeMap<Output, Vec<u8>>,
    stages: Vec<Stage>,
    furthest: f32,
    stop_at: Option<Stage>,
}

impl deliver::Sink for Kept {
    fn file(&mut self, output: Output, bytes: Vec<u8>) -> Result<()> {
        self.order.push(output);
        self.files.insert(output, bytes);
        Ok(())
    }

    fn report(&mut self, stage: Stage, fraction: f32) {
        assert!(fraction >= self.furthest, "{} fell to {fraction}", stage.as_str());
        self.furthest = fraction;
        if self.stages.last() != Some(&stage) {
            self.stages.push(stage);
        }
    }

    fn cancelled(&self) -> bool {
        self.stop_at.is_some() && self.stages.last() == self.stop_at.as_ref()
    }
}

fn source(sample: Sample) -> Source {
    Source::bytes("hero.glb", write::scene_glb(&scene(sample)).unwrap())
}

fn delivered(sample: Sample, plan: &Plan, threads: usize) -> (Kept, Option<Report>) {
    let mut kept = Kept::default();
    let options = Options { threads: Some(threads), ..Options::default() };
    let report = deliver::deliver(&source(sample), &options, plan, &mut kept).unwrap();
    (kept, report)
}

fn refused(sample: Sample, plan: &Plan) -> Error {
    deliver::deliver(&source(sample), &Options::default(), plan, &mut Kept::default()).unwrap_err()
}

/// What a full delivery of a small humanoid has, in the order of its making.
const FULL: [&str; 12] = [
    "prepared_glb",
    "rigged_glb",
    "thumbnail",
    "thumbnail_webp",
    "unity_fbx",
    "unreal_fbx",
    "vrm",
    "animations_glb",
    "animations_fbx",
    "video",
    "report_json",
    "all_zip",
];

#[test]
fn a_full_delivery_has_every_file_that_fits_and_the_archive_holds_them_all() {
    let (kept, report) = delivered(Sample::Human, &Plan::full().named("hero"), 2);
    let report = report.unwrap();
    let keys: Vec<&str> = kept.order.iter().map(|output| output.key()).collect();
    assert_eq!(keys, FULL, "levels above the model's own count are not made");
    assert_eq!(report.files.len(), FULL.len() - 2, "all but the report and the archive");
    let stages = [Stage::Export, Stage::Lod, Stage::Animate, Stage::Render, Stage::Pack];
    assert!(kept.stages.ends_with(&stages), "{:?}", kept.stages);
    // The page was not built for this test; that is said.
    let left_out: Vec<&str> = report
        .warnings
        .iter()
        .filter(|warning| warning.code == "output_left_out")
        .map(|warning| warning.message.as_str())
        .collect();
    assert!(matches!(left_out[..], [only] if only.starts_with("viewer_html")), "{left_out:?}");
    let mut archive = ZipArchive::new(std::io::Cursor::new(&kept.files[&Output::AllZip])).unwrap();
    assert_eq!(archive.len(), FULL.len() - 1);
    for (output, bytes) in kept.files.iter().filter(|(output, _)| **output != Output::AllZip) {
        let mut packed = Vec::new();
        archive.by_name(&format!("hero{}", output.suffix())).unwrap().read_to_end(&mut packed).unwrap();
        assert!(packed == *bytes, "{}", output.key());
    }
}

#[test]
fn bones_and_avatars_are_called_as_the_plan_says() {
    let mut plan = Plan::rig_only().with([Output::Vrm, Output::UnityFbx]).named("hero");
    plan.names = Some("mixamo".to_owned());
    plan.vrm_meta.authors = vec!["Ada".to_owned()];
    let (kept, report) = delivered(Sample::Robot, &plan, 2);
    let names = |output: Output, name: &str| {
        let source = Source::bytes(name, kept.files[&output].clone());
        let scene = read(&source, &autorig_engine::Limits::default()).unwrap();
        scene.nodes.into_iter().map(|n| n.name).collect::<Vec<_>>()
    };
    assert!(names(Output::RiggedGlb, "a.glb").contains(&"mixamorig:LeftForeArm".to_owned()));
    assert!(names(Output::UnityFbx, "a.fbx").contains(&"LeftLowerArm".to_owned()), "a profile keeps its own");
    assert!(report.unwrap().joints.iter().any(|j| j.name == "leftLowerArm"));
    let vrm = String::from_utf8_lossy(&kept.files[&Output::Vrm]).into_owned();
    assert!(vrm.contains(r#""authors":["Ada"]"#) && vrm.contains(r#""name":"hero""#));
    assert!(vrm.contains(r#""modification":"prohibited""#));
    plan.names = Some("esperanto".to_owned());
    assert_eq!(refused(Sample::Robot, &plan).code, Code::InvalidOption);
    plan.names = None;
    plan.vrm_meta.authors.clear();
    assert_eq!(refused(Sample::Robot, &plan).code, Code::InvalidOption);
}

#[test]
fn the_same_files_come_out_for_any_number_of_threads() {
    let mut plan = Plan::full().with([Output::FbxMixamo, Output::BlenderGlb]);
    // Videos have a test of their own for this.
    plan.optional.remove(&Output::Video);
    let (one, _) = delivered(Sample::Cartoon, &plan, 1);
    let (three, _) = delivered(Sample::Cartoon, &plan, 3);
    for (output, bytes) in &one.files {
        assert!(three.files[output] == *bytes, "{}", output.key());
    }
    assert_eq!(one.order, three.order);
}

#[test]
fn every_model_file_is_read_again_with_the_skin_it_was_given() {
    let outputs = Output::all().filter(|o| !o.in_full() && !o.key().ends_with("zip"));
    let (kept, _) =
        delivered(Sample::Human, &Plan::full().with(outputs.filter(|o| o.key() != "unity_lods_fbx")), 2);
    let mut read_again = 0;
    for (output, bytes) in kept.files {
        let name = format!("hero{}", output.suffix());
        if !name.ends_with(".glb") && !name.ends_with(".fbx") && !name.ends_with(".vrm") {
            continue;
        }
        let limits = autorig_engine::Limits::default();
        let scene = read(&Source::bytes(&name, bytes), &limits).unwrap();
        let character = autorig_engine::Character::from_scene(scene).unwrap();
        let bones = character.bones.len();
        let expected = if output == Output::PreparedGlb { 0..1 } else { 15..120 };
        assert!(expected.contains(&bones), "{name}: {bones} bones");
        let rules = match output {
            Output::UnityFbx => check::check_file(&character, check::Target::Unity),
            Output::UnrealFbx => check::check_file(&character, check::Target::Unreal),
            _ => Vec::new(),
        };
        assert!(rules.is_empty(), "{name}: {rules:?}");
        read_again += 1;
    }
    assert!(read_again >= 12, "{read_again} files");
}

#[test]
fn what_does_not_fit_is_left_out_unless_it_was_asked_for() {
    let (kept, report) = delivered(Sample::Quadruped, &Plan::full(), 2);
    assert!(!kept.files.contains_key(&Output::Vrm) && kept.files.contains_key(&Output::AnimationsGlb));
    let said = report.unwrap().warnings;
    assert!(said.iter().any(|w| w.code == "output_left_out" && w.message.starts_with("vrm")), "{said:?}");
    let error = refused(Sample::Quadruped, &Plan::rig_only().with([Output::Vrm]));
    assert_eq!(error.code, Code::NeedsHumanoid);
    let error = refused(Sample::Human, &Plan::rig_only().with([Output::Lod100k]));
    assert_eq!((error.code, error.message.contains("lod_100k")), (Code::InvalidOption, true), "{error}");
}

#[test]
fn a_plan_that_converts_rigs_nothing_and_reports_nothing() {
    let plan = Plan::convert([Output::FbxMaya, Output::Thumbnail]);
    let (kept, report) = delivered(Sample::Robot, &plan, 2);
    assert!(report.is_none());
    assert_eq!(kept.files.keys().copied().collect::<Vec<_>>(), [Output::Thumbnail, Output::FbxMaya]);
    let scene =
        read(&Source::bytes("a.fbx", kept.files[&Output::FbxMaya].clone()), &Options::default().limits);
    assert!(scene.unwrap().skins.is_empty());
}

#[test]
fn a_delivery_stops_where_it_is_told_to() {
    let mut kept = Kept { stop_at: Some(Stage::Animate), ..Kept::default() };
    let stopped = deliver::deliver(&source(Sample::Human), &Options::default(), &Plan::full(), &mut kept);
    assert_eq!(stopped.unwrap_err().code, Code::Cancelled);
    assert!(!kept.files.contains_key(&Output::Video) && !kept.files.contains_key(&Output::ReportJson));
}
