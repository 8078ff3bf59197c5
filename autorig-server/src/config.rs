//! How the server is started, and why it may refuse to.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use autorig_core::clock::{Ids, SystemIds};

use crate::{site::Site, ui::Ui};

/// What the server needs to know besides the [`autorig_core::AutoRig`] it serves.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address the world knows the server by, which makes it a site: keys and sessions say who calls. Without it the
    /// server is local: loopback only, and whoever reaches it is the owner.
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
    /// A site was told to listen where others can reach it before it has an admin.
    #[error("{listen} can be reached from other machines, and nobody has used this site's admin link yet")]
    NoAdmin {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The public address is none.
    #[error("PUBLIC_URL is `{public_url}`, not `http` or `https`, a host and nothing behind it")]
    PublicUrl {
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
            Self::NoAdmin { .. } => "admin_link_unused",
            Self::PublicUrl { .. } => "invalid_config",
            Self::Bind { .. } => "listen_failed",
            Self::Io(_) => "io_error",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        match self {
            Self::Start(error) => &error.remedy,
            Self::NotLoopback { .. } => "listen on 127.0.0.1 or [::1], or set PUBLIC_URL to serve a site",
            Self::NoAdmin { .. } => {
                "start it with --listen 127.0.0.1:7070 first, and open the link that it prints"
            }
            Self::PublicUrl { .. } => "set it to what browsers open, `https://rig.example.org`",
            Self::Bind { .. } => "stop the program that uses this port, or choose another one",
            Self::Io(_) => "start the server again",
        }
    }
}

impl ServerConfig {
    /// The site, if it is one. Refuses what would open a server to others that has nobody to answer for it.
    pub(crate) fn check(&self, has_admin: bool) -> Result<Option<Site>, ServerError> {
        let loopback = self.listen.ip().to_canonical().is_loopback();
        let Some(public_url) = &self.public_url else {
            return if loopback { Ok(None) } else { Err(ServerError::NotLoopback { listen: self.listen }) };
        };
        let site =
            Site::of(public_url).ok_or_else(|| ServerError::PublicUrl { public_url: public_url.clone() })?;
        if !loopback && !has_admin {
            return Err(ServerError::NoAdmin { listen: self.listen });
        }
        Ok(Some(site))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(listen: &str, public_url: Option<&str>, has_admin: bool) -> Option<String> {
        let (listen, public_url) = (listen.parse().unwrap(), public_url.map(str::to_owned));
        let config = ServerConfig { listen, public_url, ..ServerConfig::default() };
        config.check(has_admin).err().map(|error| error.code().to_owned())
    }

    #[test]
    fn a_local_server_listens_on_loopback_only() {
        assert_eq!(code("127.0.0.1:0", None, false), None);
        assert_eq!(code("[::1]:0", None, false), None);
        for listen in ["0.0.0.0:7070", "192.168.1.5:7070", "[::]:7070"] {
            assert_eq!(code(listen, None, true).as_deref(), Some("listen_not_loopback"));
        }
    }

    #[test]
    fn a_site_is_opened_to_others_once_it_has_an_admin() {
        let site = Some("https://example.org");
        assert_eq!(code("127.0.0.1:0", site, false), None);
        assert_eq!(code("0.0.0.0:7070", site, false).as_deref(), Some("admin_link_unused"));
        assert_eq!(code("0.0.0.0:7070", site, true), None);
        assert_eq!(code("127.0.0.1:0", Some("example.org"), true).as_deref(), Some("invalid_config"));
    }
}
