//! Downloading what a task has made: ranges, ETag, conditional requests.

use std::{ops::Range, time::Duration};

use autorig_core::task::{Task, TaskFile};
use poem::{
    Body, IntoResponse, Request, Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use super::{Ctx, Group, State, task_id};
use crate::{
    http::{Part, attachment, if_none_match, wanted_part},
    middleware::envelope::HeadersOnly,
    problem::Problem,
};

pub(crate) struct FilesApi;

#[OpenApi(tag = "Group::Files")]
impl FilesApi {
    /// Download a file of a task
    ///
    /// Answers to HEAD and to a byte `Range`; the ETag is strong.
    #[oai(path = "/api/task/:id/files/:key", method = "get", operation_id = "download_file")]
    async fn file(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
        /// The file's key, `rigged_glb`.
        key: Path<String>,
        /// Of this result instead of the newest; a correction leaves those before it.
        revision: Query<Option<u32>>,
    ) -> Result<FileAnswer, Problem> {
        state.send(req, &id, &key, revision.0).await
    }

    /// Download the prepared model
    ///
    /// The input as a clean GLB before rigging; there long before the task is done.
    #[oai(path = "/api/task/:id/prepared.glb", method = "get", operation_id = "download_prepared")]
    async fn prepared(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.send(req, &id, "prepared_glb", None).await
    }

    /// Download the rigged model
    #[oai(path = "/api/task/:id/model.glb", method = "get", operation_id = "download_model")]
    async fn model(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.send(req, &id, "rigged_glb", None).await
    }

    /// Download the rig with clips as GLB
    #[oai(path = "/api/task/:id/animations.glb", method = "get", operation_id = "download_animations_glb")]
    async fn animations_glb(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.send(req, &id, "animations_glb", None).await
    }

    /// Download the rig with clips as FBX
    #[oai(path = "/api/task/:id/animations.fbx", method = "get", operation_id = "download_animations_fbx")]
    async fn animations_fbx(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.send(req, &id, "animations_fbx", None).await
    }

    /// Download everything in one archive
    #[oai(path = "/api/task/:id/all.zip", method = "get", operation_id = "download_all")]
    async fn all(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.send(req, &id, "all_zip", None).await
    }

    /// Download a file of a task by its place
    ///
    /// The places are fixed: 0 is always `rigged_glb`.
    #[oai(path = "/api/file/:id/:index", method = "get", operation_id = "download_file_by_index")]
    async fn by_index(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
        /// The file's place, 0 and up.
        index: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        let task = state.task(task_id(&id)?).await?;
        let place: Option<u32> = index.parse().ok();
        let file = task.files.iter().find(|file| Some(file.index) == place);
        let key = file.map(|file| file.key.as_str()).ok_or_else(|| Problem::no_such_file(&index))?;
        state.send(req, &id, key, None).await
    }

    /// Watch the video
    ///
    /// Turntable and a clip, shown in the browser; there as soon as the task has `video_ready`.
    #[oai(path = "/api/video/:id", method = "get", operation_id = "show_video")]
    async fn video(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.show(req, &id, "video", None).await
    }

    /// See the thumbnail
    #[oai(path = "/api/thumb/:id", method = "get", operation_id = "show_thumbnail")]
    async fn thumbnail(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.show(req, &id, "thumbnail", None).await
    }

    /// See the viewer page
    ///
    /// The self-contained page of the task, in a sandbox of its own: it cannot reach this server.
    #[oai(path = "/api/task/:id/viewer", method = "get", operation_id = "show_viewer")]
    async fn viewer(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        state.show(req, &id, "viewer_html", Some(CSP_VIEWER)).await
    }
}

/// How long an address of the storage itself works: a download has to begin, not to end, in that time.
const ADDRESS_TTL: Duration = Duration::from_secs(300);

/// The viewer page carries its script and its model; it may load nothing and has no origin.
const CSP_VIEWER: &str = "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; \
     img-src blob: data:; connect-src blob: data:; worker-src blob:; sandbox allow-scripts allow-downloads";

impl State {
    /// A file to be shown in place instead of saved.
    async fn show(
        &self,
        req: &Request,
        id: &str,
        key: &str,
        policy: Option<&'static str>,
    ) -> Result<FileAnswer, Problem> {
        let mut answer = self.stream(req, id, key, None).await?;
        let headers = answer.0.headers_mut();
        if let Some(named) = headers.get(header::CONTENT_DISPOSITION).and_then(|v| v.to_str().ok())
            && let Ok(inline) = HeaderValue::from_str(&named.replacen("attachment", "inline", 1))
        {
            headers.insert(header::CONTENT_DISPOSITION, inline);
        }
        if let Some(policy) = policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        Ok(answer)
    }

    /// A file to be saved: its bytes, or where the storage has them if that is how the server is set up.
    async fn send(
        &self,
        req: &Request,
        id: &str,
        key: &str,
        revision: Option<u32>,
    ) -> Result<FileAnswer, Problem> {
        if !self.config.storage_redirect || req.extensions().get::<HeadersOnly>().is_some() {
            // An address is signed for GET alone.
            return self.stream(req, id, key, revision).await;
        }
        let task = self.task(task_id(id)?).await?;
        let file = self.file(&task, key, revision).await?;
        let address = self.tasks.file_address(&file, attachment(&file.name), ADDRESS_TTL).await?;
        let Some(address) = address else { return self.stream(req, id, key, revision).await };
        let answer = Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, address)
            .header(header::CACHE_CONTROL, "no-store");
        Ok(FileAnswer(answer.finish()))
    }

    async fn stream(
        &self,
        req: &Request,
        id: &str,
        key: &str,
        revision: Option<u32>,
    ) -> Result<FileAnswer, Problem> {
        let id = task_id(id)?;
        let task = self.task(id).await?;
        let file = self.file(&task, key, revision).await?;
        let (answer, range) = match Shown::from(&file).wanted(req)? {
            Wanted::Nothing(answer) => return Ok(answer),
            Wanted::Bytes(answer, range) => (answer, range),
        };
        let open = match self.tasks.open(&file, range).await {
            Ok(open) => open,
            // It may have been replaced in between; the caller's next try gets the new one.
            Err(_) if self.task(id).await?.version != task.version => return Err(file_changed()),
            Err(error) => return Err(error.into()),
        };
        Ok(FileAnswer::body(answer, open.body))
    }

    async fn file(&self, task: &Task, key: &str, revision: Option<u32>) -> Result<TaskFile, Problem> {
        self.tasks.file(task, key, revision).await?.ok_or_else(|| Problem::no_such_file(key))
    }
}

