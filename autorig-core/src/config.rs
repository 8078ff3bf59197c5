//! One typed configuration: defaults < `autorig.toml` < environment (`AUTORIG_…`) < flags.
//!
//! Every setting has one name, `worker_slots`: a key in the file, `AUTORIG_WORKER_SLOTS` in the environment,
//! and `AUTORIG_WORKER_SLOTS_FILE` names a file that holds the value, for secrets.

mod origin;
mod role;
mod seconds;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    blob::S3Settings,
    outbound::Url,
    signature::Secret,
    store::{PostgresSettings, Quota},
    sweep::Retention,
    worker::converter::Converters,
};

pub use origin::origin;
pub use role::Role;
pub use seconds::{Seconds, Ttl};

/// What a server or an embedding program can set. [`Config::default`] needs no file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the database, the files and the scratch space are.
    pub data_dir: PathBuf,
    /// Where the server listens; loopback only in local mode, and on a site until its admin link was used.
    pub listen: SocketAddr,
    /// The public address of a site; without it the server is local.
    pub public_url: Option<String>,
    /// Largest upload, in MB.
    pub upload_limit_mb: u64,
    /// On a site: tasks of one user that wait or are worked on at once; 0 for any number.
    pub user_tasks_at_once: u32,
    /// On a site: tasks that one user may create in 24 hours; 0 for any number.
    pub user_tasks_a_day: u32,
    /// On a site: seconds between two tasks of one user.
    pub user_tasks_apart_s: u32,
    /// Rigs at once; half of the cores, at least one, when left out. 0 leaves them all to other machines.
    pub worker_slots: Option<usize>,
    /// Memory of one rig, in MB.
    pub worker_memory_mb: u64,
    /// Time of one rig, in seconds.
    pub worker_time_s: u64,
    /// Threads of one rig; cores divided by slots when left out.
    pub worker_threads: Option<NonZeroUsize>,
    /// Addresses of converter machines (`autorig worker --listen`) that tasks are pushed to.
    pub workers: Vec<String>,
    /// What this server and the converter machines share; signs what they say to each other.
    pub worker_secret: Option<String>,
    /// The address at which converter machines reach this server; `public_url` when left out.
    pub worker_callback_url: Option<String>,
    /// How often the dispatcher looks although nothing woke it.
    pub dispatch_interval: Seconds,
    /// How long a worker holds a task without a sign of life, in seconds.
    pub lease_s: u64,
    /// How often a worker gives a sign of life, in seconds.
    pub heartbeat_s: u64,
    /// Addresses or networks (`127.0.0.1`, `10.0.0.0/8`) that links may lead to although they are private.
    pub outbound_allow: Vec<String>,
    /// How long fetching a link may take in all, in seconds.
    pub outbound_time_s: u64,
    /// Where files are kept: `s3://bucket/prefix?endpoint=…&region=…`; the data directory when left out.
    pub storage_url: Option<String>,
    /// Access key of the storage; what the machine offers (AWS variables, instance role) when left out.
    pub storage_access_key: Option<String>,
    /// Secret key of the storage.
    pub storage_secret_key: Option<String>,
    /// How long an upload is kept that no task uses; `never` removes none. Not shorter than `result_ttl`.
    pub upload_ttl: Ttl,
    /// How long a finished task and its results are kept.
    pub result_ttl: Ttl,
    /// The same for visitors without an account.
    pub anon_result_ttl: Ttl,
    /// How long the log of a finished task is kept.
    pub log_ttl: Ttl,
    /// How often all this is looked at.
    pub sweep_interval: Seconds,
    /// True sends downloads on to the storage's own address; by default they pass this server.
    pub storage_redirect: bool,
    /// The database that nodes share, `postgres://user:password@host/name`; SQLite in the data directory when
    /// left out.
    pub database_url: Option<String>,
    /// Most connections of this node to that database.
    pub database_connections: u64,
    /// What this node does.
    pub role: Role,
    /// Most tasks of one owner in work at once; 0 for no limit. The owner of local mode has none.
    pub tasks_per_owner: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("autorig-data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            public_url: None,
            upload_limit_mb: 256,
            user_tasks_at_once: 3,
            user_tasks_a_day: 50,
            user_tasks_apart_s: 5,
            worker_slots: None,
            worker_memory_mb: 4096,
            worker_time_s: 600,
            worker_threads: None,
            workers: Vec::new(),
            worker_secret: None,
            worker_callback_url: None,
            dispatch_interval: Seconds(30),
            lease_s: 60,
            heartbeat_s: 20,
            outbound_allow: Vec::new(),
            outbound_time_s: 120,
            storage_url: None,
            storage_access_key: None,
            storage_secret_key: None,
            upload_ttl: Ttl(None),
            result_ttl: Ttl(None),
            anon_result_ttl: Ttl(Some(Seconds(30 * 86_400))),
            log_ttl: Ttl(Some(Seconds(90 * 86_400))),
            sweep_interval: Seconds(600),
            storage_redirect: false,
            database_url: None,
            database_connections: 16,
            role: Role::All,
            tasks_per_owner: 3,
        }
    }
}

