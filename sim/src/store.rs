//! Segments as a node holds them: how many bytes are there and whether they are right. No byte is ever real.

use std::collections::BTreeMap;

use beekeepr_engine::SegmentKey;

/// The segments of one node.
#[derive(Debug, Default)]
pub(crate) struct Store {
    segments: BTreeMap<SegmentKey, Held>,
    bytes: u64,
}

/// What is there of a segment.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// From where to where, sorted, no two touching.
    runs: Vec<(u64, u64)>,
    /// Bytes that came from a polluter are among them.
    pub(crate) is_bad: bool,
    /// The player has got it.
    pub(crate) is_played: bool,
}

impl Held {
    fn bytes(&self) -> u64 {
        self.runs.iter().map(|(start, end)| end - start).sum()
    }

    /// Whether bytes from `start` to `end` are there.
    pub(crate) fn covers(&self, start: u64, end: u64) -> bool {
        self.runs
            .iter()
            .any(|&(from, to)| from <= start && end <= to)
    }

    fn put(&mut self, start: u64, end: u64) {
        let place = self.runs.partition_point(|&(_, to)| to < start);
        let (mut from, mut to, mut last) = (start, end, place);
        while let Some(&(next_from, next_to)) = self.runs.get(last)
            && next_from <= to
        {
            from = from.min(next_from);
            to = to.max(next_to);
            last += 1;
        }
        self.runs.splice(place..last, [(from, to)]);
    }
}

impl Store {
    /// Puts bytes where the engine said. True when some of them were there already.
    pub(crate) fn put(&mut self, key: SegmentKey, offset: u64, bytes: u64, is_bad: bool) -> bool {
        let held = self.segments.entry(key).or_default();
        let before = held.bytes();
        held.put(offset, offset + bytes);
        held.is_bad |= is_bad;
        let added = held.bytes() - before;
        self.bytes += added;
        added < bytes
    }

    pub(crate) fn remove(&mut self, key: SegmentKey) {
        if let Some(held) = self.segments.remove(&key) {
            self.bytes -= held.bytes();
        }
    }

    pub(crate) fn get(&self, key: SegmentKey) -> Option<&Held> {
        self.segments.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: SegmentKey) -> Option<&mut Held> {
        self.segments.get_mut(&key)
    }

    /// Whether bytes of a segment are there to be sent.
    pub(crate) fn has(&self, key: SegmentKey, start: u64, end: u64) -> bool {
        self.get(key).is_some_and(|held| held.covers(start, end))
    }

    /// Bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that the player has not got yet.
    pub(crate) fn unplayed_bytes(&self) -> u64 {
        let unplayed = self.segments.values().filter(|held| !held.is_played);
        unplayed.map(Held::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use beekeepr_engine::StreamKey;
    use beekeepr_model::SegmentId;

    use super::*;

    const KEY: SegmentKey = SegmentKey {
        stream: StreamKey(0),
        id: SegmentId(7),
    };

    #[test]
    fn parts_grow_together() {
        let mut store = Store::default();
        assert!(!store.put(KEY, 0, 10, false));
        assert!(!store.put(KEY, 20, 10, false));
        assert!(!store.has(KEY, 0, 30));
        assert!(!store.put(KEY, 10, 10, false));
        assert!(store.has(KEY, 0, 30));
        assert!(store.put(KEY, 25, 10, true), "half of it was there");
        assert_eq!((store.bytes(), store.unplayed_bytes()), (35, 35));
        store.remove(KEY);
        assert_eq!(store.bytes(), 0);
    }
}
