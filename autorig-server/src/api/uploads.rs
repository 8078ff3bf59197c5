//! Uploads: announced in JSON or by tus 1.0, sent in pieces, and read again under an address that nobody guesses.
//!
//! <https://tus.io/protocols/resumable-upload> with the extensions creation, termination, checksum and expiration.

use autorig_core::{
    blob::Presigned,
    task::Owner,
    upload::{Algorithm, Announced, Checksum, Chunk, NewUpload, Upload},
};
use poem::{
    Body, IntoResponse, Request, Response, ResponseBuilder,
    http::{HeaderName, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    payload::{Json, Payload},
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ParseFromJSON, ToJSON, Type},
};
use uuid::Uuid;

use super::{
    Ctx, Group, State, Who,
    files::{FileAnswer, Shown, Wanted},
};
use crate::{
    problem::Problem,
    raw_body::{Described, RawBody},
    upload,
};

/// The version of tus spoken here.
pub(crate) const TUS_VERSION: &str = "1.0.0";
/// Says the version, on every call and answer.
pub(crate) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
/// What the bytes of a PATCH are.
const PIECE_TYPE: &str = "application/offset+octet-stream";
const JSON: &str = "application/json; charset=utf-8";
/// Where uploads are.
const PATH: &str = "/api/uploads";

/// A file that is about to be sent.
#[derive(Debug, Clone, Object)]
#[oai(rename = "NewUpload")]
pub(crate) struct NewUploadBody {
    /// Its name; the stem names the results.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes in hex. Then the bytes are checked against it, and a file of yours that is here already
    /// does not have to be sent again.
    pub sha256: Option<String>,
}

/// How the bytes are to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, poem_openapi::Enum)]
#[oai(rename = "UploadMethod", rename_all = "snake_case")]
pub(crate) enum Method {
    /// By tus 1.0: PATCH to `url`.
    Tus,
    /// By one PUT to `url` with `headers`, then POST to `complete_url`.
    Put,
    /// Not at all: they are here.
    None,
}

/// A header that has to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct UploadHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An upload: a file on its way, or here.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Upload")]
pub(crate) struct UploadView {
    /// What `upload_id` of `POST /api/task/create` takes.
    pub upload_id: String,
    /// Its name.
    pub name: String,
    /// Bytes in all.
    pub size: u64,
    /// Bytes that are here.
    pub received: u64,
    /// True when a task can be made of it.
    pub complete: bool,
    /// SHA-256 of the bytes in hex: as announced, then as it is.
    pub sha256: Option<String>,
    /// How the bytes are to be sent.
    pub method: Method,
    /// Where to.
    pub url: Option<String>,
    /// Headers that a PUT has to have, exactly so.
    pub headers: Vec<UploadHeader>,
    /// What to POST to after a PUT.
    pub complete_url: Option<String>,
    /// When it is forgotten unless more bytes arrive.
    pub expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Where anyone who knows this address gets the file, once it is complete.
    pub link: Option<String>,
}

/// A file is announced in JSON; by tus there is no body.
pub(crate) struct Announcement;

impl Described for Announcement {
    fn media() -> Vec<MetaMediaType> {
        let schema = NewUploadBody::schema_ref();
        vec![MetaMediaType { content_type: Json::<NewUploadBody>::CONTENT_TYPE, schema }]
    }

    fn register(registry: &mut Registry) {
        NewUploadBody::register(registry);
    }
}

/// Bytes of an upload.
pub(crate) struct Piece;

impl Described for Piece {
    fn media() -> Vec<MetaMediaType> {
        let bytes = MetaSchema::new_with_format("string", "binary");
        vec![MetaMediaType { content_type: PIECE_TYPE, schema: MetaSchemaRef::Inline(Box::new(bytes)) }]
    }
}

pub(crate) struct UploadsApi;

