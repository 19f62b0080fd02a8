use std::sync::Arc;

use beekeepr_control::store::{Action, Change, Expected, Kind, Page, Retention, Store, StoreError};

use super::put;

const ALL: Page = Page {
    tenant: None,
    after: String::new(),
    limit: 1_000,
};

async fn names(store: &Arc<dyn Store>, page: Page) -> Vec<String> {
    let records = store.list(Kind::Channel, page).await.unwrap();
    records.into_iter().map(|it| it.id).collect()
}

fn of_tenant(mut change: Change, owner: &str, until_ms: i64) -> Change {
    if let Action::Put {
        tenant, expires_ms, ..
    } = &mut change.action
    {
        *tenant = owner.to_owned();
        *expires_ms = until_ms;
    }
    change
}

pub(crate) async fn a_record_is_what_was_put(store: Arc<dyn Store>) {
    assert!(store.get(Kind::Channel, "a").await.unwrap().is_none());
    let text = "{\"emoji\":\"🐝\",\"quote\":\"'\\\"\"}";
    let first = store.change(put(Kind::Channel, "a", text)).await.unwrap();
    let record = store.get(Kind::Channel, "a").await.unwrap().unwrap();
    assert_eq!((&*record.body, record.revision), (text, first));
    assert_eq!((record.created_ms, record.changed_ms), (1_000, 1_000));
    let later = Change {
        now_ms: 2_000,
        ..put(Kind::Channel, "a", "2")
    };
    let second = store.change(later).await.unwrap();
    let record = store.get(Kind::Channel, "a").await.unwrap().unwrap();
    assert!(second > first);
    assert_eq!(
        (record.created_ms, record.changed_ms, &*record.body),
        (1_000, 2_000, "2")
    );
    assert!(
        store.get(Kind::Group, "a").await.unwrap().is_none(),
        "of another kind"
    );
}

pub(crate) async fn a_change_for_another_state_changes_nothing(store: Arc<dyn Store>) {
    let expecting = |expected, body: &str| Change {
        expected,
        ..put(Kind::Channel, "a", body)
    };
    for wrong in [Expected::Present, Expected::Revision(1)] {
        let refused = store.change(expecting(wrong, "1")).await;
        assert!(matches!(refused, Err(StoreError::Conflict)));
    }
    let revision = store
        .change(expecting(Expected::Absent, "1"))
        .await
        .unwrap();
    for wrong in [Expected::Absent, Expected::Revision(revision + 1)] {
        let refused = store.change(expecting(wrong, "2")).await;
        assert!(matches!(refused, Err(StoreError::Conflict)));
    }
    assert_eq!(
        store.get(Kind::Channel, "a").await.unwrap().unwrap().body,
        "1"
    );
    store
        .change(expecting(Expected::Revision(revision), "2"))
        .await
        .unwrap();
}

pub(crate) async fn of_two_changes_for_one_state_one_is_done(store: Arc<dyn Store>) {
    let revision = store.change(put(Kind::Channel, "a", "0")).await.unwrap();
    let changes = (0..8).map(|number: u32| {
        let expected = Expected::Revision(revision);
        let change = Change {
            expected,
            ..put(Kind::Channel, "a", &number.to_string())
        };
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.change(change).await })
    });
    let mut done = 0;
    for change in changes.collect::<Vec<_>>() {
        match change.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(matches!(error, StoreError::Conflict), "{error}"),
        }
    }
    assert_eq!(done, 1);
}

pub(crate) async fn lists_are_in_the_order_of_bytes_and_can_be_read_in_pieces(
    store: Arc<dyn Store>,
) {
    for id in ["b", "A", "a-1", "a", "ä", "Z"] {
        store.change(put(Kind::Channel, id, "{}")).await.unwrap();
    }
    assert_eq!(names(&store, ALL).await, ["A", "Z", "a", "a-1", "b", "ä"]);
    let page = Page {
        after: "a".into(),
        limit: 2,
        ..ALL
    };
    assert_eq!(names(&store, page).await, ["a-1", "b"]);
}

pub(crate) async fn tenants_see_their_own(store: Arc<dyn Store>) {
    for (id, owner) in [("a", "one"), ("b", "two"), ("c", "")] {
        store
            .change(of_tenant(put(Kind::Channel, id, "{}"), owner, 0))
            .await
            .unwrap();
    }
    let page = Page {
        tenant: Some("two".into()),
        ..ALL
    };
    assert_eq!(names(&store, page).await, ["b"]);
    assert_eq!(names(&store, ALL).await.len(), 3);
}

pub(crate) async fn the_latest_change_counts_deletions_too(store: Arc<dyn Store>) {
    assert_eq!(store.latest(Kind::Channel).await.unwrap(), 0);
    let first = store.change(put(Kind::Channel, "a", "{}")).await.unwrap();
    store.change(put(Kind::Group, "a", "{}")).await.unwrap();
    assert_eq!(store.latest(Kind::Channel).await.unwrap(), first);
    let delete = Change {
        action: Action::Delete,
        ..put(Kind::Channel, "a", "")
    };
    let last = store.change(delete).await.unwrap();
    assert!(last > first);
    assert_eq!(store.latest(Kind::Channel).await.unwrap(), last);
}

pub(crate) async fn a_change_is_in_the_log_and_a_refused_one_is_not(store: Arc<dyn Store>) {
    store.change(put(Kind::Channel, "a", "{}")).await.unwrap();
    let refused = Change {
        expected: Expected::Absent,
        ..put(Kind::Channel, "a", "{}")
    };
    store.change(refused).await.unwrap_err();
    let silent = Change {
        note: None,
        ..put(Kind::Session, "s", "{}")
    };
    store.change(silent).await.unwrap();
    store
        .note(
            3,
            Kind::ApiKey,
            "k",
            put(Kind::ApiKey, "", "").note.unwrap(),
        )
        .await
        .unwrap();
    let log = store.audit(None, 0, 10).await.unwrap();
    let lines: Vec<_> = log
        .iter()
        .map(|it| (&*it.kind, &*it.object, &*it.note.actor))
        .collect();
    assert_eq!(
        lines,
        [("api-key", "k", "tester"), ("channel", "a", "tester")]
    );
    let older = store.audit(None, log[0].id, 10).await.unwrap();
    assert_eq!(older.len(), 1);
    assert!(
        store
            .audit(Some("one".into()), 0, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn there_is_an_end_to_each_kind(store: Arc<dyn Store>) {
    for number in 0..Kind::Settings.records_max() {
        store
            .change(put(Kind::Settings, &number.to_string(), "{}"))
            .await
            .unwrap();
    }
    let refused = store.change(put(Kind::Settings, "more", "{}")).await;
    assert!(matches!(refused, Err(StoreError::Full(Kind::Settings))));
    store
        .change(put(Kind::Settings, "0", "changed"))
        .await
        .unwrap();
}

pub(crate) async fn what_has_expired_is_forgotten(store: Arc<dyn Store>) {
    for (id, until_ms) in [("a", 5_000), ("b", 50_000), ("c", 0)] {
        store
            .change(of_tenant(put(Kind::Channel, id, "{}"), "", until_ms))
            .await
            .unwrap();
    }
    store.tidy(10_000, Retention::default()).await.unwrap();
    assert_eq!(names(&store, ALL).await, ["b", "c"]);
}
