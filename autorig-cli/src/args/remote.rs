//! The verbs that talk to a server: `login`, `task …` and `keys …`.

use std::path::PathBuf;

use autorig_engine::deliver::Output;
use clap::{Args, Subcommand, ValueEnum};

use super::{
    Class, ExistingRig, ExtraChains, Eyes, Fingers, Level, Preset, RestPose, Symmetry, level, output_key,
};

/// Which server.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// Address of the server; by default the one of the last `autorig login`, or http://127.0.0.1:7070
    #[arg(long, value_name = "URL", env = "AUTORIG_SERVER", global = true)]
    pub(crate) server: Option<String>,
}

/// `autorig login`: keeps a server's address and an API key for the other verbs
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The API key; read from standard input when neither it nor a link is given, so that no history keeps it
    #[arg(long, value_name = "KEY", env = "AUTORIG_API_KEY", hide_env_values = true, conflicts_with_all = ["admin_link", "forget"])]
    pub(crate) key: Option<String>,
    /// Use a site's one-time admin link to make an admin's key, and keep that
    #[arg(long, value_name = "LINK", conflicts_with = "forget")]
    pub(crate) admin_link: Option<String>,
    /// Forget the server and its key
    #[arg(long)]
    pub(crate) forget: bool,
}

/// `autorig task`
#[derive(Debug, Args)]
pub(crate) struct TaskArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) verb: TaskVerb,
}

/// What is done with tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskVerb {
    /// Send a model to the server; prints the task's id
    Create(TaskCreateArgs),
    /// List your tasks, newest first
    List(TaskListArgs),
    /// Show a task
    Show(TaskId),
    /// Wait until a task is done; fails as the task does
    Wait(TaskWaitArgs),
    /// Follow a task live, to its end
    Events(TaskEventsArgs),
    /// Download a task's files
    Download(TaskDownloadArgs),
    /// Stop a task
    Cancel(TaskId),
    /// Begin a failed or stuck task anew, under its id
    Restart(TaskId),
    /// Make another task of the same model, with other options; prints its id
    Retry(TaskRetryArgs),
    /// Change who may see a task
    Edit(TaskEditArgs),
    /// Remove a task with everything it has made
    Delete(TaskId),
    /// Show what has happened to a task
    Log(TaskLogArgs),
}

/// One task.
#[derive(Debug, Args)]
pub(crate) struct TaskId {
    /// The task's id
    #[arg(value_name = "TASK")]
    pub(crate) task: String,
}

/// What a rig may be asked with.
#[derive(Debug, Args)]
pub(crate) struct TaskOptionArgs {
    /// How much is made
    #[arg(long, value_enum)]
    pub(crate) mode: Option<Mode>,
    /// What the character is
    #[arg(long, value_enum)]
    pub(crate) class: Option<Class>,
    /// Joints placed by hand: JSON, `[{"name", "position": [x, y, z]}]` or a report of an earlier rig
    #[arg(long, value_name = "FILE")]
    pub(crate) joints: Option<PathBuf>,
    /// Most joints a vertex may follow
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) influences: Option<u8>,
    /// Fingers of a humanoid's hands
    #[arg(long, value_enum)]
    pub(crate) fingers: Option<Fingers>,
    /// Tails, ears, hair, capes and skirts of a humanoid
    #[arg(long, value_enum)]
    pub(crate) extra_chains: Option<ExtraChains>,
    /// Eyes of a humanoid
    #[arg(long, value_enum)]
    pub(crate) eyes: Option<Eyes>,
    /// What to do with a mesh that mirrors itself
    #[arg(long, value_enum)]
    pub(crate) symmetry: Option<Symmetry>,
    /// The pose the rig is delivered in
    #[arg(long, value_enum)]
    pub(crate) rest_pose: Option<RestPose>,
    /// What to do with a rig that came with the file
    #[arg(long, value_enum)]
    pub(crate) existing: Option<ExistingRig>,
    /// Files that must be made as well, by their keys (`unity_fbx,fbx_mixamo`)
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = output_key)]
    pub(crate) outputs: Vec<Output>,
    /// A profile whose file must be made as well
    #[arg(long, value_enum)]
    pub(crate) preset: Option<Preset>,
    /// Names of the bones in files that are of no preset; canonical (VRM 1.0) ones by default
    #[arg(long, value_enum, value_name = "PRESET")]
    pub(crate) names: Option<Preset>,
    /// Only these levels of detail, of `100k`, `50k` and `10k`; `none` makes none
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', value_parser = level)]
    pub(crate) lods: Option<Vec<Level>>,
    /// Licence of VRM files: JSON, `meta` as VRM 1.0 has it. What it leaves out is as strict as the format allows
    #[arg(long, value_name = "FILE")]
    pub(crate) vrm_meta: Option<PathBuf>,
    /// Who may see the task
    #[arg(long, value_enum)]
    pub(crate) visibility: Option<Visibility>,
    /// The same key never makes a second task
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

