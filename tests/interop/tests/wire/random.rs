//! Commands as peers write them, and a little worse.

use beekeepr_model::SegmentId;
use beekeepr_peer_proto::{Command, INT_MAX};

/// SplitMix64, after Steele, Lea and Flood 2014: a few lines, the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number of any size up to the wire's, each number of bits as likely as the next.
    fn magnitude(&mut self) -> i64 {
        let bits = self.below(54) as u32;
        (self.next() & ((1 << bits) - 1)) as i64
    }

    pub(crate) fn number(&mut self) -> i64 {
        match self.below(8) {
            0 => INT_MAX,
            1 => -INT_MAX,
            2 | 3 => -self.magnitude(),
            _ => self.magnitude(),
        }
    }

    fn bytes(&mut self) -> u64 {
        self.magnitude().unsigned_abs()
    }

    /// The first id of a run; the run stays within the wire's numbers.
    fn first(&mut self) -> i64 {
        let first = self.number().clamp(-INT_MAX, INT_MAX - 100_000);
        // A run of a page is whole only if it begins with one.
        if self.below(2) == 0 {
            first
        } else {
            (first & !0xff).max(-INT_MAX)
        }
    }

    fn ids(&mut self) -> Vec<SegmentId> {
        let first = self.first();
        let mut ids: Vec<i64> = match self.below(12) {
            0 | 1 => Vec::new(),
            // A live window, a film, pages around the full one.
            2..=4 => (first..first + self.below(40) as i64).collect(),
            5 => (first..first + self.below(1500) as i64).collect(),
            6 => (first..first + 254 + self.below(5) as i64).collect(),
            // With holes; anywhere; each in a page of its own, in more pages than a list has.
            7 => (first..first + 400).filter(|_| self.below(3) > 0).collect(),
            8 => (0..self.below(60)).map(|_| self.number()).collect(),
            9 => (0..200 + self.below(100) as i64)
                .map(|page| first + page * 0x100)
                .collect(),
            // Doubles, as the ids of segments below half a second in DASH.
            10 => (0..self.below(300) as i64)
                .map(|id| first + id / 2)
                .collect(),
            _ => (0..self.below(900) as i64)
                .map(|id| first + id * 7 % 2000)
                .collect(),
        };
        match self.below(4) {
            0 => ids.reverse(),
            1 => ids.sort_by_cached_key(|_| self.next()),
            _ => {}
        }
        ids.into_iter().map(SegmentId).collect()
    }

    pub(crate) fn command(&mut self) -> Command {
        let (segment, request) = (SegmentId(self.number()), self.number());
        match self.below(8) {
            1 => Command::SegmentRequest {
                segment,
                request,
                offset: self.below(2) * self.bytes(),
            },
            2 => Command::SegmentData {
                segment,
                request,
                size: self.bytes(),
            },
            3 => Command::SegmentDataSendingCompleted { segment, request },
            4 => Command::SegmentAbsent { segment, request },
            5 => Command::CancelSegmentRequest { segment, request },
            _ => Command::SegmentsAnnouncement {
                loaded: self.ids(),
                loading: self.ids(),
            },
        }
    }

    /// The largest message: as configured mostly, or small enough for several.
    pub(crate) fn message_bytes_max(&mut self) -> usize {
        match self.below(4) {
            0 => 9 + self.below(60) as usize,
            1 => 9 + self.below(2000) as usize,
            _ => 65_535,
        }
    }
}
