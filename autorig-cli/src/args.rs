//! What may be typed: the verbs and flags of `spec.md` §10 that exist in this version.

pub(crate) mod remote;

use std::{net::SocketAddr, path::PathBuf};

use autorig_engine::deliver::Output;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Rig a character: mesh in, skeleton and skin weights out.
#[derive(Debug, Parser)]
#[command(
    name = "autorig",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 ok, 1 internal, 2 usage, 3 input refused, 4 limit, 5 not found, 6 denied, \
                  7 network or server, 130 interrupted."
)]
pub(crate) struct Cli {
    /// How to talk.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// How the command talks; the same for every verb.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArgs {
    /// Print one JSON envelope on stdout, and nothing else anywhere
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Rig a character, or every model of a folder
    Rig(RigArgs),
    /// Write a model, or every model of a folder, for another program, with the skin it has
    Convert(FileArgs),
    /// Write a model with fewer triangles; skin, seams and materials stay
    Lod(LodArgs),
    /// Put clips onto a rigged model, from the library or from BVH, GLB and FBX files
    Animate(AnimateArgs),
    /// Draw a model: a picture, its weights or skeleton, or a video
    Render(RenderArgs),
    /// Check whether a model can be read, and what a target engine would stumble over
    Validate(ValidateArgs),
    /// Show what is in a model file
    Inspect(InspectArgs),
    /// Write a character made by procedure, to try things with
    Sample(SampleArgs),
    /// Serve the page and the API, rigging on this machine
    Serve(ServeArgs),
    /// Look after the database of a server
    Db(DbArgs),
    /// Rig for a server on this machine: ask it for tasks, or listen for those it pushes
    Worker(WorkerArgs),
    /// Keep a server's address and an API key for `task` and `keys`
    Login(remote::LoginArgs),
    /// Tasks of a server: create, follow, download, cancel, …
    Task(remote::TaskArgs),
    /// API keys of a server
    Keys(remote::KeysArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Rig one job of a server: the job as JSON on stdin, events as lines of JSON on stdout
    #[command(hide = true)]
    RigChild,
}

impl Verb {
    /// The name in the JSON envelope.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Rig(_) => "rig",
            Self::Convert(_) => "convert",
            Self::Lod(_) => "lod",
            Self::Animate(_) => "animate",
            Self::Render(_) => "render",
            Self::Validate(_) => "validate",
            Self::Inspect(_) => "inspect",
            Self::Sample(_) => "sample",
            Self::Serve(_) => "serve",
            Self::Db(_) => "db",
            Self::Worker(_) => "worker",
            Self::Login(_) => "login",
            Self::Task(_) => "task",
            Self::Keys(_) => "keys",
            Self::Completions(_) => "completions",
            Self::RigChild => "rig-child",
        }
    }
}

/// What `rig` and `convert` work on, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// Model file (GLB, glTF, FBX, OBJ, VRM, STL, PLY, ZIP), `-` for stdin, or a folder of models
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// Where to write: a `.glb`, `.fbx` or `.vrm` file, `-` for stdout, or a folder, which gets several files
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Names, axes and units of a program; without it the file's extension decides
    #[arg(long, value_enum)]
    pub(crate) preset: Option<Preset>,
    /// Into a folder: these files instead of the usual ones, by their keys (`unity_fbx,thumbnail`)
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = output_key)]
    pub(crate) outputs: Vec<Output>,
    /// Names of the bones in files that are of no preset; canonical (VRM 1.0) ones by default
    #[arg(long, value_enum, value_name = "PRESET")]
    pub(crate) names: Option<Preset>,
    /// Into a folder: only these levels of detail, of `100k`, `50k` and `10k`; `none` makes none
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', value_parser = level)]
    pub(crate) lods: Option<Vec<Level>>,
    /// Licence of VRM files: JSON, `meta` as VRM 1.0 has it. What it leaves out is as strict as the format allows
    #[arg(long, value_name = "FILE")]
    pub(crate) vrm_meta: Option<PathBuf>,
    /// Overwrite files that exist
    #[arg(long, short)]
    pub(crate) force: bool,
    /// Threads to work with; all cores by default. The result is the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

