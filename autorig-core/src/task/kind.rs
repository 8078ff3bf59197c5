//! Kinds of tasks, registered by name: what parameters they take and which files they make.

use autorig_engine::{
    deliver::{Output, Plan},
    profile::Profile,
    rig::{Class, ExistingRig, ExtraChains, Eyes, Fingers, RestPose, Symmetry},
    write::vrm::VrmMeta,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// A kind of task. The core ships [`RigKind`]; embedding programs register their own.
pub trait TaskKind: Send + Sync + 'static {
    /// Its name in the API and in stores.
    fn name(&self) -> &'static str;

    /// Checks parameters and fills in what was left out.
    ///
    /// # Errors
    /// `invalid_option`, naming the parameter.
    fn check(&self, params: Value) -> Result<Value>;

    /// The files it makes with these parameters, those required first.
    fn deliverables(&self, params: &Value) -> Vec<Deliverable>;
}

/// A file that a kind of task makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deliverable {
    /// Its fixed place.
    pub index: u32,
    /// Its stable key.
    pub key: &'static str,
    /// What follows the input's name.
    pub suffix: &'static str,
    /// MIME type.
    pub mime: &'static str,
    /// Without it the task is not done.
    pub required: bool,
}

impl Deliverable {
    /// The file's name for an input of this name.
    pub fn file_name(&self, input: &str) -> String {
        format!("{}{}", safe_stem(input), self.suffix)
    }
}

/// The name without its extension, made of letters, digits, `-` and `_` only, at most 64, never empty.
pub fn safe_stem(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    let safe: String = stem
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
        .take(64)
        .collect();
    if safe.chars().any(char::is_alphanumeric) { safe } else { "model".to_owned() }
}

impl Deliverable {
    /// A file of a rig.
    fn of_rig(output: Output, required: bool) -> Self {
        Self {
            index: output.index(),
            key: output.key(),
            suffix: output.suffix(),
            mime: output.mime(),
            required,
        }
    }
}

/// Model in, rigged character out.
#[derive(Debug, Default, Clone, Copy)]
pub struct RigKind;

impl TaskKind for RigKind {
    fn name(&self) -> &'static str {
        "rig"
    }

    fn check(&self, params: Value) -> Result<Value> {
        let options = RigOptions::parse(params)?;
        serde_json::to_value(options).map_err(|error| Error::internal(format!("rig options: {error}")))
    }

    fn deliverables(&self, params: &Value) -> Vec<Deliverable> {
        // Stored parameters have been checked; those of an older version that are not known any more make the usual files.
        let plan = RigOptions::parse(params.clone()).unwrap_or_default().plan("model");
        let required = plan.required.iter().map(|output| Deliverable::of_rig(*output, true));
        let optional = plan.optional.iter().map(|output| Deliverable::of_rig(*output, false));
        required.chain(optional).collect()
    }
}

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RigMode {
    /// Everything.
    #[default]
    Full,
    /// Prepared model, rigged model, report, and what `outputs` asks for.
    RigOnly,
    /// The model as it is, with the skin it has or none, as the files that `outputs` asks for, or as GLB.
    Convert,
}

/// The options of a rig, as they come over the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RigOptions {
    /// How much is made.
    pub mode: RigMode,
    /// What the character is.
    pub class: Class,
    /// Joints the user has placed.
    pub joints: Vec<autorig_engine::JointHint>,
    /// Most influences a vertex may have, 1 to 8.
    pub influences: usize,
    /// Fingers of a humanoid's hands.
    pub fingers: Fingers,
    /// Tails, ears, hair, capes and skirts of a humanoid.
    pub extra_chains: ExtraChains,
    /// Eyes of a humanoid.
    pub eyes: Eyes,
    /// What to do with a mesh that mirrors itself.
    pub symmetry: Symmetry,
    /// The pose the rig is delivered in.
    pub rest_pose: RestPose,
    /// Keys of files that must be made as well.
    pub outputs: Vec<String>,
    /// What to do with a rig that came with the file.
    pub existing: ExistingRig,
    /// The profile whose names the bones have in files that are of no profile; canonical names when absent.
    pub names: Option<String>,
    /// A profile: its file must be made as well.
    pub preset: Option<String>,
    /// Levels of detail to make, of `100k`, `50k` and `10k`; all of them when absent.
    pub lods: Option<Vec<String>>,
    /// Whose an avatar is and what others may do with it, as `meta` of VRM 1.0; the strictest licence when absent.
    pub vrm_meta: Option<VrmMeta>,
}

