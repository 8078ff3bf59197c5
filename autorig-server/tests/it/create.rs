//! Creating tasks: forms, JSON, limits, bodies that break off, repeated calls.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{PuppetWorker, Setup, TestServer, problem, raw};

fn file(bytes: &[u8]) -> Part {
    Part::bytes(bytes.to_vec()).file_name("hero.glb")
}

async fn send(server: &TestServer, form: Form) -> reqwest::Response {
    server.post("/api/task/create").multipart(form).send().await.unwrap()
}

#[tokio::test]
async fn a_file_becomes_a_task_and_the_answer_says_where_to_go_on() {
    let server = TestServer::start().await;
    let answer = server.upload("my hero.glb", b"model".to_vec()).await;
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    let id = body["task_id"].as_str().unwrap();
    assert_eq!(location, format!("/api/task/{id}"));
    assert_eq!(body["status"], "created");
    assert_eq!(
        body["urls"],
        json!({
            "self": format!("/api/task/{id}"),
            "events": format!("/api/task/{id}/events"),
            "cancel": format!("/api/task/{id}/cancel"),
            "page": format!("/task?id={id}"),
        })
    );
    let task = server.finished(id).await;
    assert_eq!(
        (&task["status"], &task["name"], &task["title"]),
        (&json!("done"), &json!("my_hero"), &json!("my hero"))
    );
}

