//! Requests that no HTTP client would send: bodies that break off, wrong hosts, forms with mistakes.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::{PATIENCE, TestServer};

/// The answer to a raw request.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// Sends bytes as they are, closes our side, and reads what comes back; `None` when nothing does.
pub async fn send(server: &TestServer, request: Vec<u8>) -> Option<Answer> {
    let address = server.url.trim_start_matches("http://").to_owned();
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may have answered and closed before it has read everything.
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, body: serde_json::from_str(body).unwrap_or_default() })
    })
    .await
    .unwrap()
}

/// Opens a connection, sends bytes, and drops it without waiting.
pub async fn send_and_hang_up(server: &TestServer, request: Vec<u8>) {
    drop(send_and_hold(server, request).await);
}

/// Opens a connection, sends bytes, and leaves it open.
pub async fn send_and_hold(server: &TestServer, request: Vec<u8>) -> TcpStream {
    let address = server.url.trim_start_matches("http://").to_owned();
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&request).unwrap();
        stream
    })
    .await
    .unwrap()
}

/// The boundary of [`form_head`].
pub const BOUNDARY: &str = "AaB03x";

/// The beginning of a form with a file of this name, up to the file's first byte.
pub fn form_head(name: &str) -> String {
    format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: model/gltf-binary\r\n\r\n"
    )
}

/// What follows the file's last byte.
pub fn form_tail() -> String {
    format!("\r\n--{BOUNDARY}--\r\n")
}

/// The head of a create call with a form.
pub fn create_head(length: &str) -> String {
    format!(
        "POST /api/task/create HTTP/1.1\r\nhost: 127.0.0.1\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\n{length}\r\nconnection: close\r\n\r\n"
    )
}
