//! What a new task is made from.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use reqwest::{
    RequestBuilder,
    multipart::{Form, Part},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::io::ReaderStream;

use crate::{Error, Result};

/// Where the model is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// A file on this machine, sent as it is read.
    File(PathBuf),
    /// Bytes in memory, under a name.
    Bytes {
        /// File name; its stem names the outputs.
        name: String,
        /// Contents.
        bytes: Bytes,
    },
    /// An address the server fetches it from.
    Link(String),
    /// The id of a file that was sent before, by [`Client::upload`](crate::Client::upload).
    Uploaded(String),
}

/// A joint placed by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointHint {
    /// Its name.
    pub name: String,
    /// Its parent's name; informative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Position in the input's frame and unit.
    pub position: [f64; 3],
}

/// What a caller may choose; everything absent is the server's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskOptions {
    /// `full`, `rig_only` or `convert`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `auto`, `humanoid`, `quadruped`, `bird`, `creature` or `prop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Joints placed by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joints: Vec<JointHint>,
    /// Most joints a vertex may follow, 1 to 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub influences: Option<u8>,
    /// `auto` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingers: Option<String>,
    /// `auto` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_chains: Option<String>,
    /// `auto` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eyes: Option<String>,
    /// `auto` or `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symmetry: Option<String>,
    /// `as_is` or `t_pose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_pose: Option<String>,
    /// `re_rig`, `re_skin` or `keep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<String>,
    /// Keys of files that must be made as well, `fbx_mixamo`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// `public`, `unlisted` or `private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// The profile whose names the bones have: `glb`, `unity`, `unreal`, `mixamo`, `vrm`, `blender`, `godot`, `roblox`, `maya`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
    /// A profile whose file must be made as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Levels of detail to make, of `100k`, `50k` and `10k`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lods: Option<Vec<String>>,
    /// Whose an avatar is and what others may do with it, as `meta` of VRM 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vrm_meta: Option<Value>,
}

/// A task that is to be made.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// Where the model is.
    pub input: Input,
    /// What is wanted.
    pub options: TaskOptions,
    /// Names this wish: the same key never makes a second task. Chosen at random when absent.
    pub idempotency_key: Option<String>,
}

impl NewTask {
    /// From a file on this machine.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::new(Input::File(path.into()))
    }

    /// From bytes in memory.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self::new(Input::Bytes { name: name.into(), bytes: bytes.into() })
    }

    /// From an address the server fetches.
    pub fn link(url: impl Into<String>) -> Self {
        Self::new(Input::Link(url.into()))
    }

    /// From a file that was sent before.
    pub fn uploaded(id: impl Into<String>) -> Self {
        Self::new(Input::Uploaded(id.into()))
    }

    /// From any input, with the server's defaults.
    pub fn new(input: Input) -> Self {
        Self { input, options: TaskOptions::default(), idempotency_key: None }
    }

    /// With these options.
    #[must_use]
    pub fn options(mut self, options: TaskOptions) -> Self {
        self.options = options;
        self
    }

    /// Under this idempotency key.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Puts the body on a request; called anew for every attempt, since a stream is read once.
    pub(crate) async fn write_to(&self, request: RequestBuilder) -> Result<RequestBuilder> {
        let part = match &self.input {
            Input::Link(link) => return Ok(request.json(&self.reference("link", link)?)),
            Input::Uploaded(id) => return Ok(request.json(&self.reference("upload_id", id)?)),
            Input::Bytes { name, bytes } => {
                let length = bytes.len() as u64;
                Part::stream_with_length(bytes.clone(), length).file_name(name.clone())
            }
            Input::File(path) => file_part(path).await?,
        };
        let mut form = Form::new();
        // Before the file, so that a server can refuse them without reading it.
        if self.options != TaskOptions::default() {
            form = form.text("options", json(&self.options)?.to_string());
        }
        Ok(request.multipart(form.part("file", part)))
    }

    fn reference(&self, name: &str, value: &str) -> Result<Value> {
        let mut body = json(&self.options)?;
        if let Some(body) = body.as_object_mut() {
            body.insert(name.to_owned(), value.into());
        }
        Ok(body)
    }
}

async fn file_part(path: &Path) -> Result<Part> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let length = file.metadata().await.map_err(failed)?.len();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let body = reqwest::Body::wrap_stream(ReaderStream::new(file));
    Ok(Part::stream_with_length(body, length).file_name(name))
}

fn json(options: &TaskOptions) -> Result<Value> {
    serde_json::to_value(options).map_err(|error| Error::UnexpectedAnswer {
        status: None,
        message: format!("the options cannot be written as JSON: {error}"),
    })
}
