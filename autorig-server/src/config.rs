//! How the server is started, and why it may refuse to.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use autorig_core::clock::{Ids, SystemIds};

use crate::ui::Ui;

/// What the server needs to know besides the [`autorig_core::AutoRig`] it serves.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address the world knows the server by. Without it the server is local: loopback only, and whoever
    /// reaches it is the owner.
    pub public_url: Option<String>,
    /// Silence after which an event stream sends a comment, so that nothing between closes it.
    pub heartbeat: Duration,
    /// How long open requests may go on after the server was told to stop.
    pub grace: Duration,
    /// Largest file that may be sent. A little more is allowed for what surrounds it.
    pub upload_limit: u64,
    /// Where a file is put aside when options follow it in the form; the system's folder for temporary files
    /// when `None`. Not a folder in memory: uploads are large.
    pub spool_dir: Option<PathBuf>,
    /// True sends downloads on to the storage's own address where it has one.
    pub storage_redirect: bool,
    /// The pages.
    pub ui: Ui,
    /// Source of request ids.
    pub ids: Arc<dyn Ids>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            public_url: None,
            heartbeat: Duration::from_secs(15),
            grace: Duration::from_secs(10),
            upload_limit: 256 << 20,
            spool_dir: None,
            storage_redirect: false,
            ui: Ui::default(),
            ids: Arc::new(SystemIds),
        }
    }
}

/// What one configuration says about the server.
impl From<&autorig_core::Config> for ServerConfig {
    fn from(config: &autorig_core::Config) -> Self {
        Self {
            listen: config.listen,
            public_url: config.public_url.clone(),
            upload_limit: config.upload_limit(),
            spool_dir: Some(config.data_dir.clone()),
            storage_redirect: config.storage_redirect,
            ..Self::default()
        }
    }
}

/// Why the server did not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A local server was told to listen where others can reach it.
    #[error(
        "{listen} can be reached from other machines, and a server without PUBLIC_URL lets everyone in as the owner"
    )]
    NotLoopback {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// A public address is configured, but there is no sign-in yet.
    #[error("PUBLIC_URL is set to {public_url}, and this version has no sign-in to serve a site with")]
    SiteMode {
        /// The address configured.
        public_url: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The tasks could not be taken up.
    #[error("the tasks could not be taken up: {0}")]
    Start(autorig_core::Error),
    /// The listener failed.
    #[error("the server stopped: {0}")]
    Io(#[from] std::io::Error),
}

impl ServerError {
    /// Stable machine-readable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Start(error) => &error.code,
            Self::NotLoopback { .. } => "listen_not_loopback",
            Self::SiteMode { .. } => "site_mode_unavailable",
            Self::Bind { .. } => "listen_failed",
            Self::Io(_) => "io_error",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        match self {
            Self::Start(error) => &error.remedy,
            Self::NotLoopback { .. } => "listen on 127.0.0.1 or [::1]",
            Self::SiteMode { .. } => "unset PUBLIC_URL and use the server from this machine",
            Self::Bind { .. } => "stop the program that uses this port, or choose another one",
            Self::Io(_) => "start the server again",
        }
    }
}

impl ServerConfig {
    /// Refuses what would open a local server to others.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        if let Some(public_url) = &self.public_url {
            return Err(ServerError::SiteMode { public_url: public_url.clone() });
        }
        if !self.listen.ip().to_canonical().is_loopback() {
            return Err(ServerError::NotLoopback { listen: self.listen });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(listen: &str) -> Option<String> {
        let config = ServerConfig { listen: listen.parse().unwrap(), ..ServerConfig::default() };
        config.check().err().map(|error| error.code().to_owned())
    }

    #[test]
    fn a_local_server_listens_on_loopback_only() {
        assert_eq!(code("127.0.0.1:0"), None);
        assert_eq!(code("[::1]:0"), None);
        assert_eq!(code("0.0.0.0:7070"), Some("listen_not_loopback".to_owned()));
        assert_eq!(code("192.168.1.5:7070"), Some("listen_not_loopback".to_owned()));
        assert_eq!(code("[::]:7070"), Some("listen_not_loopback".to_owned()));
    }

    #[test]
    fn a_site_is_refused_until_there_is_a_sign_in() {
        let config =
            ServerConfig { public_url: Some("https://example.org".into()), ..ServerConfig::default() };
        assert_eq!(config.check().unwrap_err().code(), "site_mode_unavailable");
    }
}
