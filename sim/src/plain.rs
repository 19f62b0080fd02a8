//! A loader that knows nothing but HTTP, as hls.js comes: what sharing must never be worse than.
//!
//! It takes the engine's inputs and gives the engine's outputs, so that everything around it is the same.

use std::collections::VecDeque;

use beekeepr_engine::{FetchKey, Input, Output, SegmentKey};
use beekeepr_model::Time;

/// A request without a first byte for so long is given up (hls.js 1.7, `fragLoadPolicy.maxTimeToFirstByteMs`).
const FIRST_BYTE_MS_MAX: u64 = 10_000;
/// A response that is not whole after this time is given up (hls.js 1.7, `fragLoadPolicy.maxLoadTimeMs`).
const LOAD_MS_MAX: u64 = 120_000;

/// Loads one segment at a time.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    request: Option<Request>,
    next_fetch: u32,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Request {
    fetch: FetchKey,
    segment: SegmentKey,
    asked_at: Time,
    has_begun: bool,
    received: u64,
}

impl Request {
    fn until(&self) -> Time {
        self.asked_at
            + match self.has_begun {
                true => LOAD_MS_MAX,
                false => FIRST_BYTE_MS_MAX,
            }
    }
}

impl Plain {
    pub(crate) fn handle(&mut self, now: Time, input: &Input<'_>) {
        match *input {
            Input::SegmentWanted(segment) => self.ask(now, segment),
            Input::SegmentUnwanted(_) => self.give_up(),
            Input::FetchStarted { fetch, .. } => {
                if let Some(request) = self.running(fetch) {
                    request.has_begun = true;
                }
            }
            Input::FetchProgress { fetch, bytes } => {
                if let Some(request) = self.running(fetch) {
                    request.received += u64::from(bytes);
                }
            }
            Input::FetchDone { fetch } => self.finish(now, fetch),
            Input::FetchFailed { fetch, status } => self.fail(fetch, status),
            Input::Tick => self.look_at_time(now),
            _ => {}
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.request.as_ref().map(Request::until)
    }

    fn ask(&mut self, now: Time, segment: SegmentKey) {
        self.give_up();
        let fetch = FetchKey(self.next_fetch);
        self.next_fetch += 1;
        self.request = Some(Request {
            fetch,
            segment,
            asked_at: now,
            has_begun: false,
            received: 0,
        });
        self.outputs.push_back(Output::FetchStart {
            fetch,
            segment,
            offset: 0,
        });
    }

    fn give_up(&mut self) {
        if let Some(request) = self.request.take() {
            self.outputs.push_back(Output::FetchCancel(request.fetch));
            self.outputs
                .push_back(Output::SegmentDropped(request.segment));
        }
    }

    fn running(&mut self, fetch: FetchKey) -> Option<&mut Request> {
        self.request
            .as_mut()
            .filter(|request| request.fetch == fetch)
    }

    fn finish(&mut self, now: Time, fetch: FetchKey) {
        if self.running(fetch).is_none() {
            return;
        }
        if let Some(request) = self.request.take() {
            let ms = now.since_ms(request.asked_at).max(1);
            let segment = request.segment;
            let bandwidth_bps = request.received * 8_000 / ms;
            self.outputs.push_back(Output::SegmentReady {
                segment,
                bandwidth_bps,
            });
            // It goes to the player's buffer and nowhere else.
            self.outputs.push_back(Output::SegmentDropped(segment));
        }
    }

    fn fail(&mut self, fetch: FetchKey, status: u16) {
        if self.running(fetch).is_none() {
            return;
        }
        if let Some(Request { segment, .. }) = self.request.take() {
            self.outputs.push_back(Output::SegmentDropped(segment));
            self.outputs
                .push_back(Output::SegmentFailed { segment, status });
        }
    }

    fn look_at_time(&mut self, now: Time) {
        if let Some(request) = &self.request
            && now >= request.until()
        {
            let fetch = request.fetch;
            self.outputs.push_back(Output::FetchCancel(fetch));
            self.fail(fetch, 0);
        }
    }
}
