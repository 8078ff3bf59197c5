//! The public address of a site.

/// An address as browsers write an origin, `https://rig.example.org`: in small letters, without the usual port. `None`
/// when it is not `http` or `https`, a host and nothing behind it.
pub fn origin(address: &str) -> Option<String> {
    let origin = address.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = origin.split_once("://")?;
    let fine = matches!(scheme, "http" | "https")
        && !authority.is_empty()
        && !authority.contains(['/', '?', '#', '@', '\\'])
        && !authority.chars().any(|c| c.is_whitespace() || c.is_control());
    let usual = if scheme == "https" { ":443" } else { ":80" };
    fine.then(|| origin.strip_suffix(usual).unwrap_or(&origin).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin_and_nothing_more() {
        for (address, expected) in [
            ("https://Rig.example.org/", "https://rig.example.org"),
            ("https://rig.example.org:443", "https://rig.example.org"),
            ("http://10.0.0.1:7070", "http://10.0.0.1:7070"),
        ] {
            assert_eq!(origin(address).as_deref(), Some(expected));
        }
        for wrong in
            ["", "rig.example.org", "ftp://a", "https://", "https://a/rig", "https://u@a", "https://a b"]
        {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }
}
