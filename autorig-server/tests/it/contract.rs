//! What holds for every answer.

use serde_json::Value;

use crate::support::{TestServer, problem};

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn a_path_nobody_answers_to_is_a_problem() {
    let server = TestServer::start().await;
    for path in [
        "/api/nothing",
        "/nothing",
        "/api",
        "/api/task",
        "/docs/nothing",
        "/assets/none.js",
        "/../etc/passwd",
    ] {
        problem(server.get(path).send().await.unwrap(), 404, "route_not_found").await;
    }
    problem(server.post("/nothing").send().await.unwrap(), 404, "route_not_found").await;
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = TestServer::start().await;
    for (path, allowed) in [
        ("/api/history", "GET, HEAD"),
        ("/health", "GET, HEAD"),
        ("/", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ] {
        let answer = server.post(path).send().await.unwrap();
        assert_eq!(answer.headers()["allow"], allowed, "{path}");
        problem(answer, 405, "method_not_allowed").await;
    }
    let answer = server.get(&format!("/api/task/{NOBODY}/cancel")).send().await.unwrap();
    assert_eq!(answer.headers()["allow"], "POST");
    problem(answer, 405, "method_not_allowed").await;
}

#[tokio::test]
async fn a_task_that_does_not_exist_is_not_found_whatever_is_asked_of_it() {
    let server = TestServer::start().await;
    for id in [NOBODY, "x", "%2e%2e"] {
        for rest in ["", "/events", "/files/rigged_glb", "/prepared.glb", "/model.glb"] {
            let answer = server.get(&format!("/api/task/{id}{rest}")).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{id}{rest}");
        }
    }
    problem(server.get(&format!("/api/task/{NOBODY}")).send().await.unwrap(), 404, "task_not_found").await;
    problem(server.get("/api/task/x?wait=30").send().await.unwrap(), 404, "task_not_found").await;
    problem(server.post("/api/task/x/cancel").send().await.unwrap(), 404, "task_not_found").await;
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let server = TestServer::start().await;
    for query in ["limit=x", "limit=0", "limit=101", "limit=-1"] {
        let body = problem(
            server.get(&format!("/api/history?{query}")).send().await.unwrap(),
            400,
            "invalid_parameter",
        )
        .await;
        assert_eq!(body["param"], "limit");
    }
    problem(server.get("/api/history?cursor=x").send().await.unwrap(), 400, "invalid_cursor").await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let answer = server.get(&format!("/api/task/{id}?wait=soon")).send().await.unwrap();
    assert_eq!(problem(answer, 400, "invalid_parameter").await["param"], "wait");
}

#[tokio::test]
async fn a_request_id_is_made_or_taken_over_when_it_is_harmless() {
    let server = TestServer::start().await;
    let id = |answer: reqwest::Response| answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let (first, second) =
        (server.get("/health").send().await.unwrap(), server.get("/health").send().await.unwrap());
    assert_ne!(id(first), id(second));
    let taken = server.get("/health").header("x-request-id", "abc-1.2:3_4").send().await.unwrap();
    assert_eq!(id(taken), "abc-1.2:3_4");
    let long = "x".repeat(129);
    for harmful in ["a b", "<script>", long.as_str()] {
        let answer = server.get("/health").header("x-request-id", harmful).send().await.unwrap();
        assert_ne!(id(answer), harmful);
    }
}

#[tokio::test]
async fn every_answer_protects_the_browser() {
    let server = TestServer::start().await;
    for path in ["/", "/health", "/api/history", "/api/nothing", "/docs"] {
        let answer = server.get(path).send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(headers.get("access-control-allow-origin").is_none(), "{path}");
    }
}

#[tokio::test]
async fn the_server_says_that_it_lives_is_ready_and_what_it_is() {
    let server = TestServer::start().await;
    let health: Value = server.get("/health").send().await.unwrap().json().await.unwrap();
    assert_eq!(health, serde_json::json!({"status": "ok"}));
    // The worker comes online with the dispatcher, a moment after the listener.
    let ready = async {
        loop {
            let answer = server.get("/ready").send().await.unwrap();
            let status = answer.status();
            let body: Value = answer.json().await.unwrap();
            assert_eq!(status == 200, body["ready"] == true);
            if status == 200 {
                return body;
            }
        }
    };
    let body = tokio::time::timeout(crate::support::PATIENCE, ready).await.unwrap();
    assert_eq!(body, serde_json::json!({"ready": true, "database": true, "storage": true, "worker": true}));
    let version: Value = server.get("/version").send().await.unwrap().json().await.unwrap();
    assert_eq!(version["name"], "autorig");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn answers_are_packed_for_those_who_take_it_and_event_streams_never() {
    let server = TestServer::start().await;
    let packed = server.get("/api/history").header("accept-encoding", "br, gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "br");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    let plain = server.get("/api/history").send().await.unwrap();
    assert_eq!(plain.headers()["cache-control"], "no-store");
    assert!(plain.headers().get("content-encoding").is_none());
    let id = server.create("a.glb", b"x".to_vec()).await;
    let events =
        server.get(&format!("/api/task/{id}/events")).header("accept-encoding", "br").send().await.unwrap();
    assert!(events.headers().get("content-encoding").is_none());
}

#[tokio::test]
async fn a_server_that_others_could_reach_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let autorig =
        autorig_core::AutoRig::builder().data_dir(folder.path()).await.unwrap().build().await.unwrap();
    let config = autorig_server::ServerConfig { listen: ([0, 0, 0, 0], 0).into(), ..Default::default() };
    let error = autorig_server::Server::bind(autorig, config).err().unwrap();
    assert_eq!(error.code(), "listen_not_loopback");
    assert!(error.to_string().contains("PUBLIC_URL"), "{error}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let autorig =
        autorig_core::AutoRig::builder().data_dir(folder.path()).await.unwrap().build().await.unwrap();
    let listen = taken.local_addr().unwrap();
    let config = autorig_server::ServerConfig { listen, ..Default::default() };
    let error = autorig_server::Server::bind(autorig, config).err().unwrap();
    assert_eq!(error.code(), "listen_failed");
    assert!(error.to_string().contains(&listen.to_string()), "{error}");
}
