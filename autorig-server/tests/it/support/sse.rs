//! Reading an event stream as it comes.

use serde_json::Value;

use super::{PATIENCE, TestServer};

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

/// An open stream.
pub struct Stream {
    answer: reqwest::Response,
    buffer: String,
    /// Comments seen so far.
    pub comments: usize,
}

impl Stream {
    pub async fn open(server: &TestServer, id: &str, last_event_id: Option<&str>) -> Self {
        let mut request = server.get(&format!("/api/task/{id}/events"));
        if let Some(last) = last_event_id {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, buffer: String::new(), comments: 0 }
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("no event comes")
    }

    /// Every event to the end.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Waits for a comment.
    pub async fn comment(&mut self) {
        let wait = async {
            while self.comments == 0 {
                let piece = self.answer.chunk().await.unwrap().expect("the stream ended");
                self.buffer.push_str(std::str::from_utf8(&piece).unwrap());
                while self.take_block().is_some() {}
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("no comment comes");
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some(block) = self.take_block() {
                if let Some(event) = block {
                    return Some(event);
                }
            }
            let piece = self.answer.chunk().await.unwrap()?;
            self.buffer.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next complete block, as an event if it is one.
    fn take_block(&mut self) -> Option<Option<Event>> {
        let (block, rest) = self.buffer.split_once("\n\n")?;
        let (block, rest) = (block.to_owned(), rest.to_owned());
        self.buffer = rest;
        if block.starts_with(':') {
            self.comments += 1;
            return Some(None);
        }
        let field = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
        };
        let Some(data) = field("data") else { return Some(None) };
        Some(Some(Event {
            id: field("id").expect("every event has an id"),
            name: field("event").expect("every event has a name"),
            data: serde_json::from_str(&data).unwrap(),
        }))
    }
}
