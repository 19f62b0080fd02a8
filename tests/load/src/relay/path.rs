//! One direction of a network: when does a packet arrive, if it does?

use std::time::{Duration, Instant};

/// What the network does to packets, in each direction.
#[derive(clap::Args, Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    /// Milliseconds from one end to the other; half of the round trip time.
    #[arg(long, default_value_t = 0.0, value_parser = milliseconds)]
    pub(crate) delay_ms: f64,
    /// Milliseconds that a packet may take more or less; packets overtake each other.
    #[arg(long, default_value_t = 0.0, value_parser = milliseconds)]
    pub(crate) jitter_ms: f64,
    /// Share of packets that are lost, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub(crate) loss: f64,
    /// Megabits a second; packets wait in a queue before it.
    #[arg(long, value_parser = megabits)]
    pub(crate) mbit: Option<f64>,
}

impl Shape {
    /// Whether there is anything to do at all.
    pub(crate) fn is_plain(&self) -> bool {
        self.delay_ms == 0.0 && self.jitter_ms == 0.0 && self.loss == 0.0 && self.mbit.is_none()
    }
}

/// The longest wait before the bottleneck; what comes then is dropped. Home routers hold 100 to 300 ms.
const QUEUE_MAX: Duration = Duration::from_millis(200);

fn milliseconds(text: &str) -> Result<f64, String> {
    in_range(text, 0.0, 10_000.0, "0 to 10000 milliseconds")
}

fn share(text: &str) -> Result<f64, String> {
    in_range(text, 0.0, 1.0, "a share from 0 to 1, such as 0.01")
}

fn megabits(text: &str) -> Result<f64, String> {
    in_range(text, 0.01, 100_000.0, "0.01 to 100000 megabits a second")
}

fn in_range(text: &str, from: f64, to: f64, expected: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number
        .filter(|number| (from..=to).contains(number))
        .ok_or_else(|| format!("expected {expected}"))
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Path {
    shape: Shape,
    random: beekeepr_model::Random,
    /// When the bottleneck has sent what it has.
    free_at: Option<Instant>,
}

impl Path {
    pub(crate) fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            random: beekeepr_model::Random::new(seed),
            free_at: None,
        }
    }

    /// When a packet of so many bytes arrives that enters now; `None` when it is lost.
    pub(crate) fn pass(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        if self.chance() < self.shape.loss {
            return None;
        }
        let sent = self.through_bottleneck(now, bytes)?;
        let off = (2.0 * self.chance() - 1.0) * self.shape.jitter_ms;
        let delay_ms = (self.shape.delay_ms + off).max(0.0);
        Some(sent + Duration::from_secs_f64(delay_ms / 1e3))
    }

    fn through_bottleneck(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let Some(mbit) = self.shape.mbit else {
            return Some(now);
        };
        let begin = self.free_at.map_or(now, |free_at| free_at.max(now));
        if begin - now > QUEUE_MAX {
            return None;
        }
        let end = begin + Duration::from_secs_f64(bytes as f64 * 8.0 / (mbit * 1e6));
        self.free_at = Some(end);
        Some(end)
    }

    /// Even from 0 to 1.
    fn chance(&mut self) -> f64 {
        const STEPS: usize = 1 << 24;
        self.random.below(STEPS) as f64 / STEPS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Shape = Shape {
        delay_ms: 0.0,
        jitter_ms: 0.0,
        loss: 0.0,
        mbit: None,
    };

    #[test]
    fn without_a_shape_packets_arrive_at_once() {
        let now = Instant::now();
        assert!(PLAIN.is_plain());
        assert_eq!(Path::new(PLAIN, 1).pass(now, 1_500), Some(now));
    }

    #[test]
    fn a_delay_moves_every_packet() {
        let now = Instant::now();
        let mut path = Path::new(
            Shape {
                delay_ms: 25.0,
                ..PLAIN
            },
            1,
        );
        assert_eq!(path.pass(now, 1), Some(now + Duration::from_millis(25)));
    }

    #[test]
    fn jitter_stays_in_its_bounds() {
        let now = Instant::now();
        let shape = Shape {
            delay_ms: 20.0,
            jitter_ms: 5.0,
            ..PLAIN
        };
        let mut path = Path::new(shape, 1);
        let waits: Vec<Duration> = (0..1_000)
            .filter_map(|_| path.pass(now, 1))
            .map(|at| at - now)
            .collect();
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*least >= Duration::from_millis(15) && *least < Duration::from_millis(16));
        assert!(*most <= Duration::from_millis(25) && *most > Duration::from_millis(24));
    }

    #[test]
    fn as_many_packets_are_lost_as_was_said() {
        let now = Instant::now();
        let mut path = Path::new(
            Shape {
                loss: 0.01,
                ..PLAIN
            },
            1,
        );
        let lost = (0..100_000).filter(|_| path.pass(now, 1).is_none()).count();
        assert!((900..1_100).contains(&lost), "{lost}");
    }

    #[test]
    fn the_bottleneck_sends_one_after_the_other_and_drops_what_waits_too_long() {
        let now = Instant::now();
        let mut path = Path::new(
            Shape {
                mbit: Some(1.0),
                ..PLAIN
            },
            1,
        );
        // 1,250 bytes at 1 Mbit/s take 10 ms.
        assert_eq!(path.pass(now, 1_250), Some(now + Duration::from_millis(10)));
        assert_eq!(path.pass(now, 1_250), Some(now + Duration::from_millis(20)));
        let passed = (0..100).filter(|_| path.pass(now, 1_250).is_some()).count();
        assert_eq!(passed, 19, "with the two before them 210 ms");
        let later = now + Duration::from_secs(1);
        assert_eq!(
            path.pass(later, 1_250),
            Some(later + Duration::from_millis(10))
        );
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        assert_eq!(share("0.01"), Ok(0.01));
        for wrong in ["1.5", "-0.1", "1%", "NaN", ""] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert!(milliseconds("-1").is_err() && milliseconds("inf").is_err());
        assert!(megabits("0").is_err());
    }
}
