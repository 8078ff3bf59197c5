//! Links by which a converter fetches the model of its job: signed, so nothing is kept, and short-lived.

use chrono::{DateTime, TimeDelta};

use super::super::Job;
use crate::{
    Error, Result,
    clock::{Clock, Time},
    outbound::Url,
    signature::{Secret, Signed},
    task::{TaskId, safe_stem},
};

/// A link is good for a whole attempt.
const LIFE: TimeDelta = TimeDelta::hours(2);
/// What the signature is for.
const PURPOSE: &[u8] = b"input";

/// Makes links, and takes them back.
#[derive(Debug, Clone)]
pub struct InputLinks {
    base: Url,
    secret: Secret,
}

impl InputLinks {
    /// Links below `base`, the address at which converters reach this server.
    pub fn new(base: Url, secret: Secret) -> Self {
        Self { base, secret }
    }

    /// Where the job's model can be fetched.
    ///
    /// # Errors
    /// `invalid_config` when the base cannot have paths.
    pub fn link(&self, job: &Job, clock: &dyn Clock) -> Result<Url> {
        let token = self.token(job.task, clock.now() + LIFE);
        let mut url = self.base.clone();
        let extension = job.input.name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let safe: String = extension.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let name = format!("{}.{safe}", safe_stem(&job.input.name));
        url.path_segments_mut()
            .map_err(|()| {
                Error::usage("invalid_config", "the address for workers cannot have paths", "see docs/")
            })?
            .pop_if_empty()
            .extend(["api", "worker-input", &token, name.trim_end_matches('.')]);
        Ok(url)
    }

    fn token(&self, task: TaskId, until: Time) -> String {
        let signature = self.secret.sign(&task.to_string(), until, PURPOSE);
        let safe = signature.trim_start_matches("v1,").replace('+', "-").replace('/', "_");
        format!("{task}.{}.{safe}", until.timestamp())
    }

    /// The task whose model a token stands for.
    ///
    /// # Errors
    /// `invalid_signature` when it was not made here or is too old.
    pub fn open(&self, token: &str, clock: &dyn Clock) -> Result<TaskId> {
        let forged = || {
            Error::new(
                crate::Class::UserViolation,
                crate::Kind::Denied,
                "invalid_signature",
                "the link was not made by this server, or has expired",
                "use the link of the job unchanged",
            )
        };
        let mut parts = token.splitn(3, '.');
        let (Some(task), Some(until), Some(mac)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(forged());
        };
        let signature = format!("v1,{}", mac.replace('-', "+").replace('_', "/"));
        let at =
            until.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or_else(forged)?;
        if clock.now() > at {
            return Err(forged());
        }
        // The moment is the end of its life, so it is compared with itself.
        let signed = Signed { id: task, timestamp: until, signature: &signature };
        self.secret.verify(&signed, PURPOSE, at).map_err(|_| forged())?;
        task.parse().map_err(|_| forged())
    }
}
