//! What `autorig login` keeps: `autorig/credentials.json` in the user's configuration folder, for nobody else to read.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::failure::{Exit, Failure, Result};

/// Servers and their keys.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Credentials {
    /// The server of the last login.
    #[serde(default)]
    pub(super) default: Option<String>,
    #[serde(default)]
    servers: BTreeMap<String, Server>,
}

#[derive(Serialize, Deserialize)]
struct Server {
    #[serde(default)]
    key: Option<String>,
}

impl Credentials {
    /// What is kept; nothing when there is no file.
    pub(super) fn load() -> Result<Self> {
        let Some(path) = path() else { return Ok(Self::default()) };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::usage(
                    "invalid_credentials",
                    format!("the kept logins cannot be read: {error}"),
                    "remove the file and log in again",
                )
                .about(&path)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::io("read the kept logins", &path, &error)),
        }
    }

    /// The key that was kept for this server.
    pub(super) fn key(&self, address: &str) -> Option<&str> {
        self.servers.get(&name(address))?.key.as_deref()
    }

    /// Keeps a server as the one that is meant from now on, with its key.
    pub(super) fn keep(&mut self, address: &str, key: Option<String>) {
        self.default = Some(name(address));
        self.servers.insert(name(address), Server { key });
    }

    /// Forgets a server; false when it was not known.
    pub(super) fn forget(&mut self, address: &str) -> bool {
        let name = name(address);
        if self.default.as_ref() == Some(&name) {
            self.default = None;
        }
        self.servers.remove(&name).is_some()
    }

    /// Writes them down, whole or not at all; where they are now.
    pub(super) fn save(&self) -> Result<PathBuf> {
        let path = path().ok_or_else(|| {
            let message = "there is no folder for the configuration: neither XDG_CONFIG_HOME nor HOME is set";
            Failure::new(
                Exit::NotFound,
                "no_config_folder",
                message,
                "set one of them, or use AUTORIG_API_KEY",
            )
        })?;
        let failed = |error: io::Error| Failure::io("keep the login", &path, &error);
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        // A temporary file is for its owner's eyes only from the beginning, on every system.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        file.write_all(&text).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(path)
    }
}

/// One name for all ways to write an address.
fn name(address: &str) -> String {
    address.trim().trim_end_matches('/').to_ascii_lowercase()
}

fn path() -> Option<PathBuf> {
    let folder = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let configuration = folder("XDG_CONFIG_HOME")
        .or_else(|| if cfg!(windows) { folder("APPDATA") } else { Some(folder("HOME")?.join(".config")) })?;
    Some(configuration.join("autorig").join("credentials.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_its_server_only_however_the_address_is_written() {
        let mut kept = Credentials::default();
        kept.keep("https://Rig.example.org/", Some("k".to_owned()));
        assert_eq!(kept.key("https://rig.example.org"), Some("k"));
        assert_eq!(kept.key("https://rig.example.org.evil.example"), None);
        assert_eq!(kept.key("http://rig.example.org"), None);
        assert_eq!(kept.default.as_deref(), Some("https://rig.example.org"));
        assert!(kept.forget("https://rig.example.org") && !kept.forget("https://rig.example.org"));
        assert_eq!((kept.default.clone(), kept.key("https://rig.example.org")), (None, None));
    }
}
