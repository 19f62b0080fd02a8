//! What every store does, whatever its database.

mod history;
mod records;

use std::pin::Pin;
use std::sync::Arc;

use beekeepr_control::store::{Action, Change, Expected, Kind, Note, Store};

pub(crate) type Test = (
    &'static str,
    fn(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()> + Send>>,
);

macro_rules! tests {
    ($($module:ident::$name:ident,)+) => {
        /// Each with an empty store of its own.
        pub(crate) const ALL: &[Test] = &[$((stringify!($name), |store| Box::pin($module::$name(store)))),+];
    };
}

tests! {
    records::a_record_is_what_was_put,
    records::a_change_for_another_state_changes_nothing,
    records::of_two_changes_for_one_state_one_is_done,
    records::lists_are_in_the_order_of_bytes_and_can_be_read_in_pieces,
    records::tenants_see_their_own,
    records::the_latest_change_counts_deletions_too,
    records::a_change_is_in_the_log_and_a_refused_one_is_not,
    records::there_is_an_end_to_each_kind,
    records::what_has_expired_is_forgotten,
    history::figures_add_up_to_longer_spans,
    history::figures_can_be_had_of_all_channels_or_of_one,
    history::old_figures_are_forgotten_the_short_spans_first,
    history::one_name_of_two_tenants_is_two_channels,
    history::a_backup_brings_everything_back,
    history::a_backup_that_breaks_off_brings_nothing_back,
}

/// A change that puts `body`.
pub(crate) fn put(kind: Kind, id: &str, body: &str) -> Change {
    Change {
        kind,
        id: id.to_owned(),
        expected: Expected::Any,
        action: Action::Put {
            tenant: String::new(),
            body: body.to_owned(),
            expires_ms: 0,
        },
        now_ms: 1_000,
        note: Some(Note {
            actor: "tester".into(),
            action: "update".into(),
            ..Note::default()
        }),
    }
}
