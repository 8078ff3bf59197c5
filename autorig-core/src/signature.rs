//! Signed messages between machines, by the Standard Webhooks scheme 1.0: an id, a moment and the content,
//! HMAC-SHA256 over `id.timestamp.content`, base64, `v1,` in front.
//!
//! A request that is more than its body signs `METHOD path?query`, a line feed and the body as its content
//! ([`request_content`]), so that a signature for one call cannot be used for another.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Error, Kind, Result, clock::Time};

/// Header with the message's id.
pub const ID: &str = "webhook-id";
/// Header with the moment of sending, in seconds since the epoch.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// Header with the signatures, separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";
/// How far the two clocks may be apart.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Shortest secret: less can be guessed.
const MIN_SECRET: usize = 16;

/// What both sides know.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Secret {
    /// A secret as it is written down: `whsec_` and base64, or any text of 16 bytes and more.
    ///
    /// # Errors
    /// `invalid_secret`.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = match text.strip_prefix("whsec_") {
            Some(encoded) => {
                STANDARD.decode(encoded).map_err(|_| weak("what follows `whsec_` is no base64"))?
            }
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < MIN_SECRET {
            return Err(weak("it is shorter than 16 bytes"));
        }
        Ok(Self(bytes))
    }

    /// The signature of a message.
    pub fn sign(&self, id: &str, at: Time, content: &[u8]) -> String {
        let mac = self.mac(id, at.timestamp(), content).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(mac))
    }

    /// Checks a message's headers.
    ///
    /// # Errors
    /// `invalid_signature`, without saying to a stranger which part is wrong.
    pub fn verify(&self, headers: &Signed<'_>, content: &[u8], now: Time) -> Result<()> {
        let seconds: i64 = headers.timestamp.parse().map_err(|_| forged())?;
        let at = DateTime::from_timestamp(seconds, 0).ok_or_else(forged)?;
        if (now - at).abs() > TOLERANCE {
            return Err(forged());
        }
        let matches = headers
            .signature
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            // In constant time, by the crate.
            .any(|mac| self.mac(headers.id, seconds, content).verify_slice(&mac).is_ok());
        if matches { Ok(()) } else { Err(forged()) }
    }

    fn mac(&self, id: &str, seconds: i64, content: &[u8]) -> Hmac<Sha256> {
        // HMAC takes keys of any length.
        #[expect(clippy::expect_used, reason = "it cannot fail: see the line above")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(content);
        mac
    }
}

/// The three headers of a signed message.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// [`ID`].
    pub id: &'a str,
    /// [`TIMESTAMP`].
    pub timestamp: &'a str,
    /// [`SIGNATURE`].
    pub signature: &'a str,
}

/// What a request signs: `method` in capitals, the path with its query, and the body.
pub fn request_content(method: &str, path_and_query: &str, body: &[u8]) -> Vec<u8> {
    let mut content = format!("{method} {path_and_query}\n").into_bytes();
    content.extend_from_slice(body);
    content
}

fn weak(why: &str) -> Error {
    Error::usage(
        "invalid_secret",
        format!("the shared secret cannot be used: {why}"),
        "use the output of `openssl rand -base64 32`",
    )
}

fn forged() -> Error {
    Error::new(
        crate::Class::UserViolation,
        Kind::Denied,
        "invalid_signature",
        "the request is not signed with the shared secret, or was sent more than five minutes ago",
        "give both machines the same secret and the right time",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_schemes_own_example_gives_its_signature() {
        // From the specification of Standard Webhooks.
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_the_same_message_at_the_same_time_is_taken() {
        let secret = Secret::parse("0123456789abcdef").unwrap();
        let signature = secret.sign("1", at(1000), b"content");
        let both = format!("v1,AAAA v2,x {signature}");
        let signed = |id, timestamp, signature| Signed { id, timestamp, signature };
        let check =
            |signed: Signed<'_>, content: &[u8], now| secret.verify(&signed, content, at(now)).is_ok();
        assert!(check(signed("1", "1000", &signature), b"content", 1000));
        assert!(check(signed("1", "1000", &both), b"content", 1299));
        for (id, timestamp, signature, content, now) in [
            ("2", "1000", signature.as_str(), "content", 1000),
            ("1", "1001", &signature, "content", 1000),
            ("1", "1000", &signature, "contenT", 1000),
            ("1", "1000", &signature, "content", 1301),
            ("1", "1000", &signature, "content", 699),
            ("1", "soon", &signature, "content", 1000),
            ("1", "9223372036854775807", &signature, "content", 1000),
            ("1", "1000", "", "content", 1000),
            ("1", "1000", signature.trim_start_matches("v1,"), "content", 1000),
        ] {
            assert!(
                !check(signed(id, timestamp, signature), content.as_bytes(), now),
                "{id} {timestamp} {now}"
            );
        }
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_refused_and_none_is_shown() {
        for text in ["", "short", "whsec_???", "whsec_YWJj"] {
            assert_eq!(Secret::parse(text).unwrap_err().code, "invalid_secret", "{text}");
        }
        assert_eq!(format!("{:?}", Secret::parse("0123456789abcdef").unwrap()), "Secret(***)");
    }
}