/// `autorig rig`
#[derive(Debug, Args)]
pub(crate) struct RigArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Joints placed by hand: JSON, `[{"name", "position": [x, y, z]}]` or a report of an earlier rig
    #[arg(long, value_name = "FILE")]
    pub(crate) joints: Option<PathBuf>,
    /// What the character is
    #[arg(long, value_enum, default_value_t = Class::Auto)]
    pub(crate) class: Class,
    /// Most joints a vertex may follow
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) influences: u8,
    /// Fingers of a humanoid's hands
    #[arg(long, value_enum, default_value_t = Fingers::Auto)]
    pub(crate) fingers: Fingers,
    /// Tails, ears, hair, capes and skirts of a humanoid
    #[arg(long, value_enum, default_value_t = ExtraChains::Auto)]
    pub(crate) extra_chains: ExtraChains,
    /// Eyes of a humanoid
    #[arg(long, value_enum, default_value_t = Eyes::None)]
    pub(crate) eyes: Eyes,
    /// What to do with a mesh that mirrors itself
    #[arg(long, value_enum, default_value_t = Symmetry::Auto)]
    pub(crate) symmetry: Symmetry,
    /// The pose the rig is delivered in
    #[arg(long, value_enum, default_value_t = RestPose::AsIs)]
    pub(crate) rest_pose: RestPose,
    /// What to do with a rig that came with the file
    #[arg(long, value_enum, default_value_t = ExistingRig::ReRig)]
    pub(crate) existing: ExistingRig,
    /// Also write the report to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// `autorig lod`
#[derive(Debug, Args)]
pub(crate) struct LodArgs {
    /// Model file, or `-` for stdin
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// The `.glb` or `.fbx` file to write, or `-` for stdout
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Most triangles
    #[arg(long, short, value_name = "N")]
    pub(crate) triangles: usize,
    /// Names, axes and units of a program
    #[arg(long, value_enum)]
    pub(crate) preset: Option<Preset>,
    /// Overwrite a file that exists
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// `autorig animate`
#[derive(Debug, Args)]
pub(crate) struct AnimateArgs {
    /// Rigged model file, or `-` for stdin
    #[arg(value_name = "RIG")]
    pub(crate) input: PathBuf,
    /// The `.glb` or `.fbx` file to write, or `-` for stdout
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// A clip of the library, or a BVH, GLB or FBX file whose motion is retargeted; may be given several times. All of the library by default
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) clip: Vec<String>,
    /// Keep the clips that the model has
    #[arg(long)]
    pub(crate) keep: bool,
    /// Only list the clips of the library for this model
    #[arg(long)]
    pub(crate) list: bool,
    /// Names, axes and units of a program
    #[arg(long, value_enum)]
    pub(crate) preset: Option<Preset>,
    /// Overwrite a file that exists
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// `autorig render`
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// Model file, or `-` for stdin
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// The `.png`, `.webp` or `.mp4` file to write, or `-` for a PNG on stdout
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Pixels a side
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=4096))]
    pub(crate) size: Option<u32>,
    /// Into a video: this clip, of the model or of the library
    #[arg(long, value_name = "NAME")]
    pub(crate) clip: Option<String>,
    /// Show the weights of this joint
    #[arg(long, value_name = "JOINT", conflicts_with = "skeleton")]
    pub(crate) weights: Option<String>,
    /// Show the skeleton
    #[arg(long)]
    pub(crate) skeleton: bool,
    /// Overwrite a file that exists
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// `autorig validate`
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Model file, or `-` for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Also check the rules of this engine's automatic mapping
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(crate) target: Option<TargetEngine>,
}

/// An engine whose rules are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetEngine {
    /// Unity's Humanoid avatar
    Unity,
    /// Unreal's mannequin
    Unreal,
}

impl From<TargetEngine> for autorig_engine::profile::check::Target {
    fn from(target: TargetEngine) -> Self {
        match target {
            TargetEngine::Unity => Self::Unity,
            TargetEngine::Unreal => Self::Unreal,
        }
    }
}

/// What a file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// GLB, the input's own unit and frame
    Glb,
    /// FBX for Unity's Humanoid avatar
    Unity,
    /// FBX with the UE5 mannequin's names and axes
    Unreal,
    /// FBX with Mixamo's names
    Mixamo,
    /// VRM 1.0
    Vrm,
    /// GLB with the names of Rigify's metarig
    Blender,
    /// FBX with the names of Godot's humanoid profile
    Godot,
    /// FBX with the names of Roblox' R15
    Roblox,
    /// FBX, Y up, centimetres
    Maya,
}

impl Preset {
    /// The file it writes.
    pub(crate) fn output(self) -> Output {
        // A preset is a profile, and each profile has its file.
        Output::of_profile(&self.name()).unwrap_or(Output::RiggedGlb)
    }

    /// Its name, which is that of the engine's profile.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What is meant by an extension alone.
    pub(crate) fn of_extension(extension: &str) -> Self {
        match extension {
            "fbx" => Self::Maya,
            "vrm" => Self::Vrm,
            _ => Self::Glb,
        }
    }
}

/// A level of detail, or none.
pub(crate) type Level = Option<Output>;

fn level(name: &str) -> Result<Level, String> {
    let of_name = || Output::find(&format!("lod_{name}")).filter(|output| output.triangles().is_some());
    match of_name() {
        _ if name == "none" => Ok(None),
        Some(output) => Ok(Some(output)),
        None => Err("there is no such level; choose of 100k, 50k and 10k, or none".to_owned()),
    }
}

