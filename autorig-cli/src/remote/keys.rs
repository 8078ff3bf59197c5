//! `autorig keys …`: API keys of a server.

use std::fmt::Write;

use autorig_client::{ApiKey, Client, MadeKey, NewKey};
use serde_json::json;

use super::client;
use crate::{
    args::remote::{KeyCreateArgs, KeysArgs, KeysVerb},
    failure::Result,
    ui::{Outcome, Ui, clean},
};

/// Runs the verb.
pub(super) async fn run(args: &KeysArgs, ui: &Ui) -> Result<Outcome> {
    let client = client(&args.server)?;
    match &args.verb {
        KeysVerb::List => list(&client, ui).await,
        KeysVerb::Create(args) => create(&client, args, ui).await,
        KeysVerb::Revoke(args) => {
            client.revoke_key(&args.id).await?;
            ui.say(&format!("{} opens nothing any more", args.id));
            Ok(Outcome::ok(json!({ "id": args.id })))
        }
        KeysVerb::Rotate(args) => {
            let made = client.rotate_key(&args.id.id, args.overlap).await?;
            shown_once(&made, ui)
        }
    }
}

async fn list(client: &Client, ui: &Ui) -> Result<Outcome> {
    let keys = client.keys().await?;
    if !ui.is_json() {
        let mut text = String::new();
        for key in &keys {
            let state = state(key);
            let scopes = key.scopes.join(",");
            let used = key.last_used_at.as_deref().unwrap_or("never");
            let line = format!(
                "{}  {}  {state}  {scopes}  {}  {}  used {used}",
                key.id, key.hint, key.user, key.name
            );
            // Writing to a text does not fail.
            let _ = writeln!(text, "{}", clean(&line));
        }
        ui.result(text.as_bytes())?;
    }
    Ok(Outcome::ok(json!({ "items": keys })))
}

fn state(key: &ApiKey) -> String {
    match (&key.revoked_at, &key.expires_at) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "good".to_owned(),
    }
}

async fn create(client: &Client, args: &KeyCreateArgs, ui: &Ui) -> Result<Outcome> {
    let new = NewKey {
        name: args.name.clone(),
        scopes: args.scopes.clone(),
        test: args.test,
        expires_at: args.expires.clone(),
        user: args.user.clone(),
    };
    shown_once(&client.create_key(&new).await?, ui)
}

fn shown_once(made: &MadeKey, ui: &Ui) -> Result<Outcome> {
    ui.say("the key, which is shown this once:");
    if !ui.is_json() {
        ui.result(format!("{}\n", made.key).as_bytes())?;
    }
    Ok(Outcome::ok(json!(made)))
}
