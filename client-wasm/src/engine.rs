//! What JavaScript calls: what happened, and the actions that follow.

use beekeepr_engine::{Config, ConnKey, Input, ListedSegment, StreamKey};
use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};

use crate::action::{Action, Parts, flatten};
use crate::input::{self, Kind};
use crate::settings;

/// Numbers in the flat list of [`Engine::segments_listed`] for each segment: id, start, end.
const NUMBERS_PER_SEGMENT: usize = 3;

/// The engine, as JavaScript drives it. `now` is in milliseconds and never runs backwards.
#[derive(Debug)]
pub struct Engine {
    inner: beekeepr_engine::Engine,
    config: Config,
    parts: Parts,
}

impl Engine {
    /// An engine in which nothing has happened yet. The settings are listed in
    /// `js/src/settings.json`; NaN means the default.
    #[must_use]
    pub fn new(now: f64, seed_high: u32, seed_low: u32, values: &[f64]) -> Self {
        let mut config = Config::default();
        settings::apply(&mut config, values);
        // JavaScript has no 64-bit integers that cross cheaply.
        let seed = u64::from(seed_high) << 32 | u64::from(seed_low);
        let inner = beekeepr_engine::Engine::new(config, seed, time(now));
        Self {
            inner,
            config,
            parts: Parts::default(),
        }
    }

    /// Changes settings while running; NaN leaves one as it is.
    pub fn configure(&mut self, now: f64, values: &[f64]) {
        settings::apply(&mut self.config, values);
        self.inner.configure(time(now), self.config);
    }

    /// Takes the next action: returns its kind (`js/src/action.ts`) and keeps its numbers, text and data for
    /// [`Self::number`] and [`Self::data`].
    pub fn poll(&mut self) -> u32 {
        let Some(output) = self.inner.poll() else {
            return Action::None as u32;
        };
        flatten(output, &mut self.parts) as u32
    }

    /// A number of the last action, or of the last placement (segment, offset, total); NaN beyond
    /// the end.
    #[must_use]
    pub fn number(&self, index: usize) -> f64 {
        self.parts.numbers.get(index).copied().unwrap_or(f64::NAN)
    }

    /// What comes with the last action, a text in UTF-8 or a message; it can be taken once.
    pub fn data(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.parts.data)
    }

    /// When [`Kind::Tick`] is due; NaN for never.
    #[must_use]
    pub fn deadline(&self) -> f64 {
        self.inner
            .deadline()
            .map_or(f64::NAN, |time| time.as_ms() as f64)
    }

    /// Something happened: its kind, numbers and text as `input.rs` lists them. A kind that does not exist and
    /// ids that are none are ignored.
    pub fn tell(&mut self, now: f64, kind: u32, a: f64, b: f64, c: f64, text: &str) {
        let Some(kind) = Kind::of(kind) else {
            return;
        };
        let message = input::message(kind, [a, b, c], text);
        if let Some(input) = input::input(kind, [a, b, c], text, message.as_ref()) {
            self.handle(now, input);
        }
    }

    /// A stream is there to be shared: the bytes of the ids of swarm and self. Nothing is done when an id is none.
    pub fn stream_added(&mut self, now: f64, stream: u32, ids: &[f64]) {
        let mut ids = ids.iter();
        if let (Some(info_hash), Some(peer_id)) = (take_id(&mut ids), take_id(&mut ids)) {
            let stream = StreamKey(stream);
            let (info_hash, peer_id) = (InfoHash(info_hash), PeerId(peer_id));
            self.handle(
                now,
                Input::StreamAdded {
                    stream,
                    info_hash,
                    peer_id,
                },
            );
        }
    }

    /// Viewers of a stream also meet in another swarm, in which segments have other numbers: the bytes of its id, then
    /// pairs of our numbers and the swarm's, none when all are the same.
    pub fn swarm_added(&mut self, now: f64, stream: u32, numbers: &[f64]) {
        let mut numbers = numbers.iter();
        let Some(info_hash) = take_id(&mut numbers) else {
            return;
        };
        let pairs = numbers.as_slice().chunks_exact(2);
        let number = |number: f64| SegmentId(number as i64);
        let numbers: Vec<_> = pairs
            .map(|pair| (number(pair[0]), number(pair[1])))
            .collect();
        self.handle(
            now,
            Input::SwarmAdded {
                stream: StreamKey(stream),
                info_hash: InfoHash(info_hash),
                numbers: &numbers,
            },
        );
    }

    /// A playlist was read: id, start and end (in ms) of each segment.
    pub fn segments_listed(&mut self, now: f64, stream: u32, live: bool, numbers: &[f64]) {
        let segments: Vec<ListedSegment> = numbers
            .chunks_exact(NUMBERS_PER_SEGMENT)
            .map(|one| ListedSegment {
                id: SegmentId(one[0] as i64),
                start_ms: one[1] as i64,
                end_ms: one[2] as i64,
            })
            .collect();
        let stream = StreamKey(stream);
        self.handle(
            now,
            Input::SegmentsListed {
                stream,
                live,
                segments: &segments,
            },
        );
    }

    /// A command message came.
    pub fn command(&mut self, now: f64, conn: u32, message: &[u8]) {
        self.handle(
            now,
            Input::Command {
                conn: ConnKey(conn),
                message,
            },
        );
    }

    /// Whether somebody waits for these segment bytes. If so, [`Self::number`] tells where they
    /// belong (segment, offset, total), and they must be stored before the next call.
    pub fn place(&mut self, now: f64, conn: u32, bytes: usize) -> bool {
        let Some(placement) = self.inner.place(time(now), ConnKey(conn), bytes) else {
            return false;
        };
        self.parts.placement(placement);
        true
    }

    fn handle(&mut self, now: f64, input: Input<'_>) {
        self.inner.handle(time(now), input);
    }
}

/// The next 20 numbers, each of which is a byte.
fn take_id(numbers: &mut std::slice::Iter<'_, f64>) -> Option<[u8; 20]> {
    let mut id = [0; 20];
    for byte in &mut id {
        *byte = u8::try_from(*numbers.next()? as u32).ok()?;
    }
    Some(id)
}

/// Conversions from `f64` saturate and take NaN for 0.
fn time(now: f64) -> Time {
    Time::from_ms(now as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        Engine::new(0.0, 1, 2, &[])
    }

    #[test]
    fn an_idle_engine_asks_for_nothing() {
        let mut engine = engine();
        engine.tell(1.0, Kind::Tick as u32, 0.0, 0.0, 0.0, "");
        assert_eq!(engine.poll(), Action::None as u32);
        assert!(engine.number(99).is_nan());
    }

    #[test]
    fn ids_that_are_none_are_refused() {
        let ids = [f64::from(b'a'); 40];
        let joins = |ids: &[f64]| {
            let mut engine = engine();
            engine.stream_added(0.0, 1, ids);
            !engine.deadline().is_nan()
        };
        assert!(joins(&ids));
        assert!(!joins(&ids[1..]));
        assert!(!joins(&[256.0; 40]));
    }

    #[test]
    fn hostile_numbers_and_messages_do_no_harm() {
        let mut engine = engine();
        engine.segments_listed(f64::NAN, 7, true, &[f64::INFINITY, -1.0, f64::NAN, 4.0]);
        engine.command(1.0, 9, b"cstr");
        for kind in 0..99 {
            engine.tell(-5.0, kind, f64::NEG_INFINITY, f64::NAN, f64::INFINITY, "{");
        }
        assert!(!engine.place(1.0, 9, usize::MAX));
    }
}
