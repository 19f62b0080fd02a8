//! A clip looped on the wall clock: which segments exist now is a function of the time alone, so
//! that a restart, or a second machine, goes on with the same stream.

use std::fmt::Write as _;

/// Segments in the playlist: 30 s of the demo clip. Our client plays 10 s behind the edge; the rest
/// is what peers can still give each other, and where a viewer on a busy machine may fall back to.
const WINDOW_SEGMENTS: u64 = 15;

/// Sequence 0 begins with 2026, in Unix milliseconds: sequences stay small and readable.
const EPOCH_MS: u64 = 1_767_225_600_000;

/// The loop of one rendition.
#[derive(Debug)]
pub(crate) struct Ring {
    /// Of the clip's segments, in order; never empty, never zero.
    durations_ms: Vec<u64>,
    loop_ms: u64,
}

impl Ring {
    /// `None` for a clip without segments or with one that has no duration.
    pub(crate) fn new(durations_ms: Vec<u64>) -> Option<Self> {
        let loop_ms = durations_ms.iter().sum();
        let is_valid = !durations_ms.is_empty() && !durations_ms.contains(&0);
        is_valid.then_some(Self {
            durations_ms,
            loop_ms,
        })
    }

    /// How many segments have ended by `now_ms` (Unix time) since the first one: the sequence of
    /// the segment that is "being recorded" now.
    pub(crate) fn ended(&self, now_ms: u64) -> u64 {
        let since = now_ms - self.epoch_ms(now_ms);
        let mut rest = since % self.loop_ms;
        let in_loop = self.durations_ms.iter().take_while(|duration| {
            let has_ended = rest >= **duration;
            rest = rest.saturating_sub(**duration);
            has_ended
        });
        since / self.loop_ms * self.len() + in_loop.count() as u64
    }

    /// The sliding-window media playlist at `now_ms` (RFC 8216 6.2.2).
    pub(crate) fn playlist(&self, now_ms: u64) -> String {
        let end = self.ended(now_ms);
        let first = end.saturating_sub(WINDOW_SEGMENTS);
        let target_s = self
            .durations_ms
            .iter()
            .max()
            .copied()
            .unwrap_or(0)
            .div_ceil(1000);
        // A discontinuity before each loop but the very first. Those of segments that have left
        // the window are counted here; the one of the window's first segment is still in the text.
        let gone = first.saturating_sub(1) / self.len();
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{target_s}\n\
             #EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-DISCONTINUITY-SEQUENCE:{gone}\n\
             #EXT-X-INDEPENDENT-SEGMENTS\n"
        );
        for sequence in first..end {
            let starts_loop = sequence > 0 && sequence.is_multiple_of(self.len());
            if starts_loop {
                text.push_str("#EXT-X-DISCONTINUITY\n");
            }
            // Only where the time cannot be reckoned from the segment before.
            if starts_loop || sequence == first {
                let start = self.epoch_ms(now_ms) + self.start_ms(sequence);
                // Writing to a string cannot fail, here and below.
                let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{}", utc(start));
            }
            let duration = self.duration_ms(sequence);
            let (seconds, thousandths) = (duration / 1000, duration % 1000);
            let _ = writeln!(text, "#EXTINF:{seconds}.{thousandths:03},\n{sequence}.ts");
        }
        text
    }

    /// A machine whose clock was never set still gets a moving stream, counted from 1970.
    fn epoch_ms(&self, now_ms: u64) -> u64 {
        if now_ms >= EPOCH_MS { EPOCH_MS } else { 0 }
    }

    fn len(&self) -> u64 {
        self.durations_ms.len() as u64
    }

    fn index(&self, sequence: u64) -> usize {
        // Smaller than the length, which is a usize.
        (sequence % self.len()) as usize
    }

    fn duration_ms(&self, sequence: u64) -> u64 {
        self.durations_ms
            .get(self.index(sequence))
            .copied()
            .unwrap_or(0)
    }

    /// After the epoch.
    fn start_ms(&self, sequence: u64) -> u64 {
        let before = self
            .durations_ms
            .iter()
            .take(self.index(sequence))
            .sum::<u64>();
        sequence / self.len() * self.loop_ms + before
    }
}

