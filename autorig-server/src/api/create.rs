//! A new task: from a form with a file, or from JSON with a link.

use autorig_core::task::{Created as CoreCreated, Input, NewTask, Owner, Visibility};
use poem::{
    Body, IntoResponse, Request, RequestBody, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, OpenApi,
    param::Header,
    payload::{Json, Payload},
    registry::{
        MetaHeader, MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef,
        Registry,
    },
    types::Type,
};
use serde_json::Value;

use super::{
    Ctx, Group, State, Who,
    schema::{CreateForm, CreateFromLink, CreateFromUpload},
    wire::{Created, TaskUrls},
};
use crate::{
    problem::Problem,
    upload::{self, Form, Options, Part},
};

pub(crate) struct CreateApi;

#[OpenApi(tag = "Group::Tasks")]
impl CreateApi {
    /// Create a task
    ///
    /// Send the model as `file` of a form, with options as fields of their own or together in one JSON field
    /// `options`; or send JSON with a `link` to it or the `upload_id` of an upload (`CreateFromUpload`). Options that come before the file save the server a copy.
    ///
    /// The task is accepted when this answers; whether the file can be rigged is found out while it is
    /// processed, and a task whose file cannot be ends as `error` with a remedy.
    #[oai(path = "/api/task/create", method = "post", operation_id = "create_task")]
    async fn create(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        req: &Request,
        /// Repeating a call with the same key and body answers the task that the first call made.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Header<Option<String>>,
        body: CreateBody,
    ) -> Result<CreateAnswer, Problem> {
        if req.header("content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            return Err(Problem::unsupported_media_type("bodies with a Content-Encoding are not read"));
        }
        let asked = Asked { owner: who.known()?.clone(), key: idempotency_key.0, limited: !who.admin };
        let essence = content_type(req);
        let created = match essence.as_str() {
            "multipart/form-data" => state.create_from_form(req, body.0, asked).await?,
            "application/json" => state.create_from_json(body.0, asked).await?,
            "" => return Err(Problem::unsupported_media_type("the request has no Content-Type")),
            other => {
                let shown: String = other.chars().take(80).collect();
                return Err(Problem::unsupported_media_type(format!(
                    "bodies of type `{shown}` are not read"
                )));
            }
        };
        Ok(accepted(&created))
    }
}

/// Tells of a new task.
pub(crate) fn accepted(created: &CoreCreated) -> CreateAnswer {
    let id = created.task.id;
    tracing::Span::current().record("task_id", tracing::field::display(id));
    tracing::info!(replayed = created.replayed, bytes = created.task.input.size, "task created");
    let answer =
        Created { task_id: id.to_string(), status: created.task.status.into(), urls: TaskUrls::of(id) };
    CreateAnswer { answer, replayed: created.replayed }
}