/// `autorig task create`
#[derive(Debug, Args)]
pub(crate) struct TaskCreateArgs {
    /// Model file, or an http(s) link that the server fetches
    #[arg(value_name = "IN")]
    pub(crate) input: String,
    #[command(flatten)]
    pub(crate) options: TaskOptionArgs,
}

/// `autorig task list`
#[derive(Debug, Args)]
pub(crate) struct TaskListArgs {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) limit: u32,
    /// The cursor that the last list ended with
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
}

/// `autorig task wait`
#[derive(Debug, Args)]
pub(crate) struct TaskWaitArgs {
    #[command(flatten)]
    pub(crate) id: TaskId,
    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub(crate) timeout: u64,
}

/// `autorig task events`
#[derive(Debug, Args)]
pub(crate) struct TaskEventsArgs {
    #[command(flatten)]
    pub(crate) id: TaskId,
    /// Only what comes after the event of this id
    #[arg(long, value_name = "EVENT")]
    pub(crate) after: Option<String>,
}

/// `autorig task download`
#[derive(Debug, Args)]
pub(crate) struct TaskDownloadArgs {
    #[command(flatten)]
    pub(crate) id: TaskId,
    /// Folder to write to; made when it is not there
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    /// Only these files, by their keys (`rigged_glb,report_json`)
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    pub(crate) keys: Vec<String>,
    /// Overwrite files that exist
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// `autorig task retry`
#[derive(Debug, Args)]
pub(crate) struct TaskRetryArgs {
    #[command(flatten)]
    pub(crate) id: TaskId,
    #[command(flatten)]
    pub(crate) options: TaskOptionArgs,
}

/// `autorig task edit`
#[derive(Debug, Args)]
pub(crate) struct TaskEditArgs {
    #[command(flatten)]
    pub(crate) id: TaskId,
    /// Who may see it
    #[arg(long, value_enum)]
    pub(crate) visibility: Option<Visibility>,
}

/// `autorig task log`
#[derive(Debug, Args)]
pub(crate) struct TaskLogArgs {
    #[command(flatten)]
    pub(crate) id: TaskId,
    /// Only so many of the last lines
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<u32>,
}

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Everything
    Full,
    /// Prepared model, rigged model, report, and what `--outputs` asks for
    RigOnly,
    /// The model as it is, in other formats
    Convert,
}

/// Who may see a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Visibility {
    /// Everyone, and it is listed
    Public,
    /// Everyone with its id
    Unlisted,
    /// You and the admins
    Private,
}

/// `autorig keys`
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) verb: KeysVerb,
}

/// What is done with API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysVerb {
    /// List API keys, newest first
    List,
    /// Make an API key; prints it, this once
    Create(KeyCreateArgs),
    /// Take an API key back at once
    Revoke(KeyId),
    /// Make a new key in place of one; prints it, this once
    Rotate(KeyRotateArgs),
}

/// One key.
#[derive(Debug, Args)]
pub(crate) struct KeyId {
    /// The key's id, as `keys list` shows it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// `autorig keys create`
#[derive(Debug, Args)]
pub(crate) struct KeyCreateArgs {
    /// What to call it: where it is used
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it may be used for: tasks:read, tasks:write, files:read, credits:read, webhooks, worker, admin; the first three by default
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    pub(crate) scopes: Vec<String>,
    /// A key that never spends
    #[arg(long)]
    pub(crate) test: bool,
    /// From then on it is of no use, `2030-01-01T00:00:00Z`
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
    /// Admins only: the user whose key it is
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
}

/// `autorig keys rotate`
#[derive(Debug, Args)]
pub(crate) struct KeyRotateArgs {
    #[command(flatten)]
    pub(crate) id: KeyId,
    /// Seconds for which the old key still opens; a day by default
    #[arg(long, value_name = "SECONDS")]
    pub(crate) overlap: Option<u64>,
}