/// Variables of the prefix that are not settings of the server: those of the client.
const NOT_SETTINGS: [&str; 3] = ["api_key", "server", "log"];

impl Config {
    /// Reads the configuration: `file` (an error when given but missing; else `autorig.toml` in the current
    /// folder if it exists), then `environment`, then `flags` (settings given on the command line).
    ///
    /// # Errors
    /// `invalid_config`, naming the setting and where it came from.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        figment = match file {
            Some(path) if !path.is_file() => {
                return Err(invalid(format!("the configuration file `{}` does not exist", path.display())));
            }
            Some(path) => figment.merge(Toml::file_exact(path)),
            // Not in the folders above, which may be anybody's.
            None if Path::new("autorig.toml").is_file() => figment.merge(Toml::file_exact("autorig.toml")),
            None => figment,
        };
        let mut origins = BTreeMap::new();
        for (name, value) in environment {
            if let Some((key, value)) = setting(&name, value)? {
                figment = figment.merge(Serialized::default(&key, value));
                origins.insert(key, format!("{name} in the environment"));
            }
        }
        for (key, value) in flags {
            figment = figment.merge(Serialized::default(key, value));
            origins.insert(key.clone(), "the command line".to_owned());
        }
        let config: Self = figment.extract().map_err(|error| wrong_setting(&error, &origins))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// `invalid_config`.
    pub fn validate(&self) -> Result<()> {
        match &self.public_url {
            Some(url) if origin(url).is_none() => {
                return Err(invalid(format!(
                    "public_url is `{url}`, not `http` or `https`, a host and nothing behind it"
                )));
            }
            Some(_) => {}
            None if self.listen.ip().to_canonical().is_loopback() => {}
            None => {
                return Err(invalid(format!(
                    "listen is {}, but a local server listens on a loopback address only",
                    self.listen
                )));
            }
        }
        for (name, value) in [
            ("upload_limit_mb", self.upload_limit_mb),
            ("worker_memory_mb", self.worker_memory_mb),
            ("worker_time_s", self.worker_time_s),
            ("dispatch_interval", self.dispatch_interval.0),
            ("lease_s", self.lease_s),
            ("heartbeat_s", self.heartbeat_s),
            ("outbound_time_s", self.outbound_time_s),
            ("database_connections", self.database_connections),
            ("sweep_interval", self.sweep_interval.0),
        ] {
            // The upper bound keeps seconds and megabytes far from any overflow.
            if !(1..=1 << 32).contains(&value) {
                return Err(invalid(format!("{name} is {value}, not between 1 and {}", 1_u64 << 32)));
            }
        }
        if self.database_url.is_none() && self.role != Role::All {
            return Err(invalid(format!(
                "role is `{}`, but a node without database_url shares its work with nobody",
                self.role
            )));
        }
        if self.storage_url.is_none() && self.role != Role::All {
            return Err(invalid(format!(
                "role is `{}`, but other nodes cannot read the files in this node's data directory",
                self.role
            )));
        }
        if self.heartbeat_s >= self.lease_s {
            return Err(invalid("heartbeat_s is not shorter than lease_s".to_owned()));
        }
        self.check_retention()?;
        self.storage()?;
        self.converters()?;
        crate::outbound::Allow::parse(&self.outbound_allow).map(|_| ())
    }

    fn check_retention(&self) -> Result<()> {
        for (name, ttl) in [
            ("upload_ttl", self.upload_ttl),
            ("result_ttl", self.result_ttl),
            ("anon_result_ttl", self.anon_result_ttl),
            ("log_ttl", self.log_ttl),
        ] {
            if ttl.0.is_some_and(|ttl| !(1..=1 << 32).contains(&ttl.0)) {
                return Err(invalid(format!(
                    "{name} is not between 1 and {} seconds, or never",
                    1_u64 << 32
                )));
            }
        }
        // A restart needs the upload as long as its task can be restarted.
        if self.upload_ttl.is_shorter_than(self.result_ttl) {
            return Err(invalid("upload_ttl is shorter than result_ttl"));
        }
        Ok(())
    }

    /// How long things are kept.
    pub fn retention(&self) -> Retention {
        Retention {
            uploads: self.upload_ttl.duration(),
            results: self.result_ttl.duration(),
            anonymous: self.anon_result_ttl.duration(),
            logs: self.log_ttl.duration(),
            interval: self.sweep_interval.duration(),
        }
    }

    /// The bucket that files are kept in; `None` for the data directory.
    ///
    /// # Errors
    /// `invalid_config`.
    pub fn storage(&self) -> Result<Option<S3Settings>> {
        let keys = match (&self.storage_access_key, &self.storage_secret_key) {
            (Some(access), Some(secret)) => Some((access.clone(), secret.clone())),
            (None, None) => None,
            _ => return Err(invalid("storage_access_key and storage_secret_key go together")),
        };
        self.storage_url.as_deref().map(|url| S3Settings::parse(url, keys)).transpose()
    }

    /// Every setting and its value, one a line, as `autorig.toml` has them; secrets are hidden.
    ///
    /// # Errors
    /// `internal` when a value cannot be written down.
    pub fn describe(&self) -> Result<String> {
        let settings = serde_json::to_value(self)
            .map_err(|error| Error::internal(format!("writing the configuration down: {error}")))?;
        let lines = settings.as_object().into_iter().flatten().map(|(name, value)| shown(name, value));
        Ok(lines.collect())
    }

    /// The converter machines, when there are any.
    ///
    /// # Errors
    /// `invalid_config`, `invalid_secret`.
    pub fn converters(&self) -> Result<Option<Converters>> {
        if self.workers.is_empty() {
            return Ok(None);
        }
        let secret = self.worker_secret.as_deref().ok_or_else(|| {
            invalid("workers are given without the worker_secret that they share with this server".to_owned())
        })?;
        let local = format!("http://{}", self.listen);
        let callback = self.worker_callback_url.as_ref().or(self.public_url.as_ref()).unwrap_or(&local);
        let callback = Url::parse(callback)
            .map_err(|error| invalid(format!("worker_callback_url is `{callback}`: {error}")))?;
        Ok(Some(Converters { addresses: self.workers.clone(), secret: Secret::parse(secret)?, callback }))
    }

    /// How the shared database is used.
    pub fn postgres(&self) -> PostgresSettings {
        PostgresSettings { connections: u32::try_from(self.database_connections).unwrap_or(u32::MAX) }
    }

    /// Most tasks of one owner in work at once.
    pub fn per_owner(&self) -> Option<u32> {
        (self.tasks_per_owner > 0).then(|| u32::try_from(self.tasks_per_owner).unwrap_or(u32::MAX))
    }

    /// Largest upload, in bytes.
    pub fn upload_limit(&self) -> u64 {
        self.upload_limit_mb << 20
    }

    /// What one user of a site may create.
    pub fn quota(&self) -> Quota {
        Quota {
            at_once: self.user_tasks_at_once,
            a_day: self.user_tasks_a_day,
            apart: Duration::from_secs(self.user_tasks_apart_s.into()),
        }
    }

    /// Rigs at once.
    pub fn slots(&self) -> usize {
        self.worker_slots.unwrap_or_else(|| (cores() / 2).max(1))
    }

    /// Threads of one rig.
    pub fn threads(&self) -> usize {
        self.worker_threads.map_or_else(|| (cores() / self.slots().max(1)).max(1), NonZeroUsize::get)
    }

    /// How long a worker holds a task without a sign of life.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_s)
    }
}

