//! Nothing but a fresh, signed request gets further.

use std::sync::Arc;

use autorig_core::{
    clock::Clock,
    signature::{self, Secret, request_content},
};
use poem::{Body, Endpoint, Request, Result};

use crate::{problem::Problem, upload::read_text};

/// Checks the signature of every request.
pub(super) struct Signed<E> {
    pub(super) inner: E,
    pub(super) secret: Secret,
    pub(super) clock: Arc<dyn Clock>,
}

impl<E: Endpoint> Endpoint for Signed<E> {
    type Output = E::Output;

    async fn call(&self, mut req: Request) -> Result<Self::Output> {
        // The signature is over the whole body, and jobs are small.
        let body = read_text(req.take_body()).await?;
        let header = |name: &str| req.header(name).unwrap_or_default();
        let signed = signature::Signed {
            id: header(signature::ID),
            timestamp: header(signature::TIMESTAMP),
            signature: header(signature::SIGNATURE),
        };
        let path = req.uri().path_and_query().map_or("/", |path| path.as_str());
        let content = request_content(req.method().as_str(), path, body.as_bytes());
        self.secret.verify(&signed, &content, self.clock.now()).map_err(Problem::from)?;
        req.set_body(Body::from_string(body));
        self.inner.call(req).await
    }
}
