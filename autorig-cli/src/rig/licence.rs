//! `--vrm-meta FILE`: whose an avatar is and what others may do with it.

use std::{fs::File, io::Read, path::Path};

use autorig_engine::write::vrm::VrmMeta;

use crate::failure::{Failure, Result};

/// A licence is a page of text at most.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<VrmMeta> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut text))
        .map_err(|error| Failure::io("read the licence", path, &error))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(invalid(path, "the licence file has more than 1 MB"));
    }
    parse(&text).map_err(|message| invalid(path, message))
}

fn parse(text: &[u8]) -> Result<VrmMeta, String> {
    let meta: VrmMeta = serde_json::from_slice(text)
        .map_err(|error| format!("the licence file is not `meta` of VRM 1.0: {error}"))?;
    meta.check().map_err(|error| error.message)?;
    Ok(meta)
}

fn invalid(path: &Path, message: impl Into<String>) -> Failure {
    let remedy = r#"write {"name": "Hero", "authors": ["You"], "modification": "prohibited"}"#;
    Failure::usage("invalid_option", message, remedy).about(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_licence_leaves_out_is_strict_and_what_it_says_wrongly_is_refused() {
        let meta =
            parse(br#"{"name": "Hero", "authors": ["Ada"], "commercialUsage": "corporation"}"#).unwrap();
        assert_eq!((meta.name.as_str(), meta.allow_redistribution), ("Hero", false));
        assert!(parse(br#"{"authors": []}"#).unwrap_err().contains("author"));
        assert!(parse(br#"{"modification": "perhaps"}"#).unwrap_err().contains("perhaps"));
        assert!(parse(b"[").is_err());
    }
}
