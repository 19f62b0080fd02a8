//! One test-suite for the store, on SQLite and on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod suite;
mod support;

use std::sync::Arc;

use beekeepr_control::store::Sql;
use support::postgres::Postgres;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_a_file() {
    for (name, test) in suite::ALL {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control with spaces?#.db");
        let store = Sql::open(&format!("sqlite:{}", path.display()))
            .await
            .unwrap();
        eprintln!("sqlite: {name}");
        test(Arc::new(store)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_memory() {
    for (name, test) in suite::ALL {
        eprintln!("memory: {name}");
        test(Arc::new(Sql::open("sqlite::memory:").await.unwrap())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql() {
    let mut server = Postgres::start().await;
    for (name, test) in suite::ALL {
        let url = server.database().await;
        eprintln!("postgresql: {name}");
        test(Arc::new(Sql::open(&url).await.unwrap())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_make_the_tables_at_once() {
    let mut server = Postgres::start().await;
    let url = server.database().await;
    let opened: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Sql::open(&url).await })
        })
        .collect();
    for store in opened {
        store.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_database_of_others_is_refused_without_its_password() {
    let error = Sql::open("mysql://root:hunter2@h/x")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("expected sqlite:") && !error.contains("hunter2"),
        "{error}"
    );
    let error = Sql::open("postgres://root:hunter2@127.0.0.1:1/x")
        .await
        .unwrap_err()
        .to_string();
    assert!(!error.contains("hunter2"), "{error}");
    let error = Sql::open("sqlite:/nowhere/at/all.db")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/at/all.db"), "{error}");
}
