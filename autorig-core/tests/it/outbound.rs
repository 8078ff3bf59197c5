//! Links from strangers: where they may lead and what they may bring.

use std::time::Duration;

use autorig_core::{
    Class, Error,
    outbound::{Fetched, MAX_REDIRECTS, Outbound},
    task::{Input, NewTask},
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::support::{World, create};

const LIMIT: u64 = 1000;

fn open() -> Outbound {
    Outbound::new(&["127.0.0.1".to_owned()], Duration::from_secs(10)).unwrap()
}

fn closed() -> Outbound {
    Outbound::new(&[], Duration::from_secs(10)).unwrap()
}

async fn server(routes: &[(&str, ResponseTemplate)]) -> MockServer {
    let server = MockServer::start().await;
    for (route, response) in routes {
        Mock::given(path(*route)).respond_with(response.clone()).mount(&server).await;
    }
    server
}

fn model() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(&b"glTF model"[..], "model/gltf-binary")
}

fn redirect(to: &str) -> ResponseTemplate {
    ResponseTemplate::new(302).insert_header("location", to)
}

async fn fetch(outbound: &Outbound, link: &str) -> Result<(Fetched, Vec<u8>), Error> {
    let mut fetched = outbound.fetch(link, LIMIT).await?;
    let body = std::mem::replace(&mut fetched.body, Box::pin(futures_util::stream::empty()));
    let pieces: Vec<Bytes> = body.try_collect().await?;
    Ok((fetched, pieces.concat()))
}

async fn code(outbound: &Outbound, link: &str) -> String {
    match fetch(outbound, link).await {
        Ok(_) => panic!("{link} was fetched"),
        Err(error) => error.code.into_owned(),
    }
}

#[tokio::test]
async fn a_link_to_a_model_is_fetched_with_its_name() {
    let named = model().insert_header("content-disposition", "attachment; filename=\"my hero.glb\"");
    let server =
        server(&[("/a/hero.glb", model()), ("/download", named), ("/go", redirect("a/hero.glb"))]).await;
    for (route, name) in [("/a/hero.glb?x=1", "hero.glb"), ("/download", "my hero.glb"), ("/go", "hero.glb")]
    {
        let (fetched, bytes) = fetch(&open(), &format!("{}{route}", server.uri())).await.unwrap();
        assert_eq!((fetched.name.as_str(), bytes.as_slice()), (name, &b"glTF model"[..]));
        assert_eq!(fetched.content_type.as_deref(), Some("model/gltf-binary"));
    }
}

#[tokio::test]
async fn what_is_no_link_to_a_model_has_a_code_of_its_own() {
    let page = ResponseTemplate::new(200).set_body_raw("<html>", "Text/HTML; charset=utf-8");
    let server = server(&[
        ("/page", page),
        ("/gone", ResponseTemplate::new(404)),
        ("/broken", ResponseTemplate::new(503)),
        ("/large", ResponseTemplate::new(200).set_body_bytes(vec![0; 1001])),
        ("/loop", redirect("/loop")),
        ("/nowhere", ResponseTemplate::new(302)),
        ("/file", redirect("file:///etc/passwd")),
        ("/private", redirect("http://10.0.0.1/a.glb")),
        ("/metadata", redirect("http://169.254.169.254/latest/meta-data/")),
        ("/disguise", redirect("http://[::ffff:10.0.0.1]/a.glb")),
    ])
    .await;
    for (route, expected) in [
        ("/page", "link_is_a_page"),
        ("/gone", "link_status"),
        ("/broken", "link_status"),
        ("/large", "link_too_large"),
        ("/loop", "link_too_many_redirects"),
        ("/nowhere", "link_status"),
        ("/file", "link_redirects_to_forbidden"),
        ("/private", "link_redirects_to_forbidden"),
        ("/metadata", "link_redirects_to_forbidden"),
        ("/disguise", "link_redirects_to_forbidden"),
    ] {
        assert_eq!(code(&open(), &format!("{}{route}", server.uri())).await, expected, "{route}");
    }
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked.iter().filter(|request| request.url.path() == "/loop").count(), MAX_REDIRECTS + 1);
}

#[tokio::test]
async fn our_own_network_is_not_reached_by_address_or_by_name() {
    let server = server(&[("/a.glb", model())]).await;
    let port = server.address().port();
    for link in [
        format!("http://127.0.0.1:{port}/a.glb"),
        format!("http://localhost:{port}/a.glb"),
        format!("http://models.localhost:{port}/a.glb"),
        format!("http://2130706433:{port}/a.glb"),
        format!("http://[::1]:{port}/a.glb"),
        format!("http://[::ffff:127.0.0.1]:{port}/a.glb"),
        "http://0.0.0.0/a.glb".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://192.168.1.1/".to_owned(),
    ] {
        assert_eq!(code(&closed(), &link).await, "link_forbidden_address", "{link}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    // What configuration opens by address is open by name too.
    let (_, bytes) = fetch(&open(), &format!("http://localhost:{port}/a.glb")).await.unwrap();
    assert_eq!(bytes, b"glTF model");
}

#[tokio::test]
async fn what_is_no_web_address_is_refused() {
    for link in ["", "hero.glb", "ftp://example.org/a.glb", "http://", "data:text/plain,x", "javascript:1"] {
        assert_eq!(code(&closed(), link).await, "link_invalid", "{link}");
    }
}

/// Answers one request with these bytes, whatever they are, and closes.
async fn raw(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = format!("http://{}/a.glb", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(&answer).await;
    });
    link
}

#[tokio::test]
async fn a_body_that_goes_on_past_the_limit_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..20 {
        answer.extend(b"64\r\n");
        answer.extend([b'x'; 100]);
        answer.extend(b"\r\n");
    }
    assert_eq!(code(&open(), &raw(answer).await).await, "link_too_large");
}

#[tokio::test]
async fn a_server_that_breaks_off_is_temporary() {
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nglTF".to_vec();
    for link in [raw(short).await, raw(b"nonsense".to_vec()).await, "http://127.0.0.1:1/".to_owned()] {
        let error = fetch(&open(), &link).await.err().unwrap();
        assert_eq!((error.code.as_ref(), error.class), ("link_unreachable", Class::Temporary), "{link}");
    }
}

#[tokio::test]
async fn a_link_becomes_a_task_like_a_file() {
    let server = server(&[("/hero.glb", model())]).await;
    let world = World::with(|builder| builder.outbound(open())).await;
    let link = NewTask::rig(Input::Link(format!("{}/hero.glb", server.uri())));
    let task = create(&world, link).await.unwrap().task;
    assert_eq!((task.input.name.as_str(), task.input.size), ("hero.glb", 10));
    let bytes = world.blobs.get(&task.input.blob, None).await.unwrap().unwrap();
    assert_eq!(bytes.size, 10);
}
