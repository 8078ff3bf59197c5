//! A converter machine: jobs are pushed to it.

use std::{net::SocketAddr, sync::Arc};

use autorig_core::{AutoRig, Config, clock::SystemClock, signature::Secret};
use autorig_server::{ConverterSettings, Server, ServerConfig};
use serde_json::{Map, Value, json};

use crate::{
    args::WorkerArgs,
    failure::{Failure, Result},
    serve::Stop,
    ui::Ui,
};

/// Where jobs are kept when nothing else is said.
const DATA: &str = "autorig-worker";

/// The settings that were typed.
pub(super) fn flags(args: &WorkerArgs, address: SocketAddr) -> Map<String, Value> {
    let mut flags = Map::new();
    flags.insert("data_dir".to_owned(), json!(args.data.clone().unwrap_or_else(|| DATA.into())));
    // Who may listen where is decided for local servers; this one answers signed requests only.
    let port = address.port();
    flags.insert("listen".to_owned(), json!(SocketAddr::from(([127, 0, 0, 1], port))));
    flags
}

/// Takes jobs until SIGINT or SIGTERM.
pub(super) async fn serve(address: SocketAddr, config: &mut Config, ui: &Ui) -> Result<()> {
    let secret = config.worker_secret.as_deref().ok_or_else(|| {
        Failure::usage(
            "invalid_secret",
            "a machine that listens for jobs needs the secret it shares with its servers",
            "set AUTORIG_WORKER_SECRET, or AUTORIG_WORKER_SECRET_FILE, to the same on all of them",
        )
    })?;
    let secret = Secret::parse(secret)?;
    if config.outbound_allow.is_empty() {
        // A job's link comes signed from a server of ours, which may be in a private network.
        config.outbound_allow = ["0.0.0.0/0", "::/0"].map(str::to_owned).to_vec();
    }
    let mut stop = Stop::listen()?;
    let autorig = AutoRig::open(config).await?;
    let slots = u32::try_from(config.slots()).unwrap_or(u32::MAX);
    let settings = ConverterSettings { secret, slots, clock: Arc::new(SystemClock) };
    let door = ServerConfig { listen: address, ..ServerConfig::from(&*config) };
    let server = Server::bind_converter(autorig, door, settings)?;
    let url = server.url();
    ui.say(&format!("AutoRig takes jobs on {url}"));
    ui.announce(&json!({ "url": url, "data": config.data_dir, "slots": slots }))?;
    server
        .run(async {
            stop.asked().await;
            ui.say("stopping; what is not finished is done after the next start");
        })
        .await?;
    Ok(())
}
