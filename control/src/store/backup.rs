//! Backups: every row as a line of JSON, so that what SQLite wrote PostgreSQL can read, and the other way round.
//!
//! ```text
//! {"beekeepr_backup":1}
//! ["records","channel","news","","...",17,0,1700000000000,1700000000000]
//! ...
//! {"rows":1234}
//! ```
//!
//! The last line tells a whole backup from one that broke off. Secrets in it stay sealed by the installation's key, which is
//! not in it.

use std::io;

use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use tokio::sync::mpsc;

use super::sql::Dialect;
use super::{Counters, Sql, StoreError};

/// The only format there is.
const VERSION: u64 = 1;

/// Rows read at a time: a megabyte at most, and few round trips.
const ROWS_AT_A_TIME: i64 = 1_000;

/// The lines of a backup.
pub type Lines = Box<dyn Iterator<Item = io::Result<String>> + Send>;

/// A table: its name, its columns of text and of numbers, how many of them (from the first) are the key.
struct Table {
    name: &'static str,
    columns: Vec<(&'static str, Holds)>,
    key: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Number,
}

fn tables() -> [Table; 5] {
    use Holds::{Number, Text};
    let table = |name, key, columns: &[(&'static str, Holds)]| Table {
        name,
        columns: columns.to_vec(),
        key,
    };
    let mut statistics = vec![("step_s", Number), ("at_s", Number), ("series", Number)];
    statistics.extend(Counters::NAMES.iter().map(|&name| (name, Number)));
    [
        table("counters", 1, &[("name", Text), ("value", Number)]),
        table(
            "records",
            2,
            &[
                ("kind", Text),
                ("id", Text),
                ("tenant", Text),
                ("body", Text),
                ("revision", Number),
                ("expires_ms", Number),
                ("created_ms", Number),
                ("changed_ms", Number),
            ],
        ),
        table(
            "audit",
            1,
            &[
                ("id", Number),
                ("at_ms", Number),
                ("kind", Text),
                ("object", Text),
                ("actor", Text),
                ("tenant", Text),
                ("action", Text),
                ("detail", Text),
            ],
        ),
        table(
            "series",
            1,
            &[("id", Number), ("channel", Text), ("tenant", Text)],
        ),
        Table {
            name: "statistics",
            columns: statistics,
            key: 3,
        },
    ]
}

/// Sends a backup of one moment, line by line, and gives the number of rows. Ends early when nobody takes the lines.
pub(super) async fn export(sql: &Sql, lines: mpsc::Sender<String>) -> Result<u64, StoreError> {
    let begin = match sql.dialect {
        // Sees what was there at its first look, whatever others write meanwhile.
        Dialect::Sqlite => "BEGIN",
        Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    let mut transaction = sql.pool.begin_with(begin).await?;
    let gone = |_| StoreError::Failed("nobody takes the backup any more".to_owned());
    lines
        .send(json!({ "beekeepr_backup": VERSION }).to_string())
        .await
        .map_err(gone)?;
    let mut count = 0;
    for table in tables() {
        let mut after: Option<Vec<Value>> = None;
        loop {
            let rows = page(&mut transaction, &table, after.as_deref()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last[..table.key].to_vec());
            for mut row in rows {
                row.insert(0, table.name.into());
                lines
                    .send(Value::Array(row).to_string())
                    .await
                    .map_err(gone)?;
                count += 1;
            }
        }
    }
    lines
        .send(json!({ "rows": count }).to_string())
        .await
        .map_err(gone)?;
    Ok(count)
}

async fn page(
    connection: &mut AnyConnection,
    table: &Table,
    after: Option<&[Value]>,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let key = names[..table.key].join(", ");
    let places: Vec<String> = (0..table.key).map(|i| format!("${}", i + 2)).collect();
    let beyond = match after {
        Some(_) => format!("WHERE ({key}) > ({})", places.join(", ")),
        None => String::new(),
    };
    let text = format!(
        "SELECT {} FROM {} {beyond} ORDER BY {key} LIMIT $1",
        names.join(", "),
        table.name
    );
    let mut query = sqlx::query(AssertSqlSafe(text)).bind(ROWS_AT_A_TIME);
    for value in after.unwrap_or_default() {
        query = match value {
            Value::Number(number) => query.bind(number.as_i64()),
            other => query.bind(other.as_str().map(str::to_owned)),
        };
    }
    let rows = query.fetch_all(connection).await?;
    Ok(rows
        .iter()
        .map(|row| values(row, table))
        .collect::<Result<_, _>>()?)
}

fn values(row: &AnyRow, table: &Table) -> Result<Vec<Value>, sqlx::Error> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, (_, holds))| match holds {
            Holds::Text => row.try_get::<String, _>(at).map(Value::from),
            Holds::Number => row.try_get::<i64, _>(at).map(Value::from),
        })
        .collect()
}

