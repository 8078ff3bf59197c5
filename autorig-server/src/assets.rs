//! One file of a page, served from memory: ETag, conditional requests, `Cache-Control`, policy, and a
//! packed copy that is made once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use poem::{
    IntoResponse, Request, Response,
    http::{Method, StatusCode, header},
    web::{Compress, CompressionAlgo, CompressionLevel},
};

use crate::{
    http::{hex, if_none_match},
    middleware::compress,
    problem::Problem,
};

/// For files whose name changes with their contents.
pub(crate) const FOREVER: &str = "public, max-age=31536000, immutable";
/// For everything else: kept, but asked about each time.
pub(crate) const ASK: &str = "no-cache";

/// Brotli at this level packs a page's script in a fraction of a second, and only once.
const PACK_LEVEL: CompressionLevel = CompressionLevel::Precise(6);

/// A file ready to be served.
#[derive(Clone)]
pub(crate) struct Asset {
    pub(crate) bytes: Bytes,
    /// SHA-256 of the bytes.
    pub(crate) hash: [u8; 32],
    pub(crate) mime: &'static str,
    pub(crate) cache: &'static str,
    pub(crate) policy: &'static str,
}

/// Serves assets and remembers their packed forms.
#[derive(Default)]
pub(crate) struct Shelf {
    packed: Mutex<HashMap<([u8; 32], &'static str), Bytes>>,
}

impl Shelf {
    /// Answers a GET or HEAD for an asset.
    pub(crate) async fn serve(&self, req: &Request, asset: Asset) -> Result<Response, Problem> {
        if !matches!(*req.method(), Method::GET | Method::HEAD) {
            let problem = Problem::from_poem(&poem::error::MethodNotAllowedError.into());
            return Err(problem.header(header::ALLOW, "GET, HEAD"));
        }
        // Weak: the packed and the plain form share it.
        let etag = format!("W/\"{}\"", hex(&asset.hash[..12]));
        let builder = Response::builder()
            .header(header::ETAG, &etag)
            .header(header::CACHE_CONTROL, asset.cache)
            .header(header::CONTENT_SECURITY_POLICY, asset.policy)
            .header(header::VARY, "accept-encoding");
        if if_none_match(req.headers(), &etag) {
            return Ok(builder.status(StatusCode::NOT_MODIFIED).finish());
        }
        let builder = builder.content_type(asset.mime);
        let algo = compress::negotiate(req.headers()).filter(|_| compress::shrinks(asset.mime));
        let (body, builder) = match algo {
            Some(algo) => {
                let (name, body) = self.packed(&asset, algo).await?;
                (body, builder.header(header::CONTENT_ENCODING, name))
            }
            None => (asset.bytes, builder),
        };
        let mut response = builder.header(header::CONTENT_LENGTH, body.len()).body(body);
        if req.method() == Method::HEAD {
            response.set_body(());
        }
        Ok(response)
    }

    async fn packed(&self, asset: &Asset, algo: CompressionAlgo) -> Result<(&'static str, Bytes), Problem> {
        let name = if algo == CompressionAlgo::BR { "br" } else { "gzip" };
        let key = (asset.hash, name);
        if let Some(bytes) = self.packed.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok((name, bytes.clone()));
        }
        let plain = Response::builder().body(asset.bytes.clone());
        let packed = Compress::new(plain, algo).with_quality(PACK_LEVEL).into_response();
        let bytes = packed.into_body().into_bytes().await.map_err(|e| Problem::internal(&e))?;
        self.packed.lock().unwrap_or_else(PoisonError::into_inner).insert(key, bytes.clone());
        Ok((name, bytes))
    }
}

/// The media type of a page's file, by its extension.
pub(crate) fn mime_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        Some("xml") => "text/xml; charset=utf-8",
        Some("glb") => "model/gltf-binary",
        _ => "application/octet-stream",
    }
}