#[OpenApi(tag = "Group::Uploads")]
impl UploadsApi {
    /// Announce a file
    ///
    /// In JSON; or by tus 1.0 with the headers `Tus-Resumable`, `Upload-Length` and `Upload-Metadata` (`filename`,
    /// `sha256`), which answers 201 with nothing but headers. With a bucket as storage only JSON is taken: the
    /// bytes go to the storage itself.
    #[oai(path = "/api/uploads", method = "post", operation_id = "announce_upload")]
    async fn announce(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        req: &Request,
        body: RawBody<Announcement>,
    ) -> Result<UploadAnswer, Problem> {
        if req.headers().contains_key(TUS_RESUMABLE) || req.headers().contains_key(LENGTH) {
            return state.announce_by_tus(who.known()?, req).await;
        }
        let text = upload::read_text(body.0).await?;
        let value = serde_json::from_str(&text).map_err(|error| bad_json(&error.to_string()))?;
        let new =
            NewUploadBody::parse_from_json(Some(value)).map_err(|error| bad_json(&error.into_message()))?;
        let announced = state.announce(who.known()?, &new.name, new.size, new.sha256).await?;
        let view = state.upload_view(&announced.upload, announced.put.as_ref());
        Ok(UploadAnswer(located(StatusCode::CREATED, &announced.upload).body(view.to_json_string())))
    }

    /// What resumable uploads can do here
    #[oai(path = "/api/uploads", method = "options", operation_id = "upload_options")]
    async fn options(&self, state: Ctx<'_>) -> Result<UploadAnswer, Problem> {
        let algorithms = Algorithm::ALL.map(Algorithm::name).join(",");
        let answer = Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header("Tus-Version", TUS_VERSION)
            .header("Tus-Extension", "creation,termination,checksum,expiration")
            .header("Tus-Max-Size", state.uploads.limit())
            .header("Tus-Checksum-Algorithm", algorithms);
        Ok(UploadAnswer(answer.finish()))
    }

    /// How much of an upload is here (tus)
    #[oai(path = "/api/uploads/:id", method = "head", operation_id = "upload_offset")]
    async fn offset(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        req: &Request,
        /// The upload's id.
        id: Path<String>,
    ) -> Result<UploadAnswer, Problem> {
        speaks_tus(req)?;
        let upload = state.upload(who.known()?, &id).await?;
        let answer = state.upload_progress(StatusCode::OK, &upload).header(LENGTH, upload.size);
        Ok(UploadAnswer(answer.finish()))
    }

    /// Look at an upload
    #[oai(path = "/api/uploads/:id", method = "get", operation_id = "get_upload")]
    async fn get(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The upload's id.
        id: Path<String>,
    ) -> Result<UploadAnswer, Problem> {
        let upload = state.upload(who.known()?, &id).await?;
        let answer = Response::builder().header(header::CACHE_CONTROL, "no-store");
        Ok(UploadAnswer(answer.content_type(JSON).body(state.upload_view(&upload, None).to_json_string())))
    }

    /// Send bytes of an upload (tus)
    ///
    /// `Upload-Offset` says where they begin, which has to be how much is here; `Upload-Checksum` (`sha256` or
    /// `sha1`) makes them count all together or not at all. When the line breaks, ask by HEAD and go on.
    #[oai(path = "/api/uploads/:id", method = "patch", operation_id = "send_upload")]
    async fn patch(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        req: &Request,
        /// The upload's id.
        id: Path<String>,
        body: RawBody<Piece>,
    ) -> Result<UploadAnswer, Problem> {
        let chunk = match piece(req) {
            Ok((offset, checksum)) => Chunk { offset, body: upload::pieces(body.0), checksum },
            Err(problem) => return Err(refused(req, body.0, problem).await),
        };
        let upload = state.uploads.write(who.known()?, upload_id(&id)?, chunk).await.map_err(problem_of)?;
        Ok(UploadAnswer(state.upload_progress(StatusCode::NO_CONTENT, &upload).finish()))
    }

    /// Complete an upload that was PUT to the storage
    #[oai(path = "/api/uploads/:id/complete", method = "post", operation_id = "complete_upload")]
    async fn complete(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The upload's id.
        id: Path<String>,
    ) -> Result<UploadAnswer, Problem> {
        let done = state.uploads.finish(who.known()?, upload_id(&id)?).await?;
        let upload = done.ok_or_else(|| no_such_upload(&id))?;
        Ok(UploadAnswer(
            Response::builder().content_type(JSON).body(state.upload_view(&upload, None).to_json_string()),
        ))
    }

    /// Give an upload up
    ///
    /// Its bytes are removed, unless a task uses them.
    #[oai(path = "/api/uploads/:id", method = "delete", operation_id = "delete_upload")]
    async fn delete(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The upload's id.
        id: Path<String>,
    ) -> Result<UploadAnswer, Problem> {
        if !state.uploads.cancel(who.known()?, upload_id(&id)?).await? {
            return Err(no_such_upload(&id));
        }
        Ok(UploadAnswer(Response::builder().status(StatusCode::NO_CONTENT).finish()))
    }

