//! A site, its admin, and callers with keys.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Setup, TestServer};

/// What the world calls the site.
pub const ORIGIN: &str = "https://rig.example.org";

/// Whoever calls.
#[derive(Debug, Clone, PartialEq)]
pub enum As {
    Nobody,
    Key(String),
    /// A browser with this cookie, on the site's own page.
    Browser(String),
}

/// A site with an admin.
pub struct TestSite {
    pub server: TestServer,
    /// The admin's browser.
    pub admin: As,
}

impl TestSite {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        Self::in_folder(setup, Arc::new(tempfile::tempdir().unwrap())).await
    }

    pub async fn in_folder(setup: Setup, folder: Arc<tempfile::TempDir>) -> Self {
        let setup = Setup { public_url: Some(ORIGIN.to_owned()), ..setup };
        let server = setup.start_in(folder).await;
        let link = server.admin_link.clone().unwrap();
        let answer = become_admin(&server, token(&link.public)).await;
        assert_eq!(answer.status(), 303);
        let admin = As::Browser(session(&answer));
        Self { server, admin }
    }

    pub fn call(&self, who: &As, method: Method, path: &str) -> RequestBuilder {
        let request = self.server.http.request(method, format!("{}{path}", self.server.url));
        match who {
            As::Nobody => request,
            As::Key(key) => request.bearer_auth(key),
            As::Browser(cookie) => {
                request.header("cookie", format!("autorig_session={cookie}")).header("origin", ORIGIN)
            }
        }
    }

    /// A key of a user, made by the admin.
    pub async fn key(&self, user: &str, scopes: &[&str]) -> As {
        let body = json!({"name": "test", "user": user, "scopes": scopes});
        let answer = self.call(&self.admin, Method::POST, "/api/keys").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let made: Value = answer.json().await.unwrap();
        As::Key(made["key"].as_str().unwrap().to_owned())
    }

    /// A finished task; its id.
    pub async fn task(&self, who: &As, visibility: &str) -> String {
        let form = reqwest::multipart::Form::new()
            .text("visibility", visibility.to_owned())
            .part("file", reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("a.glb"));
        let answer = self.call(who, Method::POST, "/api/task/create").multipart(form).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let made: Value = answer.json().await.unwrap();
        let id = made["task_id"].as_str().unwrap().to_owned();
        loop {
            let path = format!("/api/task/{id}?wait=30");
            let task: Value = self.call(who, Method::GET, &path).send().await.unwrap().json().await.unwrap();
            if task["status"] == "done" {
                return id;
            }
        }
    }
}

pub fn token(link: &str) -> &str {
    link.split_once("?token=").unwrap().1
}

/// Presses the button.
pub async fn become_admin(server: &TestServer, token: &str) -> Response {
    server.post("/auth/admin").form(&[("token", token)]).send().await.unwrap()
}

/// The session that an answer hands out.
pub fn session(answer: &Response) -> String {
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let value = cookie.strip_prefix("autorig_session=").unwrap();
    value.split(';').next().unwrap().to_owned()
}
