//! Figures over time, in spans of four lengths.

use std::sync::PoisonError;

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Counters, Sample, Span, Sql, StoreError};

/// The lengths of spans in seconds. The first is what is written; the others add up from it.
pub const STEPS_S: [i64; 4] = [10, 60, 3_600, 86_400];

/// For how long spans of each length are kept, in seconds, and the audit log.
///
/// Of 100 channels there are 216,000 rows of 10 s, 1,008,000 of a minute, 960,000 of an hour and 36,500 of a day for each
/// year: under 1 GB (docs/benchmarks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// In the order of [`STEPS_S`].
    pub steps_s: [i64; 4],
    /// Of the audit log.
    pub audit_s: i64,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY_S: i64 = 86_400;
        Self {
            steps_s: [DAY_S / 4, 7 * DAY_S, 400 * DAY_S, 3_650 * DAY_S],
            audit_s: 400 * DAY_S,
        }
    }
}

pub(super) async fn add(sql: &Sql, samples: &[Sample]) -> Result<(), StoreError> {
    let mut transaction = sql.begin().await?;
    let upsert = upsert();
    let mut met = Vec::new();
    for sample in samples {
        let series = series(sql, &mut transaction, sample, &mut met).await?;
        for step_s in STEPS_S {
            let mut query = sqlx::query(AssertSqlSafe(upsert.clone()))
                .bind(step_s)
                .bind(sample.at_s - sample.at_s.rem_euclid(step_s))
                .bind(series);
            for value in sample.counters.values() {
                query = query.bind(value);
            }
            query.execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    // Only now: what was rolled back has no number.
    let mut known = sql.series.lock().unwrap_or_else(PoisonError::into_inner);
    known.extend(met);
    Ok(())
}

fn upsert() -> String {
    let places: Vec<String> = (0..Counters::NAMES.len())
        .map(|i| format!("${}", i + 4))
        .collect();
    let sums: Vec<String> = Counters::NAMES
        .iter()
        .map(|&name| {
            if name == Counters::LARGEST {
                format!(
                    "{name} = CASE WHEN excluded.{name} > statistics.{name} THEN excluded.{name} ELSE statistics.{name} END"
                )
            } else {
                format!("{name} = statistics.{name} + excluded.{name}")
            }
        })
        .collect();
    format!(
        "INSERT INTO statistics (step_s, at_s, series, {}) VALUES ($1, $2, $3, {}) \
         ON CONFLICT (step_s, at_s, series) DO UPDATE SET {}",
        Counters::NAMES.join(", "),
        places.join(", "),
        sums.join(", ")
    )
}

/// The number of a channel, made when it is new.
async fn series(
    sql: &Sql,
    connection: &mut AnyConnection,
    sample: &Sample,
    met: &mut Vec<((String, String), i64)>,
) -> Result<i64, StoreError> {
    let key = (sample.channel.clone(), sample.tenant.clone());
    let known = {
        let known = sql.series.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key).copied()
    };
    let known = known.or_else(|| met.iter().find(|(it, _)| *it == key).map(|(_, id)| *id));
    if let Some(id) = known {
        return Ok(id);
    }
    // Locks the row, so that two processes cannot take the same number.
    let free: i64 = sqlx::query_scalar(
        "INSERT INTO counters (name, value) VALUES ('series', 1) \
         ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
    )
    .fetch_one(&mut *connection)
    .await?;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO series (id, channel, tenant) VALUES ($1, $2, $3) \
         ON CONFLICT (channel, tenant) DO UPDATE SET channel = excluded.channel RETURNING id",
    )
    .bind(free)
    .bind(sample.channel.clone())
    .bind(sample.tenant.clone())
    .fetch_one(connection)
    .await?;
    met.push((key, id));
    Ok(id)
}

pub(super) async fn samples(sql: &Sql, span: Span) -> Result<Vec<Sample>, StoreError> {
    let sums: Vec<String> = Counters::NAMES
        .iter()
        // A sum of BIGINT is a NUMERIC to PostgreSQL, which `Any` does not know.
        .map(|name| format!("CAST(SUM({name}) AS BIGINT)"))
        .collect();
    let (who, group) = if span.by_channel {
        ("channel, tenant", "at_s, channel, tenant")
    } else {
        ("'', ''", "at_s")
    };
    let mut text = format!(
        "SELECT {who}, at_s, {} FROM statistics JOIN series ON series.id = statistics.series \
         WHERE step_s = $1 AND at_s >= $2 AND at_s < $3",
        sums.join(", ")
    );
    let mut binds = Vec::new();
    for (name, value) in [("channel", span.channel), ("tenant", span.tenant)] {
        if let Some(value) = value {
            binds.push(value);
            text.push_str(&format!(" AND {name} = ${}", binds.len() + 4));
        }
    }
    text.push_str(&format!(" GROUP BY {group} ORDER BY {group} LIMIT $4"));
    let mut query = sqlx::query(AssertSqlSafe(text))
        .bind(span.step_s)
        .bind(span.from_s)
        .bind(span.to_s)
        .bind(span.limit);
    for bind in binds {
        query = query.bind(bind);
    }
    let rows = query.fetch_all(&sql.pool).await?;
    Ok(rows.iter().map(sample).collect::<Result<_, _>>()?)
}

fn sample(row: &AnyRow) -> Result<Sample, sqlx::Error> {
    let values: Result<Vec<i64>, _> = (0..Counters::NAMES.len())
        .map(|i| row.try_get(i + 3))
        .collect();
    Ok(Sample {
        channel: row.try_get(0)?,
        tenant: row.try_get(1)?,
        at_s: row.try_get(2)?,
        counters: Counters::from_values(&values?),
    })
}

/// Forgets what is older than it is kept, each table in a transaction of its own: the writer waits for no long one.
pub(super) async fn tidy(sql: &Sql, now_ms: i64, retention: Retention) -> Result<u64, StoreError> {
    let now_s = now_ms / 1000;
    let mut gone = 0;
    for (step_s, kept_s) in STEPS_S.into_iter().zip(retention.steps_s) {
        let deleted = sqlx::query("DELETE FROM statistics WHERE step_s = $1 AND at_s < $2")
            .bind(step_s)
            .bind(now_s - kept_s)
            .execute(&sql.pool)
            .await?;
        gone += deleted.rows_affected();
    }
    for (text, before) in [
        (
            "DELETE FROM audit WHERE at_ms < $1",
            now_ms - retention.audit_s * 1000,
        ),
        (
            "DELETE FROM records WHERE expires_ms > 0 AND expires_ms < $1",
            now_ms,
        ),
    ] {
        let deleted = sqlx::query(text).bind(before).execute(&sql.pool).await?;
        gone += deleted.rows_affected();
    }
    Ok(gone)
}
