//! The client against scripted servers: what it sends, what it repeats, how it resumes.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod calls;
mod downloads;
mod events;
mod script;

use std::time::Duration;

use autorig_client::{Client, RetryPolicy};

/// A client that repeats at once.
fn client(url: &str) -> Client {
    let retry = RetryPolicy { attempts: 3, first: Duration::ZERO, longest: Duration::ZERO };
    Client::builder(url).retry(retry).build().unwrap()
}
