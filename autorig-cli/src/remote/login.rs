//! `autorig login`: a server and a key are tried, then kept.

use std::io::{self, BufRead, IsTerminal};

use autorig_client::{Client, Me, NewKey};
use serde_json::json;

use super::{Credentials, address};
use crate::{
    args::remote::LoginArgs,
    failure::{Exit, Failure, Result},
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(super) async fn run(args: &LoginArgs, ui: &Ui) -> Result<Outcome> {
    let mut kept = Credentials::load()?;
    let address = match (&args.server.server, &args.admin_link) {
        // The link says which server it is of.
        (None, Some(link)) => link.split("/auth/").next().unwrap_or_default().to_owned(),
        _ => address(&args.server, &kept),
    };
    if args.forget {
        if !kept.forget(&address) {
            let message = format!("no login of {address} is kept");
            return Err(Failure::new(
                Exit::NotFound,
                "not_logged_in",
                message,
                "name the server with --server",
            ));
        }
        kept.save()?;
        ui.say(&format!("forgot {address}"));
        return Ok(Outcome::ok(json!({ "server": address })));
    }
    let (key, me) = find_key(args, &address, ui).await?;
    kept.keep(&address, key);
    let path = kept.save()?;
    let user = me.user.as_ref().map_or("nobody", |user| user.id.as_str());
    ui.say(&format!("logged in to {address} as {user}; kept in {}", path.display()));
    Ok(Outcome::ok(json!({ "server": address, "user": me.user, "via": me.via, "scopes": me.scopes })))
}

/// A key that the server takes, or none where it needs none.
async fn find_key(args: &LoginArgs, address: &str, ui: &Ui) -> Result<(Option<String>, Me)> {
    if let Some(link) = &args.admin_link {
        let new = NewKey {
            name: "autorig login".to_owned(),
            scopes: vec!["admin".to_owned()],
            ..NewKey::default()
        };
        let made = Client::builder(address).build()?.key_by_admin_link(link, &new).await?;
        let me = Client::builder(address).api_key(&made.key).build()?.me().await?;
        return Ok((Some(made.key), me));
    }
    let me = Client::builder(address).build()?.me().await?;
    if me.via == "local" {
        return Ok((None, me));
    }
    let key = match &args.key {
        Some(key) => key.trim().to_owned(),
        None => read_key(ui)?,
    };
    let me = Client::builder(address).api_key(&key).build()?.me().await?;
    Ok((Some(key), me))
}

fn read_key(ui: &Ui) -> Result<String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        ui.say("paste the API key and press Enter:");
    }
    let mut line = String::new();
    stdin
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::io("read the API key", std::path::Path::new("-"), &error))?;
    let key = line.trim();
    if key.is_empty() {
        return Err(Failure::usage(
            "key_missing",
            "this server is a site, and no API key was given",
            "pipe it to standard input, or use --key or --admin-link",
        ));
    }
    Ok(key.to_owned())
}
