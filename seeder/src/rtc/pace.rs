//! How much may be on its way to a peer, and how fast it may be put there.
//!
//! Chromium's UDP receive buffer holds 131,072 bytes, and what runs over costs far more than it
//! brought: with 64 KiB in flight over loopback no datagram was lost, with 128 KiB hundreds, and
//! the rate halved. On a long path the same bytes are spread over the path and would only bound the
//! rate (64 KiB in 50 ms are 10 Mbit/s). So a short path gets a window of 64 KiB, and a longer one
//! twice what it was seen to deliver in a round trip, entered in bursts of at most 64 KiB. Below
//! this sits the congestion window of SCTP, which decides what the network bears; twice what is
//! delivered keeps it filled and piles up no more than another window of the kind.

use std::time::{Duration, Instant};

use super::SEND_WINDOW_BYTES;

/// What a millisecond of round trip, beyond [`SHORT_PATH`], may add to the window: 200 Mbit/s for one
/// viewer, which is forty times what a stream of 1080p takes.
const BYTES_PER_MS: usize = 25_000;

/// Round trips that a busy machine makes of a path within it.
const SHORT_PATH: Duration = Duration::from_millis(5);

/// Bytes of the widest window: 320 Mbit/s at 50 ms. Browsers' receive windows end between one and
/// five megabytes.
const WINDOW_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Round trips that are measured before the shortest of them is believed: a packet that comes alone
/// is acknowledged 200 ms late.
const SAMPLES_MIN: u32 = 8;

/// Between two bursts of [`SEND_WINDOW_BYTES`] on a long path.
const BURST_INTERVAL: Duration = Duration::from_millis(1);

/// Messages under way whose acknowledgement is awaited.
struct Probe {
    /// Acknowledged when this many bytes are.
    until: u64,
    began: Instant,
    acknowledged: u64,
}