    /// Download an upload
    ///
    /// For whoever knows the address; as an attachment of no particular type, never shown in the browser.
    #[oai(path = "/u/:token/:filename", method = "get", operation_id = "download_upload")]
    async fn download(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// From the upload's `link`.
        token: Path<String>,
        /// Anything; the file comes under its own name.
        filename: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        let _ = filename;
        let upload =
            state.uploads.by_token(&token).await?.ok_or_else(|| no_such_upload("of this address"))?;
        let shown = Shown {
            name: &upload.name,
            mime: "application/octet-stream",
            size: upload.size,
            sha256: upload.sha256.as_deref().unwrap_or_default(),
        };
        let (answer, range) = match shown.wanted(req)? {
            Wanted::Nothing(answer) => return Ok(answer),
            Wanted::Bytes(answer, range) => (answer, range),
        };
        let open =
            state.uploads.open(&token, range).await?.ok_or_else(|| no_such_upload("of this address"))?;
        Ok(FileAnswer::body(answer, open.1.body))
    }
}

impl State {
    async fn announce(
        &self,
        owner: &Owner,
        name: &str,
        size: u64,
        sha256: Option<String>,
    ) -> Result<Announced, Problem> {
        let new = NewUpload { owner: owner.clone(), name: name.to_owned(), size, sha256 };
        let limit = self.uploads.limit();
        self.uploads.begin(new).await.map_err(|error| match error.code.as_ref() {
            "limit_file_size" => upload::too_large(limit),
            _ => error.into(),
        })
    }

    async fn announce_by_tus(&self, owner: &Owner, req: &Request) -> Result<UploadAnswer, Problem> {
        speaks_tus(req)?;
        let size = number(req, &LENGTH)?;
        let metadata = req.headers().get(METADATA).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let name = metadata_of(metadata, "filename")?.or(metadata_of(metadata, "name")?);
        let sha256 = metadata_of(metadata, "sha256")?;
        let announced = self.announce(owner, name.as_deref().unwrap_or("model"), size, sha256).await?;
        if announced.put.is_some() {
            self.uploads.cancel(owner, announced.upload.id).await?;
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "upload_by_put",
                "the storage of this server takes files by PUT, not by tus",
                "announce the file in JSON and PUT it to the address in the answer",
            ));
        }
        let answer = self.upload_progress(StatusCode::CREATED, &announced.upload);
        Ok(UploadAnswer(answer.header(header::LOCATION, place(&announced.upload)).finish()))
    }

    /// The caller's upload.
    async fn upload(&self, owner: &Owner, id: &str) -> Result<Upload, Problem> {
        let found = self.uploads.get(owner, upload_id(id)?).await?;
        found.ok_or_else(|| no_such_upload(id))
    }

    /// An answer that tells how far an upload is.
    fn upload_progress(&self, status: StatusCode, upload: &Upload) -> ResponseBuilder {
        let answer = Response::builder()
            .status(status)
            .header(OFFSET, upload.received)
            .header(header::CACHE_CONTROL, "no-store");
        match self.uploads.expires_at(upload) {
            Some(at) => answer.header(EXPIRES, at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            None => answer,
        }
    }

    fn upload_view(&self, upload: &Upload, put: Option<&Presigned>) -> UploadView {
        let to_storage = put.is_some() || upload.blob.starts_with("incoming/");
        let method = match (upload.complete, to_storage) {
            (true, _) => Method::None,
            (false, true) => Method::Put,
            (false, false) => Method::Tus,
        };
        let headers = put.iter().flat_map(|put| &put.headers);
        UploadView {
            upload_id: upload.id.to_string(),
            name: upload.name.clone(),
            size: upload.size,
            received: upload.received,
            complete: upload.complete,
            sha256: upload.sha256.clone(),
            method,
            url: match method {
                Method::Tus => Some(place(upload)),
                Method::Put => put.map(|put| put.url.clone()),
                Method::None => None,
            },
            headers: headers
                .map(|(name, value)| UploadHeader { name: name.clone(), value: value.clone() })
                .collect(),
            complete_url: (method == Method::Put).then(|| format!("{}/complete", place(upload))),
            expires_at: self.uploads.expires_at(upload),
            link: upload.complete.then(|| link(upload)),
        }
    }
}

fn place(upload: &Upload) -> String {
    format!("{PATH}/{}", upload.id)
}

