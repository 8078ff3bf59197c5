//! `autorig db`: the database of a server, looked after by hand.

use std::env;

use autorig_core::{
    Config,
    store::{self, PostgresStore, SqliteStore},
};
use serde_json::{Map, Value, json};

use crate::{
    args::{DbArgs, DbVerb},
    failure::Result,
    serve::{runtime, text},
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(crate) fn run(args: &DbArgs, ui: &Ui) -> Result<Outcome> {
    let mut flags = Map::new();
    if let Some(data) = &args.data {
        flags.insert("data_dir".to_owned(), json!(data));
    }
    if let Some(database) = &args.database {
        flags.insert("database_url".to_owned(), json!(database));
    }
    let config = Config::load(None, env::vars_os().filter_map(text), &flags)?;
    runtime()?.block_on(async {
        match &args.verb {
            DbVerb::Migrate => migrate(&config, ui).await,
            DbVerb::Copy { to } => copy(&config, to, ui).await,
        }
    })
}

async fn migrate(config: &Config, ui: &Ui) -> Result<Outcome> {
    let store = match &config.database_url {
        Some(url) => PostgresStore::connect(url, config.postgres()).await?,
        None => SqliteStore::open(&config.data_dir.join("autorig.db")).await?,
    };
    store.close().await;
    ui.say("the database is up to date");
    Ok(Outcome::ok(json!({ "up_to_date": true })))
}

async fn copy(config: &Config, to: &str, ui: &Ui) -> Result<Outcome> {
    // Nobody writes while it is read.
    let locked = autorig_core::autorig::DataDir::open(&config.data_dir)?;
    let copied = store::copy(&locked.database(), to).await?;
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    ui.say(&format!("copied {rows} rows of {} tables, counted on both sides", copied.len()));
    let tables: Map<String, Value> =
        copied.into_iter().map(|table| (table.name, json!(table.rows))).collect();
    Ok(Outcome::ok(json!({ "tables": tables })))
}
