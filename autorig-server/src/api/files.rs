//! Downloading what a task has made: ranges, ETag, conditional requests.

use autorig_core::task::TaskFile;
use poem::{
    Body, IntoResponse, Request, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use super::{Ctx, Group, State, task_id};
use crate::{
    http::{Part, attachment, if_none_match, wanted_part},
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
    ) -> Result<FileAnswer, Problem> {
        state.send(req, &id, &key).await
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
        state.send(req, &id, "prepared_glb").await
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
        state.send(req, &id, "rigged_glb").await
    }
}

impl State {
    async fn send(&self, req: &Request, id: &str, key: &str) -> Result<FileAnswer, Problem> {
        let id = task_id(id)?;
        let task = self.task(id).await?;
        let file = task.file(key).ok_or_else(|| Problem::no_such_file(key))?;
        let etag = format!("\"{}\"", file.sha256);
        if if_none_match(req.headers(), &etag) {
            let answer = describe(file, &etag).status(StatusCode::NOT_MODIFIED).finish();
            return Ok(FileAnswer(answer));
        }
        let range = match wanted_part(req.headers(), &etag, file.size) {
            Part::Whole => None,
            Part::Bytes(range) => Some(range),
            Part::Unsatisfiable => return Err(unsatisfiable(file)),
        };
        let answer = describe(file, &etag).content_type(&file.mime);
        let answer = match &range {
            None => answer.header(header::CONTENT_LENGTH, file.size),
            Some(part) => answer
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_LENGTH, part.end - part.start)
                .header(
                    header::CONTENT_RANGE,
                    format!("bytes {}-{}/{}", part.start, part.end - 1, file.size),
                ),
        };
        let open = self.tasks.open_file(id, key, range).await?.ok_or_else(|| Problem::no_such_file(key))?;
        if open.file.sha256 != file.sha256 {
            // A new revision came in between; the caller's next try gets it whole.
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "file_changed",
                "the file was replaced while it was being opened",
                "ask for it again",
            )
            .retryable());
        }
        Ok(FileAnswer(answer.body(Body::from_bytes_stream(IoStream(open.body)))))
    }
}

fn describe(file: &TaskFile, etag: &str) -> poem::ResponseBuilder {
    Response::builder()
        .header(header::ETAG, etag)
        .header(header::ACCEPT_RANGES, "bytes")
        // Private: on a site, who may download is decided for each caller.
        .header(header::CACHE_CONTROL, "private, no-cache")
        .header(header::CONTENT_DISPOSITION, attachment(&file.name))
}

fn unsatisfiable(file: &TaskFile) -> Problem {
    Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        format!("the file has {} bytes and the range begins after them", file.size),
        "ask for a range within the file",
    )
    .header(header::CONTENT_RANGE, format!("bytes */{}", file.size))
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

impl IntoResponse for FileAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for FileAnswer {
    fn meta() -> MetaResponses {
        let bytes = || {
            let schema = MetaSchema::new_with_format("string", "binary");
            ["model/gltf-binary", "application/json", "application/octet-stream"].map(|content_type| {
                MetaMediaType { content_type, schema: MetaSchemaRef::Inline(Box::new(schema.clone())) }
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
                answer(304, "The caller holds this version (`If-None-Match`).", vec![]),
            ],
        }
    }

    fn register(_registry: &mut Registry) {}
}
