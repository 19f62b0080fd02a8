//! A process that is killed in the middle of writing: what it had written is there, and nothing is broken.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use beekeepr_control::store::{
    Action, Change, Counters, Expected, Kind, Page, STEPS_S, Sample, Span, Sql, Store as _,
};

/// Where the child writes.
const DATABASE: &str = "BEEKEEPR_TEST_KILL_DATABASE";

/// So many batches are written before the child is killed; more are under way.
const BATCHES: i64 = 40;

/// A batch: a change of a record and the figures of two channels.
async fn write(store: &Sql, number: i64) {
    let change = Change {
        kind: Kind::Channel,
        id: format!("{number:06}"),
        expected: Expected::Absent,
        action: Action::Put {
            tenant: String::new(),
            body: "{}".into(),
            expires_ms: 0,
        },
        now_ms: 1,
        note: None,
    };
    store.change(change).await.unwrap();
    let sample = |channel: &str| Sample {
        channel: channel.into(),
        tenant: String::new(),
        at_s: number * 10,
        counters: Counters {
            http_bytes: 1,
            ..Counters::default()
        },
    };
    store.add(&[sample("a"), sample("b")]).await.unwrap();
}

/// Not a test by itself: what the test below starts as a process of its own.
#[tokio::test]
#[ignore = "the process that is killed"]
async fn child() {
    let store = Sql::open(&std::env::var(DATABASE).unwrap()).await.unwrap();
    for number in 0..i64::MAX {
        write(&store, number).await;
        eprintln!("written {number}");
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("control.db").display());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(DATABASE, &url)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let last = format!("written {BATCHES}");
    assert!(
        lines.map_while(Result::ok).any(|line| line == last),
        "the child ended early"
    );
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();

    let store = Sql::open(&url).await.unwrap();
    let page = Page {
        tenant: None,
        after: String::new(),
        limit: 512,
    };
    let records = store.list(Kind::Channel, page).await.unwrap().len();
    assert!(records > usize::try_from(BATCHES).unwrap());
    let mut sums = Vec::new();
    for step_s in STEPS_S {
        let span = Span {
            step_s,
            from_s: 0,
            to_s: i64::MAX,
            channel: None,
            tenant: None,
            by_channel: false,
            limit: 100_000,
        };
        let samples = store.samples(span).await.unwrap();
        sums.push(samples.iter().map(|it| it.counters.http_bytes).sum::<i64>());
    }
    assert!(sums[0] > 2 * BATCHES && sums[0] % 2 == 0, "{sums:?}");
    assert!(
        sums.iter().all(|sum| *sum == sums[0]),
        "each length has the same: {sums:?}"
    );
    write(&store, 1_000_000).await;
}
