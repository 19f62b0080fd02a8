//! A live channel that needs no encoder: the wall clock says which segments there are, and their
//! numbers say what is in them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use beekeepr_model::Random;
use ring::digest::{Digest, SHA256, digest};

/// The first segment's number; above what one byte holds, as that of a channel that runs for a while.
const FIRST: u64 = 1_000;

/// When which segment is there, and how large it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    began: Instant,
    segment: Duration,
    bytes: usize,
    listed: u64,
}

impl Live {
    /// A channel that begins now with a full playlist of `listed` segments.
    pub(crate) fn new(
        began: Instant,
        segment: Duration,
        bits_per_second: f64,
        listed: u64,
    ) -> Self {
        Self {
            began,
            segment,
            bytes: (bits_per_second * segment.as_secs_f64() / 8.0) as usize,
            listed,
        }
    }

    pub(crate) fn segment(&self) -> Duration {
        self.segment
    }

    pub(crate) fn segment_bytes(&self) -> usize {
        self.bytes
    }

    /// The numbers in the playlist.
    pub(crate) fn window(&self, now: Instant) -> std::ops::Range<u64> {
        let passed = now.saturating_duration_since(self.began).as_nanos() / self.segment.as_nanos();
        let first = FIRST + u64::try_from(passed).unwrap_or(u64::MAX - FIRST - self.listed);
        first..first + self.listed
    }

    /// When a segment came into the playlist.
    pub(crate) fn published(&self, number: u64) -> Instant {
        let after = number.saturating_sub(FIRST + self.listed - 1);
        self.began + self.segment.mul_f64(after as f64)
    }

    pub(crate) fn playlist(&self, now: Instant) -> String {
        let window = self.window(now);
        let seconds = self.segment.as_secs_f64();
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{}\n",
            seconds.ceil(),
            window.start
        );
        for number in window {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "#EXTINF:{seconds:.3},\n/segment/{number}.ts");
        }
        text
    }

    /// What is in a segment: noise, other noise in each.
    pub(crate) fn content(&self, number: u64) -> Vec<u8> {
        let mut random = Random::new(number);
        let mut bytes = Vec::with_capacity(self.bytes + 8);
        while bytes.len() < self.bytes {
            bytes.extend(random.next_u64().to_le_bytes());
        }
        bytes.truncate(self.bytes);
        bytes
    }

    pub(crate) fn digest(&self, number: u64) -> Digest {
        digest(&SHA256, &self.content(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        Live::new(Instant::now(), Duration::from_secs(2), 1e6, 5)
    }

    #[test]
    fn the_window_slides_by_one_with_each_segment() {
        let live = live();
        let at = |ms| live.window(live.began + Duration::from_millis(ms));
        assert_eq!(at(0), 1_000..1_005);
        assert_eq!(at(1_999), 1_000..1_005);
        assert_eq!(at(2_000), 1_001..1_006);
        assert_eq!(at(20_000), 1_010..1_015);
    }

    #[test]
    fn a_segment_is_published_when_the_window_reaches_it() {
        let live = live();
        assert_eq!(live.published(1_000), live.began);
        assert_eq!(live.published(1_004), live.began);
        for number in 1_005..1_010 {
            let at = live.published(number);
            assert!(live.window(at).contains(&number));
            assert!(!live.window(at - Duration::from_millis(1)).contains(&number));
        }
    }

    #[test]
    fn the_playlist_lists_the_window() {
        let live = live();
        let text = live.playlist(live.began + Duration::from_secs(2));
        assert!(text.contains("#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1001\n"));
        assert!(text.contains("#EXTINF:2.000,\n/segment/1001.ts\n"));
        assert!(text.ends_with("/segment/1005.ts\n"));
        assert_eq!(text.matches("#EXTINF").count(), 5);
    }

    #[test]
    fn segments_have_the_bitrate_and_differ() {
        let live = live();
        assert_eq!(live.segment_bytes(), 250_000);
        assert_eq!(live.content(1_001).len(), 250_000);
        assert_eq!(live.digest(1_001).as_ref(), live.digest(1_001).as_ref());
        assert_ne!(live.digest(1_001).as_ref(), live.digest(1_002).as_ref());
    }
}
