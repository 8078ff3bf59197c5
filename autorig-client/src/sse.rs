//! Server-sent events: the line format of the WHATWG HTML standard, "Server-sent events", §9.2.6.

/// Longest event that is accepted, so that a server cannot fill our memory.
const MAX_EVENT: usize = 1 << 20;

/// One event as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RawEvent {
    /// `event:`, or `message`.
    pub(crate) name: String,
    /// `data:` lines joined by newlines.
    pub(crate) data: String,
    /// The last `id:` seen.
    pub(crate) id: Option<String>,
}

/// An event was longer than [`MAX_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Turns bytes, cut anywhere, into events.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    name: String,
    data: String,
    id: Option<String>,
}

impl Parser {
    /// Takes the next bytes and returns the events they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<RawEvent>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_line(&String::from_utf8_lossy(&line)));
                }
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > MAX_EVENT {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, line: &str) -> Option<RawEvent> {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // An empty field is a comment: the server's heartbeat.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<RawEvent> {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        let name = if name.is_empty() { "message".to_owned() } else { name };
        Some(RawEvent { name, data, id: self.id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b": hello\n\nid: 7\nevent: stage\ndata: {\"stage\":\ndata: \"read\"}\n\nevent:done\r\ndata: {}\r\n\r\n";

    #[test]
    fn events_are_the_same_wherever_the_bytes_are_cut() {
        let whole = Parser::default().push(STREAM).unwrap();
        assert_eq!(whole.len(), 2);
        assert_eq!(whole[0].name, "stage");
        assert_eq!(whole[0].data, "{\"stage\":\n\"read\"}");
        assert_eq!(whole[0].id.as_deref(), Some("7"));
        assert_eq!((whole[1].name.as_str(), whole[1].data.as_str()), ("done", "{}"));
        for cut in 0..STREAM.len() {
            let mut parser = Parser::default();
            let mut events = parser.push(&STREAM[..cut]).unwrap();
            events.extend(parser.push(&STREAM[cut..]).unwrap());
            assert_eq!(events, whole, "cut at {cut}");
        }
    }

    #[test]
    fn an_unfinished_event_is_not_given_and_an_endless_one_is_refused() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(b"event: done\ndata: {}\n").unwrap(), []);
        assert_eq!(parser.push(&vec![b'x'; MAX_EVENT + 1]), Err(TooLong));
    }
}
