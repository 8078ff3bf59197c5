//! What is bound to a statement.

use serde::Serialize;
use serde_json::Value as JsonValue;
use sqlx::{
    Arguments, postgres::PgArguments, sqlite::SqliteArguments, types::Json as SqlJson, types::Uuid as SqlUuid,
};

use crate::{Error, Result, clock::Time, task::TaskId};

/// A value for one placeholder. `None` is the type's NULL.
///
/// PostgreSQL keeps no NUL character in a text, so neither database does: it becomes U+FFFD.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `INTEGER` / `bigint`.
    Int(Option<i64>),
    /// `TEXT` / `text`.
    Text(Option<String>),
    /// `INTEGER`, microseconds since the epoch / `timestamptz`.
    Time(Option<Time>),
    /// `TEXT` / `jsonb`.
    Json(Option<JsonValue>),
    /// `TEXT` / `uuid`.
    Uuid(Option<SqlUuid>),
    /// `INTEGER` 0 or 1 / `boolean`.
    Bool(Option<bool>),
    /// `BLOB` / `bytea`.
    Bytes(Option<Vec<u8>>),
}

/// `values![a, b]`: what is bound to `$1`, `$2`, ….
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::sql::Value::from($value)),*] };
}
pub(crate) use values;

impl Value {
    /// Anything as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self> {
        let mut json = serde_json::to_value(value)
            .map_err(|error| Error::internal(format!("writing to the store: {error}")))?;
        without_nul_inside(&mut json);
        Ok(Self::Json(Some(json)))
    }

    /// Anything as JSON, or NULL.
    pub(crate) fn optional_json(value: Option<&impl Serialize>) -> Result<Self> {
        value.map_or(Ok(Self::Json(None)), Self::json)
    }
}

macro_rules! from {
    ($($from:ty, $value:ident => $to:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        })+
    };
}

from! {
    i64, value => Self::Int(Some(value));
    u32, value => Self::Int(Some(i64::from(value)));
    u8, value => Self::Int(Some(i64::from(value)));
    // Both databases' integers are signed; sizes and counters stay far below.
    u64, value => Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)));
    &str, value => Self::Text(Some(without_nul(value.to_owned())));
    String, value => Self::Text(Some(without_nul(value)));
    &String, value => Self::Text(Some(without_nul(value.clone())));
    Option<&str>, value => Self::Text(value.map(|text| without_nul(text.to_owned())));
    Option<String>, value => Self::Text(value.map(without_nul));
    Time, value => Self::Time(Some(value));
    Option<Time>, value => Self::Time(value);
    Option<i64>, value => Self::Int(value);
    TaskId, value => Self::Uuid(Some(value.0));
    SqlUuid, value => Self::Uuid(Some(value));
    Option<SqlUuid>, value => Self::Uuid(value);
    bool, value => Self::Bool(Some(value));
    Vec<u8>, value => Self::Bytes(Some(value));
}

fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

fn without_nul_inside(json: &mut JsonValue) {
    match json {
        JsonValue::String(text) if text.contains('\0') => *text = without_nul(std::mem::take(text)),
        JsonValue::Array(items) => items.iter_mut().for_each(without_nul_inside),
        JsonValue::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                *fields = std::mem::take(fields).into_iter().map(|(k, v)| (without_nul(k), v)).collect();
            }
            fields.values_mut().for_each(without_nul_inside);
        }
        _ => {}
    }
}

pub(super) fn sqlite(values: Vec<Value>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Time(value) => arguments.add(value.map(|at| at.timestamp_micros())),
            Value::Json(value) => arguments.add(value.map(|json| json.to_string())),
            Value::Uuid(value) => arguments.add(value.map(|id| id.to_string())),
            Value::Bool(value) => arguments.add(value.map(i64::from)),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

pub(super) fn postgres(values: Vec<Value>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Time(value) => arguments.add(value),
            Value::Json(value) => arguments.add(value.map(SqlJson)),
            Value::Uuid(value) => arguments.add(value),
            Value::Bool(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nul_is_replaced_wherever_a_text_is() {
        assert_eq!(Value::from("a\0b"), Value::Text(Some("a\u{fffd}b".to_owned())));
        let written = Value::json(&json!({"a\0": ["x", {"k": "\0"}], "n": 1})).unwrap();
        let expected = json!({"a\u{fffd}": ["x", {"k": "\u{fffd}"}], "n": 1});
        assert_eq!(written, Value::Json(Some(expected)));
    }
}
