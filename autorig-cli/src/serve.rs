//! `autorig serve`: the page and the API on this machine, each rig a child process of this same program.

use std::{env, ffi::OsString, io, process};

use autorig_core::{AutoRig, Config};
use autorig_server::{AdminLink, Server, ServerConfig};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::{
    args::ServeArgs,
    failure::{Exit, Failure, Result},
    ui::{Outcome, Ui},
};

/// Names what is logged, in the syntax of `tracing_subscriber`'s `EnvFilter`.
const LOG_VARIABLE: &str = "AUTORIG_LOG";

/// Runs the verb: until SIGINT or SIGTERM.
pub(crate) fn run(args: &ServeArgs, ui: &Ui) -> Result<Outcome> {
    log(ui);
    let config = Config::load(None, env::vars_os().filter_map(text), &flags(args))?;
    runtime()?.block_on(serve(&config, args.admin_link, ui))?;
    Ok(Outcome::ok(Value::Null))
}

/// What asynchronous verbs run on.
pub(crate) fn runtime() -> Result<Runtime> {
    Runtime::new().map_err(|error| {
        let message = format!("the runtime cannot be started: {error}");
        Failure::new(Exit::Internal, "internal", message, "look for a limit on threads or open files")
    })
}

async fn serve(config: &Config, again: bool, ui: &Ui) -> Result<()> {
    let mut stop = Stop::listen()?;
    let autorig = AutoRig::open(config).await?;
    if !config.role.has_api() {
        autorig.start().await?;
        ui.say(&format!("AutoRig works as `{}`", config.role));
        ui.announce(&json!({ "role": config.role, "data": config.data_dir }))?;
        stop.asked().await;
        ui.say("stopping; what is being rigged may be finished, again to stop at once");
        tokio::select! {
            () = autorig.shutdown(ServerConfig::from(config).grace) => {}
            () = stop.asked() => process::exit(Exit::Interrupted.code().into()),
        }
        return Ok(());
    }
    let server = Server::bind(autorig, ServerConfig::from(config))?;
    let url = server.url();
    ui.say(&format!("AutoRig is listening on {url}"));
    let link = server.admin_link(again).await?;
    if let Some(AdminLink { public, here }) = &link {
        ui.say("open this link to become the admin; it works once, for a day:");
        ui.say(&format!("  {public}"));
        if let Some(here) = here {
            ui.say(&format!("  {here} (on this machine)"));
        }
    } else if again {
        ui.warn("no_admin_link", "a local server needs no admin link: whoever reaches it is the admin", None);
    }
    let link = link.map(|link| json!({ "public": link.public, "here": link.here }));
    ui.announce(&json!({ "url": url, "data": config.data_dir, "admin_link": link }))?;
    server
        .run(async {
            stop.asked().await;
            ui.say("stopping; what is being rigged may be finished, again to stop at once");
            tokio::spawn(async move {
                stop.asked().await;
                process::exit(Exit::Interrupted.code().into());
            });
        })
        .await?;
    Ok(())
}

/// What was typed goes before what the environment and the file say.
fn flags(args: &ServeArgs) -> Map<String, Value> {
    let mut flags = Map::new();
    if let Some(listen) = args.listen {
        flags.insert("listen".to_owned(), json!(listen));
    }
    if let Some(database) = &args.database {
        flags.insert("database_url".to_owned(), json!(database));
    }
    if let Some(role) = args.role {
        flags.insert("role".to_owned(), json!(role));
    }
    if let Some(data) = &args.data {
        flags.insert("data_dir".to_owned(), json!(data));
    }
    if let Some(storage) = &args.storage {
        flags.insert("storage_url".to_owned(), json!(storage));
    }
    flags
}

/// A variable that is no text is none of ours.
pub(crate) fn text((name, value): (OsString, OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

/// Logs go to stderr: warnings by default, errors with `--quiet`, more through the variable.
pub(crate) fn log(ui: &Ui) {
    let usual = if ui.is_quiet() { "error" } else { "warn" };
    let wanted = env::var(LOG_VARIABLE).ok().filter(|text| !text.is_empty());
    let filter =
        wanted.as_deref().map_or(Ok(EnvFilter::new(usual)), EnvFilter::try_new).unwrap_or_else(|error| {
            ui.warn("invalid_log_filter", &format!("{LOG_VARIABLE} is ignored: {error}"), None);
            EnvFilter::new(usual)
        });
    // A second subscriber is refused, and there is none.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ui.has_colour())
        .with_writer(io::stderr)
        .try_init();
}

/// Waits for somebody to end the program.
pub(crate) struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: io::Error| {
            let message = format!("cannot listen for signals: {error}");
            Failure::new(Exit::Internal, "internal", message, "start it from a shell")
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    #[cfg(unix)]
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "it may fail elsewhere")]
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn asked(&mut self) {
        // Without a console there is nothing to wait for but the end of the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
