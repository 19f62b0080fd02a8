//! One call for each input of the engine, and the actions it asks for.

use beekeepr_engine::{
    Config, ConnKey, FetchKey, Input, ListedSegment, SegmentKey, StreamKey, TrackerKey,
};
use beekeepr_model::{InfoHash, PeerId, SegmentId, Time};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::action::{Action, Parts, flatten};
use crate::{identity, settings};

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
        let seed = identity::seed(seed_high, seed_low);
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

    /// The deadline has come.
    pub fn tick(&mut self, now: f64) {
        self.handle(now, Input::Tick);
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

    /// A stream is gone.
    #[wasm_bindgen(js_name = streamRemoved)]
    pub fn stream_removed(&mut self, now: f64, stream: u32) {
        self.handle(
            now,
            Input::StreamRemoved {
                stream: StreamKey(stream),
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

    /// Where the player is, and its rate in thousandths.
    pub fn playback(&mut self, now: f64, position_ms: f64, rate_milli: u32) {
        self.handle(
            now,
            Input::Playback {
                position_ms: position_ms as i64,
                rate_milli,
            },
        );
    }

    /// The player asks for a segment.
    #[wasm_bindgen(js_name = segmentWanted)]
    pub fn segment_wanted(&mut self, now: f64, stream: u32, segment: f64) {
        self.handle(now, Input::SegmentWanted(segment_key(stream, segment)));
    }

    /// The player gave a segment up.
    #[wasm_bindgen(js_name = segmentUnwanted)]
    pub fn segment_unwanted(&mut self, now: f64, stream: u32, segment: f64) {
        self.handle(now, Input::SegmentUnwanted(segment_key(stream, segment)));
    }

    /// The page has checked a segment.
    #[wasm_bindgen(js_name = segmentChecked)]
    pub fn segment_checked(&mut self, now: f64, stream: u32, segment: f64, valid: bool) {
        let segment = segment_key(stream, segment);
        self.handle(now, Input::SegmentChecked { segment, valid });
    }

    /// A response has begun: the offset of its first byte, and the size of the whole segment or NaN.
    #[wasm_bindgen(js_name = fetchStarted)]
    pub fn fetch_started(&mut self, now: f64, fetch: u32, offset: f64, total: f64) {
        let total = (!total.is_nan()).then_some(total as u64);
        let offset = offset as u64;
        self.handle(
            now,
            Input::FetchStarted {
                fetch: FetchKey(fetch),
                offset,
                total,
            },
        );
    }

    /// More bytes have come and are stored.
    #[wasm_bindgen(js_name = fetchProgress)]
    pub fn fetch_progress(&mut self, now: f64, fetch: u32, bytes: u32) {
        self.handle(
            now,
            Input::FetchProgress {
                fetch: FetchKey(fetch),
                bytes,
            },
        );
    }

    /// A response has come to its end.
    #[wasm_bindgen(js_name = fetchDone)]
    pub fn fetch_done(&mut self, now: f64, fetch: u32) {
        self.handle(
            now,
            Input::FetchDone {
                fetch: FetchKey(fetch),
            },
        );
    }

    /// A request failed with this HTTP status, or 0.
    #[wasm_bindgen(js_name = fetchFailed)]
    pub fn fetch_failed(&mut self, now: f64, fetch: u32, status: u16) {
        self.handle(
            now,
            Input::FetchFailed {
                fetch: FetchKey(fetch),
                status,
            },
        );
    }

    /// A tracker's socket is open.
    #[wasm_bindgen(js_name = trackerOpened)]
    pub fn tracker_opened(&mut self, now: f64, tracker: u32) {
        self.handle(now, Input::TrackerOpened(TrackerKey(tracker)));
    }

    /// A tracker sent this text.
    #[wasm_bindgen(js_name = trackerMessage)]
    pub fn tracker_message(&mut self, now: f64, tracker: u32, text: &str) {
        let tracker = TrackerKey(tracker);
        self.handle(
            now,
            Input::TrackerMessage {
                tracker,
                text: text.as_bytes(),
            },
        );
    }

    /// A tracker's socket is closed or could not be opened.
    #[wasm_bindgen(js_name = trackerClosed)]
    pub fn tracker_closed(&mut self, now: f64, tracker: u32) {
        self.handle(now, Input::TrackerClosed(TrackerKey(tracker)));
    }

    /// An offer is complete.
    #[wasm_bindgen(js_name = offerReady)]
    pub fn offer_ready(&mut self, now: f64, conn: u32, sdp: &str) {
        self.handle(
            now,
            Input::OfferReady {
                conn: ConnKey(conn),
                sdp,
            },
        );
    }

    /// An answer is complete.
    #[wasm_bindgen(js_name = answerReady)]
    pub fn answer_ready(&mut self, now: f64, conn: u32, sdp: &str) {
        self.handle(
            now,
            Input::AnswerReady {
                conn: ConnKey(conn),
                sdp,
            },
        );
    }

    /// A data channel is open.
    #[wasm_bindgen(js_name = channelOpened)]
    pub fn channel_opened(&mut self, now: f64, conn: u32) {
        self.handle(now, Input::ChannelOpened(ConnKey(conn)));
    }

    /// A connection is gone or never came about.
    #[wasm_bindgen(js_name = channelClosed)]
    pub fn channel_closed(&mut self, now: f64, conn: u32) {
        self.handle(now, Input::ChannelClosed(ConnKey(conn)));
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

    /// A channel's send buffer has run low.
    pub fn drained(&mut self, now: f64, conn: u32, buffered: u32) {
        self.handle(
            now,
            Input::Drained {
                conn: ConnKey(conn),
                buffered,
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

fn segment_key(stream: u32, segment: f64) -> SegmentKey {
    SegmentKey {
        stream: StreamKey(stream),
        id: SegmentId(segment as i64),
    }
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
        engine.tick(1.0);
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
        engine.fetch_started(-5.0, 3, f64::NEG_INFINITY, f64::INFINITY);
        engine.command(1.0, 9, b"cstr");
        engine.tracker_message(1.0, 0, "{");
        assert!(!engine.place(1.0, 9, usize::MAX));
    }
}
