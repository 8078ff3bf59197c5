//! A site: who gets in, who may do what, and keys.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use autorig_core::{AutoRig, store::Quota};
use autorig_server::{Server, ServerConfig};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    PuppetWorker, Setup, TestServer, problem,
    site::{As, ORIGIN, TestSite, become_admin, session, token},
};

const ALL: [&str; 3] = ["tasks:read", "tasks:write", "files:read"];

/// What a call asks, apart from its path.
#[derive(Clone, Copy, PartialEq)]
enum Asks {
    Nothing,
    Name,
    Person,
    Worker,
    ToRead,
    ToReadFiles,
    ToWrite,
}

/// Every call of the API and what it asks, written down a second time. `{}` is the task.
const CALLS: [(Method, &str, Asks); 50] = [
    (Method::GET, "/health", Asks::Nothing),
    (Method::GET, "/ready", Asks::Nothing),
    (Method::GET, "/version", Asks::Nothing),
    (Method::GET, "/api/queue/status", Asks::Nothing),
    (Method::GET, "/auth/me", Asks::Nothing),
    (Method::POST, "/auth/logout", Asks::Nothing),
    (Method::GET, "/api/worker-input/x/y", Asks::Nothing),
    (Method::GET, "/u/x/y", Asks::Nothing),
    (Method::OPTIONS, "/api/uploads", Asks::Nothing),
    (Method::POST, "/api/uploads", Asks::Name),
    (Method::GET, "/api/uploads/x", Asks::Name),
    (Method::HEAD, "/api/uploads/x", Asks::Name),
    (Method::PATCH, "/api/uploads/x", Asks::Name),
    (Method::DELETE, "/api/uploads/x", Asks::Name),
    (Method::POST, "/api/uploads/x/complete", Asks::Name),
    (Method::POST, "/api/task/create", Asks::Name),
    (Method::GET, "/api/history", Asks::Name),
    (Method::GET, "/api/keys", Asks::Person),
    (Method::POST, "/api/keys", Asks::Person),
    (Method::DELETE, "/api/keys/x", Asks::Person),
    (Method::POST, "/api/keys/x/rotate", Asks::Person),
    (Method::POST, "/api/worker/lease", Asks::Worker),
    (Method::GET, "/api/worker/x/input", Asks::Worker),
    (Method::POST, "/api/worker/x/progress", Asks::Worker),
    (Method::PUT, "/api/worker/x/files/y", Asks::Worker),
    (Method::POST, "/api/worker/x/complete", Asks::Worker),
    (Method::POST, "/api/worker/x/fail", Asks::Worker),
    (Method::POST, "/api/worker/x/release", Asks::Worker),
    (Method::GET, "/api/task/{}", Asks::ToRead),
    (Method::HEAD, "/api/task/{}", Asks::ToRead),
    (Method::GET, "/api/task/{}/events", Asks::ToRead),
    (Method::GET, "/api/task/{}/progress_log", Asks::ToRead),
    (Method::GET, "/api/task/{}/rig", Asks::ToRead),
    (Method::PUT, "/api/task/{}/rig", Asks::ToWrite),
    (Method::GET, "/api/task/{}/files/rigged_glb", Asks::ToReadFiles),
    (Method::HEAD, "/api/task/{}/files/rigged_glb", Asks::ToReadFiles),
    (Method::GET, "/api/file/{}/0", Asks::ToReadFiles),
    (Method::GET, "/api/task/{}/prepared.glb", Asks::ToReadFiles),
    (Method::GET, "/api/task/{}/model.glb", Asks::ToReadFiles),
    (Method::GET, "/api/task/{}/animations.glb", Asks::ToReadFiles),
    (Method::GET, "/api/task/{}/animations.fbx", Asks::ToReadFiles),
    (Method::GET, "/api/task/{}/all.zip", Asks::ToReadFiles),
    (Method::GET, "/api/task/{}/viewer", Asks::ToReadFiles),
    (Method::GET, "/api/video/{}", Asks::ToReadFiles),
    (Method::GET, "/api/thumb/{}", Asks::ToReadFiles),
    (Method::PATCH, "/api/task/{}", Asks::ToWrite),
    (Method::POST, "/api/task/{}/cancel", Asks::ToWrite),
    (Method::POST, "/api/task/{}/restart", Asks::ToWrite),
    (Method::POST, "/api/task/{}/retry", Asks::ToWrite),
    (Method::DELETE, "/api/task/{}", Asks::ToWrite),
];

