//! The verbs that talk to a server: `autorig login`, `task …`, `keys …`.
//!
//! Which server: `--server`, else `AUTORIG_SERVER`, else that of the last login, else the local one. Which key:
//! `AUTORIG_API_KEY`, else the one that was kept for this very server; a kept key is never sent elsewhere.

mod credentials;
mod keys;
mod login;
mod task;

use std::env;

use autorig_client::Client;
use clap::ValueEnum;

use crate::{
    args::remote::{KeysArgs, LoginArgs, ServerArgs, TaskArgs},
    failure::{Failure, Result},
    serve::{Stop, runtime},
    ui::{Outcome, Ui},
};
use credentials::Credentials;

/// Where a server listens that nobody has configured.
const LOCAL: &str = "http://127.0.0.1:7070";

/// Runs `autorig login`.
pub(crate) fn login(args: &LoginArgs, ui: &Ui) -> Result<Outcome> {
    until_interrupted(login::run(args, ui))
}

/// Runs `autorig task …`.
pub(crate) fn task(args: &TaskArgs, ui: &Ui) -> Result<Outcome> {
    until_interrupted(task::run(args, ui))
}

/// Runs `autorig keys …`.
pub(crate) fn keys(args: &KeysArgs, ui: &Ui) -> Result<Outcome> {
    until_interrupted(keys::run(args, ui))
}

fn until_interrupted(work: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    runtime()?.block_on(async {
        let mut stop = Stop::listen()?;
        tokio::select! {
            outcome = work => outcome,
            () = stop.asked() => Err(Failure::interrupted()),
        }
    })
}

/// The server that is meant.
fn address(args: &ServerArgs, kept: &Credentials) -> String {
    args.server.clone().or_else(|| kept.default.clone()).unwrap_or_else(|| LOCAL.to_owned())
}

/// A client of the server that is meant, with the key for it.
fn client(args: &ServerArgs) -> Result<Client> {
    let kept = Credentials::load()?;
    let address = address(args, &kept);
    let given = env::var("AUTORIG_API_KEY").ok().filter(|key| !key.is_empty());
    let key = given.or_else(|| kept.key(&address).map(str::to_owned));
    let builder = Client::builder(&address);
    let builder = match key {
        Some(key) => builder.api_key(key),
        None => builder,
    };
    Ok(builder.build()?)
}

/// The word that the API has for a choice.
fn word(choice: &impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