fn file_changed() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "file_changed",
        "the file was replaced while it was being opened",
        "ask for it again",
    )
    .retryable()
}

/// A stored file as it is shown to a client.
pub(crate) struct Shown<'a> {
    pub(crate) name: &'a str,
    pub(crate) mime: &'a str,
    pub(crate) size: u64,
    pub(crate) sha256: &'a str,
}

impl<'a> From<&'a TaskFile> for Shown<'a> {
    fn from(file: &'a TaskFile) -> Self {
        Self { name: &file.name, mime: &file.mime, size: file.size, sha256: &file.sha256 }
    }
}

/// What a request wants of a file.
pub(crate) enum Wanted {
    /// Only to hear that its copy is good.
    Nothing(FileAnswer),
    /// All of it, or a part.
    Bytes(poem::ResponseBuilder, Option<Range<u64>>),
}

impl Shown<'_> {
    /// Looks at `If-None-Match` and `Range`.
    pub(crate) fn wanted(&self, req: &Request) -> Result<Wanted, Problem> {
        let etag = format!("\"{}\"", self.sha256);
        if if_none_match(req.headers(), &etag) {
            let answer = self.describe(&etag).status(StatusCode::NOT_MODIFIED).finish();
            return Ok(Wanted::Nothing(FileAnswer(answer)));
        }
        let range = match wanted_part(req.headers(), &etag, self.size) {
            Part::Whole => None,
            Part::Bytes(range) => Some(range),
            Part::Unsatisfiable => return Err(self.unsatisfiable()),
        };
        let answer = self.describe(&etag).content_type(self.mime);
        let answer = match &range {
            None => answer.header(header::CONTENT_LENGTH, self.size),
            Some(part) => answer
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_LENGTH, part.end - part.start)
                .header(
                    header::CONTENT_RANGE,
                    format!("bytes {}-{}/{}", part.start, part.end - 1, self.size),
                ),
        };
        Ok(Wanted::Bytes(answer, range))
    }

    fn describe(&self, etag: &str) -> poem::ResponseBuilder {
        Response::builder()
            .header(header::ETAG, etag)
            .header(header::ACCEPT_RANGES, "bytes")
            // Private: on a site, who may download is decided for each caller.
            .header(header::CACHE_CONTROL, "private, no-cache")
            .header(header::CONTENT_DISPOSITION, attachment(self.name))
    }

    fn unsatisfiable(&self) -> Problem {
        Problem::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range_not_satisfiable",
            format!("the file has {} bytes and the range begins after them", self.size),
            "ask for a range within the file",
        )
        .header(header::CONTENT_RANGE, format!("bytes */{}", self.size))
    }
}

/// A blob's bytes with the error type that bodies want.
struct IoStream(autorig_core::blob::ByteStream);

impl futures_util::Stream for IoStream {
    type Item = std::io::Result<bytes::Bytes>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map(|item| item.map(|piece| piece.map_err(std::io::Error::other)))
    }
}

/// A file, a part of it, or the news that the caller has it.
pub(crate) struct FileAnswer(Response);

impl FileAnswer {
    /// The bytes that were wanted.
    pub(crate) fn body(answer: poem::ResponseBuilder, body: autorig_core::blob::ByteStream) -> Self {
        Self(answer.body(Body::from_bytes_stream(IoStream(body))))
    }
}

impl IntoResponse for FileAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for FileAnswer {
    fn meta() -> MetaResponses {
        let bytes = || {
            let schema = MetaSchema::new_with_format("string", "binary");
            [
                "model/gltf-binary",
                "application/json",
                "image/png",
                "video/mp4",
                "text/html",
                "application/zip",
                "application/octet-stream",
            ]
            .map(|content_type| MetaMediaType {
                content_type,
                schema: MetaSchemaRef::Inline(Box::new(schema.clone())),
            })
        };
        let answer = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![],
        };
        MetaResponses {
            responses: vec![
                answer(200, "The whole file.", bytes().into()),
                answer(206, "The part asked for by `Range`.", bytes().into()),
                answer(302, "The storage has it at this address for a while (`storage_redirect`).", vec![]),
                answer(304, "The caller holds this version (`If-None-Match`).", vec![]),
            ],
        }
    }

    fn register(_registry: &mut Registry) {}
}
