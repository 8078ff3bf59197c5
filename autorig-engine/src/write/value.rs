//! What every part of the writer needs: its one error, and numbers as JSON.

use serde_json::{Value, json};

use crate::{Code, Error};

/// An `internal` error: what is written here was made or checked by the engine.
pub(super) fn inconsistent(what: &str) -> Error {
    Error::new(Code::Internal, format!("the model cannot be written: {what}"))
}

/// A single-precision number with as few digits as it takes to read it back.
pub(super) fn number(value: f32) -> Value {
    value
        .to_string()
        .parse::<f64>()
        .ok()
        .and_then(serde_json::Number::from_f64)
        .map_or(json!(0), Value::Number)
}