/// The code with which a caller is refused; `None` when it gets past the gate.
async fn refusal(site: &TestSite, who: &As, method: &Method, path: &str) -> Option<String> {
    let request = site.call(who, method.clone(), path);
    let answer = match *method {
        // The body does not matter: who may not, is refused before it is read.
        Method::POST | Method::PATCH | Method::PUT => request.json(&json!({})).send().await.unwrap(),
        _ => request.send().await.unwrap(),
    };
    let status = answer.status();
    if *method == Method::HEAD {
        return match status {
            StatusCode::UNAUTHORIZED => Some("sign_in_required".to_owned()),
            StatusCode::FORBIDDEN => Some("scope_missing".to_owned()),
            StatusCode::NOT_FOUND if path.starts_with("/api/task/") => Some("task_not_found".to_owned()),
            _ => None,
        };
    }
    let code: Value = answer.json().await.unwrap_or_default();
    let code = code["code"].as_str().unwrap_or_default().to_owned();
    let gate = ["sign_in_required", "scope_missing", "not_owner", "key_not_enough", "task_not_found"];
    assert_eq!(status == 401, code == "sign_in_required", "{method} {path}: {status} {code}");
    gate.contains(&code.as_str()).then_some(code)
}

#[tokio::test]
async fn every_call_lets_in_whom_it_should_and_nobody_else() {
    let site = TestSite::start().await;
    let owner = site.key("me", &ALL).await;
    let callers = [
        ("stranger", As::Nobody),
        ("other", site.key("them", &ALL).await),
        ("wrong scope", site.key("me", &["webhooks"]).await),
        ("owner", owner.clone()),
        ("worker", site.key("w", &["worker"]).await),
        ("admin", site.admin.clone()),
        ("admin key", site.key("root", &["admin"]).await),
    ];
    for private in [false, true] {
        for (method, pattern, asks) in &CALLS {
            for (name, who) in &callers {
                if *pattern == "/auth/logout" && *name == "admin" {
                    // It would be the end of the admin's session.
                    continue;
                }
                // Each gets a task of its own where the call would remove it.
                let visibility = if private { "private" } else { "unlisted" };
                let path = if pattern.contains("{}") {
                    let id = site.task(&owner, visibility).await;
                    pattern.replace("{}", &id)
                } else if private {
                    continue;
                } else {
                    (*pattern).to_owned()
                };
                let got = refusal(&site, who, method, &path).await;
                let admin = name.starts_with("admin");
                let expected = match (asks, *name) {
                    (Asks::Nothing, _) => None,
                    _ if admin => None,
                    (Asks::Name | Asks::Person | Asks::Worker, "stranger") => Some("sign_in_required"),
                    (Asks::Name, "wrong scope" | "worker") => Some("scope_missing"),
                    (Asks::Name, _) => None,
                    (Asks::Person, _) => Some("key_not_enough"),
                    (Asks::Worker, "worker") => None,
                    (Asks::Worker, _) => Some("scope_missing"),
                    (_, "wrong scope" | "worker") => Some("scope_missing"),
                    (_, "owner") => None,
                    (_, _) if private => Some("task_not_found"),
                    (Asks::ToWrite, "stranger") => Some("sign_in_required"),
                    (Asks::ToWrite, _) => Some("not_owner"),
                    (Asks::ToRead | Asks::ToReadFiles, _) => None,
                };
                // A file that the puppet does not make is not there, which is no refusal.
                let got = got.filter(|code| code != "file_not_found");
                assert_eq!(got.as_deref(), expected, "{name}: {method} {pattern}, private: {private}");
            }
        }
    }
}