impl Default for RigOptions {
    fn default() -> Self {
        Self {
            mode: RigMode::Full,
            class: Class::Auto,
            joints: Vec::new(),
            influences: 4,
            fingers: Fingers::Auto,
            extra_chains: ExtraChains::Auto,
            eyes: Eyes::None,
            symmetry: Symmetry::Auto,
            rest_pose: RestPose::AsIs,
            outputs: Vec::new(),
            existing: ExistingRig::ReRig,
            names: None,
            preset: None,
            lods: None,
            vrm_meta: None,
        }
    }
}

/// More joints than any skeleton has.
const MAX_JOINTS: usize = 512;
/// A longer name is none.
const MAX_JOINT_NAME: usize = 128;

impl RigOptions {
    /// Reads options from JSON; `null` and `{}` are the defaults.
    ///
    /// # Errors
    /// `unknown_option` or `invalid_option`, naming the option.
    pub fn parse(params: Value) -> Result<Self> {
        if params.is_null() {
            return Ok(Self::default());
        }
        let Value::Object(fields) = params else {
            return Err(invalid("the options are not a JSON object"));
        };
        const KNOWN: [&str; 15] = [
            "mode",
            "class",
            "joints",
            "influences",
            "fingers",
            "extra_chains",
            "eyes",
            "symmetry",
            "rest_pose",
            "outputs",
            "existing",
            "names",
            "preset",
            "lods",
            "vrm_meta",
        ];
        if let Some(unknown) = fields.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            let shown: String = unknown.chars().take(64).collect();
            return Err(Error::usage(
                "unknown_option",
                format!("there is no option `{shown}`"),
                format!("use only the options {}", KNOWN.join(", ")),
            ));
        }
        let mut options = Self::default();
        for (key, value) in fields {
            match key.as_str() {
                "mode" => options.mode = field(&key, value)?,
                "class" => options.class = field(&key, value)?,
                "joints" => options.joints = field(&key, value)?,
                "fingers" => options.fingers = field(&key, value)?,
                "extra_chains" => options.extra_chains = field(&key, value)?,
                "eyes" => options.eyes = field(&key, value)?,
                "symmetry" => options.symmetry = field(&key, value)?,
                "rest_pose" => options.rest_pose = field(&key, value)?,
                "outputs" => options.outputs = field(&key, value)?,
                "existing" => options.existing = field(&key, value)?,
                "names" => options.names = field(&key, value)?,
                "preset" => options.preset = field(&key, value)?,
                "lods" => options.lods = field(&key, value)?,
                "vrm_meta" => options.vrm_meta = field(&key, value)?,
                _ => options.influences = field(&key, value)?,
            }
        }
        options.validate()?;
        Ok(options)
    }

    /// The files to make of a model called `stem`.
    pub fn plan(&self, stem: &str) -> Plan {
        let plan = match self.mode {
            RigMode::Full => Plan::full(),
            RigMode::RigOnly => Plan::rig_only(),
            RigMode::Convert if self.outputs.is_empty() => Plan::convert([Output::RiggedGlb]),
            RigMode::Convert => Plan::convert([]),
        };
        let plan = match &self.lods {
            Some(lods) => plan.levels(&lods.iter().filter_map(|name| level(name)).collect::<Vec<_>>()),
            None => plan,
        };
        let preset = self.preset.as_deref().and_then(Output::of_profile);
        let mut plan =
            plan.with(self.outputs.iter().filter_map(|key| Output::find(key)).chain(preset)).named(stem);
        plan.names.clone_from(&self.names);
        plan.vrm_meta = self.vrm_meta.clone().unwrap_or_default();
        plan
    }

    fn validate(&self) -> Result<()> {
        if !(1..=8).contains(&self.influences) {
            return Err(invalid(format!("influences is {}, not between 1 and 8", self.influences)));
        }
        if self.joints.len() > MAX_JOINTS {
            return Err(invalid(format!("joints has {} entries, more than {MAX_JOINTS}", self.joints.len())));
        }
        if let Some(joint) = self.joints.iter().find(|joint| joint.name.len() > MAX_JOINT_NAME) {
            let shown: String = joint.name.chars().take(32).collect();
            return Err(invalid(format!(
                "joints: the name `{shown}…` is longer than {MAX_JOINT_NAME} bytes"
            )));
        }
        if let Some(unknown) = self.outputs.iter().find(|key| Output::find(key).is_none()) {
            let shown: String = unknown.chars().take(64).collect();
            let known: Vec<&str> = Output::all().map(Output::key).collect();
            return Err(Error::usage(
                "invalid_option",
                format!("outputs: there is no file `{shown}`"),
                format!("use only {}", known.join(", ")),
            ));
        }
        self.validate_wording()?;
        let broken = self.joints.iter().find(|joint| !joint.position.iter().all(|c| c.is_finite()));
        match broken {
            Some(joint) => Err(invalid(format!("joints: the position of `{}` is not finite", joint.name))),
            None => Ok(()),
        }
    }
}

