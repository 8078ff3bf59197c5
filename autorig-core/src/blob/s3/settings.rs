//! Which bucket, where, and with which keys.

use std::{fmt, time::Duration};

use object_store::{
    BackoffConfig, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use reqwest::Url;

use crate::{Error, Result, outbound::StorageClient};

/// Which bucket, where, and with which keys: `s3://bucket/prefix?endpoint=…&region=…`.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// Folder in it that everything is put below; empty for none.
    pub prefix: String,
    /// Where the storage answers; Amazon's own address of the region when `None`.
    pub endpoint: Option<String>,
    /// Where callers outside reach it, for presigned addresses, when that is another address.
    pub public_endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// True when the bucket is a part of the host name, false when it is the first part of the path.
    pub virtual_hosted: bool,
    /// Access key and secret key; what the machine offers (environment, role) when `None`.
    pub keys: Option<(String, String)>,
}

/// Secrets are not shown.
impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("endpoint", &self.endpoint)
            .field("public_endpoint", &self.public_endpoint)
            .field("region", &self.region)
            .field("virtual_hosted", &self.virtual_hosted)
            .finish_non_exhaustive()
    }
}

impl S3Settings {
    /// Reads `s3://bucket/prefix` with the parameters `endpoint`, `public_endpoint`, `region` (default
    /// `us-east-1`) and `style` (`path` or `virtual`; by default `path` where an endpoint is given).
    ///
    /// # Errors
    /// `invalid_config`.
    pub fn parse(url: &str, keys: Option<(String, String)>) -> Result<Self> {
        let parsed = Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
        if parsed.scheme() != "s3" {
            return Err(invalid(&format!("its scheme is `{}`, not s3", parsed.scheme())));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(invalid("it holds keys; set storage_access_key and storage_secret_key instead"));
        }
        let bucket = parsed.host_str().filter(|host| !host.is_empty());
        let mut settings = Self {
            bucket: bucket.ok_or_else(|| invalid("it names no bucket"))?.to_owned(),
            prefix: parsed.path().trim_matches('/').to_owned(),
            endpoint: None,
            public_endpoint: None,
            region: "us-east-1".to_owned(),
            virtual_hosted: true,
            keys,
        };
        let mut style = None;
        for (name, value) in parsed.query_pairs() {
            match name.as_ref() {
                "endpoint" => settings.endpoint = Some(endpoint(&value)?),
                "public_endpoint" => settings.public_endpoint = Some(endpoint(&value)?),
                "region" => settings.region = value.into_owned(),
                "style" if matches!(value.as_ref(), "path" | "virtual") => style = Some(value == "virtual"),
                "style" => return Err(invalid("style is neither `path` nor `virtual`")),
                other => return Err(invalid(&format!("it has an unknown parameter `{other}`"))),
            }
        }
        settings.virtual_hosted = style.unwrap_or(settings.endpoint.is_none());
        if !settings.prefix.is_empty() {
            super::check_key(&settings.prefix).map_err(|_| invalid("its prefix is no folder of a bucket"))?;
        }
        Ok(settings)
    }

    pub(super) fn prefix(&self) -> Path {
        Path::from(self.prefix.as_str())
    }

    /// The store, and the one that signs for callers outside.
    pub(super) fn stores(&self) -> Result<(AmazonS3, AmazonS3)> {
        let connector = StorageClient::new()?;
        let store = self.store(self.endpoint.as_deref(), connector.clone())?;
        let outside = self.public_endpoint.as_deref().or(self.endpoint.as_deref());
        Ok((store, self.store(outside, connector)?))
    }

    fn store(&self, endpoint: Option<&str>, connector: StorageClient) -> Result<AmazonS3> {
        let mut builder = match &self.keys {
            Some((access, secret)) => {
                AmazonS3Builder::new().with_access_key_id(access).with_secret_access_key(secret)
            }
            None => AmazonS3Builder::from_env(),
        };
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(self.address(endpoint)?).with_allow_http(true);
        }
        builder
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_virtual_hosted_style_request(self.virtual_hosted)
            .with_retry(retry())
            .with_http_connector(connector)
            .build()
            .map_err(|error| invalid(&error.to_string()))
    }

    /// Where requests go: `object_store` takes the bucket's own address for virtual-hosted buckets.
    fn address(&self, endpoint: &str) -> Result<String> {
        if !self.virtual_hosted {
            return Ok(endpoint.to_owned());
        }
        let mut url = Url::parse(endpoint).map_err(|error| invalid(&error.to_string()))?;
        let host = format!("{}.{}", self.bucket, url.host_str().unwrap_or_default());
        url.set_host(Some(&host)).map_err(|error| invalid(&error.to_string()))?;
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

/// An `http` or `https` address without a path.
fn endpoint(text: &str) -> Result<String> {
    let url = Url::parse(text).map_err(|error| invalid(&format!("endpoint: {error}")))?;
    let plain = matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && url.query().is_none();
    if plain {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(invalid("an endpoint is an http or https address"))
    }
}

/// A short outage is waited for; a longer one is the caller's to report or to repeat.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() },
        max_retries: 4,
        retry_timeout: Duration::from_secs(30),
    }
}

fn invalid(why: &str) -> Error {
    Error::usage(
        "invalid_config",
        format!("storage cannot be used: {why}"),
        "write s3://bucket/prefix?endpoint=https://host&region=name, or leave storage out for the data directory",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<S3Settings> {
        S3Settings::parse(url, None)
    }

    #[test]
    fn an_address_names_bucket_prefix_endpoint_and_region() {
        let url = "s3://models/a/b?endpoint=http%3A%2F%2F127.0.0.1%3A9000/&region=eu-west-1";
        let settings = parse(url).unwrap();
        assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), ("models", "a/b"));
        assert_eq!(settings.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!((settings.region.as_str(), settings.virtual_hosted), ("eu-west-1", false));
        let plain = parse("s3://models").unwrap();
        assert_eq!((plain.endpoint, plain.prefix.as_str(), plain.virtual_hosted), (None, "", true));
        let virtual_style = parse("s3://models?endpoint=https://s.example&style=virtual").unwrap();
        assert_eq!(virtual_style.address("https://s.example:1").unwrap(), "https://models.s.example:1");
    }

    #[test]
    fn a_wrong_address_is_refused_by_its_fault() {
        for (url, word) in [
            ("https://models", "scheme"),
            ("s3:///prefix", "bucket"),
            ("s3://key:secret@models", "holds keys"),
            ("s3://models?colour=red", "colour"),
            ("s3://models?endpoint=nowhere", "endpoint"),
            ("s3://models?style=odd", "style"),
            ("s3://models/a%20b", "prefix"),
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.code, "invalid_config", "{url}");
            assert!(error.message.contains(word), "{url}: {error}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let keys = Some(("AKIA".to_owned(), "hunter2".to_owned()));
        let shown = format!("{:?}", S3Settings::parse("s3://models", keys).unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains("AKIA"), "{shown}");
    }
}