#[test]
fn the_table_above_has_every_call_of_the_document() {
    let document: Value = serde_json::from_str(&autorig_server::openapi_json()).unwrap();
    let mut missing = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let fits = |(known, pattern, _): &(Method, &str, Asks)| {
                let (pattern, path) = (pattern.split('/'), path.split('/'));
                known.as_str().eq_ignore_ascii_case(method)
                    && pattern.clone().count() == path.clone().count()
                    && pattern.zip(path).all(|(known, named)| named.starts_with('{') || known == named)
            };
            if !CALLS.iter().any(fits) {
                missing.insert(format!("{method} {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn a_task_belongs_to_the_user_whose_key_made_it() {
    let site = TestSite::start().await;
    let (mine, second, theirs) =
        (site.key("me", &ALL).await, site.key("me", &ALL).await, site.key("them", &ALL).await);
    let id = site.task(&mine, "private").await;
    let history = async |who: &As| -> Vec<String> {
        let answer = site.call(who, Method::GET, "/api/history").send().await.unwrap();
        let list: Value = answer.json().await.unwrap();
        list["items"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(history(&mine).await, std::slice::from_ref(&id));
    assert_eq!(history(&second).await, std::slice::from_ref(&id), "another key of the same user");
    assert!(history(&theirs).await.is_empty());
    assert!(history(&site.admin).await.is_empty(), "the admin sees tasks by their ids; history is one's own");
    let task = site.call(&mine, Method::GET, &format!("/api/task/{id}")).send().await.unwrap();
    assert_eq!(task.json::<Value>().await.unwrap()["owner"]["author_id"], "me");
}

#[tokio::test]
async fn a_wrong_key_is_told_so_even_where_none_is_needed() {
    let site = TestSite::start().await;
    for key in ["x".to_owned(), format!("ark_live_{}", "0".repeat(64))] {
        let answer = site.call(&As::Key(key), Method::GET, "/api/queue/status").send().await.unwrap();
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        problem(answer, 401, "invalid_api_key").await;
    }
    let basic = site.server.get("/health").header("authorization", "Basic eA==").send().await.unwrap();
    problem(basic, 401, "unknown_authorization").await;
    let As::Key(key) = site.key("me", &ALL).await else { unreachable!() };
    let other = site.server.get("/api/history").header("x-api-key", key).send().await.unwrap();
    assert_eq!(other.status(), 200);
}

#[tokio::test]
async fn a_key_is_listed_without_its_secret_rotated_and_revoked() {
    let site = TestSite::start().await;
    let body = json!({"name": "build", "scopes": ["tasks:read"], "test": true});
    let made = site.call(&site.admin, Method::POST, "/api/keys").json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let (key, id) = (made["key"].as_str().unwrap(), made["api_key"]["id"].as_str().unwrap());
    assert!(key.starts_with("ark_test_"));
    let list =
        async || site.call(&site.admin, Method::GET, "/api/keys").send().await.unwrap().text().await.unwrap();
    let text = list().await;
    assert!(!text.contains(key) && !text.contains(&key["ark_test_".len()..]));
    let listed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&listed["items"][0]["name"], &listed["items"][0]["test"]), (&json!("build"), &json!(true)));
    let path = format!("/api/keys/{id}/rotate");
    let rotated = site.call(&site.admin, Method::POST, &path).json(&json!({})).send().await.unwrap();
    let rotated: Value = rotated.json().await.unwrap();
    let new = rotated["key"].as_str().unwrap();
    for key in [key, new] {
        let answer = site.call(&As::Key(key.to_owned()), Method::GET, "/api/history").send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let path = format!("/api/keys/{}", rotated["api_key"]["id"].as_str().unwrap());
    let revoke = async || site.call(&site.admin, Method::DELETE, &path).send().await.unwrap();
    assert_eq!(revoke().await.status(), 204);
    problem(revoke().await, 404, "key_not_found").await;
    let dead = site.call(&As::Key(new.to_owned()), Method::GET, "/api/history").send().await.unwrap();
    problem(dead, 401, "invalid_api_key").await;
    for (body, status, code) in [
        (json!({"name": ""}), 400, "invalid_json"),
        (json!({"name": " "}), 422, "invalid_key"),
        (json!({"name": "a", "scopes": ["everything"]}), 400, "invalid_json"),
        (json!({"name": "a", "scopes": []}), 422, "invalid_key"),
        (json!({"name": "a", "expires_at": "2000-01-01T00:00:00Z"}), 422, "invalid_key"),
        (json!({"name": "a", "colour": 1}), 400, "invalid_json"),
    ] {
        let answer = site.call(&site.admin, Method::POST, "/api/keys").json(&body).send().await.unwrap();
        problem(answer, status, code).await;
    }
}

#[tokio::test]
async fn the_admin_link_shows_a_button_and_works_once() {
    let setup = Setup { public_url: Some(ORIGIN.to_owned()), ..Setup::default() };
    let server = setup.start().await;
    let link = server.admin_link.clone().unwrap();
    assert!(link.public.starts_with(&format!("{ORIGIN}/auth/admin?token=")));
    let here = link.here.unwrap();
    for _ in 0..2 {
        // Whoever only looks at the link uses it up for nobody.
        let page = server.http.get(&here).send().await.unwrap();
        assert_eq!(
            (page.status().as_u16(), &page.headers()["referrer-policy"]),
            (200, &"no-referrer".parse().unwrap())
        );
        let text = page.text().await.unwrap();
        assert!(text.contains("<form method=\"post\"") && text.contains(token(&here)));
    }
    problem(become_admin(&server, "0123").await, 403, "admin_link_invalid").await;
    let answer = become_admin(&server, token(&here)).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/".parse().unwrap()));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "it came by the loopback name: {cookie}");
    let session = session(&answer);
    problem(become_admin(&server, token(&here)).await, 403, "admin_link_invalid").await;
    let me =
        server.get("/auth/me").header("cookie", format!("autorig_session={session}")).send().await.unwrap();
    let me: Value = me.json().await.unwrap();
    assert_eq!((&me["via"], &me["user"]["is_admin"]), (&json!("session"), &json!(true)));
    let put = server.http.put(&here).send().await.unwrap();
    assert_eq!(put.headers()["allow"], "GET, HEAD, POST");
    problem(put, 405, "method_not_allowed").await;
}

#[tokio::test]
async fn over_https_the_cookie_is_secure() {
    let setup = Setup { public_url: Some(ORIGIN.to_owned()), ..Setup::default() };
    let server = setup.start().await;
    let link = server.admin_link.clone().unwrap();
    let form = [("token", token(&link.public))];
    let request = server.post("/auth/admin").header("host", "rig.example.org").form(&form);
    let answer = request.send().await.unwrap();
    assert!(answer.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_cookie_changes_nothing_for_a_page_of_another_site() {
    let site = TestSite::start().await;
    let As::Browser(cookie) = site.admin.clone() else { unreachable!() };
    let id = site.task(&site.admin, "private").await;
    let cookie = format!("autorig_session={cookie}");
    for headers in [&[("origin", "https://evil.example")][..], &[("sec-fetch-site", "cross-site")], &[]] {
        let request = site.server.http.delete(format!("{}/api/task/{id}", site.server.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.header("cookie", &cookie).send().await.unwrap();
        problem(answer, 403, "origin_not_allowed").await;
        let key = site.server.post("/api/keys").header("cookie", &cookie).json(&json!({"name": "x"}));
        let key = headers.iter().fold(key, |request, (name, value)| request.header(*name, *value));
        problem(key.send().await.unwrap(), 403, "origin_not_allowed").await;
    }
    let read = site.server.get(&format!("/api/task/{id}")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(read.status(), 200);
    let signed_out = site.call(&site.admin, Method::POST, "/auth/logout").send().await.unwrap();
    assert_eq!(signed_out.status(), 204);
    let after = site.call(&site.admin, Method::GET, &format!("/api/task/{id}")).send().await.unwrap();
    problem(after, 404, "task_not_found").await;
}

#[tokio::test]
async fn an_owner_waits_before_a_restart_and_an_admin_does_not() {
    let (worker, strings) = PuppetWorker::held();
    let site = TestSite::with(Setup { worker: Arc::new(worker), ..Setup::default() }).await;
    let owner = site.key("me", &ALL).await;
    let form = reqwest::multipart::Form::new()
        .part("file", reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("a.glb"));
    let made = site.call(&owner, Method::POST, "/api/task/create").multipart(form).send().await.unwrap();
    let id = made.json::<Value>().await.unwrap()["task_id"].as_str().unwrap().to_owned();
    let path = format!("/api/task/{id}");
    while site.call(&owner, Method::GET, &path).send().await.unwrap().json::<Value>().await.unwrap()["status"]
        != "processing"
    {}
    let restart = format!("{path}/restart");
    let early = site.call(&owner, Method::POST, &restart).send().await.unwrap();
    let seconds: u64 = early.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    problem(early, 429, "restart_too_soon").await;
    let forced = site.call(&site.admin, Method::POST, &restart).send().await.unwrap();
    assert_eq!(forced.json::<Value>().await.unwrap()["status"], "created");
    strings.step();
    strings.step();
}

#[tokio::test]
async fn a_site_keeps_its_admin_and_is_opened_to_others_then() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let start = async |listen: [u8; 4]| {
        let autorig = AutoRig::builder().data_dir(folder.path()).await.unwrap().build().await.unwrap();
        let public_url = Some(ORIGIN.to_owned());
        Server::bind(autorig, ServerConfig { listen: (listen, 0).into(), public_url, ..Default::default() })
    };
    let refused = start([0, 0, 0, 0]).await.err().unwrap();
    assert_eq!(refused.code(), "admin_link_unused");
    let site = TestSite::in_folder(Setup::default(), folder.clone()).await;
    site.server.stop().await;
    let server = start([0, 0, 0, 0]).await.unwrap();
    assert!(server.admin_link(false).await.unwrap().is_none(), "it has its admin");
    assert!(server.admin_link(true).await.unwrap().is_some_and(|link| link.here.is_none()));
}

#[tokio::test]
async fn a_local_server_has_no_admin_link_and_asks_for_no_key() {
    let server = TestServer::start().await;
    assert!(server.admin_link.is_none());
    problem(server.get("/auth/admin?token=1").send().await.unwrap(), 404, "route_not_found").await;
    let me: Value =
        server.get("/auth/me").bearer_auth("whatever").send().await.unwrap().json().await.unwrap();
    assert_eq!((&me["via"], &me["features"]["mode"]), (&json!("local"), &json!("local")));
}

#[tokio::test]
async fn a_user_creates_no_more_than_the_quota_and_an_admin_as_many_as_there_are() {
    let quota = Quota { at_once: 0, a_day: 2, apart: Duration::ZERO };
    let site = TestSite::with(Setup { quota, ..Setup::default() }).await;
    let user = site.key("me", &ALL).await;
    let first = site.task(&user, "private").await;
    let bad = site.call(&user, Method::POST, "/api/task/create").json(&json!({"link": "http://127.0.0.1/"}));
    problem(bad.send().await.unwrap(), 422, "link_forbidden_address").await;
    let retry = format!("/api/task/{first}/retry");
    let again = async || {
        // A place is given back after the answer of the call that came to nothing.
        let request = site.call(&user, Method::POST, &retry).header("idempotency-key", "k");
        request.send().await.unwrap()
    };
    let second = loop {
        let answer = again().await;
        if answer.status() == 202 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    drop(second);
    assert_eq!(again().await.headers()["idempotent-replayed"], "true", "a replay costs nothing");
    let third = site.call(&user, Method::POST, &retry).send().await.unwrap();
    let header = |name: &str| third.headers()[name].to_str().unwrap().to_owned();
    let wait: u64 = header("retry-after").parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");
    assert_eq!(header("ratelimit"), format!("\"day\";r=0;t={wait}"));
    assert_eq!(header("ratelimit-policy"), "\"day\";q=2;w=86400");
    assert_eq!(problem(third, 429, "limit_daily").await["retryable"], true);
    for _ in 0..3 {
        site.task(&site.admin, "private").await;
    }
    site.task(&site.key("them", &ALL).await, "private").await;
}
