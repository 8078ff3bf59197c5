//! Request bodies, read piece by piece and never past their limit.
//!
//! `Content-Length` is believed only when it is too large; what counts is what arrives, so a chunked body
//! cannot be longer than one that says its length.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use autorig_core::{Error, blob::ByteStream};
use futures_util::{StreamExt, TryStreamExt};
use poem::{
    Body, FromRequest, Request, RequestBody,
    http::{StatusCode, header},
    web::{Field, Multipart},
};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use crate::problem::Problem;

/// Room for the option fields and the boundaries around a file.
const AROUND_A_FILE: u64 = 1 << 20;
/// One option field, or a JSON body.
pub(crate) const TEXT_LIMIT: u64 = 256 << 10;
/// More fields than there are options.
const MAX_FIELDS: usize = 64;
/// How long a refused body is read before the answer.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// Pieces a file is handed on in.
const PIECE: usize = 64 << 10;

/// Counts what arrives and remembers how the body ended.
#[derive(Debug)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    /// No byte past this one; moved while the form is read, see [`Form::next`].
    ceiling: AtomicU64,
    too_long: AtomicBool,
    cut_off: AtomicBool,
}

impl Meter {
    /// Why reading failed, if the body is to blame rather than its syntax.
    pub(crate) fn verdict(&self, limit: u64) -> Option<Problem> {
        if self.too_long.load(Ordering::Relaxed) {
            return Some(too_large(limit));
        }
        self.cut_off.load(Ordering::Relaxed).then(cut_off)
    }
}

/// Wraps a body so that it ends with an error past `limit` bytes.
pub(crate) fn metered(body: Body, limit: u64) -> (Body, Arc<Meter>) {
    let meter = Arc::new(Meter {
        bytes: AtomicU64::new(0),
        ceiling: AtomicU64::new(limit),
        too_long: AtomicBool::new(false),
        cut_off: AtomicBool::new(false),
    });
    let watch = Arc::clone(&meter);
    let pieces = body.into_bytes_stream().map(move |piece| {
        let piece = piece.inspect_err(|_| watch.cut_off.store(true, Ordering::Relaxed))?;
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let before = watch.bytes.fetch_add(length, Ordering::Relaxed);
        if before.saturating_add(length) > watch.ceiling.load(Ordering::Relaxed) {
            watch.too_long.store(true, Ordering::Relaxed);
            return Err(std::io::Error::other("the body is longer than allowed"));
        }
        Ok(piece)
    });
    (Body::from_bytes_stream(pieces), meter)
}

/// The problem of a body past its limit.
pub(crate) fn too_large(limit: u64) -> Problem {
    let (amount, unit) = if limit >= 1 << 20 { (limit >> 20, "MB") } else { (limit, "bytes") };
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "limit_upload",
        format!("the upload is larger than {amount} {unit}"),
        "send a smaller file: simplify the mesh or reduce its textures",
    )
}

/// The problem of a body that ended too early.
pub(crate) fn cut_off() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "upload_cut_off",
        "the upload ended before the file was complete",
        "send the file again",
    )
    .retryable()
}

/// Reads and forgets a body that is refused, for a while: a browser that cannot send it to the end reports a
/// broken connection instead of our answer. Who asks first (`Expect: 100-continue`) is spared this.
pub(crate) async fn drain(body: Body) {
    let mut pieces = body.into_bytes_stream();
    let all = async { while let Some(Ok(_)) = pieces.next().await {} };
    // Whoever is still sending then has to live without the reason.
    let _ = tokio::time::timeout(DRAIN_TIME, all).await;
}

/// A body as the core takes it.
pub(crate) fn pieces(body: Body) -> ByteStream {
    body.into_bytes_stream().map_err(Error::upload_cut_off).boxed()
}

/// What was wrong with a body that somebody else has read.
#[derive(Clone, Default)]
pub(crate) struct Verdict(Arc<Mutex<Option<Problem>>>);

impl Verdict {
    fn set(&self, problem: Option<Problem>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = slot.take().or(problem);
    }

