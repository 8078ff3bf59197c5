//! Compression of text answers. poem's own middleware also unpacks request bodies, which would let a small
//! upload grow past its limit, and it packs event streams, which would hold events back; so: responses only,
//! and only those that gain.

use poem::{
    IntoResponse, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    web::{Compress, CompressionAlgo, CompressionLevel},
};

/// The best encoding both sides know.
pub(crate) fn negotiate(headers: &HeaderMap) -> Option<CompressionAlgo> {
    let accepted: Vec<(String, bool)> = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|item| {
            let (name, quality) = item.split_once(';').unwrap_or((item, ""));
            let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
            (name.trim().to_ascii_lowercase(), !refused)
        })
        .collect();
    let takes = |name: &str| accepted.iter().any(|(other, wanted)| *wanted && other == name);
    if takes("br") {
        Some(CompressionAlgo::BR)
    } else if takes("gzip") {
        Some(CompressionAlgo::GZIP)
    } else {
        None
    }
}

/// True for media types that shrink.
pub(crate) fn shrinks(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence != "text/event-stream"
        && (essence.starts_with("text/")
            || matches!(
                essence,
                "application/json"
                    | "application/problem+json"
                    | "application/javascript"
                    | "application/manifest+json"
                    | "image/svg+xml"
                    | "application/wasm"
            ))
}

/// Packs a complete text answer if the caller takes it.
pub(crate) fn pack(
    mut response: Response,
    algo: Option<CompressionAlgo>,
    level: CompressionLevel,
) -> Response {
    let eligible = response.status() == StatusCode::OK
        && response.content_type().is_some_and(shrinks)
        && !response.headers().contains_key(header::CONTENT_ENCODING)
        && !response.headers().contains_key(header::ACCEPT_RANGES);
    if !eligible {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    match algo {
        Some(algo) => Compress::new(response, algo).with_quality(level).into_response(),
        None => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(value: &'static str) -> Option<CompressionAlgo> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        negotiate(&headers)
    }

    #[test]
    fn brotli_wins_over_gzip_and_a_zero_quality_refuses() {
        assert_eq!(pick("gzip, deflate, br, zstd"), Some(CompressionAlgo::BR));
        assert_eq!(pick("gzip;q=0.5, br;q=0"), Some(CompressionAlgo::GZIP));
        assert_eq!(pick("identity"), None);
        assert_eq!(negotiate(&HeaderMap::new()), None);
    }

    #[test]
    fn event_streams_and_models_are_left_alone() {
        assert!(shrinks("text/html; charset=utf-8"));
        assert!(shrinks("application/json"));
        assert!(!shrinks("text/event-stream"));
        assert!(!shrinks("model/gltf-binary"));
    }
}
