//! What holds for manifests of either kind.

use beekeepr_model::Generation;
use beekeepr_playlist::{Address, SEGMENTS_MAX, Segment};

use crate::commands::check_int;

/// Where the manifests came from.
pub(crate) const URL: &str = "https://cdn.example/live/main?token=1";

/// Segments are not too many and rise in number, their ids are integers of JavaScript, and each is at
/// some place on the web.
pub(crate) fn check_segments(segments: &[Segment]) {
    assert!(segments.len() <= SEGMENTS_MAX);
    assert!(segments.is_sorted_by(|a, b| a.number < b.number));
    for segment in segments {
        for generation in Generation::ALL {
            check_int(segment.id(generation).0);
        }
        if let Some(range) = segment.byte_range {
            assert!(range.start <= range.end);
        }
    }
    // All come from the same templates, and to read addresses takes long.
    segments
        .iter()
        .take(4)
        .for_each(|it| check_address(&it.url));
}

/// It is written as browsers write it: reading it changes nothing.
pub(crate) fn check_address(address: &Address) {
    assert_eq!(Address::parse(address.as_str()).as_ref(), Ok(address));
}