/// One peer's allowance.
pub(super) struct Pace {
    /// Bytes sent in all.
    sent: u64,
    probe: Option<Probe>,
    samples: u32,
    /// The shortest round trip so far: the path alone, without queues.
    round_trip: Duration,
    /// Bytes that the path was last seen to deliver in such a time.
    trip_bytes: usize,
    /// Bytes of the present burst, and when it began.
    burst_bytes: usize,
    burst_began: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sent: 0,
            probe: None,
            samples: 0,
            round_trip: Duration::MAX,
            trip_bytes: 0,
            burst_bytes: 0,
            burst_began: now,
        }
    }

    /// Takes note of how many bytes are still unacknowledged.
    pub(super) fn observe(&mut self, now: Instant, outstanding: usize) {
        let acknowledged = self.sent.saturating_sub(outstanding as u64);
        let Some(probe) = &self.probe else {
            return;
        };
        if acknowledged < probe.until {
            return;
        }
        let took = now.saturating_duration_since(probe.began);
        let delivered = acknowledged - probe.acknowledged;
        self.probe = None;
        self.samples = self.samples.saturating_add(1);
        self.round_trip = self.round_trip.min(took);
        let took = took.as_micros().max(1);
        let trip = self.round_trip.as_micros().max(1);
        let trip_bytes = u128::from(delivered) * trip / took;
        // One bad round is forgiven by an eighth.
        self.trip_bytes = usize::try_from(trip_bytes)
            .unwrap_or(usize::MAX)
            .max(self.trip_bytes / 8 * 7);
    }

    /// Whether a message may join `outstanding` bytes, and counts it if so. One may always go alone.
    pub(super) fn allows(&mut self, now: Instant, outstanding: usize, bytes: usize) -> bool {
        let after = outstanding + bytes;
        if outstanding > 0 && after > self.window() {
            return false;
        }
        if self.burst_began + BURST_INTERVAL <= now {
            self.burst_began = now;
            self.burst_bytes = 0;
        }
        if outstanding > 0
            && after > SEND_WINDOW_BYTES
            && self.burst_bytes + bytes > SEND_WINDOW_BYTES
        {
            return false;
        }
        self.burst_bytes += bytes;
        self.count(now, outstanding, bytes);
        true
    }

    fn count(&mut self, now: Instant, outstanding: usize, bytes: usize) {
        let acknowledged = self.sent.saturating_sub(outstanding as u64);
        self.sent += bytes as u64;
        let until = self.sent;
        self.probe.get_or_insert(Probe {
            until,
            began: now,
            acknowledged,
        });
    }

    /// When the next burst may begin, if one was cut short.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let next = self.burst_began + BURST_INTERVAL;
        (self.window() > SEND_WINDOW_BYTES && next > now).then_some(next)
    }

    /// What of `outstanding` bytes is more than a long path holds by its nature: the part that a
    /// caller, who keeps 64 KiB under way, has to count.
    pub(super) fn beyond_path(&self, outstanding: usize) -> usize {
        outstanding.saturating_sub(self.window() - SEND_WINDOW_BYTES)
    }

    fn window(&self) -> usize {
        if self.samples < SAMPLES_MIN {
            return SEND_WINDOW_BYTES;
        }
        let beyond = self.round_trip.saturating_sub(SHORT_PATH).as_millis();
        let widest = usize::try_from(beyond)
            .unwrap_or(usize::MAX)
            .saturating_mul(BYTES_PER_MS)
            .saturating_add(SEND_WINDOW_BYTES)
            .min(WINDOW_BYTES_MAX);
        // Twice the short path's window at least: of messages of 64 KiB, what p2p-media-loader sends,
        // only one would be under way else, and nothing behind it to show that its end was lost.
        self.trip_bytes
            .max(SEND_WINDOW_BYTES)
            .saturating_mul(2)
            .min(widest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    /// A sender that always has something to send, and a path that acknowledges everything a
    /// round trip after it was sent, as far as `rate` lets it.
    struct Path {
        pace: Pace,
        now: Instant,
        trip: Duration,
        bytes_per_ms: usize,
        /// When what was sent is acknowledged.
        under_way: std::collections::VecDeque<(Instant, usize)>,
        outstanding: usize,
        most: usize,
    }

    impl Path {
        fn new(trip_ms: u64, bytes_per_ms: usize) -> Self {
            let now = Instant::now();
            Self {
                pace: Pace::new(now),
                now,
                trip: Duration::from_millis(trip_ms),
                bytes_per_ms,
                under_way: std::collections::VecDeque::new(),
                outstanding: 0,
                most: 0,
            }
        }

        fn run(mut self, ms: usize) -> Self {
            for _ in 0..ms {
                self.now += BURST_INTERVAL;
                let mut room = self.bytes_per_ms;
                while let Some((due, bytes)) = self.under_way.front_mut()
                    && *due <= self.now
                    && room > 0
                {
                    let part = room.min(*bytes);
                    (room, *bytes) = (room - part, *bytes - part);
                    self.outstanding -= part;
                    if *bytes == 0 {
                        self.under_way.pop_front();
                    }
                }
                self.send();
            }
            self
        }

        fn send(&mut self) {
            self.pace.observe(self.now, self.outstanding);
            let before = self.outstanding;
            while self.pace.allows(self.now, self.outstanding, 16 * KIB) {
                self.outstanding += 16 * KIB;
                self.under_way.push_back((self.now + self.trip, 16 * KIB));
            }
            assert!(self.outstanding - before <= 64 * KIB, "a burst too long");
            self.most = self.most.max(self.outstanding);
        }
    }

    #[test]
    fn a_short_path_holds_64_kib_however_fast_it_is() {
        for trip_ms in [0, 1, 5] {
            let path = Path::new(trip_ms, 1 << 20).run(1_000);
            assert_eq!(path.most, 64 * KIB, "{trip_ms} ms");
            assert_eq!(path.pace.due(path.now), None);
            assert_eq!(path.pace.beyond_path(64 * KIB), 64 * KIB);
        }
    }

    #[test]
    fn a_long_fast_path_is_filled_in_bursts() {
        let path = Path::new(50, 1 << 20).run(3_000);
        let widest = SEND_WINDOW_BYTES + 45 * BYTES_PER_MS;
        assert!(path.most > widest / 10 * 9, "{}", path.most);
        assert!(path.most <= widest);
        assert!(path.pace.beyond_path(path.outstanding) <= 64 * KIB);
    }

    #[test]
    fn a_long_slow_path_is_not_heaped_up() {
        // 2 Mbit/s are 250 bytes in a millisecond.
        let path = Path::new(50, 250).run(20_000);
        assert_eq!(path.most, 128 * KIB);
    }

    #[test]
    fn a_late_first_acknowledgement_widens_nothing() {
        let mut path = Path::new(200, 1 << 20).run(900);
        assert_eq!(path.most, 64 * KIB);
        path.trip = Duration::ZERO;
        let path = path.run(1_000);
        assert_eq!(path.pace.window(), 64 * KIB);
    }

    #[test]
    fn a_message_longer_than_the_window_goes_alone() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        assert!(pace.allows(now, 0, 256 * KIB));
        assert!(!pace.allows(now, 256 * KIB, 1));
    }
}
