//! `autorig worker`: this machine rigs for a server, each rig a child process of this same program.
//!
//! It asks for work (`pull`), so the server need not be able to reach it, or listens for it (`listen`), as one of a
//! pool of converter machines.

mod listen;
mod pull;

use std::{env, path::Path, sync::Arc};

use autorig_client::Client;
use autorig_core::{
    Config,
    blob::LocalBlobs,
    worker::{
        ChildWorker, Worker,
        embedded::{ChildLimits, this_program},
    },
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    args::WorkerArgs,
    failure::{Failure, Result},
    serve::{Stop, log, runtime, text},
    ui::{Outcome, Ui},
};
use pull::Puller;

/// Runs the verb: until SIGINT or SIGTERM.
pub(crate) fn run(args: &WorkerArgs, ui: &Ui) -> Result<Outcome> {
    log(ui);
    let mut flags = Map::new();
    if let Some(slots) = args.slots {
        flags.insert("worker_slots".to_owned(), json!(slots));
    }
    if let Some(address) = args.listen {
        flags.extend(listen::flags(args, address));
    }
    let mut config = Config::load(None, env::vars_os().filter_map(text), &flags)?;
    match (args.listen, &args.server) {
        (Some(address), _) => runtime()?.block_on(listen::serve(address, &mut config, ui))?,
        (None, Some(server)) => runtime()?.block_on(pull(server, args, &config, ui))?,
        (None, None) => {
            return Err(Failure::usage("usage", "no server is named", "add --server URL or --listen ADDR"));
        }
    }
    Ok(Outcome::ok(Value::Null))
}

async fn pull(server: &str, args: &WorkerArgs, config: &Config, ui: &Ui) -> Result<()> {
    let mut stop = Stop::listen()?;
    let folder = scratch(args)?;
    let limits = ChildLimits::from_config(config);
    let worker = ChildWorker::new(this_program()?, &folder.path().join("rigs"), limits)?;
    let puller = Puller {
        client: client(server, args)?,
        name: args.name.clone().unwrap_or_else(own_name),
        kinds: worker.kinds(),
        slots: worker.slots(),
        worker: Arc::new(worker),
        blobs: Arc::new(LocalBlobs::open(folder.path().join("inputs")).await?),
    };
    // Whoever starts it wants to know at once that the address or the key is wrong.
    puller.client.queue_status().await?;
    let server = puller.client.base().to_string();
    ui.say(&format!("{} works for {server}", puller.name));
    ui.announce(&json!({ "server": server, "name": puller.name, "slots": puller.slots }))?;
    let (drain, abort) = (CancellationToken::new(), CancellationToken::new());
    let work = puller.run(drain.clone(), abort.clone());
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => return result,
        () = stop.asked() => drain.cancel(),
    }
    ui.say("stopping; what is being rigged is finished, again to give it back and stop at once");
    tokio::select! {
        result = &mut work => return result,
        () = stop.asked() => abort.cancel(),
    }
    work.await
}

fn client(server: &str, args: &WorkerArgs) -> Result<Client> {
    let mut builder = Client::builder(server);
    if let Some(key) = &args.key {
        builder = builder.api_key(key);
    }
    Ok(builder.build()?)
}

/// A folder for models and rigs, removed at the end.
fn scratch(args: &WorkerArgs) -> Result<TempDir> {
    let parent = args.scratch.clone().unwrap_or_else(env::temp_dir);
    let made = tempfile::Builder::new().prefix("autorig-worker-").tempdir_in(&parent);
    made.map_err(|error| Failure::io("make a scratch folder in it", Path::new(&parent), &error))
}

/// The machine's name and this process's number, in the letters a worker's name may have.
fn own_name() -> String {
    #[cfg(unix)]
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let machine = env::var("COMPUTERNAME").unwrap_or_default();
    let safe = machine.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).take(48);
    format!("{}-{}", safe.collect::<String>(), std::process::id()).trim_start_matches('-').to_owned()
}