    /// What was wrong, if anything.
    pub(crate) fn take(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// One part of a form.
pub(crate) enum Part {
    /// The model.
    File {
        /// The name it has at the sender's.
        name: String,
        /// Its bytes.
        body: ByteStream,
    },
    /// Anything else.
    Text {
        /// The field's name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// A `multipart/form-data` body, part by part.
pub(crate) struct Form {
    parts: Multipart,
    meter: Arc<Meter>,
    limit: u64,
    file_limit: u64,
    count: usize,
}

impl Form {
    /// Begins to read a form whose file may have `file_limit` bytes.
    pub(crate) async fn open(req: &Request, body: Body, file_limit: u64) -> Result<Self, Problem> {
        let limit = file_limit.saturating_add(AROUND_A_FILE);
        let announced = req.header(header::CONTENT_LENGTH.as_str()).and_then(|n| n.parse::<u64>().ok());
        if announced.is_some_and(|n| n > limit) {
            if !req.headers().contains_key(header::EXPECT) {
                drain(body).await;
            }
            return Err(too_large(file_limit));
        }
        let (body, meter) = metered(body, limit);
        let parts = Multipart::from_request(req, &mut RequestBody::new(body))
            .await
            .map_err(|error| Problem::from_poem(&error))?;
        Ok(Self { parts, meter, limit, file_limit, count: 0 })
    }

    /// The next part. A file's body has to be read before the part after it is asked for.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>, Problem> {
        // Between two parts the parser keeps everything in memory until it finds the end of the next one's
        // headers, so there must not be much.
        let read = self.meter.bytes.load(Ordering::Relaxed);
        self.meter.ceiling.store(self.limit.min(read.saturating_add(AROUND_A_FILE)), Ordering::Relaxed);
        let field = self.parts.next_field().await;
        self.meter.ceiling.store(self.limit, Ordering::Relaxed);
        let field = field.map_err(|error| {
            let problem = self.meter.verdict(self.file_limit);
            problem.unwrap_or_else(|| broken_form(&error.to_string()))
        })?;
        let Some(field) = field else { return Ok(None) };
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(Problem::bad_body(
                "invalid_multipart",
                format!("the form has more than {MAX_FIELDS} fields"),
            ));
        }
        let Some(name) = field.name().map(str::to_owned) else {
            return Err(Problem::bad_body("invalid_multipart", "a field of the form has no name"));
        };
        if name == "file" {
            let name = field.file_name().unwrap_or("model").to_owned();
            return Ok(Some(Part::File { name, body: self.file_body(field) }));
        }
        let value = self.text(&name, field).await?;
        Ok(Some(Part::Text { name, value }))
    }

    /// Why the file's body failed, when it was the request's fault.
    pub(crate) fn verdict(&self) -> Option<Problem> {
        self.meter.verdict(self.file_limit)
    }

    /// The body of a file after which nothing may follow. Its end is the end of the whole form, so whoever
    /// stores it knows then that the form was complete; what was wrong with it is kept in the [`Verdict`].
    pub(crate) fn last(mut self, body: ByteStream) -> (ByteStream, Verdict) {
        let verdict = Verdict::default();
        let (in_file, after) = (verdict.clone(), verdict.clone());
        let meter = Arc::clone(&self.meter);
        let limit = self.file_limit;
        let file = body.inspect_err(move |_| in_file.set(meter.verdict(limit)));
        let rest = futures_util::stream::once(async move {
            let problem = match self.next().await {
                Ok(None) => return Ok(bytes::Bytes::new()),
                Ok(Some(Part::File { .. })) => {
                    Problem::bad_body("invalid_multipart", "the form has more than one `file`")
                }
                Ok(Some(Part::Text { name, .. })) => Problem::bad_option(
                    &name,
                    format!("the option `{name}` comes after the file and others before it"),
                ),
                Err(problem) => problem,
            };
            after.set(Some(problem));
            Err(Error::upload_cut_off("the form does not end with the file"))
        });
        (file.chain(rest).boxed(), verdict)
    }

    fn file_body(&self, field: Field) -> ByteStream {
        let meter = Arc::clone(&self.meter);
        let limit = self.file_limit;
        let mut size = 0_u64;
        ReaderStream::with_capacity(field.into_async_read(), PIECE)
            .map_err(Error::upload_cut_off)
            .and_then(move |piece| {
                size = size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                let fits = size <= limit;
                if !fits {
                    meter.too_long.store(true, Ordering::Relaxed);
                }
                std::future::ready(if fits { Ok(piece) } else { Err(Error::upload_cut_off("too large")) })
            })
            .boxed()
    }

    async fn text(&self, name: &str, field: Field) -> Result<String, Problem> {
        let mut pieces = ReaderStream::new(field.into_async_read());
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece =
                piece.map_err(|error| self.verdict().unwrap_or_else(|| broken_form(&error.to_string())))?;
            bytes.extend_from_slice(&piece);
            if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > TEXT_LIMIT {
                return Err(Problem::bad_option(
                    name,
                    format!("the field `{name}` is longer than {TEXT_LIMIT} bytes"),
                ));
            }
        }
        String::from_utf8(bytes)
            .map_err(|_| Problem::bad_option(name, format!("the field `{name}` is not UTF-8")))
    }
}

/// A file that had to be put aside, because options may follow it. It has no name on the disk, so nothing of
/// it outlives the request.
pub(crate) struct Spooled(tokio::fs::File);

/// Puts a file's body aside, in `folder` or where temporary files go.
pub(crate) async fn spool(
    form: &Form,
    mut body: ByteStream,
    folder: Option<&Path>,
) -> Result<Spooled, Problem> {
    let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
    let file = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
    let file = file.map_err(|e| Problem::internal(&e))?.map_err(|e| Problem::internal(&e))?;
    let mut file = tokio::fs::File::from_std(file);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| form.verdict().unwrap_or_else(|| Problem::from(error)))?;
        file.write_all(&piece).await.map_err(|e| Problem::internal(&e))?;
    }
    file.flush().await.map_err(|e| Problem::internal(&e))?;
    Ok(Spooled(file))
}