fn utc(unix_ms: u64) -> humantime::Rfc3339Timestamp {
    let since = std::time::Duration::from_millis(unix_ms);
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT_MS: u64 = 2000;
    /// More than the window, so that it holds one border at most.
    const IN_LOOP: u64 = 20;
    const LOOP_MS: u64 = IN_LOOP * SEGMENT_MS;

    /// The text when `ended` segments have just ended.
    fn playlist(ended: u64) -> String {
        ring().playlist(EPOCH_MS + ended * SEGMENT_MS)
    }

    fn ring() -> Ring {
        Ring::new(vec![SEGMENT_MS; 20]).unwrap()
    }

    fn number(text: &str, tag: &str) -> u64 {
        text.lines()
            .find_map(|line| line.strip_prefix(tag))
            .unwrap()
            .parse()
            .unwrap()
    }

    /// What a player makes of it: each segment's address and discontinuity sequence.
    fn read(text: &str) -> Vec<(String, u64)> {
        let mut discontinuity = number(text, "#EXT-X-DISCONTINUITY-SEQUENCE:");
        let mut segments = Vec::new();
        for line in text.lines() {
            if line == "#EXT-X-DISCONTINUITY" {
                discontinuity += 1;
            } else if !line.starts_with('#') {
                segments.push((line.to_owned(), discontinuity));
            }
        }
        segments
    }

    #[test]
    fn the_window_holds_the_last_segments_that_have_ended() {
        let text = playlist(1234);
        assert_eq!(number(&text, "#EXT-X-MEDIA-SEQUENCE:"), 1219);
        let segments = read(&text);
        assert_eq!(segments.len(), 15);
        assert_eq!(segments.first().unwrap().0, "1219.ts");
        assert_eq!(segments.last().unwrap().0, "1233.ts");
    }

    #[test]
    fn a_segment_appears_when_it_has_ended_and_not_before() {
        let ring = ring();
        let end = EPOCH_MS + 100 * SEGMENT_MS;
        assert_eq!(ring.ended(end - 1), 99);
        assert_eq!(ring.ended(end), 100);
    }

    #[test]
    fn every_segment_keeps_its_discontinuity_sequence_while_the_window_slides() {
        // Longer than the window, the demo clip's own length, and a border before every segment.
        for in_loop in [20, 12, 1] {
            let ring = Ring::new(vec![SEGMENT_MS; in_loop]).unwrap();
            for ended in 1..=60 {
                for (address, discontinuity) in read(&ring.playlist(EPOCH_MS + ended * SEGMENT_MS))
                {
                    let sequence: u64 = address.strip_suffix(".ts").unwrap().parse().unwrap();
                    assert_eq!(
                        discontinuity,
                        sequence / in_loop as u64,
                        "{sequence} at {ended}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_loop_border_has_one_discontinuity_before_the_first_segment() {
        let text = playlist(2 * IN_LOOP + 3);
        assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1);
        let border = text.find("#EXT-X-DISCONTINUITY\n").unwrap();
        let next = text[border..]
            .lines()
            .find(|line| !line.starts_with('#'))
            .unwrap();
        assert_eq!(next, "40.ts");
    }

    #[test]
    fn a_border_at_the_windows_start_is_still_written_and_not_yet_counted() {
        let text = playlist(2 * IN_LOOP + WINDOW_SEGMENTS);
        assert_eq!(number(&text, "#EXT-X-MEDIA-SEQUENCE:"), 40);
        assert_eq!(number(&text, "#EXT-X-DISCONTINUITY-SEQUENCE:"), 1);
        assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1);
        let text = playlist(2 * IN_LOOP + WINDOW_SEGMENTS + 1);
        assert_eq!(number(&text, "#EXT-X-DISCONTINUITY-SEQUENCE:"), 2);
        assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 0);
    }

    #[test]
    fn the_time_is_told_at_the_start_and_after_each_border() {
        let text = playlist(IN_LOOP + 2);
        let times: Vec<&str> = text
            .lines()
            .filter_map(|it| it.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:"))
            .collect();
        assert_eq!(
            times,
            ["2026-01-01T00:00:14.000Z", "2026-01-01T00:00:40.000Z"]
        );
    }

    #[test]
    fn segments_may_have_different_durations() {
        let ring = Ring::new(vec![2000, 1920, 2080]).unwrap();
        let at = |ms| ring.ended(EPOCH_MS + 6000 * 7 + ms);
        assert_eq!(
            [at(0), at(1999), at(2000), at(3919), at(3920), at(5999)],
            [21, 21, 22, 22, 23, 23]
        );
        let text = ring.playlist(EPOCH_MS + 6000 * 7);
        assert_eq!(number(&text, "#EXT-X-TARGETDURATION:"), 3);
        assert!(text.contains("#EXTINF:1.920,\n"), "{text}");
    }

    #[test]
    fn a_clock_before_the_epoch_still_moves() {
        let ring = ring();
        assert_eq!(ring.ended(0), 0);
        assert_eq!(ring.ended(LOOP_MS), IN_LOOP);
        assert_eq!(read(&ring.playlist(0)).len(), 0);
    }

    #[test]
    fn a_clip_without_time_is_no_loop() {
        assert!(Ring::new(vec![]).is_none());
        assert!(Ring::new(vec![2000, 0]).is_none());
    }
}
