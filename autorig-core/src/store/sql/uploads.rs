//! Uploads.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Dialect, Row, SqlStore, Transaction, blobs, retried, values};
use crate::{
    Result,
    clock::Time,
    store::{Upload, Uploads},
    task::Owner,
};

const INSERT: &str = "INSERT INTO uploads (id, owner_type, owner_id, name, size, sha256, received, complete, \
    blob, token, created_at, touched_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

#[async_trait]
impl Uploads for SqlStore {
    async fn insert_upload(&self, upload: &Upload) -> Result<Upload> {
        retried(|| self.try_insert_upload(upload)).await
    }

    async fn upload(&self, id: Uuid) -> Result<Option<Upload>> {
        let row = self.database.fetch_optional("SELECT * FROM uploads WHERE id = $1", values![id]).await?;
        row.as_ref().map(read).transpose()
    }

    async fn upload_by_token(&self, token: &str) -> Result<Option<Upload>> {
        let sql = "SELECT * FROM uploads WHERE token = $1 AND complete";
        let row = self.database.fetch_optional(sql, values![token]).await?;
        row.as_ref().map(read).transpose()
    }

    async fn advance_upload(&self, id: Uuid, from: u64, received: u64, now: Time) -> Result<bool> {
        let sql = "UPDATE uploads SET received = $3, touched_at = $4 \
                   WHERE id = $1 AND received = $2 AND NOT complete";
        Ok(self.database.execute(sql, values![id, from, received, now]).await? == 1)
    }

    async fn finish_upload(&self, id: Uuid, blob: &str, sha256: &str, now: Time) -> Result<Option<Upload>> {
        retried(|| self.try_finish_upload(id, blob, sha256, now)).await
    }

    async fn remove_upload(&self, id: Uuid, now: Time) -> Result<bool> {
        retried(|| async move {
            let mut transaction = self.database.begin().await?;
            let Some(upload) = to_change(&mut transaction, id).await? else { return Ok(false) };
            end(&mut transaction, &upload, now).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn expire_uploads(
        &self,
        incomplete: Time,
        complete: Option<Time>,
        now: Time,
        limit: u32,
    ) -> Result<u64> {
        retried(|| self.try_expire_uploads(incomplete, complete, now, limit)).await
    }
}

impl SqlStore {
    async fn try_insert_upload(&self, upload: &Upload) -> Result<Upload> {
        let mut transaction = self.database.begin().await?;
        let mut kept = upload.clone();
        match shared(&mut transaction, upload, upload.sha256.as_deref()).await? {
            Some(blob) => {
                kept.blob = blob;
                kept.received = kept.size;
                kept.complete = true;
            }
            None => blobs::keep(&mut transaction, &kept.blob).await?,
        }
        let owner = kept.owner.kind.as_str();
        transaction
            .execute(
                INSERT,
                values![
                    kept.id,
                    owner,
                    &kept.owner.id,
                    &kept.name,
                    kept.size,
                    kept.sha256.clone(),
                    kept.received,
                    kept.complete,
                    &kept.blob,
                    &kept.token,
                    kept.created_at,
                    kept.touched_at
                ],
            )
            .await?;
        transaction.commit().await?;
        Ok(kept)
    }

    async fn try_finish_upload(
        &self,
        id: Uuid,
        blob: &str,
        sha256: &str,
        now: Time,
    ) -> Result<Option<Upload>> {
        let mut transaction = self.database.begin().await?;
        let Some(mut upload) = to_change(&mut transaction, id).await? else { return Ok(None) };
        if upload.complete {
            return Ok(Some(upload));
        }
        let before = std::mem::replace(&mut upload.blob, blob.to_owned());
        if upload.blob != before {
            blobs::keep(&mut transaction, &upload.blob).await?;
            blobs::release(&mut transaction, [before.as_str()], now).await?;
        }
        if let Some(same) = shared(&mut transaction, &upload, Some(sha256)).await? {
            blobs::release(&mut transaction, [upload.blob.as_str()], now).await?;
            upload.blob = same;
        }
        upload.sha256 = Some(sha256.to_owned());
        upload.received = upload.size;
        upload.complete = true;
        upload.touched_at = now;
        let sql = "UPDATE uploads SET blob = $2, sha256 = $3, received = size, complete = $4, touched_at = $5 \
                   WHERE id = $1";
        transaction.execute(sql, values![id, &upload.blob, sha256, true, now]).await?;
        transaction.commit().await?;
        Ok(Some(upload))
    }

    async fn try_expire_uploads(
        &self,
        incomplete: Time,
        complete: Option<Time>,
        now: Time,
        limit: u32,
    ) -> Result<u64> {
        let mut transaction = self.database.begin().await?;
        let mut ended = 0;
        let ages = [(false, Some(incomplete)), (true, complete)];
        for (whole, before) in ages.into_iter().filter_map(|(whole, before)| Some((whole, before?))) {
            let sql = super::Sql::each(
                "SELECT * FROM uploads WHERE complete = $1 AND touched_at <= $2 ORDER BY touched_at LIMIT $3",
                "SELECT * FROM uploads WHERE complete = $1 AND touched_at <= $2 ORDER BY touched_at LIMIT $3 \
                 FOR UPDATE SKIP LOCKED",
            );
            for row in &transaction.fetch_all(sql, values![whole, before, limit]).await? {
                end(&mut transaction, &read(row)?, now).await?;
                ended += 1;
            }
        }
        transaction.commit().await?;
        Ok(ended)
    }
}

/// The blob of another upload of this owner with the same bytes, with one more reference to it.
async fn shared(to: &mut Transaction, upload: &Upload, sha256: Option<&str>) -> Result<Option<String>> {
    let Some(sha256) = sha256 else { return Ok(None) };
    let sql = "SELECT DISTINCT blob FROM uploads WHERE owner_type = $1 AND owner_id = $2 AND sha256 = $3 \
               AND size = $4 AND complete AND id <> $5";
    let owner = upload.owner.kind.as_str();
    let values = values![owner, &upload.owner.id, sha256, upload.size, upload.id];
    for row in &to.fetch_all(sql, values).await? {
        let blob = row.text("blob")?;
        if blob != upload.blob && blobs::share(to, &blob).await? {
            return Ok(Some(blob));
        }
    }
    Ok(None)
}

/// An upload that nobody else changes until the transaction ends.
async fn to_change(from: &mut Transaction, id: Uuid) -> Result<Option<Upload>> {
    let sql = match from.dialect() {
        Dialect::Sqlite => "SELECT * FROM uploads WHERE id = $1",
        Dialect::Postgres => "SELECT * FROM uploads WHERE id = $1 FOR UPDATE",
    };
    let row = from.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(read).transpose()
}

async fn end(to: &mut Transaction, upload: &Upload, now: Time) -> Result<()> {
    to.execute("DELETE FROM uploads WHERE id = $1", values![upload.id]).await?;
    blobs::release(to, [upload.blob.as_str()], now).await.map(|_| ())
}

fn read(row: &Row) -> Result<Upload> {
    Ok(Upload {
        id: row.uuid("id")?,
        owner: Owner { kind: row.parsed("owner_type")?, id: row.text("owner_id")? },
        name: row.text("name")?,
        size: row.unsigned("size")?,
        sha256: row.optional_text("sha256")?,
        received: row.unsigned("received")?,
        complete: row.boolean("complete")?,
        blob: row.text("blob")?,
        token: row.text("token")?,
        created_at: row.time("created_at")?,
        touched_at: row.time("touched_at")?,
    })
}