impl Spooled {
    /// The file from its beginning.
    pub(crate) async fn read(mut self) -> Result<ByteStream, Problem> {
        self.0.rewind().await.map_err(|e| Problem::internal(&e))?;
        let pieces = ReaderStream::with_capacity(self.0, PIECE);
        Ok(pieces.map_err(|error| Error::io("reading an upload that was put aside", error)).boxed())
    }
}

/// A form that breaks off in the middle of its syntax was cut off; anything else is wrong syntax.
fn broken_form(reason: &str) -> Problem {
    if reason.contains("incomplete") {
        cut_off()
    } else {
        Problem::bad_body("invalid_multipart", reason.to_owned())
    }
}

fn long_text() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "limit_body",
        format!("the JSON is longer than {TEXT_LIMIT} bytes"),
        "send a link and its options only",
    )
}

/// A whole small text body.
pub(crate) async fn read_text(body: Body) -> Result<String, Problem> {
    let (body, meter) = metered(body, TEXT_LIMIT);
    let bytes = body.into_bytes().await.map_err(|error| match meter.verdict(TEXT_LIMIT) {
        Some(problem) if problem.status == StatusCode::PAYLOAD_TOO_LARGE => long_text(),
        Some(problem) => problem,
        None => Problem::bad_body("invalid_json", error.to_string()),
    })?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Problem::bad_body("invalid_json", "the body is not UTF-8"))
}

/// A form field's value as JSON: a number, list or object is taken as such, anything else as text.
pub(crate) fn field_value(text: &str) -> serde_json::Value {
    match serde_json::from_str(text.trim()) {
        Ok(
            value @ (serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_)),
        ) => value,
        Ok(value @ serde_json::Value::Bool(_)) => value,
        _ => serde_json::Value::String(text.trim().to_owned()),
    }
}

/// Options collected from fields; none may be given twice.
pub(crate) type Options = serde_json::Map<String, serde_json::Value>;

/// Adds an option.
pub(crate) fn add_option(options: &mut Options, name: &str, value: serde_json::Value) -> Result<(), Problem> {
    match options.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(Problem::bad_option(name, format!("the option `{name}` is given twice"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_json_where_it_is_more_than_text() {
        assert_eq!(field_value("4"), serde_json::json!(4));
        assert_eq!(field_value("[{\"name\":\"hips\"}]"), serde_json::json!([{"name": "hips"}]));
        assert_eq!(field_value("full"), serde_json::json!("full"));
        assert_eq!(field_value("null"), serde_json::json!("null"));
    }

    #[test]
    fn an_option_given_twice_is_refused() {
        let mut options = Options::new();
        add_option(&mut options, "mode", "full".into()).unwrap();
        assert_eq!(
            add_option(&mut options, "mode", "full".into()).unwrap_err().param.as_deref(),
            Some("mode")
        );
    }

    #[tokio::test]
    async fn a_body_past_its_limit_stops_there() {
        let (body, meter) = metered(Body::from_vec(vec![0; 100]), 99);
        assert!(body.into_bytes().await.is_err());
        assert_eq!(meter.verdict(99).unwrap().code, "limit_upload");
        let (body, meter) = metered(Body::from_vec(vec![0; 100]), 100);
        assert_eq!(body.into_bytes().await.unwrap().len(), 100);
        assert!(meter.verdict(100).is_none());
    }
}
