//! Sums that callers send along.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// How a sum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1: guards against accidents of the line only.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Sha1, Self::Sha256];

    /// Its name in a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
}

/// The sum of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    algorithm: Algorithm,
    sum: Vec<u8>,
}

impl Checksum {
    /// Reads `sha256 <base64>`.
    ///
    /// # Errors
    /// `invalid_checksum`.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, sum) = text.trim().split_once(' ').ok_or_else(invalid)?;
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.name() == name).ok_or_else(invalid)?;
        let standard = &base64::engine::general_purpose::STANDARD;
        let sum = base64::Engine::decode(standard, sum.trim()).map_err(|_| invalid())?;
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        };
        if sum.len() == length { Ok(Self { algorithm, sum }) } else { Err(invalid()) }
    }

    /// Begins to sum up.
    pub(super) fn begin(&self) -> Summing {
        match self.algorithm {
            Algorithm::Sha1 => Summing::Sha1(Sha1::new()),
            Algorithm::Sha256 => Summing::Sha256(Sha256::new()),
        }
    }

    /// True when it is the sum of what was summed up.
    pub(super) fn is_of(&self, summing: Summing) -> bool {
        match summing {
            Summing::Sha1(sum) => sum.finalize().as_slice() == self.sum,
            Summing::Sha256(sum) => sum.finalize().as_slice() == self.sum,
        }
    }
}

/// A sum that grows.
pub(super) enum Summing {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Summing {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
        }
    }
}

/// A SHA-256 in hex, in lower case.
pub(super) fn sha256_hex(text: &str) -> Result<String> {
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(invalid())
    }
}

fn invalid() -> Error {
    Error::usage(
        "invalid_checksum",
        "the checksum is not one that can be read",
        "send sha256 as 64 hex digits, or in Upload-Checksum `sha256` or `sha1`, a space, and the sum in base64",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_recognised_and_any_other_is_not() {
        let sum = Checksum::parse("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").unwrap();
        let of = |text: &[u8]| {
            let mut summing = sum.begin();
            text.chunks(3).for_each(|piece| summing.add(piece));
            sum.is_of(summing)
        };
        assert!(of(b"hello world"));
        assert!(!of(b"hello earth"));
    }

    #[test]
    fn what_is_no_sum_is_refused() {
        for text in
            ["", "sha256", "md5 rL0Y20zC+Fzt72VPzMSk2A==", "sha1 AAAA", "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0="]
        {
            assert_eq!(Checksum::parse(text).unwrap_err().code, "invalid_checksum", "{text}");
        }
        assert!(sha256_hex(&"AB".repeat(32)).is_ok_and(|hex| hex == "ab".repeat(32)));
        assert!(sha256_hex("xyz").is_err());
    }
}