impl RigOptions {
    /// Names, preset, levels and licence.
    fn validate_wording(&self) -> Result<()> {
        for (option, name) in [("names", &self.names), ("preset", &self.preset)] {
            if let Some(name) = name.as_deref().filter(|name| Profile::named(name).is_err()) {
                let shown: String = name.chars().take(64).collect();
                let known: Vec<&str> = Profile::all().iter().map(|p| p.name.as_str()).collect();
                return Err(Error::usage(
                    "invalid_option",
                    format!("{option}: there is no profile `{shown}`"),
                    format!("use only {}", known.join(", ")),
                ));
            }
        }
        if let Some(unknown) = self.lods.iter().flatten().find(|name| level(name).is_none()) {
            let shown: String = unknown.chars().take(64).collect();
            return Err(Error::usage(
                "invalid_option",
                format!("lods: there is no level `{shown}`"),
                "use only 100k, 50k, 10k",
            ));
        }
        if let Some(meta) = &self.vrm_meta {
            meta.check().map_err(|error| invalid(error.message))?;
        }
        Ok(())
    }
}

/// The level of detail of this name.
fn level(name: &str) -> Option<Output> {
    Output::find(&format!("lod_{name}")).filter(|output| output.triangles().is_some())
}

fn field<T: serde::de::DeserializeOwned>(key: &str, value: Value) -> Result<T> {
    T::deserialize(value).map_err(|error| invalid(format!("{key}: {error}")))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::usage("invalid_option", message, "see the options in the API document at /docs")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn left_out_options_get_their_defaults() {
        assert_eq!(RigOptions::parse(Value::Null).unwrap(), RigOptions::default());
        assert_eq!(RigOptions::parse(json!({})).unwrap(), RigOptions::default());
        let some = RigOptions::parse(json!({"mode": "rig_only", "influences": 8})).unwrap();
        assert_eq!((some.mode, some.influences), (RigMode::RigOnly, 8));
        let some = json!({"class": "quadruped", "fingers": "none", "symmetry": "off", "rest_pose": "t_pose"});
        let some = RigOptions::parse(some).unwrap();
        assert_eq!((some.class, some.fingers), (Class::Quadruped, Fingers::None));
        assert_eq!((some.symmetry, some.rest_pose), (Symmetry::Off, RestPose::TPose));
        let some = RigOptions::parse(json!({"extra_chains": "none", "eyes": "auto"})).unwrap();
        assert_eq!((some.extra_chains, some.eyes), (ExtraChains::None, Eyes::Auto));
    }

    #[test]
    fn a_wrong_option_is_refused_by_its_name() {
        for (params, code, word) in [
            (json!({"colour": 1}), "unknown_option", "colour"),
            (json!({"influences": 9}), "invalid_option", "influences"),
            (json!({"influences": 0}), "invalid_option", "influences"),
            (json!({"influences": -1}), "invalid_option", "influences"),
            (json!({"mode": "half"}), "invalid_option", "mode"),
            (json!({"class": "fish"}), "invalid_option", "class"),
            (json!({"fingers": 5}), "invalid_option", "fingers"),
            (json!({"extra_chains": 3}), "invalid_option", "extra_chains"),
            (json!({"eyes": "blue"}), "invalid_option", "eyes"),
            (json!({"symmetry": "yes"}), "invalid_option", "symmetry"),
            (json!({"rest_pose": "a_pose"}), "invalid_option", "rest_pose"),
            (json!({"joints": [{"name": "hips"}]}), "invalid_option", "joints"),
            (json!({"existing": "burn"}), "invalid_option", "existing"),
            (json!({"outputs": ["chair"]}), "invalid_option", "chair"),
            (json!({"names": "esperanto"}), "invalid_option", "names"),
            (json!({"preset": "maja"}), "invalid_option", "preset"),
            (json!({"lods": ["7k"]}), "invalid_option", "lods"),
            (json!({"lods": "10k"}), "invalid_option", "lods"),
            (json!({"vrm_meta": {"authors": []}}), "invalid_option", "vrm_meta"),
            (json!({"vrm_meta": {"licenseUrl": "javascript:1"}}), "invalid_option", "licenseUrl"),
            (json!({"vrm_meta": {"modification": "maybe"}}), "invalid_option", "vrm_meta"),
            (json!({"vrm_meta": {"colour": 1}}), "invalid_option", "colour"),
            (json!([1]), "invalid_option", "options"),
        ] {
            let error = RigOptions::parse(params).unwrap_err();
            assert_eq!(error.code, code, "{error}");
            assert!(error.message.contains(word), "{error}");
        }
    }

    #[test]
    fn the_mode_says_what_is_made_and_what_is_asked_for_is_required() {
        let keys = |params: Value, required: bool| -> Vec<&str> {
            let files = RigKind.deliverables(&params);
            files.iter().filter(|file| file.required == required).map(|file| file.key).collect()
        };
        let rig_only = json!({"mode": "rig_only", "outputs": ["unity_fbx"]});
        assert_eq!(keys(rig_only.clone(), true), ["rigged_glb", "unity_fbx", "report_json"]);
        assert_eq!(keys(rig_only, false), ["prepared_glb"]);
        assert_eq!(keys(json!({}), true), ["rigged_glb", "report_json"]);
        let full = keys(json!({}), false);
        for key in
            ["unity_fbx", "unreal_fbx", "vrm", "lod_10k", "animations_glb", "video", "thumbnail", "all_zip"]
        {
            assert!(full.contains(&key), "{key}");
        }
        assert!(!full.contains(&"fbx_mixamo"));
    }

    #[test]
    fn a_preset_is_its_file_and_levels_of_detail_are_made_as_chosen() {
        let options = json!({"preset": "mixamo", "names": "unity", "lods": ["10k"]});
        let plan = RigOptions::parse(options).unwrap().plan("hero");
        assert!(plan.required.contains(&Output::FbxMixamo));
        assert_eq!(plan.names.as_deref(), Some("unity"));
        assert!(plan.optional.contains(&Output::Lod10k) && !plan.optional.contains(&Output::Lod50k));
        let none = RigOptions::parse(json!({"lods": []})).unwrap().plan("hero");
        assert!(none.outputs().all(|output| output.triangles().is_none()));
    }

    #[test]
    fn a_licence_is_as_strict_as_can_be_unless_told_otherwise() {
        let plan = |params: Value| RigOptions::parse(params).unwrap().plan("hero");
        assert_eq!(plan(json!({})).vrm_meta, VrmMeta::default());
        let meta = plan(json!({"vrm_meta": {"authors": ["Ada"], "allowRedistribution": true}})).vrm_meta;
        assert_eq!((meta.authors, meta.allow_redistribution), (vec!["Ada".to_owned()], true));
        assert!(!meta.allow_excessively_violent_usage);
    }

    #[test]
    fn a_stem_is_safe_and_never_empty() {
        assert_eq!(safe_stem("hero.glb"), "hero");
        assert_eq!(safe_stem("../../etc/passwd"), "passwd");
        assert_eq!(safe_stem("C:\\models\\my hero.v2.fbx"), "my_hero_v2");
        assert_eq!(safe_stem(".glb"), "_glb");
        assert_eq!(safe_stem("???"), "model");
        assert_eq!(safe_stem(""), "model");
        assert_eq!(safe_stem("герой.obj"), "герой");
        assert_eq!(safe_stem(&"x".repeat(300)).len(), 64);
    }
}
