//! The client for the storage that the operator has configured, which may well have a private address.

use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector},
};
use reqwest::{Client, ClientBuilder};

use super::{CONNECT, SILENCE};
use crate::{Error, Result};

/// Speaks HTTP for `object_store`. Its requests and bodies may take long, only silence is an error.
#[derive(Debug, Clone)]
pub(crate) struct StorageClient(Client);

impl StorageClient {
    /// # Errors
    /// `internal` when the client cannot be built.
    pub(crate) fn new() -> Result<Self> {
        // Fails when another part of the program has installed one before, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Without certificates a storage on http still works.
        builder()
            .build()
            .or_else(|_| builder().tls_certs_only([]).build())
            .map(Self)
            .map_err(|error| Error::internal(format!("the HTTP client: {error}")))
    }
}

fn builder() -> ClientBuilder {
    #[allow(clippy::disallowed_methods, reason = "the home of the one HTTP client")]
    let builder = Client::builder();
    builder
        .user_agent(concat!("autorig/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
}

impl HttpConnector for StorageClient {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
