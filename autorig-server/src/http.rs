//! The small print of HTTP: entity tags, conditional requests and byte ranges.

use std::ops::Range;

use poem::http::{HeaderMap, header};

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS.get(usize::from(n)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// True when the caller already holds this version (`If-None-Match`, weak comparison).
pub(crate) fn if_none_match(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.trim() == "*" || value.split(',').any(|held| opaque(held.trim()) == opaque(etag)))
}

fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// What part of a file the caller wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
    /// Bytes the file does not have.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range` for a file of `size` bytes. A header that is malformed, names another unit or
/// several ranges is ignored, as RFC 9110 allows.
pub(crate) fn wanted_part(headers: &HeaderMap, etag: &str, size: u64) -> Part {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|version| version.trim() != etag) {
        return Part::Whole;
    }
    let Some(spec) = text(header::RANGE).and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.split_once('-').filter(|(_, last)| !last.contains(',')) else {
        return Part::Whole;
    };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && first < size => {
            Part::Bytes(first..size.min(last.saturating_add(1)))
        }
        (Ok(first), Ok(last)) if first > last => Part::Whole,
        (Ok(first), Err(_)) if last.trim().is_empty() && first < size => Part::Bytes(first..size),
        (Err(_), Ok(count)) if first.trim().is_empty() && count > 0 && size > 0 => {
            Part::Bytes(size.saturating_sub(count)..size)
        }
        (Ok(_), Ok(_)) => Part::Unsatisfiable,
        (Ok(_), Err(_)) if last.trim().is_empty() => Part::Unsatisfiable,
        (Err(_), Ok(_)) if first.trim().is_empty() => Part::Unsatisfiable,
        _ => Part::Whole,
    }
}

/// `Content-Disposition` for a download; the name in plain form and, when it is not ASCII, in RFC 8187 form.
pub(crate) fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii() && !c.is_ascii_control() && !matches!(c, '"' | '\\') { c } else { '_' })
        .collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn one_byte_range_is_understood_in_its_three_forms() {
        let part = |range| wanted_part(&headers(&[(header::RANGE, range)]), "\"a\"", 10);
        assert_eq!(part("bytes=0-3"), Part::Bytes(0..4));
        assert_eq!(part("bytes=4-"), Part::Bytes(4..10));
        assert_eq!(part("bytes=-3"), Part::Bytes(7..10));
        assert_eq!(part("bytes=-99"), Part::Bytes(0..10));
        assert_eq!(part("bytes=8-99"), Part::Bytes(8..10));
        assert_eq!(part("bytes=0-18446744073709551615"), Part::Bytes(0..10));
    }

    #[test]
    fn bytes_past_the_end_cannot_be_had() {
        let part = |range| wanted_part(&headers(&[(header::RANGE, range)]), "\"a\"", 10);
        assert_eq!(part("bytes=10-"), Part::Unsatisfiable);
        assert_eq!(part("bytes=10-12"), Part::Unsatisfiable);
        assert_eq!(part("bytes=-0"), Part::Unsatisfiable);
    }

    #[test]
    fn a_range_header_that_makes_no_sense_is_ignored() {
        for range in ["bytes=0-1,3-4", "bytes=x-y", "lines=0-1", "bytes=", "bytes=-", "bytes=5-2", "0-1"] {
            assert_eq!(wanted_part(&headers(&[(header::RANGE, range)]), "\"a\"", 10), Part::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_gives_the_whole_file() {
        let asked = headers(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, "\"b\"")]);
        assert_eq!(wanted_part(&asked, "\"a\"", 10), Part::Whole);
        assert_eq!(wanted_part(&asked, "\"b\"", 10), Part::Bytes(0..2));
    }

    #[test]
    fn a_held_version_is_recognised_weak_or_strong() {
        assert!(if_none_match(&headers(&[(header::IF_NONE_MATCH, "\"x\", W/\"a\"")]), "\"a\""));
        assert!(if_none_match(&headers(&[(header::IF_NONE_MATCH, "*")]), "\"a\""));
        assert!(!if_none_match(&headers(&[(header::IF_NONE_MATCH, "\"b\"")]), "\"a\""));
        assert!(!if_none_match(&HeaderMap::new(), "\"a\""));
    }

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        assert_eq!(attachment("a_rigged.glb"), "attachment; filename=\"a_rigged.glb\"");
        assert_eq!(attachment("a\"\r\nx"), "attachment; filename=\"a___x\"; filename*=UTF-8''a%22%0D%0Ax");
        assert_eq!(attachment("é"), "attachment; filename=\"_\"; filename*=UTF-8''%C3%A9");
    }
}
