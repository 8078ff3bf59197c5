//! What a new task may be asked with, for the document only: the values themselves are checked by the
//! task's kind in core, so that every door refuses the same.

use poem_openapi::{Enum, Object};

use super::wire::Visibility;

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Everything.
    Full,
    /// Prepared model, rigged model, report, and what `outputs` asks for.
    RigOnly,
    /// The model as it is, with the skin it has or none, as the files that `outputs` asks for, or as GLB.
    Convert,
}

/// What the character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case", rename = "CharacterClass")]
pub(crate) enum Class {
    /// The engine decides.
    Auto,
    /// Two arms, two legs, a head: nothing is refused for its shape.
    Humanoid,
    /// Four legs.
    Quadruped,
    /// Two legs and two wings.
    Bird,
    /// Any other living thing: a generic skeleton along its limbs.
    Creature,
    /// A thing that does not move by itself: one joint.
    Prop,
}

/// Fingers of a humanoid's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Fingers {
    /// As many as the mesh has.
    Auto,
    /// None; they move with the hand.
    None,
}

/// Tails, ears, hair, capes and skirts of a humanoid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ExtraChains {
    /// Joints for those that the mesh clearly has.
    Auto,
    /// None; they move with the body.
    None,
}

/// Eyes of a humanoid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Eyes {
    /// Joints where the eyeballs are shells of their own.
    Auto,
    /// None; they move with the head.
    None,
}

/// What to do with a mesh that mirrors itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Symmetry {
    /// Where the mesh mirrors itself, so do the joints and the weights.
    Auto,
    /// Each side by itself.
    Off,
}

impl From<Symmetry> for autorig_core::task::Symmetry {
    fn from(symmetry: Symmetry) -> Self {
        match symmetry {
            Symmetry::Auto => Self::Auto,
            Symmetry::Off => Self::Off,
        }
    }
}

impl From<autorig_core::task::Symmetry> for Symmetry {
    fn from(symmetry: autorig_core::task::Symmetry) -> Self {
        match symmetry {
            autorig_core::task::Symmetry::Auto => Self::Auto,
            autorig_core::task::Symmetry::Off => Self::Off,
        }
    }
}

/// The pose the rig is delivered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum RestPose {
    /// The pose of the input.
    AsIs,
    /// A T-pose; the input's pose is kept as a clip.
    TPose,
}

/// What to do with a rig that came with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ExistingRig {
    /// Skeleton and weights are replaced.
    ReRig,
    /// The skeleton is kept, with its names and clips; the weights are made anew.
    ReSkin,
    /// Skeleton and weights are kept.
    Keep,
}

/// An export profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Profile {
    /// Canonical names (VRM 1.0), the input's own space.
    Glb,
    /// Unity's Humanoid.
    Unity,
    /// Unreal 5's Manny and Quinn.
    Unreal,
    /// Mixamo.
    Mixamo,
    /// VRM 1.0.
    Vrm,
    /// Rigify's human metarig.
    Blender,
    /// Godot's humanoid profile.
    Godot,
    /// Roblox' R15.
    Roblox,
    /// HumanIK, as Maya has it.
    Maya,
}

/// A level of detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum Level {
    /// At most 100,000 triangles.
    #[oai(rename = "100k")]
    Most100k,
    /// At most 50,000 triangles.
    #[oai(rename = "50k")]
    Most50k,
    /// At most 10,000 triangles.
    #[oai(rename = "10k")]
    Most10k,
}

/// Who may perform with an avatar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "camelCase")]
pub(crate) enum AvatarPermission {
    /// Its author.
    OnlyAuthor,
    /// Who has a licence of their own.
    OnlySeparatelyLicensedPerson,
    /// Everyone.
    Everyone,
}

/// Who may earn by an avatar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "camelCase")]
pub(crate) enum CommercialUsage {
    /// Nobody: private use.
    PersonalNonProfit,
    /// Persons.
    PersonalProfit,
    /// Companies too.
    Corporation,
}

/// Whether the author has to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "camelCase")]
pub(crate) enum CreditNotation {
    /// Yes.
    Required,
    /// No.
    Unnecessary,
}

/// Whether an avatar may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "camelCase")]
pub(crate) enum Modification {
    /// No.
    Prohibited,
    /// For oneself.
    #[oai(rename = "allowModification")]
    Allowed,
    /// And the changed one passed on.
    #[oai(rename = "allowModificationRedistribution")]
    Redistributed,
}

