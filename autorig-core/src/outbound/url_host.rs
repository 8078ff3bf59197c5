//! What a URL and a header say about hosts and names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// The address a URL names directly; the resolver is not asked about those.
pub(super) fn literal_address(url: &Url) -> Option<IpAddr> {
    // The parser has already turned `0x7f.1` and `2130706433` into `127.0.0.1`.
    let host = url.host_str()?;
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// The last part of a URL's path, decoded.
pub(super) fn last_segment(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    decode(last)
}

/// The file name in a `Content-Disposition` header.
pub(super) fn disposition_name(header: &str) -> Option<String> {
    let mut plain = None;
    for part in header.split(';').skip(1) {
        let (key, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            // `filename*=UTF-8''na%20me.glb` (RFC 8187) wins over the plain form.
            "filename*" => return value.splitn(3, '\'').nth(2).map(decode),
            "filename" => plain = Some(value.to_owned()),
            _ => {}
        }
    }
    plain.filter(|name| !name.is_empty())
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)).map(|(h, l)| h * 16 + l),
            _ => None,
        };
        out.push(code.unwrap_or(*first));
        rest = match code {
            Some(_) => tail.get(2..).unwrap_or_default(),
            None => tail,
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_disguise_are_recognised() {
        for link in ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"] {
            let url = Url::parse(link).unwrap();
            assert_eq!(literal_address(&url), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), "{link}");
        }
        let url = Url::parse("http://[::ffff:127.0.0.1]/").unwrap();
        assert!(literal_address(&url).is_some());
        assert_eq!(literal_address(&Url::parse("http://example.org/").unwrap()), None);
    }

    #[test]
    fn names_come_from_the_header_or_the_path() {
        let name = |header| disposition_name(header).unwrap();
        assert_eq!(name("attachment; filename=\"a b.glb\""), "a b.glb");
        assert_eq!(name("attachment; filename=a.glb; filename*=UTF-8''%C3%A9.glb"), "é.glb");
        assert_eq!(disposition_name("attachment"), None);
        assert_eq!(disposition_name("attachment; filename=\"\""), None);
        assert_eq!(last_segment(&Url::parse("http://h/a/my%20hero.glb?x=1").unwrap()), "my hero.glb");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
