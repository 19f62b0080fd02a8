//! Lists of segment ids: grouped by page, which is all above the low byte, so that a run costs one
//! byte each.
//!
//! A list is its type, the number of groups in a byte, then the groups. A group is an integer, the page
//! with the number of ids in its low byte, then one low byte for each id.

use std::iter;

use beekeepr_model::SegmentId;

use crate::{int, kind};

/// Groups in one list: their count is one byte.
pub(crate) const GROUPS_MAX: usize = 255;
/// Ids written into one group. 256 would fit a page, but wraps the count to 0, and p2p-media-loader
/// up to 4.x then loses the whole announcement (measured on 2.3.1); a second group of one saves it.
const GROUP_IDS_MAX: usize = 255;
/// What a count of 0 means: such a peer wrote a whole page. No sender writes an empty group.
const GROUP_IDS_WRAPPED: usize = 256;
/// The bits of an id, or of a count, that are not the page's.
const LOW: i64 = 0xff;

/// The page that an id is in.
pub(crate) const fn page(id: SegmentId) -> i64 {
    id.0 & !LOW
}

/// The page and the number of ids that the head of a group tells.
pub(crate) const fn head(group: i64) -> (i64, usize) {
    let count = match (group & LOW) as usize {
        0 => GROUP_IDS_WRAPPED,
        count => count,
    };
    (group & !LOW, count)
}

/// Writes the ids page by page, the pages in the order in which they first occur, as upstream does.
/// Of more groups than fit, those of the highest ids, which are the newest of a live stream.
pub(crate) fn write(out: &mut Vec<u8>, ids: &[SegmentId]) {
    // The engine's lists are, and then their pages lie side by side.
    if ids.is_sorted() {
        return write_pages(out, ids);
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    if groups(&sorted).count() <= GROUPS_MAX {
        sorted = in_order_of_pages(ids);
    }
    write_pages(out, &sorted);
}

/// Writes ids that lie by page already; of more groups than fit, the last ones.
fn write_pages(out: &mut Vec<u8>, ids: &[SegmentId]) {
    let count = groups(ids).count();
    let surplus = count.saturating_sub(GROUPS_MAX);
    out.push(kind::IDS << 4);
    out.push((count - surplus) as u8);
    for group in groups(ids).skip(surplus) {
        int::write(out, page(group[0]) | group.len() as i64);
        out.extend(group.iter().map(|id| id.0 as u8));
    }
}

/// The groups of ids that lie by page already; none is empty.
fn groups(mut ids: &[SegmentId]) -> impl Iterator<Item = &[SegmentId]> {
    iter::from_fn(move || {
        let first = page(*ids.first()?);
        let alike = ids.partition_point(|id| page(*id) == first);
        ids.split_off(..alike.min(GROUP_IDS_MAX))
    })
}

/// The ids by their pages' first occurrence. The pages must be as few as a list's groups.
fn in_order_of_pages(ids: &[SegmentId]) -> Vec<SegmentId> {
    let mut pages = Vec::new();
    let mut ordered = Vec::with_capacity(ids.len());
    for &id in ids {
        let first = page(id);
        if !pages.contains(&first) {
            pages.push(first);
            ordered.extend(ids.iter().filter(|id| page(**id) == first));
        }
    }
    ordered
}
