//! Bringing a database up to date: numbered files, the same numbers for both databases.

use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{Database, Dialect, failed};
use crate::{Error, Result};

/// One step: its number, its name and what it does in each database.
struct Step(i64, &'static str, &'static str, &'static str);

macro_rules! step {
    ($number:literal, $name:literal) => {
        Step(
            $number,
            $name,
            include_str!(concat!("../../../migrations/sqlite/000", $number, "_", $name, ".sql")),
            include_str!(concat!("../../../migrations/postgres/000", $number, "_", $name, ".sql")),
        )
    };
}

/// Every step, oldest first. An applied file is never edited: its checksum is kept.
const STEPS: &[Step] =
    &[step!(1, "init"), step!(2, "queue"), step!(3, "access"), step!(4, "uploads"), step!(5, "workers")];

/// The steps of one database.
pub(crate) fn migrations(dialect: Dialect) -> Migrator {
    let migrations = STEPS.iter().map(|Step(number, name, sqlite, postgres)| {
        let sql = match dialect {
            Dialect::Sqlite => *sqlite,
            Dialect::Postgres => *postgres,
        };
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Brings a database up to date; `name` is what messages call it.
pub(crate) async fn migrate(database: &Database, name: &str) -> Result<()> {
    let migrator = migrations(database.dialect());
    match database {
        Database::Sqlite { writer, .. } => migrator.run(writer).await,
        Database::Postgres(pool) => migrator.run(pool).await,
    }
    .map_err(|error| migration_failed(name, error))
}

fn migration_failed(name: &str, error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::usage(
            "newer_database",
            format!("the database `{name}` has schema {version}, which this version does not know"),
            "start the newer version of autorig that wrote it, or choose another data directory",
        ),
        MigrateError::VersionMismatch(version) => Error::usage(
            "changed_database",
            format!("schema {version} of the database `{name}` is not the one of this version"),
            "start the version of autorig that wrote it, or choose another data directory",
        ),
        MigrateError::Execute(error) => failed(error),
        other => Error::temporary(
            "store_unavailable",
            format!("the database `{name}` could not be brought up to date: {other}"),
            "check that it is a database of autorig and that the disk is not full",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    /// The file names of one folder.
    fn files(folder: &str) -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn both_databases_have_the_same_migrations_and_every_file_is_run() {
        let known: BTreeSet<String> =
            STEPS.iter().map(|Step(number, name, ..)| format!("{number:04}_{name}.sql")).collect();
        assert_eq!(files("sqlite"), known);
        assert_eq!(files("postgres"), known);
        assert_eq!(known.len(), STEPS.len());
        assert!(STEPS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