/// One line of [`Config::describe`].
fn shown(name: &str, value: &serde_json::Value) -> String {
    const SECRET: [&str; 4] = ["_key", "_secret", "_token", "_password"];
    match value {
        serde_json::Value::Null => format!("# {name} is not set\n"),
        _ if SECRET.iter().any(|end| name.ends_with(end)) => format!("{name} = \"***\"\n"),
        // Only the user's part of an address is a secret.
        serde_json::Value::String(text) => format!("{name} = {}\n", serde_json::json!(without_login(text))),
        other => format!("{name} = {other}\n"),
    }
}

fn without_login(text: &str) -> String {
    let hidden = text.split_once("://").and_then(|(scheme, rest)| {
        let (login, place) = rest.split_once('@')?;
        (!login.contains('/')).then(|| format!("{scheme}://***@{place}"))
    });
    hidden.unwrap_or_else(|| text.to_owned())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The setting that an environment variable gives, if it is one.
fn setting(name: &str, value: String) -> Result<Option<(String, serde_json::Value)>> {
    let Some(name) = name.strip_prefix("AUTORIG_") else { return Ok(None) };
    let mut key = name.to_ascii_lowercase();
    let mut value = value;
    if let Some(base) = key.strip_suffix("_file") {
        value = std::fs::read_to_string(&value)
            .map_err(|error| invalid(format!("AUTORIG_{name} names `{value}`: {error}")))?
            .trim_end()
            .to_owned();
        key = base.to_owned();
    }
    if NOT_SETTINGS.contains(&key.as_str()) {
        return Ok(None);
    }
    let known = serde_json::to_value(Config::default())
        .map_err(|error| Error::internal(format!("default configuration: {error}")))?;
    match known.get(&key) {
        None => {
            // The environment is shared with other programs, so this is no error as it is in the file.
            tracing::warn!(variable = %format!("AUTORIG_{name}"), "unknown setting in the environment is ignored");
            Ok(None)
        }
        Some(default) => {
            let value = typed(&key, default, value);
            Ok(Some((key, value)))
        }
    }
}

/// A variable is text; the setting says what it means.
fn typed(key: &str, default: &serde_json::Value, text: String) -> serde_json::Value {
    use serde_json::Value;
    match default {
        // Not set by default, so only the setting's type says: a password of digits is still a text.
        Value::Null if serde_json::from_value::<Config>(serde_json::json!({ key: text })).is_ok() => {
            Value::from(text)
        }
        Value::Array(_) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect()
        }
        Value::String(_) => Value::from(text),
        Value::Bool(_) => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        _ => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
    }
}