#[tokio::test]
async fn options_may_stand_before_or_after_the_file_or_together_in_one_field() {
    let server = TestServer::start().await;
    let joints = r#"[{"name":"hips","position":[0,1,0]}]"#;
    let forms = [
        Form::new().text("influences", "8").text("mode", "rig_only").part("file", file(b"a")),
        Form::new().part("file", file(b"a")).text("influences", "8").text("joints", joints),
        Form::new().text("options", r#"{"influences": 8, "class": "humanoid"}"#).part("file", file(b"a")),
        Form::new().part("file", file(b"a")).text("options", ""),
        Form::new()
            .text("class", "quadruped")
            .text("fingers", "none")
            .text("symmetry", "off")
            .text("rest_pose", "t_pose")
            .part("file", file(b"a")),
    ];
    for form in forms {
        let answer = send(&server, form).await;
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
    }
}

#[tokio::test]
async fn an_option_nobody_knows_is_refused_by_name_and_nothing_stays() {
    let server = TestServer::start().await;
    for form in [
        Form::new().text("colour", "red").part("file", file(b"a")),
        Form::new().part("file", file(b"a")).text("colour", "red"),
        Form::new().text("options", r#"{"colour": 1}"#).part("file", file(b"a")),
    ] {
        let body = problem(send(&server, form).await, 422, "unknown_option").await;
        assert_eq!(body["param"], "colour");
        assert!(body["detail"].as_str().unwrap().contains("colour"), "{body}");
    }
    let body = json!({"link": "https://example.org/a.glb", "colour": 1});
    let answer = server.post("/api/task/create").json(&body).send().await.unwrap();
    assert_eq!(problem(answer, 422, "unknown_option").await["param"], "colour");
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn an_option_with_a_bad_value_is_refused_and_nothing_stays() {
    let server = TestServer::start().await;
    for form in [
        Form::new().text("influences", "9").part("file", file(b"a")),
        Form::new().text("influences", "many").part("file", file(b"a")),
        Form::new().text("mode", "half").part("file", file(b"a")),
        Form::new().text("class", "dragon").part("file", file(b"a")),
        Form::new().text("rest_pose", "lying").part("file", file(b"a")),
        Form::new().text("fingers", "5").part("file", file(b"a")),
        Form::new().text("options", "[1]").part("file", file(b"a")),
        Form::new().text("options", "{").part("file", file(b"a")),
        Form::new().text("mode", "full").text("mode", "full").part("file", file(b"a")),
        Form::new().text("mode", "full").part("file", file(b"a")).text("influences", "4"),
        Form::new().text("link", "https://example.org/a.glb").part("file", file(b"a")),
    ] {
        problem(send(&server, form).await, 422, "invalid_option").await;
    }
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_refused() {
    let server = TestServer::start().await;
    let post = |content_type: &str, body: &str| {
        let request = server.post("/api/task/create").body(body.to_owned());
        if content_type.is_empty() { request } else { request.header("content-type", content_type) }
    };
    for (content_type, body, status, code) in [
        ("", "x", 415, "unsupported_media_type"),
        ("text/plain", "x", 415, "unsupported_media_type"),
        ("model/gltf-binary", "x", 415, "unsupported_media_type"),
        ("application/json", "", 400, "invalid_json"),
        ("application/json", "{", 400, "invalid_json"),
        ("application/json", "[]", 400, "invalid_json"),
        ("application/json; charset=utf-8", "{}", 422, "input_missing"),
        ("application/json", r#"{"link": 5}"#, 422, "invalid_option"),
        ("multipart/form-data", "x", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=b", "--b--\r\n", 422, "input_missing"),
        ("multipart/form-data; boundary=b", "nothing of the kind", 400, "upload_cut_off"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\ncontent-type: text/plain\r\n\r\nx\r\n--b--\r\n",
            400,
            "invalid_multipart",
        ),
    ] {
        let answer = post(content_type, body).send().await.unwrap();
        problem(answer, status, code).await;
    }
    let long = format!(r#"{{"link": "{}"}}"#, "x".repeat(300 << 10));
    problem(post("application/json", &long).send().await.unwrap(), 413, "limit_body").await;
    let two = Form::new().part("file", file(b"a")).part("file", file(b"b"));
    problem(send(&server, two).await, 400, "invalid_multipart").await;
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn an_empty_file_is_refused_at_once() {
    let server = TestServer::start().await;
    problem(server.upload("a.glb", Vec::new()).await, 422, "empty_file").await;
    let form = Form::new().text("mode", "full").part("file", file(b""));
    problem(send(&server, form).await, 422, "empty_file").await;
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_file_may_be_as_large_as_the_limit_and_not_a_byte_more() {
    let server = Setup { upload_limit: 100_000, ..Setup::default() }.start().await;
    assert_eq!(server.upload("a.glb", vec![7; 100_000]).await.status(), 202);
    problem(server.upload("a.glb", vec![7; 100_001]).await, 413, "limit_upload").await;
    let first = Form::new().text("mode", "full").part("file", file(&vec![7; 100_001]));
    problem(send(&server, first).await, 413, "limit_upload").await;
    assert_eq!(server.history().await.len(), 1);
}

#[tokio::test]
async fn a_body_without_a_length_is_counted_as_it_comes() {
    let server = Setup { upload_limit: 100_000, ..Setup::default() }.start().await;
    let pieces = futures_util::stream::iter((0..400).map(|_| Ok::<_, std::io::Error>(vec![7_u8; 10_000])));
    let part = Part::stream(reqwest::Body::wrap_stream(pieces)).file_name("a.glb");
    let sent = server.post("/api/task/create").multipart(Form::new().part("file", part)).send().await;
    // The server may close before everything is sent, which some clients take for an error of theirs.
    if let Ok(answer) = sent {
        problem(answer, 413, "limit_upload").await;
    }
    server.assert_nothing_is_left().await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_before_the_body() {
    let server = TestServer::start().await;
    let answer =
        raw::send(&server, raw::create_head("content-length: 999999999999").into_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.body["code"].as_str()), (413, Some("limit_upload")));
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn whoever_sends_far_too_much_is_told_why() {
    let server = Setup { upload_limit: 100_000, ..Setup::default() }.start().await;
    problem(server.upload("a.glb", vec![7; 30 << 20]).await, 413, "limit_upload").await;
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_packed_body_is_not_unpacked() {
    let server = TestServer::start().await;
    let request = server.post("/api/task/create").header("content-encoding", "gzip");
    let answer = request.json(&json!({"link": "https://example.org/a.glb"})).send().await.unwrap();
    problem(answer, 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn a_call_whose_first_is_still_running_is_told_to_wait() {
    let server = TestServer::start().await;
    let option =
        format!("--{}\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\nfull\r\n", raw::BOUNDARY);
    let mut first = raw::create_head("content-length: 100000\r\nidempotency-key: k").into_bytes();
    first.extend(format!("{option}{}half", raw::form_head("a.glb")).as_bytes());
    let connection = raw::send_and_hold(&server, first).await;
    let second = async {
        loop {
            let form = Form::new().text("mode", "full").part("file", file(b""));
            let call = server.post("/api/task/create").header("idempotency-key", "k").multipart(form);
            let answer = call.send().await.unwrap();
            // Until the first has begun, this one is the first, and fails.
            if answer.status() != 422 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(crate::support::PATIENCE, second).await.unwrap();
    assert_eq!(problem(answer, 409, "idempotency_key_running").await["retryable"], true);
    drop(connection);
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn the_headers_of_a_part_may_not_fill_the_memory() {
    let server = Setup { upload_limit: 64 << 20, ..Setup::default() }.start().await;
    let mut body = format!("--{}\r\nx: ", raw::BOUNDARY).into_bytes();
    body.resize(8 << 20, b'x');
    let mut request = raw::create_head(&format!("content-length: {}", body.len())).into_bytes();
    request.extend(body);
    if let Some(answer) = raw::send(&server, request).await {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    server.assert_nothing_is_left().await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let server = TestServer::start().await;
    let half = vec![7_u8; 50_000];
    let announced = |before: &str| {
        let head = format!("{before}{}", raw::form_head("a.glb"));
        let mut request = raw::create_head("content-length: 100000").into_bytes();
        request.extend(head.as_bytes());
        request.extend(&half);
        request
    };
    let chunked = || {
        let head = raw::form_head("a.glb");
        let mut request = raw::create_head("transfer-encoding: chunked").into_bytes();
        request.extend(format!("{:x}\r\n{head}\r\n", head.len()).as_bytes());
        request.extend(format!("{:x}\r\n", half.len() * 2).as_bytes());
        request.extend(&half);
        request
    };
    let option =
        format!("--{}\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\nfull\r\n", raw::BOUNDARY);
    for request in [announced(""), announced(&option), chunked()] {
        raw::send_and_hang_up(&server, request.clone()).await;
        if let Some(answer) = raw::send(&server, request).await {
            assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("upload_cut_off")));
        }
    }
    server.assert_nothing_is_left().await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_form_whose_end_is_missing_was_cut_off_although_its_length_is_right() {
    let server = TestServer::start().await;
    let option =
        format!("--{}\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\nfull\r\n", raw::BOUNDARY);
    for before in ["", &option] {
        let body = format!("{before}{}half of the file", raw::form_head("a.glb"));
        let mut request = raw::create_head(&format!("content-length: {}", body.len())).into_bytes();
        request.extend(body.as_bytes());
        let answer = raw::send(&server, request).await.unwrap();
        assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("upload_cut_off")));
        assert_eq!(answer.body["retryable"], true);
    }
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_whole_form_sent_by_hand_is_accepted() {
    let server = TestServer::start().await;
    let body = format!("{}the file{}", raw::form_head("a.glb"), raw::form_tail());
    let mut request = raw::create_head(&format!("content-length: {}", body.len())).into_bytes();
    request.extend(body.as_bytes());
    assert_eq!(raw::send(&server, request).await.unwrap().status, 202);
}

#[tokio::test]
async fn a_repeated_call_answers_the_task_of_the_first() {
    let server = TestServer::start().await;
    let call = |key: &str, bytes: &[u8]| {
        let form = Form::new().text("mode", "full").part("file", file(bytes));
        server.post("/api/task/create").header("idempotency-key", key).multipart(form).send()
    };
    let first = call("k1", b"a").await.unwrap();
    assert_eq!(first.status(), 202);
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first: Value = first.json().await.unwrap();
    let again = call("k1", b"a").await.unwrap();
    assert_eq!(
        (again.status().as_u16(), &again.headers()["idempotent-replayed"]),
        (202, &"true".parse().unwrap())
    );
    assert_eq!(again.json::<Value>().await.unwrap()["task_id"], first["task_id"]);
    problem(call("k1", b"b").await.unwrap(), 422, "idempotency_key_reused").await;
    let other: Value = call("k2", b"a").await.unwrap().json().await.unwrap();
    assert_ne!(other["task_id"], first["task_id"]);
    problem(call("", b"a").await.unwrap(), 400, "invalid_idempotency_key").await;
    assert_eq!(server.history().await.len(), 2);
}

#[tokio::test]
async fn a_call_that_failed_may_be_repeated_under_its_key() {
    let server = TestServer::start().await;
    let call = |bytes: &[u8]| {
        let form = Form::new().text("mode", "full").part("file", file(bytes));
        server.post("/api/task/create").header("idempotency-key", "k").multipart(form).send()
    };
    problem(call(b"").await.unwrap(), 422, "empty_file").await;
    let repeated = async {
        loop {
            let answer = call(b"a").await.unwrap();
            // The key of the first call is given back a moment after its answer.
            if answer.status() != 409 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(crate::support::PATIENCE, repeated).await.unwrap();
    assert_eq!(answer.status(), 202);
}

#[tokio::test]
async fn many_may_upload_at_once() {
    let (worker, strings) = PuppetWorker::held();
    let server = Setup { worker: std::sync::Arc::new(worker), ..Setup::default() }.start().await;
    let uploads = (0..16).map(|n| server.create("a.glb", vec![n; 10_000]));
    let ids = futures_util::future::join_all(uploads).await;
    assert_eq!(server.history().await.len(), ids.len());
    for _ in 0..ids.len() * 2 {
        strings.step();
    }
    for id in &ids {
        assert_eq!(server.finished(id).await["status"], "done");
    }
}