/// Fills an empty database, all or nothing, and gives the number of rows.
pub(super) async fn import(sql: &Sql, mut lines: Lines) -> Result<u64, StoreError> {
    let broken =
        |at: u64, text: String| StoreError::Unusable(format!("line {at} of the backup: {text}"));
    let first = line(&mut lines, 1)?;
    let version = first.as_ref().and_then(|it| it["beekeepr_backup"].as_u64());
    if version != Some(VERSION) {
        let text = format!(
            "expected {{\"beekeepr_backup\":{VERSION}}}; it is no backup, or one of another release"
        );
        return Err(broken(1, text));
    }
    let mut transaction = sql.begin().await?;
    empty(&mut transaction).await?;
    let tables = tables();
    let mut count = 0;
    while let Some(value) = line(&mut lines, count + 2)? {
        let Value::Array(row) = value else {
            let rows = value["rows"].as_u64();
            if rows != Some(count) {
                return Err(broken(
                    count + 2,
                    format!("it counts {rows:?} rows, {count} were there"),
                ));
            }
            transaction.commit().await?;
            return Ok(count);
        };
        insert(&mut transaction, &tables, &row)
            .await
            .map_err(|error| broken(count + 2, error.to_string()))?;
        count += 1;
    }
    Err(broken(
        count + 2,
        "it breaks off; expected a last line with the number of rows".to_owned(),
    ))
}

fn line(lines: &mut Lines, at: u64) -> Result<Option<Value>, StoreError> {
    let failed = |text: String| StoreError::Unusable(format!("line {at} of the backup: {text}"));
    let text = lines
        .next()
        .transpose()
        .map_err(|error| failed(error.to_string()))?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| failed(error.to_string())))
        .transpose()
}

/// A database that was only just made: nothing in it that somebody could miss.
async fn empty(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let used: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM records")
        .fetch_one(&mut *connection)
        .await?;
    if used > 0 {
        return Err(StoreError::Unusable(
            "the database is not empty; restore into a new one".to_owned(),
        ));
    }
    connection.execute("DELETE FROM counters").await?;
    Ok(())
}

async fn insert(
    connection: &mut AnyConnection,
    tables: &[Table],
    row: &[Value],
) -> Result<(), StoreError> {
    let unusable = |text: &str| StoreError::Unusable(text.to_owned());
    let (name, values) = row.split_first().ok_or_else(|| unusable("it is empty"))?;
    let table = tables
        .iter()
        .find(|table| name.as_str() == Some(table.name) && values.len() == table.columns.len())
        .ok_or_else(|| unusable("no table has such rows; the backup is of another release"))?;
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let places: Vec<String> = (1..=values.len()).map(|i| format!("${i}")).collect();
    let text = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        names.join(", "),
        places.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    for ((_, holds), value) in table.columns.iter().zip(values) {
        let wrong = || unusable("a value is of another type than its column");
        query = match holds {
            Holds::Text => query.bind(value.as_str().ok_or_else(wrong)?.to_owned()),
            Holds::Number => query.bind(value.as_i64().ok_or_else(wrong)?),
        };
    }
    query.execute(connection).await?;
    Ok(())
}