/// Whose an avatar is and what others may do with it: `meta` of VRM 1.0. What is left out is as strict as the format allows.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct VrmMeta {
    /// Name of the avatar; the model's when left out.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub name: Option<String>,
    /// Version of the avatar.
    pub version: Option<String>,
    /// Who made it.
    #[oai(validator(min_items = 1, max_items = 64))]
    pub authors: Option<Vec<String>>,
    /// Who holds the rights.
    pub copyright_information: Option<String>,
    /// How to reach them.
    pub contact_information: Option<String>,
    /// Works it is made after.
    #[oai(validator(max_items = 64))]
    pub references: Option<Vec<String>>,
    /// Licences of others' works in it.
    pub third_party_licenses: Option<String>,
    /// The licence's text; that of VRM 1.0 when left out.
    #[oai(validator(pattern = r"^https?://"))]
    pub license_url: Option<String>,
    /// Who may perform with it; `onlyAuthor` when left out.
    pub avatar_permission: Option<AvatarPermission>,
    /// It may be shown in excessively violent works.
    pub allow_excessively_violent_usage: Option<bool>,
    /// It may be shown in excessively sexual works.
    pub allow_excessively_sexual_usage: Option<bool>,
    /// Who may earn by it; `personalNonProfit` when left out.
    pub commercial_usage: Option<CommercialUsage>,
    /// It may be shown in political or religious works.
    pub allow_political_or_religious_usage: Option<bool>,
    /// It may be shown in antisocial or hateful works.
    pub allow_antisocial_or_hate_usage: Option<bool>,
    /// Whether the author has to be named; `required` when left out.
    pub credit_notation: Option<CreditNotation>,
    /// The file may be passed on.
    pub allow_redistribution: Option<bool>,
    /// Whether it may be changed; `prohibited` when left out.
    pub modification: Option<Modification>,
    /// Where another licence is.
    #[oai(validator(pattern = r"^https?://"))]
    pub other_license_url: Option<String>,
}

/// A joint placed by hand.
#[derive(Debug, Clone, PartialEq, Object)]
pub(crate) struct JointHint {
    /// Its name in any known convention.
    pub name: String,
    /// Its parent's name. Where all joints but one give theirs, from head to feet, they are the whole skeleton.
    #[oai(skip_serializing_if_is_none)]
    pub parent: Option<String>,
    /// Position in the input's frame and unit.
    #[oai(validator(min_items = 3, max_items = 3))]
    pub position: Vec<f64>,
}

macro_rules! create_request {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Object)]
        #[oai(skip_serializing_if_is_none)]
        pub(crate) struct $name {
            $($(#[$fdoc])* pub $field: $type,)*
            /// How much is made; `full` when left out.
            pub mode: Option<Mode>,
            /// What the character is; `auto` when left out.
            pub class: Option<Class>,
            /// Joints placed by hand, all or some; the engine finds the others.
            pub joints: Option<Vec<JointHint>>,
            /// Most joints that move one vertex; 4 when left out.
            #[oai(validator(minimum(value = "1"), maximum(value = "8")))]
            pub influences: Option<u32>,
            /// Fingers of a humanoid's hands; `auto` when left out.
            pub fingers: Option<Fingers>,
            /// Tails, ears, hair, capes and skirts of a humanoid; `auto` when left out.
            pub extra_chains: Option<ExtraChains>,
            /// Eyes of a humanoid; `none` when left out.
            pub eyes: Option<Eyes>,
            /// What to do with a mesh that mirrors itself; `auto` when left out.
            pub symmetry: Option<Symmetry>,
            /// The pose the rig is delivered in; `as_is` when left out.
            pub rest_pose: Option<RestPose>,
            /// What to do with a rig that came with the file; `re_rig` when left out.
            pub existing: Option<ExistingRig>,
            /// Keys of files that must be made as well, `fbx_mixamo`; the task fails when one cannot be.
            #[oai(validator(max_items = 32))]
            pub outputs: Option<Vec<String>>,
            /// Who may see the task.
            pub visibility: Option<Visibility>,
            /// The profile whose names the bones have in `rigged_glb`, its levels of detail and its clips; canonical (VRM 1.0) names
            /// when left out.
            pub names: Option<Profile>,
            /// A profile whose file must be made as well: short for its key in `outputs`.
            pub preset: Option<Profile>,
            /// Levels of detail to make; all that lie below the model's own when left out.
            #[oai(validator(max_items = 3))]
            pub lods: Option<Vec<Level>>,
            /// The licence of VRM files; as strict as the format allows when left out.
            pub vrm_meta: Option<VrmMeta>,
        }
    };
}

create_request! {
    /// A new task from a link, with its options.
    CreateFromLink {
        /// `http` or `https` address of the model.
        #[oai(validator(pattern = r"^https?://[^/\s]+"))]
        link: String,
    }
}

create_request! {
    /// A new task from an upload that was announced and sent before, with its options.
    CreateFromUpload {
        /// The upload's id.
        upload_id: String,
    }
}

create_request! {
    /// A new task from a file, with its options.
    CreateForm {
        /// All options as one JSON object, instead of a field each.
        options: Option<String>,
        /// The model: GLB, glTF, FBX, OBJ, VRM, STL, PLY, or a ZIP of one with its textures.
        file: poem_openapi::types::Base64<Vec<u8>>,
    }
}

create_request! {
    /// Options of another task with the same input: those given replace those of the first.
    RetryOptions {}
}

/// What people see of a task; what is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct EditTask {
    /// What it is called, at most 200 characters; empty for the input's name.
    pub title: Option<String>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
}
