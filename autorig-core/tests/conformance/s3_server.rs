//! An S3 server in the test's own process, on a port of its own.

use autorig_core::blob::S3Settings;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::{net::TcpListener, task::JoinHandle};

const ACCESS: &str = "test-access";
const SECRET: &str = "test-secret";
const BUCKET: &str = "models";

/// Stops with the test.
pub(crate) struct S3Server {
    address: std::net::SocketAddr,
    serving: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl S3Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS, SECRET));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            while let Ok((socket, _)) = listener.accept().await {
                let answer = http.serve_connection(TokioIo::new(socket), service.clone()).into_owned();
                tokio::spawn(async move { answer.await.is_ok() });
            }
        });
        Self { address, serving, _folder: folder }
    }

    /// A folder of the bucket, as a configuration names it.
    pub(crate) fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}?endpoint=http://{}&region=eu-test-1", self.address)
    }

    #[allow(dead_code, reason = "not every test program opens it here")]
    pub(crate) fn settings(&self, prefix: &str) -> S3Settings {
        settings(&self.url(prefix))
    }
}

/// What such an address says, with the server's keys.
pub(crate) fn settings(url: &str) -> S3Settings {
    S3Settings::parse(url, Some((ACCESS.to_owned(), SECRET.to_owned()))).unwrap()
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
