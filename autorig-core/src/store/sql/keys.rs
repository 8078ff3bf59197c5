//! API keys, sessions and the admin link.

use async_trait::async_trait;

use super::{Row, SqlStore, Transaction, Value, is_duplicate, retried, values};
use crate::{
    Error, Result,
    account::{ApiKey, KeyId, Session},
    clock::Time,
    store::Keys,
    task::{Owner, OwnerKind},
};

const INSERT_KEY: &str = "INSERT INTO api_keys (id, hash, owner_type, owner_id, name, hint, live, scopes, created_at, \
    last_used_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, owner_type, owner_id, name, hint, live, scopes, created_at, last_used_at, expires_at, \
             revoked_at FROM api_keys ",
            $rest
        )
    };
}

#[async_trait]
impl Keys for SqlStore {
    async fn insert_key(&self, key: &ApiKey, hash: &str) -> Result<()> {
        let done = self.database.execute(INSERT_KEY, key_values(key, hash)?).await;
        done.map(drop).map_err(|error| if is_duplicate(&error) { there_already(key) } else { error })
    }

    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>> {
        let row = self.database.fetch_optional(select_keys!("WHERE id = $1"), values![id.0]).await?;
        row.as_ref().map(read_key).transpose()
    }

    async fn key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>> {
        let row = self.database.fetch_optional(select_keys!("WHERE hash = $1"), values![hash]).await?;
        row.as_ref().map(read_key).transpose()
    }

    async fn keys(&self, owner: Option<&Owner>) -> Result<Vec<ApiKey>> {
        let rows = match owner {
            Some(owner) => {
                let sql =
                    select_keys!("WHERE owner_type = $1 AND owner_id = $2 ORDER BY created_at DESC, id DESC");
                self.database.fetch_all(sql, values![owner.kind.as_str(), &owner.id]).await?
            }
            None => {
                self.database.fetch_all(select_keys!("ORDER BY created_at DESC, id DESC"), values![]).await?
            }
        };
        rows.iter().map(read_key).collect()
    }

    async fn key_used(&self, id: KeyId, at: Time) -> Result<()> {
        let sql = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1";
        self.database.execute(sql, values![id.0, at]).await.map(drop)
    }

    async fn revoke_key(&self, id: KeyId, at: Time) -> Result<bool> {
        let sql = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        Ok(self.database.execute(sql, values![id.0, at]).await? == 1)
    }

    async fn rotate_key(&self, old: KeyId, end: Time, new: &ApiKey, hash: &str) -> Result<bool> {
        retried(|| async {
            let mut transaction = self.database.begin().await?;
            let sql = "UPDATE api_keys SET expires_at = $2 WHERE id = $1 AND revoked_at IS NULL";
            if transaction.execute(sql, values![old.0, end]).await? == 0 {
                return Ok(false);
            }
            transaction.execute(INSERT_KEY, key_values(new, hash)?).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn insert_admin_link(&self, hash: &str, now: Time, expires: Time) -> Result<()> {
        retried(|| async {
            let mut transaction = self.database.begin().await?;
            let sql = "DELETE FROM admin_links WHERE used_at IS NULL AND expires_at <= $1";
            transaction.execute(sql, values![now]).await?;
            let sql = "INSERT INTO admin_links (hash, created_at, expires_at) VALUES ($1, $2, $3)";
            transaction.execute(sql, values![hash, now, expires]).await?;
            transaction.commit().await
        })
        .await
    }

    async fn use_admin_link(
        &self,
        hash: &str,
        now: Time,
        session: &Session,
        session_hash: &str,
    ) -> Result<bool> {
        retried(|| async {
            let mut transaction = self.database.begin().await?;
            let sql =
                "UPDATE admin_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
            if transaction.execute(sql, values![hash, now]).await? == 0 {
                return Ok(false);
            }
            transaction.execute("DELETE FROM admin_links WHERE used_at IS NULL", values![]).await?;
            insert_session(&mut transaction, session, session_hash).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn admin_link_used(&self) -> Result<bool> {
        let sql = "SELECT hash FROM admin_links WHERE used_at IS NOT NULL LIMIT 1";
        Ok(self.database.fetch_optional(sql, values![]).await?.is_some())
    }

    async fn session(&self, hash: &str, now: Time) -> Result<Option<Session>> {
        let sql = "SELECT owner_type, owner_id, admin, created_at, expires_at FROM sessions \
                   WHERE hash = $1 AND expires_at > $2";
        let row = self.database.fetch_optional(sql, values![hash, now]).await?;
        row.map(|row| {
            Ok(Session {
                owner: read_owner(&row)?,
                admin: row.boolean("admin")?,
                created_at: row.time("created_at")?,
                expires_at: row.time("expires_at")?,
            })
        })
        .transpose()
    }

    async fn end_session(&self, hash: &str) -> Result<bool> {
        Ok(self.database.execute("DELETE FROM sessions WHERE hash = $1", values![hash]).await? == 1)
    }
}

/// Keeps a session, and forgets those that have ended.
async fn insert_session(to: &mut Transaction, session: &Session, hash: &str) -> Result<()> {
    to.execute("DELETE FROM sessions WHERE expires_at <= $1", values![session.created_at]).await?;
    let sql = "INSERT INTO sessions (hash, owner_type, owner_id, admin, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let (owner, created, expires) = (&session.owner, session.created_at, session.expires_at);
    let values = values![hash, owner.kind.as_str(), &owner.id, session.admin, created, expires];
    to.execute(sql, values).await.map(drop)
}

fn key_values(key: &ApiKey, hash: &str) -> Result<Vec<Value>> {
    Ok(values![
        key.id.0,
        hash,
        key.owner.kind.as_str(),
        &key.owner.id,
        &key.name,
        &key.hint,
        key.live,
        Value::json(&key.scopes)?,
        key.created_at,
        key.last_used_at,
        key.expires_at,
        key.revoked_at,
    ])
}

fn read_key(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: KeyId(row.uuid("id")?),
        owner: read_owner(row)?,
        name: row.text("name")?,
        hint: row.text("hint")?,
        live: row.boolean("live")?,
        scopes: row.json("scopes")?,
        created_at: row.time("created_at")?,
        last_used_at: row.optional_time("last_used_at")?,
        expires_at: row.optional_time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

fn read_owner(row: &Row) -> Result<Owner> {
    Ok(Owner { kind: row.parsed::<OwnerKind>("owner_type")?, id: row.text("owner_id")? })
}

fn there_already(key: &ApiKey) -> Error {
    Error::internal(format!("there is a key {} already", key.id))
}