fn content_type(req: &Request) -> String {
    let value = req.content_type().unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Who asks, and under which key.
struct Asked {
    owner: Owner,
    key: Option<String>,
    limited: bool,
}

impl State {
    async fn create_from_json(&self, body: Body, asked: Asked) -> Result<CoreCreated, Problem> {
        let text = upload::read_text(body).await?;
        let value: Value =
            serde_json::from_str(&text).map_err(|e| Problem::bad_body("invalid_json", e.to_string()))?;
        let Value::Object(mut options) = value else {
            return Err(Problem::bad_body("invalid_json", "the body is not a JSON object"));
        };
        let input = take_reference(&mut options)?.ok_or_else(missing_input)?;
        self.submit(input, options, asked).await
    }

    async fn create_from_form(
        &self,
        req: &Request,
        body: Body,
        asked: Asked,
    ) -> Result<CoreCreated, Problem> {
        let mut form = Form::open(req, body, self.config.upload_limit).await?;
        let mut options = Options::new();
        while let Some(part) = form.next().await? {
            match part {
                Part::Text { name, value } => add_field(&mut options, &name, &value)?,
                Part::File { name, body } if options.is_empty() => {
                    // Options may follow, and they are needed before the file is handed on.
                    let file = upload::spool(&form, body, self.config.spool_dir.as_deref()).await?;
                    while let Some(part) = form.next().await? {
                        match part {
                            Part::Text { name, value } => add_field(&mut options, &name, &value)?,
                            Part::File { .. } => return Err(second_file()),
                        }
                    }
                    refuse_link_beside_file(&options)?;
                    return self
                        .submit(Input::Upload { name, body: file.read().await? }, options, asked)
                        .await;
                }
                Part::File { name, body } => {
                    refuse_link_beside_file(&options)?;
                    let (body, verdict) = form.last(body);
                    let created = self.submit(Input::Upload { name, body }, options, asked).await;
                    return created.map_err(|problem| verdict.take().unwrap_or(problem));
                }
            }
        }
        let input = take_reference(&mut options)?.ok_or_else(missing_input)?;
        self.submit(input, options, asked).await
    }

    async fn submit(&self, input: Input, mut options: Options, asked: Asked) -> Result<CoreCreated, Problem> {
        let limit = self.config.upload_limit;
        let visibility = take_visibility(&mut options)?;
        let new = NewTask {
            kind: "rig".to_owned(),
            owner: asked.owner,
            input,
            params: Value::Object(options),
            visibility: visibility.unwrap_or(Visibility::Unlisted),
            priority: 0,
            title: None,
            idempotency_key: asked.key,
            limited: asked.limited,
        };
        self.tasks.create(new).await.map_err(|error| match error.code.as_ref() {
            "limit_file_size" => upload::too_large(limit),
            _ => error.into(),
        })
    }
}

/// One field of a form: `options` holds many as JSON, any other is one option.
fn add_field(options: &mut Options, name: &str, value: &str) -> Result<(), Problem> {
    if name != "options" {
        return upload::add_option(options, name, upload::field_value(value));
    }
    let value = if value.trim().is_empty() { "{}" } else { value };
    let Ok(Value::Object(many)) = serde_json::from_str(value) else {
        return Err(Problem::bad_option("options", "the field `options` is not a JSON object"));
    };
    many.into_iter().try_for_each(|(name, value)| upload::add_option(options, &name, value))
}

fn take_link(options: &mut Options) -> Result<Option<String>, Problem> {
    match options.remove("link") {
        None => Ok(None),
        Some(Value::String(link)) => Ok(Some(link)),
        Some(_) => Err(Problem::bad_option("link", "`link` is not a text")),
    }
}

/// Who may see the task: the one option that is not of its kind.
pub(crate) fn take_visibility(options: &mut Options) -> Result<Option<Visibility>, Problem> {
    let Some(value) = options.remove("visibility") else { return Ok(None) };
    let known = value.as_str().and_then(|name| name.parse().ok());
    known.map(Some).ok_or_else(|| {
        Problem::bad_option("visibility", "`visibility` is not one of public, unlisted, private")
    })
}

/// Names an upload instead of a file.
const UPLOAD: &str = "upload_id";

/// What stands for a file: a link or an upload.
fn take_reference(options: &mut Options) -> Result<Option<Input>, Problem> {
    let upload = match options.remove(UPLOAD) {
        None => return Ok(take_link(options)?.map(Input::Link)),
        Some(Value::String(id)) => id.parse().map_err(|_| upload_problem("`upload_id` is not an id"))?,
        Some(_) => return Err(upload_problem("`upload_id` is not a text")),
    };
    if options.contains_key("link") {
        return Err(upload_problem("the request has an `upload_id` and a `link`"));
    }
    Ok(Some(Input::Announced(upload)))
}

fn upload_problem(detail: &str) -> Problem {
    Problem::bad_option(UPLOAD, detail)
}

fn missing_input() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "input_missing",
        "the request has neither a `file` nor a `link` nor an `upload_id`",
        "send a form with a `file`, or JSON with a `link`",
    )
}

fn second_file() -> Problem {
    Problem::bad_body("invalid_multipart", "the form has more than one `file`")
}

fn refuse_link_beside_file(options: &Options) -> Result<(), Problem> {
    for name in ["link", UPLOAD] {
        if options.contains_key(name) {
            return Err(Problem::bad_option(name, format!("the form has a `file` and a `{name}`")));
        }
    }
    Ok(())
}

/// The body as it is; the handler reads it piece by piece.
pub(crate) struct CreateBody(Body);

impl<'a> ApiExtractor<'a> for CreateBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    const PARAM_IS_REQUIRED: bool = true;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        CreateForm::register(registry);
        CreateFromLink::register(registry);
        CreateFromUpload::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let media = |content_type, schema: MetaSchemaRef| MetaMediaType { content_type, schema };
        let one_of = vec![CreateFromLink::schema_ref(), CreateFromUpload::schema_ref()];
        let reference = MetaSchema { one_of, ..MetaSchema::new("object") };
        Some(MetaRequest {
            description: Some("A form with a file, or JSON with a link or an upload."),
            content: vec![
                media("multipart/form-data", CreateForm::schema_ref()),
                media("application/json", MetaSchemaRef::Inline(Box::new(reference))),
            ],
            required: true,
        })
    }

    async fn from_request(
        _request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        Ok(Self(body.take()?))
    }
}

/// 202 with where to go on.
pub(crate) struct CreateAnswer {
    answer: Created,
    replayed: bool,
}

impl IntoResponse for CreateAnswer {
    fn into_response(self) -> Response {
        let location = self.answer.urls.own.clone();
        let mut response = Json(self.answer).into_response();
        response.set_status(StatusCode::ACCEPTED);
        if let Ok(location) = location.try_into() {
            response.headers_mut().insert(header::LOCATION, location);
        }
        if self.replayed {
            response.headers_mut().insert("idempotent-replayed", header::HeaderValue::from_static("true"));
        }
        response
    }
}

impl ApiResponse for CreateAnswer {
    fn meta() -> MetaResponses {
        let header = |name: &str, description: &str, required| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required,
            deprecated: false,
            schema: String::schema_ref(),
        };
        MetaResponses {
            responses: vec![MetaResponse {
                description: "The task is accepted.",
                status: Some(202),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: Json::<Created>::CONTENT_TYPE,
                    schema: Created::schema_ref(),
                }],
                headers: vec![
                    header("Location", "The task.", true),
                    header("Idempotent-Replayed", "`true` when an earlier call had made the task.", false),
                ],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        Created::register(registry);
    }
}
