//! What a statement answers, read with the store's conventions.

use std::str::FromStr;

use chrono::DateTime;
use serde::de::DeserializeOwned;
use sqlx::{
    Row as _,
    postgres::PgRow,
    sqlite::SqliteRow,
    types::{Json as SqlJson, Uuid as SqlUuid},
};

use super::database::failed;
use crate::{Error, Result, clock::Time, task::TaskId};

/// One row of either database. Each reader names the column; a value this version cannot read is `internal`.
pub(crate) enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

macro_rules! read {
    ($row:expr, $column:expr, $type:ty) => {
        match $row {
            Row::Sqlite(row) => row.try_get::<$type, _>($column).map_err(failed),
            Row::Postgres(row) => row.try_get::<$type, _>($column).map_err(failed),
        }
    };
}

impl Row {
    pub(crate) fn int(&self, column: &str) -> Result<i64> {
        read!(self, column, i64)
    }

    pub(crate) fn optional_int(&self, column: &str) -> Result<Option<i64>> {
        read!(self, column, Option<i64>)
    }

    /// A count, a size or another number that is never negative.
    pub(crate) fn unsigned<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        T::try_from(self.int(column)?).map_err(|_| strange(column))
    }

    pub(crate) fn text(&self, column: &str) -> Result<String> {
        read!(self, column, String)
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>> {
        read!(self, column, Option<String>)
    }

    /// A text that stands for one of several values.
    pub(crate) fn parsed<T: FromStr<Err = Error>>(&self, column: &str) -> Result<T> {
        self.text(column)?.parse()
    }

    pub(crate) fn optional_parsed<T: FromStr<Err = Error>>(&self, column: &str) -> Result<Option<T>> {
        self.optional_text(column)?.map(|text| text.parse()).transpose()
    }

    pub(crate) fn optional_time(&self, column: &str) -> Result<Option<Time>> {
        match self {
            Self::Sqlite(row) => {
                let micros: Option<i64> = row.try_get(column).map_err(failed)?;
                micros
                    .map(|at| DateTime::from_timestamp_micros(at).ok_or_else(|| strange(column)))
                    .transpose()
            }
            Self::Postgres(row) => row.try_get(column).map_err(failed),
        }
    }

    pub(crate) fn time(&self, column: &str) -> Result<Time> {
        self.optional_time(column)?.ok_or_else(|| strange(column))
    }

    pub(crate) fn optional_uuid(&self, column: &str) -> Result<Option<SqlUuid>> {
        match self {
            Self::Sqlite(row) => {
                let text: Option<String> = row.try_get(column).map_err(failed)?;
                text.map(|text| text.parse().map_err(|_| strange(column))).transpose()
            }
            Self::Postgres(row) => row.try_get(column).map_err(failed),
        }
    }

    pub(crate) fn uuid(&self, column: &str) -> Result<SqlUuid> {
        self.optional_uuid(column)?.ok_or_else(|| strange(column))
    }

    pub(crate) fn task_id(&self, column: &str) -> Result<TaskId> {
        self.uuid(column).map(TaskId)
    }

    pub(crate) fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        match self {
            Self::Sqlite(row) => {
                let text: Option<String> = row.try_get(column).map_err(failed)?;
                text.map(|text| serde_json::from_str(&text).map_err(|_| strange(column))).transpose()
            }
            Self::Postgres(row) => {
                let json: Option<SqlJson<serde_json::Value>> = row.try_get(column).map_err(failed)?;
                json.map(|json| serde_json::from_value(json.0).map_err(|_| strange(column))).transpose()
            }
        }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        self.optional_json(column)?.ok_or_else(|| strange(column))
    }

    #[allow(dead_code, reason = "part of the layer, for tables that hold such")]
    pub(crate) fn boolean(&self, column: &str) -> Result<bool> {
        match self {
            Self::Sqlite(row) => row.try_get::<i64, _>(column).map(|value| value != 0).map_err(failed),
            Self::Postgres(row) => row.try_get(column).map_err(failed),
        }
    }

    #[allow(dead_code, reason = "part of the layer, for tables that hold such")]
    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        read!(self, column, Vec<u8>)
    }
}

fn strange(column: &str) -> Error {
    Error::internal(format!("the database holds a value in `{column}` that this version cannot read"))
}