fn output_key(key: &str) -> Result<Output, String> {
    Output::find(key).ok_or_else(|| {
        let known: Vec<&str> = Output::all().map(Output::key).collect();
        format!("there is no such file; the keys are {}", known.join(", "))
    })
}

/// A choice of the engine, with the words the command line has for it.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        #[value(rename_all = "snake_case")]
        pub(crate) enum $name { $($(#[$vdoc])* $variant,)+ }

        impl From<$name> for autorig_engine::rig::$name {
            fn from(choice: $name) -> Self {
                match choice { $($name::$variant => Self::$variant,)+ }
            }
        }
    };
}

choice! {
    /// What a character may be.
    Class {
        /// Whatever it looks like
        Auto,
        /// A human shape: two arms, two legs, upright
        Humanoid,
        /// Four legs
        Quadruped,
        /// Two legs and two wings
        Bird,
        /// Any other living thing
        Creature,
        /// A thing that does not move by itself: one joint
        Prop,
    }
}

choice! {
    /// Fingers of a humanoid's hands.
    Fingers {
        /// As many as the mesh has
        Auto,
        /// None; they move with the hand
        None,
    }
}

choice! {
    /// Tails, ears, hair, capes and skirts of a humanoid.
    ExtraChains {
        /// Joints for those that the mesh clearly has
        Auto,
        /// None; they move with the body
        None,
    }
}

choice! {
    /// Eyes of a humanoid.
    Eyes {
        /// Joints where the eyeballs are shells of their own
        Auto,
        /// None; they move with the head
        None,
    }
}

choice! {
    /// What to do with a mesh that mirrors itself.
    Symmetry {
        /// Mirror joints and weights where the mesh does
        Auto,
        /// Each side by itself
        Off,
    }
}

choice! {
    /// The pose the rig is delivered in.
    RestPose {
        /// The pose of the input
        AsIs,
        /// A T-pose; the input's pose is kept as a clip
        TPose,
    }
}

choice! {
    /// What to do with a rig that came with the file.
    ExistingRig {
        /// Replace skeleton and weights
        ReRig,
        /// Keep the skeleton, make the weights anew
        ReSkin,
        /// Keep skeleton and weights
        Keep,
    }
}

/// `autorig inspect`
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Model file (GLB, glTF, FBX, OBJ, VRM, STL, PLY, ZIP), or `-` for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `autorig sample`
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// Which one: human, cartoon, robot, quadruped
    pub(crate) name: String,
    /// The `.glb` file to write, or `-` for stdout
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// About how many triangles; the sample's own number by default
    #[arg(long, value_name = "N")]
    pub(crate) triangles: Option<usize>,
    /// Overwrite a file that exists
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// `autorig serve`: what is not given comes from `AUTORIG_…` variables, then from `autorig.toml`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on, 127.0.0.1:7070 by default; port 0 takes any free one
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder of the database and the files, autorig-data by default; made when it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Bucket for the files, s3://NAME/PREFIX?endpoint=URL&region=NAME; by default they are in the data folder
    #[arg(long, value_name = "URL")]
    pub(crate) storage: Option<String>,
    /// Of a site: print a fresh link to become its admin, although one was used before
    #[arg(long)]
    pub(crate) admin_link: bool,
    /// Database that several nodes share, postgres://USER:PASSWORD@HOST/NAME; by default it is in the data folder
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// What this node does: all (default), api, dispatch, worker
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<autorig_core::config::Role>,
}

/// `autorig db`: what is not given comes from `AUTORIG_…` variables, then from `autorig.toml`
#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    /// Folder of the database, autorig-data by default
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Database that several nodes share, instead of the one in the data folder
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) database: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub(crate) verb: DbVerb,
}

/// What `autorig db` does
#[derive(Debug, Subcommand)]
pub(crate) enum DbVerb {
    /// Bring the database up to date; a server does so by itself when it starts
    Migrate,
    /// Copy the data folder's database into an empty PostgreSQL, counting the rows on both sides
    Copy {
        /// Where to, postgres://USER:PASSWORD@HOST/NAME
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

/// `autorig worker`
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Address of the server to ask for tasks
    #[arg(long, value_name = "URL", env = "AUTORIG_SERVER", required_unless_present = "listen")]
    pub(crate) server: Option<String>,
    /// Listen here for jobs that servers push, signed with AUTORIG_WORKER_SECRET
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// With --listen: folder of the jobs and their files, autorig-worker by default
    #[arg(long, value_name = "DIR", requires = "listen")]
    pub(crate) data: Option<PathBuf>,
    /// API key of scope `worker`; a local server needs none
    #[arg(long, value_name = "KEY", env = "AUTORIG_API_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// What the server calls this worker; the machine's name by default
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Rigs at once; half of the cores by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) slots: Option<u16>,
    /// Folder for models and files being made; where temporary files go by default
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}

/// `autorig completions`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}
