//! The `autorig` command: rig a character from the shell, or serve the page and the API.
//!
//! ```text
//! autorig sample human -o hero.glb
//! autorig rig hero.glb -o hero_rigged.glb      # one file
//! autorig rig hero.glb -o out/                 # every file of the rig
//! autorig inspect out/hero_rigged.glb --json
//! autorig serve                                # http://127.0.0.1:7070
//! ```
//!
//! | module | |
//! | --- | --- |
//! | `args` | what may be typed |
//! | `rig` | `autorig rig` and `convert`: one file, or a folder as a batch |
//! | `model` | `lod`, `animate`, `render`, `validate`: any readable model as it is |
//! | `inspect`, `sample` | the small verbs |
//! | `remote` | `login`, `task …`, `keys …`: against a server |
//! | `db` | `autorig db …`: the database of a server |
//! | `serve` | `autorig serve`: the server, its logs, its end |
//! | `worker` | `autorig worker`: this machine rigs for a server |
//! | `input`, `output` | where models come from and results go: stdin, files, folders, atomically |
//! | `ui` | everything that is said: stdout, stderr, `--json` |
//! | `failure` | the error with its exit code |
//! | `interrupt` | Ctrl-C |
//!
//! A verb returns an [`ui::Outcome`] or a [`failure::Failure`]; `main` alone ends the program.

use std::{ffi::OsStr, process::ExitCode};

use autorig_core::worker::embedded::child_main;
use clap::{CommandFactory, Parser, error::ErrorKind};
use serde_json::Value;

use crate::{
    args::{Cli, CompletionsArgs, OutputArgs, Verb},
    failure::{Exit, Failure, Result},
    ui::{Outcome, Ui},
};

mod args;
mod db;
mod failure;
mod input;
mod inspect;
mod interrupt;
mod model;
mod output;
mod remote;
mod rig;
mod sample;
mod serve;
mod ui;
mod worker;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(&cli),
        Err(error) => refuse(&error).into(),
    }
}

fn run(cli: &Cli) -> ExitCode {
    let ui = Ui::new(cli.output, cli.verb.name());
    let outcome = match &cli.verb {
        Verb::Rig(args) => interrupt::listen().and_then(|()| rig::run(args, &ui)),
        Verb::Convert(args) => interrupt::listen().and_then(|()| rig::convert(args, &ui)),
        Verb::Lod(args) => interrupt::listen().and_then(|()| model::lod(args, &ui)),
        Verb::Animate(args) => interrupt::listen().and_then(|()| model::animate(args, &ui)),
        Verb::Render(args) => interrupt::listen().and_then(|()| model::render(args, &ui)),
        Verb::Validate(args) => interrupt::listen().and_then(|()| model::validate(args, &ui)),
        Verb::Inspect(args) => interrupt::listen().and_then(|()| inspect::run(args, &ui)),
        Verb::Sample(args) => interrupt::listen().and_then(|()| sample::run(args, &ui)),
        Verb::Completions(args) => completions(args, &ui),
        Verb::Login(args) => remote::login(args, &ui),
        Verb::Task(args) => remote::task(args, &ui),
        Verb::Keys(args) => remote::keys(args, &ui),
        Verb::Serve(args) => serve::run(args, &ui),
        Verb::Db(args) => db::run(args, &ui),
        Verb::Worker(args) => worker::run(args, &ui),
        // It speaks the worker's protocol on stdin and stdout, not the user's language.
        Verb::RigChild => return child_main(autorig_server::viewer_template()),
    };
    ui.finish(outcome).into()
}

fn completions(args: &CompletionsArgs, ui: &Ui) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "autorig", &mut script);
    if ui.is_json() {
        return Ok(Outcome::ok(Value::String(String::from_utf8_lossy(&script).into_owned())));
    }
    ui.result(&script)?;
    Ok(Outcome::ok(Value::Null))
}

/// What clap refuses: help and version are no error; with `--json` the envelope says the rest.
fn refuse(error: &clap::Error) -> Exit {
    let json = std::env::args_os().any(|arg| arg == OsStr::new("--json"));
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) || !json {
        // Nothing can be done when the terminal is gone.
        let _ = error.print();
        return if error.use_stderr() { Exit::Usage } else { Exit::Ok };
    }
    let text = error.render().to_string();
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let ui = Ui::new(OutputArgs { json: true, quiet: true }, "");
    ui.finish(Err(Failure::usage("usage", message, "see autorig --help")))
}