/// Says which setting is wrong and where it came from.
fn wrong_setting(error: &figment::Error, origins: &BTreeMap<String, String>) -> Error {
    let key = error.path.join(".");
    let file =
        || error.metadata.as_ref()?.source.as_ref()?.file_path().map(|path| path.display().to_string());
    let origin = origins.get(&key).cloned().or_else(file);
    let place = match (key.is_empty(), origin) {
        (true, None) => String::new(),
        (true, Some(origin)) => format!("{origin}: "),
        (false, None) => format!("{key}: "),
        (false, Some(origin)) => format!("{key} from {origin}: "),
    };
    invalid(format!("{place}{}", error.kind))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::usage("invalid_config", message, "correct the setting; docs/ lists them all with their defaults")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)]) -> Result<Config> {
        let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(None, pairs, &serde_json::Map::new())
    }

    #[test]
    fn the_default_needs_nothing() {
        assert_eq!(load(&[]).unwrap(), Config::default());
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("autorig.toml");
        std::fs::write(&file, "upload_limit_mb = 1\nworker_time_s = 2\nlease_s = 90\n").unwrap();
        let environment = [("AUTORIG_UPLOAD_LIMIT_MB", "3"), ("AUTORIG_WORKER_TIME_S", "4"), ("OTHER", "5")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        let flags = serde_json::json!({"upload_limit_mb": 6}).as_object().unwrap().clone();
        let config = Config::load(Some(&file), environment, &flags).unwrap();
        assert_eq!((config.upload_limit_mb, config.worker_time_s, config.lease_s), (6, 4, 90));
    }

    #[test]
    fn lists_options_and_values_from_files_are_understood() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("slots");
        std::fs::write(&secret, "3\n").unwrap();
        let config = load(&[
            ("AUTORIG_OUTBOUND_ALLOW", "127.0.0.1, 10.0.0.0/8"),
            ("AUTORIG_WORKER_SLOTS_FILE", secret.to_str().unwrap()),
            ("AUTORIG_DATA_DIR", "7"),
            ("AUTORIG_LISTEN", "127.0.0.1:0"),
            ("AUTORIG_DISPATCH_INTERVAL", "2m"),
        ])
        .unwrap();
        assert_eq!(config.outbound_allow, ["127.0.0.1", "10.0.0.0/8"]);
        assert_eq!(config.dispatch_interval, Seconds(120));
        assert_eq!(config.slots(), 3);
        assert_eq!(config.data_dir, PathBuf::from("7"));
        assert_eq!(config.listen.port(), 0);
    }

    #[test]
    fn things_are_kept_for_a_time_or_for_ever() {
        let config = load(&[
            ("AUTORIG_UPLOAD_TTL", "30d"),
            ("AUTORIG_RESULT_TTL", "2592000"),
            ("AUTORIG_LOG_TTL", "never"),
        ])
        .unwrap();
        let month = Some(Duration::from_secs(2_592_000));
        let keep = config.retention();
        assert_eq!((keep.uploads, keep.results, keep.logs), (month, month, None));
        assert_eq!(Config::default().retention(), Retention::default());
        assert!(config.describe().unwrap().contains("log_ttl = \"never\""));
    }

    #[test]
    fn a_bucket_and_its_keys_are_understood_and_the_keys_not_shown() {
        let config = load(&[
            ("AUTORIG_STORAGE_URL", "s3://models?endpoint=http://127.0.0.1:9000"),
            ("AUTORIG_STORAGE_ACCESS_KEY", "12345"),
            ("AUTORIG_STORAGE_SECRET_KEY", "hunter2"),
            ("AUTORIG_STORAGE_REDIRECT", "true"),
        ])
        .unwrap();
        assert!(config.storage_redirect);
        let storage = config.storage().unwrap().unwrap();
        assert_eq!(storage.keys, Some(("12345".to_owned(), "hunter2".to_owned())));
        let shown = config.describe().unwrap();
        assert!(!shown.contains("12345") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_wrong_setting_is_refused_by_its_name() {
        for (variables, code, word) in [
            (("AUTORIG_WORKER_TIME_S", "soon"), "invalid_config", "worker_time_s"),
            (("AUTORIG_DISPATCH_INTERVAL", "1y"), "invalid_config", "dispatch_interval from AUTORIG_"),
            (("AUTORIG_WORKER_SLOTS", "-1"), "invalid_config", "worker_slots"),
            (("AUTORIG_LISTEN", "0.0.0.0:80"), "invalid_config", "loopback"),
            (("AUTORIG_LEASE_S", "10"), "invalid_config", "heartbeat_s"),
            (("AUTORIG_OUTBOUND_ALLOW", "nowhere"), "invalid_config", "nowhere"),
            (("AUTORIG_LOG_TTL", "soon"), "invalid_config", "log_ttl"),
            (("AUTORIG_UPLOAD_TTL", "1h"), "invalid_config", "result_ttl"),
            (("AUTORIG_STORAGE_URL", "http://x"), "invalid_config", "storage"),
            (("AUTORIG_STORAGE_ACCESS_KEY", "x"), "invalid_config", "storage_secret_key"),
            (("AUTORIG_STORAGE_REDIRECT", "maybe"), "invalid_config", "storage_redirect"),
            (("AUTORIG_PUBLIC_URL", "https://example.org/rig"), "invalid_config", "public_url"),
            (("AUTORIG_ROLE", "king"), "invalid_config", "role from AUTORIG_ROLE"),
            (("AUTORIG_ROLE", "worker"), "invalid_config", "database_url"),
            (("AUTORIG_DATABASE_CONNECTIONS", "0"), "invalid_config", "database_connections"),
        ] {
            let error = load(&[variables]).unwrap_err();
            assert_eq!(error.code, code, "{error}");
            assert!(error.message.contains(word), "{error}");
            assert!(!error.message.contains(".rs") && !error.message.contains("default."), "{error}");
        }
    }

    #[test]
    fn a_description_can_be_used_as_the_file_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("autorig.toml");
        let config = load(&[("AUTORIG_OUTBOUND_ALLOW", "10.0.0.0/8"), ("AUTORIG_LEASE_S", "77")]).unwrap();
        std::fs::write(&file, config.describe().unwrap()).unwrap();
        assert_eq!(Config::load(Some(&file), [], &serde_json::Map::new()).unwrap(), config);
    }

    #[test]
    fn secrets_are_not_shown() {
        let line = |name, value: &str| shown(name, &serde_json::json!(value));
        assert_eq!(line("smtp_password", "hunter2"), "smtp_password = \"***\"\n");
        assert_eq!(line("database_url", "postgres://me:pw@db/x"), "database_url = \"postgres://***@db/x\"\n");
        assert_eq!(line("public_url", "https://a.example/@me"), "public_url = \"https://a.example/@me\"\n");
    }

    #[test]
    fn an_unknown_key_in_the_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("autorig.toml");
        std::fs::write(&file, "worker_slot = 1\n").unwrap();
        let error = Config::load(Some(&file), [], &serde_json::Map::new()).unwrap_err();
        assert!(error.message.contains("worker_slot") && error.message.contains("autorig.toml"), "{error}");
        std::fs::write(&file, "worker_time_s = 'soon'\n").unwrap();
        let error = Config::load(Some(&file), [], &serde_json::Map::new()).unwrap_err();
        assert!(
            error.message.contains("worker_time_s from") && error.message.contains("autorig.toml"),
            "{error}"
        );
        assert!(Config::load(Some(&folder.path().join("no.toml")), [], &serde_json::Map::new()).is_err());
    }
}
