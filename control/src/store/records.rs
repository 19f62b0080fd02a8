//! Records and the audit log.

use sqlx::AnyConnection;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Action, Audit, Change, Expected, Kind, Note, Page, Record, Sql, StoreError};

const COLUMNS: &str =
    "SELECT id, tenant, body, revision, expires_ms, created_ms, changed_ms FROM records";

pub(super) async fn get(sql: &Sql, kind: Kind, id: &str) -> Result<Option<Record>, StoreError> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE kind = $1 AND id = $2"
    )))
    .bind(kind.as_str())
    .bind(id.to_owned())
    .fetch_optional(&sql.pool)
    .await?;
    Ok(row.as_ref().map(record).transpose()?)
}

pub(super) async fn list(sql: &Sql, kind: Kind, page: Page) -> Result<Vec<Record>, StoreError> {
    let of_tenant = if page.tenant.is_some() {
        "AND tenant = $4"
    } else {
        ""
    };
    let text = format!("{COLUMNS} WHERE kind = $1 AND id > $2 {of_tenant} ORDER BY id LIMIT $3");
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(kind.as_str())
        .bind(page.after)
        .bind(page.limit);
    if let Some(tenant) = page.tenant {
        query = query.bind(tenant);
    }
    let rows = query.fetch_all(&sql.pool).await?;
    Ok(rows.iter().map(record).collect::<Result<_, _>>()?)
}

fn record(row: &AnyRow) -> Result<Record, sqlx::Error> {
    Ok(Record {
        id: row.try_get(0)?,
        tenant: row.try_get(1)?,
        body: row.try_get(2)?,
        revision: row.try_get(3)?,
        expires_ms: row.try_get(4)?,
        created_ms: row.try_get(5)?,
        changed_ms: row.try_get(6)?,
    })
}

pub(super) async fn change(sql: &Sql, change: Change) -> Result<i64, StoreError> {
    let mut transaction = sql.begin().await?;
    // Locks the one row, so changes of several processes come one after the other.
    let revision = next(&mut transaction).await?;
    let known: Option<i64> =
        sqlx::query_scalar("SELECT revision FROM records WHERE kind = $1 AND id = $2")
            .bind(change.kind.as_str())
            .bind(change.id.clone())
            .fetch_optional(&mut *transaction)
            .await?;
    let is_expected = match change.expected {
        Expected::Any => true,
        Expected::Absent => known.is_none(),
        Expected::Present => known.is_some(),
        Expected::Revision(revision) => known == Some(revision),
    };
    if !is_expected {
        return Err(StoreError::Conflict);
    }
    match &change.action {
        Action::Put {
            tenant,
            body,
            expires_ms,
        } => {
            if known.is_none() {
                check_room(&mut transaction, change.kind).await?;
            }
            sqlx::query(
                "INSERT INTO records (kind, id, tenant, body, revision, expires_ms, created_ms, changed_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (kind, id) DO UPDATE SET tenant = excluded.tenant, \
                 body = excluded.body, revision = excluded.revision, expires_ms = excluded.expires_ms, \
                 changed_ms = excluded.changed_ms",
            )
            .bind(change.kind.as_str())
            .bind(change.id.clone())
            .bind(tenant.clone())
            .bind(body.clone())
            .bind(revision)
            .bind(*expires_ms)
            .bind(change.now_ms)
            .execute(&mut *transaction)
            .await?;
        }
        Action::Delete => {
            sqlx::query("DELETE FROM records WHERE kind = $1 AND id = $2")
                .bind(change.kind.as_str())
                .bind(change.id.clone())
                .execute(&mut *transaction)
                .await?;
        }
    }
    sqlx::query(
        "INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(latest_name(change.kind))
    .bind(revision)
    .execute(&mut *transaction)
    .await?;
    if let Some(note) = change.note {
        write_note(
            &mut transaction,
            revision,
            change.now_ms,
            change.kind,
            &change.id,
            note,
        )
        .await?;
    }
    transaction.commit().await?;
    Ok(revision)
}

async fn next(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "UPDATE counters SET value = value + 1 WHERE name = 'revision' RETURNING value",
    )
    .fetch_one(connection)
    .await?)
}

async fn check_room(connection: &mut AnyConnection, kind: Kind) -> Result<(), StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM records WHERE kind = $1")
        .bind(kind.as_str())
        .fetch_one(connection)
        .await?;
    if count < kind.records_max() {
        Ok(())
    } else {
        Err(StoreError::Full(kind))
    }
}

fn latest_name(kind: Kind) -> String {
    format!("latest-{}", kind.as_str())
}

pub(super) async fn latest(sql: &Sql, kind: Kind) -> Result<i64, StoreError> {
    let value: Option<i64> = sqlx::query_scalar("SELECT value FROM counters WHERE name = $1")
        .bind(latest_name(kind))
        .fetch_optional(&sql.pool)
        .await?;
    Ok(value.unwrap_or_default())
}

pub(super) async fn note(
    sql: &Sql,
    at_ms: i64,
    kind: Kind,
    object: &str,
    note: Note,
) -> Result<(), StoreError> {
    let mut transaction = sql.begin().await?;
    let id = next(&mut transaction).await?;
    write_note(&mut transaction, id, at_ms, kind, object, note).await?;
    transaction.commit().await?;
    Ok(())
}

async fn write_note(
    connection: &mut AnyConnection,
    id: i64,
    at_ms: i64,
    kind: Kind,
    object: &str,
    note: Note,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, at_ms, kind, object, actor, tenant, action, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(at_ms)
    .bind(kind.as_str())
    .bind(object.to_owned())
    .bind(note.actor)
    .bind(note.tenant)
    .bind(note.action)
    .bind(note.detail)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn audit(
    sql: &Sql,
    tenant: Option<String>,
    before: i64,
    limit: i64,
) -> Result<Vec<Audit>, StoreError> {
    let of_tenant = if tenant.is_some() {
        "AND tenant = $3"
    } else {
        ""
    };
    let text = format!(
        "SELECT id, at_ms, kind, object, actor, tenant, action, detail FROM audit WHERE id < $1 {of_tenant} \
         ORDER BY id DESC LIMIT $2"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(if before > 0 { before } else { i64::MAX })
        .bind(limit);
    if let Some(tenant) = tenant {
        query = query.bind(tenant);
    }
    let rows = query.fetch_all(&sql.pool).await?;
    Ok(rows.iter().map(audit_line).collect::<Result<_, _>>()?)
}

fn audit_line(row: &AnyRow) -> Result<Audit, sqlx::Error> {
    Ok(Audit {
        id: row.try_get(0)?,
        at_ms: row.try_get(1)?,
        kind: row.try_get(2)?,
        object: row.try_get(3)?,
        note: Note {
            actor: row.try_get(4)?,
            tenant: row.try_get(5)?,
            action: row.try_get(6)?,
            detail: row.try_get(7)?,
        },
    })
}
