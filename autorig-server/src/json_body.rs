//! A JSON request body of bounded length, described in the document and refused like any other.

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    payload::{Json, Payload},
    registry::{MetaMediaType, MetaRequest, Registry},
    types::ParseFromJSON,
};

use crate::{problem::Problem, upload::read_text};

/// The body, parsed. poem's own `Json` reads whatever is sent.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    const PARAM_IS_REQUIRED: bool = T::IS_REQUIRED;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType { content_type: Json::<T>::CONTENT_TYPE, schema: T::schema_ref() }],
            required: T::IS_REQUIRED,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        if let Some(kind) = request.content_type()
            && !Json::<T>::check_content_type(kind)
        {
            let shown: String = kind.chars().take(64).collect();
            return Err(
                Problem::unsupported_media_type(format!("bodies of type `{shown}` are not read")).into()
            );
        }
        let text = read_text(body.take()?).await?;
        let value = match text.trim() {
            "" => None,
            text => Some(serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?),
        };
        T::parse_from_json(value).map(Self).map_err(|error| invalid(error.into_message()).into())
    }
}

fn invalid(why: String) -> Problem {
    let mut problem = Problem::bad_body("invalid_json", why);
    "send JSON as the call is described in /docs".clone_into(&mut problem.remedy);
    problem
}
