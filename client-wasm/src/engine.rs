//! What JavaScript calls: what happened, and the actions that follow.

use beekeepr_engine::{Config, ConnKey, Input, ListedSegment, StreamKey};
use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::action::{Action, Parts, flatten};
use crate::input::{self, Kind};
use crate::settings;

/// Numbers in the flat list of [`Engine::segments_listed`] for each segment: id, start, end.
const NUMBERS_PER_SEGMENT: usize = 3;

/// The engine, as JavaScript drives it. `now` is in milliseconds and never runs backwards.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    inner: beekeepr_engine::Engine,
    config: Config,
    parts: Parts,
}

#[wasm_bindgen]
impl Engine {
    /// An engine in which nothing has happened yet. The settings are listed in
    /// `js/src/settings.json`; NaN means the default.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(now: f64, seed_high: u32, seed_low: u32, values: &[f64]) -> Self {
        let config = settings::apply(Config::default(), values);
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
        self.config = settings::apply(self.config, values);
        self.inner.configure(time(now), self.config);
    }

    /// Takes the next action: returns its kind (`js/src/action.ts`) and keeps its numbers, text and data for
    /// [`Self::number`], [`Self::text`] and [`Self::data`].
    pub fn poll(&mut self) -> u32 {
        let Some(output) = self.inner.poll() else {
            return Action::None as u32;
        };
        let (kind, parts) = flatten(output);
        self.parts = parts;
        kind as u32
    }

    /// A number of the last action, or of the last placement (segment, offset, total); NaN beyond
    /// the end.
    #[must_use]
    pub fn number(&self, index: usize) -> f64 {
        self.parts.numbers.get(index).copied().unwrap_or(f64::NAN)
    }

    /// The text of the last action; it can be taken once.
    pub fn text(&mut self) -> String {
        std::mem::take(&mut self.parts.text)
    }

    /// The message of the last action; it can be taken once.
    pub fn data(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.parts.data)
    }

    /// When [`Self::tick`] is due; NaN for never.
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

    /// A stream is there to be shared. False, and nothing done, when an id has not 20 characters.
    #[wasm_bindgen(js_name = streamAdded)]
    pub fn stream_added(&mut self, now: f64, stream: u32, info_hash: &str, peer_id: &str) -> bool {
        let (Ok(info_hash), Ok(peer_id)) =
            (InfoHash::from_chars(info_hash), PeerId::from_chars(peer_id))
        else {
            return false;
        };
        self.handle(
            now,
            Input::StreamAdded {
                stream: StreamKey(stream),
                info_hash,
                peer_id,
            },
        );
        true
    }

    /// Viewers of a stream also meet in another swarm, in which segments have other numbers: pairs of ours and
    /// the swarm's, none when all are the same.
    #[wasm_bindgen(js_name = swarmAdded)]
    pub fn swarm_added(&mut self, now: f64, stream: u32, info_hash: &str, pairs: &[f64]) {
        let Ok(info_hash) = InfoHash::from_chars(info_hash) else {
            return;
        };
        let pairs = pairs.chunks_exact(2);
        let number = |number: f64| SegmentId(number as i64);
        let numbers: Vec<_> = pairs
            .map(|pair| (number(pair[0]), number(pair[1])))
            .collect();
        self.handle(
            now,
            Input::SwarmAdded {
                stream: StreamKey(stream),
                info_hash,
                numbers: &numbers,
            },
        );
    }

    /// A playlist was read: id, start and end (in ms) of each segment.
    #[wasm_bindgen(js_name = segmentsListed)]
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
        self.parts = Parts::placement(placement);
        true
    }

    fn handle(&mut self, now: f64, input: Input<'_>) {
        self.inner.handle(time(now), input);
    }
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
    fn ids_of_another_length_are_refused() {
        let mut engine = engine();
        assert!(!engine.stream_added(0.0, 1, "short", "-BK0001-abcdefghijkl"));
        assert!(engine.stream_added(0.0, 1, "hpw5DN1BrHoy/nDyIVbD", "-BK0001-abcdefghijkl"));
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
