//! The running server: listener, application, graceful end.

use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use autorig_core::AutoRig;
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response, Result, endpoint::BoxEndpoint,
    listener::TcpAcceptor,
};
use tokio_util::sync::CancellationToken;

use crate::{
    access::Gate,
    api::{self, Api, State},
    assets::Shelf,
    config::{ServerConfig, ServerError},
    converter::{self, ConverterSettings},
    docs::Docs,
    middleware::envelope::Envelope,
    routes::Routes,
    signin::{self, SignIn},
    site::Site,
    ui::Ui,
};

/// A connection on which nothing moves for so long is closed; longer than any `?wait=`.
const IDLE: Duration = Duration::from_secs(120);

/// A server that listens, but does not answer before [`Server::run`].
pub struct Server {
    autorig: Arc<AutoRig>,
    config: ServerConfig,
    site: Option<Site>,
    listener: TcpListener,
    addr: SocketAddr,
    /// Set on a converter machine.
    converter: Option<ConverterSettings>,
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn bind(autorig: impl Into<Arc<AutoRig>>, config: ServerConfig) -> Result<Self, ServerError> {
        let autorig = autorig.into();
        let site = config.check(autorig.accounts().has_admin())?;
        Self::listen(autorig, config, site, None)
    }

    /// Takes the address of a converter machine, which answers signed requests only and may so listen on any.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn bind_converter(
        autorig: impl Into<Arc<AutoRig>>,
        config: ServerConfig,
        settings: ConverterSettings,
    ) -> Result<Self, ServerError> {
        Self::listen(autorig.into(), config, None, Some(settings))
    }

    fn listen(
        autorig: Arc<AutoRig>,
        config: ServerConfig,
        site: Option<Site>,
        converter: Option<ConverterSettings>,
    ) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Bind { listen: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { autorig, config, site, listener, addr, converter })
    }

    /// Where it listens; the real port when the configured one was 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address to open in a browser.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A link that makes whoever opens it this site's admin, once: while nobody is, or when `again` says so. It is a secret,
    /// for the operator's eyes only. A local server has none: whoever reaches it is the admin.
    ///
    /// # Errors
    /// [`ServerError::Start`] when the store cannot keep it.
    pub async fn admin_link(&self, again: bool) -> Result<Option<AdminLink>, ServerError> {
        let Some(site) = &self.site else { return Ok(None) };
        if self.autorig.accounts().has_admin() && !again {
            return Ok(None);
        }
        let token = self.autorig.accounts().admin_link().await.map_err(ServerError::Start)?;
        let path = format!("{}?token={}", signin::PATH, token.reveal());
        let here = self.addr.ip().to_canonical().is_loopback().then(|| format!("{}{path}", self.url()));
        Ok(Some(AdminLink { public: format!("{}{path}", site.origin), here }))
    }

    /// Starts the tasks and answers until `stop` completes; then event streams end, open requests may finish
    /// within the configured grace, and so may running rigs. What is not finished is done by the next start.
    ///
    /// # Errors
    /// [`ServerError::Start`], [`ServerError::Io`].
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        self.autorig.start().await.map_err(ServerError::Start)?;
        let grace = self.config.grace;
        let idle = IDLE.max(self.config.heartbeat * 2);
        let stopping = CancellationToken::new();
        let app = match self.converter {
            Some(settings) => converter::application(&self.autorig, &self.config, settings).boxed(),
            None => application(&self.autorig, self.config, self.site, stopping.clone()).boxed(),
        };
        let acceptor = TcpAcceptor::from_std(self.listener)?;
        let stop = async {
            stop.await;
            stopping.cancel();
        };
        tracing::info!(addr = %self.addr, "listening");
        let served = poem::Server::new_with_acceptor(acceptor)
            .name("autorig")
            .idle_timeout(idle)
            .run_with_graceful_shutdown(app, stop, Some(grace))
            .await;
        self.autorig.shutdown(grace).await;
        tracing::info!("stopped");
        Ok(served?)
    }
}

/// A one-time link to become the admin of a site.
#[derive(Clone)]
pub struct AdminLink {
    /// By the site's public address.
    pub public: String,
    /// By the loopback address, for somebody at this machine, where the server listens on one.
    pub here: Option<String>,
}

/// Binds and runs in one.
///
/// # Errors
/// See [`ServerError`].
pub async fn serve(
    autorig: impl Into<Arc<AutoRig>>,
    config: ServerConfig,
    stop: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    Server::bind(autorig, config)?.run(stop).await
}

fn application(
    autorig: &AutoRig,
    config: ServerConfig,
    site: Option<Site>,
    stopping: CancellationToken,
) -> impl Endpoint<Output = Response> + 'static {
    let ids = Arc::clone(&config.ids);
    let ui = config.ui.clone();
    let state = Arc::new(State {
        tasks: autorig.tasks().clone(),
        accounts: autorig.accounts().clone(),
        leases: autorig.leases(),
        uploads: autorig.uploads(),
        config,
        stopping,
    });
    let service = api::service();
    let docs = Docs::new(&service.swagger_ui_html(), crate::openapi_json());
    let routes = Routes::of::<Api>();
    let local = site.is_none();
    let doors = Doors {
        sign_in: site.clone().map(|site| SignIn { site, accounts: autorig.accounts().clone() }),
        gate: Gate {
            site,
            accounts: autorig.accounts().clone(),
            tasks: autorig.tasks().clone(),
            routes: routes.clone(),
        },
        api: service.into_endpoint().data(state).map_to_response().boxed(),
        docs,
        ui,
        shelf: Shelf::default(),
        routes: routes.clone(),
    };
    Envelope { inner: doors, new_id: Arc::new(move || ids.id().simple().to_string()), routes, local }
}

/// Which part answers to which path.
struct Doors {
    gate: Gate,
    sign_in: Option<SignIn>,
    api: BoxEndpoint<'static>,
    docs: Docs,
    ui: Ui,
    shelf: Shelf,
    routes: Routes,
}

impl Endpoint for Doors {
    type Output = Response;

    async fn call(&self, mut req: Request) -> Result<Response> {
        let path = req.uri().path();
        if let Some(sign_in) = self.sign_in.as_ref().filter(|_| path == signin::PATH) {
            return Ok(sign_in.answer(req).await?);
        }
        if path.starts_with("/api/") || self.routes.has(path) {
            let caller = self.gate.admit(&req).await?;
            req.extensions_mut().insert(caller);
            return self.api.call(req).await.map(IntoResponse::into_response);
        }
        if path == "/docs" || path.starts_with("/docs/") || path == "/openapi.json" {
            return Ok(self.docs.serve(&self.shelf, &req).await?);
        }
        Ok(self.ui.serve(&self.shelf, &req).await?)
    }
}
