//! The tables, and how each release makes them of those of the release before.

use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};

use super::sql::Dialect;
use super::{Counters, StoreError};

/// One step from a version of the tables to the next; a released one is never changed. `{id}` stands for texts compared byte
/// by byte, `{keyed}` for tables without a hidden second key, `{counters}` for the figures.
const STEPS: &[&[&str]] = &[&[
    "CREATE TABLE counters (name {id} PRIMARY KEY, value BIGINT NOT NULL) {keyed}",
    "INSERT INTO counters (name, value) VALUES ('revision', 0)",
    "CREATE TABLE records (kind {id} NOT NULL, id {id} NOT NULL, tenant {id} NOT NULL, body TEXT NOT NULL, \
     revision BIGINT NOT NULL, expires_ms BIGINT NOT NULL, created_ms BIGINT NOT NULL, changed_ms BIGINT NOT NULL, \
     PRIMARY KEY (kind, id)) {keyed}",
    "CREATE INDEX records_of_tenants ON records (kind, tenant, id)",
    "CREATE INDEX records_that_expire ON records (expires_ms) WHERE expires_ms > 0",
    "CREATE TABLE audit (id BIGINT NOT NULL PRIMARY KEY, at_ms BIGINT NOT NULL, kind {id} NOT NULL, object TEXT NOT NULL, \
     actor TEXT NOT NULL, tenant {id} NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL) {keyed}",
    "CREATE INDEX audit_of_tenants ON audit (tenant, id)",
    "CREATE TABLE series (id BIGINT NOT NULL PRIMARY KEY, channel {id} NOT NULL, tenant {id} NOT NULL, \
     UNIQUE (channel, tenant)) {keyed}",
    "CREATE TABLE statistics (step_s BIGINT NOT NULL, at_s BIGINT NOT NULL, series BIGINT NOT NULL, {counters}, \
     PRIMARY KEY (step_s, at_s, series)) {keyed}",
]];

/// Brings the tables to this release's version. Several processes may try at once.
pub(super) async fn migrate(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<(), StoreError> {
    connection
        .execute("CREATE TABLE IF NOT EXISTS beekeepr_schema (version BIGINT NOT NULL)")
        .await?;
    let known = version(connection).await?;
    let newest = STEPS.len();
    if known > newest {
        return Err(StoreError::Unusable(format!(
            "the database is of a newer release (tables of version {known}, this one knows {newest}); run that release, or \
             restore a backup of this one"
        )));
    }
    for step in &STEPS[known..] {
        for statement in *step {
            connection
                .execute(AssertSqlSafe(written(statement, dialect)))
                .await?;
        }
    }
    if known < newest {
        connection.execute("DELETE FROM beekeepr_schema").await?;
        let newest = i64::try_from(newest).unwrap_or(i64::MAX);
        sqlx::query("INSERT INTO beekeepr_schema (version) VALUES ($1)")
            .bind(newest)
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn version(connection: &mut AnyConnection) -> Result<usize, StoreError> {
    let row = sqlx::query("SELECT MAX(version) FROM beekeepr_schema")
        .fetch_one(connection)
        .await?;
    let version: Option<i64> = row.try_get(0)?;
    Ok(version
        .and_then(|it| it.try_into().ok())
        .unwrap_or_default())
}

fn written(statement: &str, dialect: Dialect) -> String {
    let counters: Vec<String> = Counters::NAMES
        .iter()
        .map(|name| format!("{name} BIGINT NOT NULL DEFAULT 0"))
        .collect();
    statement
        .replace("{counters}", &counters.join(", "))
        .replace("{id}", dialect.text_by_bytes())
        .replace("{keyed}", dialect.keyed())
}
