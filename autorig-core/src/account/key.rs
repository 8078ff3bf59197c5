//! API keys and sessions as they are kept, and the secrets that open them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Scopes;
use crate::{
    Error,
    clock::{Ids, Time},
    task::Owner,
};

/// Names one key. It is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub Uuid);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self).map_err(|_| {
            Error::usage("invalid_key_id", "the key's id is not a UUID", "use an `id` of the list of keys")
        })
    }
}

/// Something that whoever holds it gets in with. Shown once; never in a log, so it has no `Debug` of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Begins the keys that spend.
const LIVE: &str = "ark_live_";
/// Begins the keys that never spend.
const TEST: &str = "ark_test_";
/// Hex digits of 256 bits.
const DIGITS: usize = 64;
/// Hex digits of a key that are shown in lists: enough to tell keys apart, far too few to guess the rest.
const HINT: usize = 4;

impl Secret {
    /// A fresh API key.
    pub fn key(ids: &dyn Ids, live: bool) -> Self {
        let begin = if live { LIVE } else { TEST };
        Self(format!("{begin}{}", crate::blob::hex(&ids.secret())))
    }

    /// A fresh token for a session or a link.
    pub fn token(ids: &dyn Ids) -> Self {
        Self(crate::blob::hex(&ids.secret()))
    }

    /// What somebody sent, if it has the form of a key or token; anything else need not be looked up.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(LIVE).or_else(|| text.strip_prefix(TEST)).unwrap_or(text);
        let fine = digits.len() == DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fine.then(|| Self(text.to_owned()))
    }

    /// The secret itself, for the one who is to keep it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored instead: SHA-256, lower-case hex.
    pub fn hash(&self) -> String {
        crate::blob::hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// The part of a key that may be shown in lists.
    pub fn hint(&self) -> String {
        let shown = self.0.len() - DIGITS + HINT;
        format!("{}…", self.0.get(..shown).unwrap_or_default())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A key as it is kept: everything but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is: what it makes is theirs.
    pub owner: Owner,
    /// What its owner calls it.
    pub name: String,
    /// Its first characters.
    pub hint: String,
    /// False for a test key, which never spends.
    pub live: bool,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, to a few minutes.
    pub last_used_at: Option<Time>,
    /// From then on it is of no use.
    pub expires_at: Option<Time>,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

impl ApiKey {
    /// True when it opens something at this moment.
    pub fn is_good(&self, now: Time) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub owner: Owner,
    /// An admin.
    pub admin: bool,
    /// Since when.
    pub created_at: Time,
    /// Until when.
    pub expires_at: Time,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SequentialIds, SystemIds};

    #[test]
    fn a_key_says_what_it_is_and_reads_back() {
        let ids = SequentialIds::default();
        for (live, begin) in [(true, "ark_live_"), (false, "ark_test_")] {
            let key = Secret::key(&ids, live);
            assert!(key.reveal().starts_with(begin) && key.reveal().len() == begin.len() + 64);
            assert_eq!(Secret::parse(key.reveal()), Some(key.clone()));
            assert_eq!(key.hint(), format!("{}…", &key.reveal()[..begin.len() + 4]));
            assert_eq!(key.hash().len(), 64);
            assert!(!key.hash().contains(&key.reveal()[begin.len()..]));
        }
    }

    #[test]
    fn two_keys_are_never_the_same() {
        assert_ne!(Secret::key(&SystemIds, true), Secret::key(&SystemIds, true));
        let ids = SequentialIds::default();
        assert_ne!(Secret::token(&ids), Secret::token(&ids));
    }

    #[test]
    fn what_has_not_the_form_of_a_key_is_none() {
        let digits = "0".repeat(64);
        for text in ["", "ark_live_", "ark_live_zz", &format!("ark_dead_{digits}"), &format!("{digits}0")] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
        assert!(Secret::parse(&digits).is_some());
        assert_eq!(Secret::parse(&format!("ark_live_{}", "A".repeat(64))), None);
    }

    #[test]
    fn a_secret_does_not_show_in_a_log() {
        let key = Secret::key(&SequentialIds::default(), true);
        assert!(!format!("{key:?}").contains("ark_"));
    }
}
