//! A request body that a handler reads piece by piece.

use std::marker::PhantomData;

use poem::{Body, Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
};

/// How the document describes a body.
pub(crate) trait Described: Send + Sync {
    /// Its forms.
    fn media() -> Vec<MetaMediaType>;

    /// The schemas that these refer to.
    fn register(registry: &mut Registry) {
        let _ = registry;
    }
}

/// The body as it is.
pub(crate) struct RawBody<D>(pub(crate) Body, PhantomData<D>);

impl<'a, D: Described> ApiExtractor<'a> for RawBody<D> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    const PARAM_IS_REQUIRED: bool = false;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        D::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest { description: None, content: D::media(), required: false })
    }

    async fn from_request(
        _request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        Ok(Self(body.take()?, PhantomData))
    }
}