fn link(upload: &Upload) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = upload.name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    format!("/u/{}/{name}", upload.token)
}

fn located(status: StatusCode, upload: &Upload) -> ResponseBuilder {
    Response::builder()
        .status(status)
        .content_type(JSON)
        .header(header::LOCATION, place(upload))
        .header(header::CACHE_CONTROL, "no-store")
}

/// Refuses a caller that speaks another version, or does not say which.
fn speaks_tus(req: &Request) -> Result<(), Problem> {
    match req.header(TUS_RESUMABLE.as_str()) {
        Some(TUS_VERSION) => Ok(()),
        _ => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "tus_version",
            format!("the request does not speak tus {TUS_VERSION}"),
            format!("send the header Tus-Resumable: {TUS_VERSION}"),
        )
        .header(HeaderName::from_static("tus-version"), TUS_VERSION)),
    }
}

/// Where a piece belongs, and its sum.
fn piece(req: &Request) -> Result<(u64, Option<Checksum>), Problem> {
    speaks_tus(req)?;
    if req.content_type().is_none_or(|kind| !kind.eq_ignore_ascii_case(PIECE_TYPE)) {
        return Err(Problem {
            remedy: format!("send the bytes as {PIECE_TYPE}"),
            ..Problem::unsupported_media_type("the bytes of an upload come as another type")
        });
    }
    let checksum = req.header("upload-checksum").map(Checksum::parse).transpose()?;
    Ok((number(req, &OFFSET)?, checksum))
}

/// A refusal that a caller who is still sending gets to see.
async fn refused(req: &Request, body: Body, problem: Problem) -> Problem {
    if !req.headers().contains_key(header::EXPECT) {
        upload::drain(body).await;
    }
    problem
}

fn number(req: &Request, name: &HeaderName) -> Result<u64, Problem> {
    let value = req.header(name.as_str()).and_then(|text| text.trim().parse().ok());
    value.ok_or_else(|| Problem::bad_param(name.as_str(), "it is missing or no number"))
}

/// One value of `Upload-Metadata`: `key base64, key base64`.
fn metadata_of(metadata: &str, key: &str) -> Result<Option<String>, Problem> {
    let wrong = || Problem::bad_param(METADATA.as_str(), "a value is not UTF-8 in base64");
    for pair in metadata.split(',') {
        let (name, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        if name == key {
            let standard = &base64::engine::general_purpose::STANDARD;
            let bytes = base64::Engine::decode(standard, value.trim()).map_err(|_| wrong())?;
            return String::from_utf8(bytes).map(Some).map_err(|_| wrong());
        }
    }
    Ok(None)
}

fn upload_id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| no_such_upload(text))
}

fn no_such_upload(id: &str) -> Problem {
    let shown: String = id.chars().take(64).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        "upload_not_found",
        format!("there is no upload {shown}"),
        "announce the file again; unfinished uploads are forgotten after a day",
    )
}

fn bad_json(why: &str) -> Problem {
    let mut problem = Problem::bad_body("invalid_json", why);
    "send {\"name\", \"size\", \"sha256\"} as described in /docs".clone_into(&mut problem.remedy);
    problem
}

/// tus has a status of its own for a wrong checksum.
fn problem_of(error: autorig_core::Error) -> Problem {
    let mismatch = error.code == "chunk_checksum_mismatch";
    let mut problem = Problem::from(error);
    if mismatch && let Ok(status) = StatusCode::from_u16(460) {
        problem.status = status;
    }
    problem
}

/// An upload in JSON, or in headers alone.
pub(crate) struct UploadAnswer(Response);

impl IntoResponse for UploadAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for UploadAnswer {
    fn meta() -> MetaResponses {
        let header = |name: &str, description: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let headers = || {
            vec![
                header("Location", "The upload."),
                header("Upload-Offset", "How many bytes are here."),
                header("Upload-Length", "How many there will be."),
                header("Upload-Expires", "When it is forgotten unless more arrive."),
            ]
        };
        let answer = |status, description, json: bool| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: if json {
                vec![MetaMediaType {
                    content_type: Json::<UploadView>::CONTENT_TYPE,
                    schema: UploadView::schema_ref(),
                }]
            } else {
                vec![]
            },
            headers: headers(),
        };
        MetaResponses {
            responses: vec![
                answer(200, "The upload.", true),
                answer(201, "The upload is announced.", true),
                answer(204, "Done; what there is to say is in the headers.", false),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        UploadView::register(registry);
    }
}
