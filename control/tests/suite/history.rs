use std::sync::Arc;

use beekeepr_control::store::{Counters, Kind, Page, Retention, STEPS_S, Sample, Span, Sql, Store};
use tokio::sync::mpsc;

use super::put;

/// A Monday, at midnight.
const DAY_S: i64 = 1_699_833_600;

fn sample(channel: &str, at_s: i64, http_bytes: i64, viewers_max: i64) -> Sample {
    let counters = Counters {
        http_bytes,
        viewers_max,
        ..Counters::default()
    };
    Sample {
        channel: channel.into(),
        tenant: String::new(),
        at_s: DAY_S + at_s,
        counters,
    }
}

fn span(step_s: i64) -> Span {
    Span {
        step_s,
        from_s: DAY_S - 86_400,
        to_s: DAY_S + 86_400,
        channel: None,
        tenant: None,
        by_channel: true,
        limit: 1_000,
    }
}

/// Channel, seconds from the day's begin, bytes.
async fn found(store: &Arc<dyn Store>, span: Span) -> Vec<(String, i64, i64)> {
    let samples = store.samples(span).await.unwrap();
    let tuple = |it: Sample| (it.channel, it.at_s - DAY_S, it.counters.http_bytes);
    samples.into_iter().map(tuple).collect()
}

pub(crate) async fn figures_add_up_to_longer_spans(store: Arc<dyn Store>) {
    let samples = [
        sample("a", 0, 1, 4),
        sample("a", 50, 2, 9),
        sample("a", 60, 4, 3),
    ];
    store.add(&samples).await.unwrap();
    store
        .add(&[sample("a", 3_600, 8, 1), sample("a", 0, 16, 2)])
        .await
        .unwrap();
    let a = |at_s, bytes| ("a".to_owned(), at_s, bytes);
    let tens = [a(0, 17), a(50, 2), a(60, 4), a(3_600, 8)];
    assert_eq!(found(&store, span(10)).await, tens);
    assert_eq!(
        found(&store, span(60)).await,
        [a(0, 19), a(60, 4), a(3_600, 8)]
    );
    assert_eq!(found(&store, span(3_600)).await, [a(0, 23), a(3_600, 8)]);
    let day = store.samples(span(86_400)).await.unwrap();
    assert_eq!(
        (day[0].counters.http_bytes, day[0].counters.viewers_max),
        (31, 9)
    );
}

pub(crate) async fn figures_can_be_had_of_all_channels_or_of_one(store: Arc<dyn Store>) {
    store
        .add(&[
            sample("a", 0, 1, 1),
            sample("b", 0, 2, 1),
            sample("b", 10, 4, 1),
        ])
        .await
        .unwrap();
    let all = Span {
        by_channel: false,
        ..span(10)
    };
    let together = found(&store, all.clone()).await;
    assert_eq!(together, [(String::new(), 0, 3), (String::new(), 10, 4)]);
    let one = Span {
        channel: Some("b".into()),
        ..all.clone()
    };
    assert_eq!(
        found(&store, one)
            .await
            .iter()
            .map(|it| it.2)
            .collect::<Vec<_>>(),
        [2, 4]
    );
    let part = Span {
        from_s: DAY_S + 10,
        ..all.clone()
    };
    assert_eq!(found(&store, part).await.len(), 1);
    assert_eq!(found(&store, Span { limit: 1, ..all }).await.len(), 1);
}

pub(crate) async fn old_figures_are_forgotten_the_short_spans_first(store: Arc<dyn Store>) {
    store.add(&[sample("a", 0, 1, 1)]).await.unwrap();
    let retention = Retention {
        steps_s: [100, 1_000, 100_000, 1_000_000],
        audit_s: 10,
    };
    let mut left = Vec::new();
    for later_s in [50, 500, 50_000, 500_000, 5_000_000] {
        store
            .tidy((DAY_S + later_s) * 1_000, retention)
            .await
            .unwrap();
        let mut steps = Vec::new();
        for step_s in STEPS_S {
            if !store.samples(span(step_s)).await.unwrap().is_empty() {
                steps.push(step_s);
            }
        }
        left.push(steps);
    }
    let expected: [&[i64]; 5] = [&STEPS_S, &STEPS_S[1..], &STEPS_S[2..], &STEPS_S[3..], &[]];
    assert_eq!(left, expected);
}

pub(crate) async fn one_name_of_two_tenants_is_two_channels(store: Arc<dyn Store>) {
    let of = |tenant: &str, bytes| Sample {
        tenant: tenant.into(),
        ..sample("a", 0, bytes, 1)
    };
    store.add(&[of("one", 1), of("two", 2)]).await.unwrap();
    let two = Span {
        tenant: Some("two".into()),
        ..span(10)
    };
    assert_eq!(found(&store, two).await, [("a".to_owned(), 0, 2)]);
}

async fn backup(store: &Arc<dyn Store>) -> Vec<String> {
    let (sender, mut receiver) = mpsc::channel(16);
    let source = Arc::clone(store);
    let export = tokio::spawn(async move { source.export(sender).await.unwrap() });
    let mut lines = Vec::new();
    while let Some(line) = receiver.recv().await {
        lines.push(line);
    }
    assert_eq!(export.await.unwrap(), lines.len() as u64 - 2);
    lines
}

async fn fill(store: &Arc<dyn Store>) {
    for number in 0..20 {
        store
            .change(put(Kind::Channel, &format!("c{number}"), "{\"a\":\"ü\"}"))
            .await
            .unwrap();
    }
    let samples: Vec<_> = (0..600).map(|n| sample("a", n * 10, n, 1)).collect();
    store.add(&samples).await.unwrap();
}

pub(crate) async fn a_backup_brings_everything_back(store: Arc<dyn Store>) {
    fill(&store).await;
    let lines = backup(&store).await;
    // Always into SQLite: what one database wrote the other one reads.
    let other: Arc<dyn Store> = Arc::new(Sql::open("sqlite::memory:").await.unwrap());
    other
        .import(Box::new(lines.clone().into_iter().map(Ok)))
        .await
        .unwrap();
    assert_eq!(backup(&other).await, lines);
    let again = other
        .import(Box::new(lines.into_iter().map(Ok)))
        .await
        .unwrap_err();
    assert!(again.to_string().contains("not empty"), "{again}");
    let revision = other.change(put(Kind::Channel, "new", "{}")).await.unwrap();
    assert!(revision > 20, "revisions go on where they were");
}

pub(crate) async fn a_backup_that_breaks_off_brings_nothing_back(store: Arc<dyn Store>) {
    let source: Arc<dyn Store> = Arc::new(Sql::open("sqlite::memory:").await.unwrap());
    fill(&source).await;
    let mut lines = backup(&source).await;
    lines.pop();
    let error = store
        .import(Box::new(lines.clone().into_iter().map(Ok)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("breaks off"), "{error}");
    let page = Page {
        tenant: None,
        after: String::new(),
        limit: 10,
    };
    assert!(store.list(Kind::Channel, page).await.unwrap().is_empty());
    lines.push("{\"rows\":3}".into());
    let error = store
        .import(Box::new(lines.into_iter().map(Ok)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("counts"), "{error}");
}
