//! Segments from HTTP.

use beekeepr_model::{Time, limits as shared};

use crate::Engine;
use crate::api::{Event, FetchKey, LoadError, Output, SegmentKey, Source};
use crate::limits;
use crate::stream::{Segment, Transfer};

/// A running HTTP request.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) segment: SegmentKey,
    asked_at: Time,
    /// When anything last came.
    last_at: Time,
    /// Bytes that it brought.
    received: u64,
}

impl Fetch {
    /// When it was asked for, and how many bytes it has brought.
    pub(crate) fn progress(&self) -> (Time, u64) {
        (self.asked_at, self.received)
    }
}

impl Engine {
    /// Asks the origin for a segment, or for what is missing of it.
    pub(crate) fn fetch(&mut self, key: SegmentKey) {
        let now = self.now;
        let fetch = FetchKey(self.next_fetch);
        let Some(stream) = self.streams.get_mut(&key.stream) else {
            return;
        };
        let segment = stream.segment_mut(key.id, now);
        segment.begin(Transfer::Http(fetch), now);
        let offset = segment.loaded;
        stream.announcement_due = true;
        self.next_fetch += 1;
        self.fetches.insert(
            fetch,
            Fetch {
                segment: key,
                asked_at: now,
                last_at: now,
                received: 0,
            },
        );
        self.outputs.push_back(Output::FetchStart {
            fetch,
            segment: key,
            offset,
        });
        self.event(Event::SegmentStarted {
            segment: key,
            source: Source::Http,
        });
    }

    pub(crate) fn cancel_fetch(&mut self, fetch: FetchKey) {
        if let Some(Fetch { segment, .. }) = self.fetches.remove(&fetch) {
            self.outputs.push_back(Output::FetchCancel(fetch));
            self.end_transfer(segment);
        }
    }

    fn end_transfer(&mut self, key: SegmentKey) {
        let now = self.now;
        if let Some(stream) = self.streams.get_mut(&key.stream)
            && let Some(segment) = stream.segments.get_mut(&key.id)
        {
            segment.end(now);
            stream.announcement_due = true;
        }
    }

    /// Whether a request has brought nothing for a while.
    pub(crate) fn is_stuck(&self, fetch: FetchKey) -> bool {
        let fetch = self.fetches.get(&fetch);
        fetch.is_some_and(|fetch| self.now.since_ms(fetch.last_at) >= limits::HTTP_STUCK_MS)
    }

    /// The segment of a running fetch.
    fn fetched(&mut self, fetch: FetchKey) -> Option<(SegmentKey, &mut Segment)> {
        let now = self.now;
        let entry = self.fetches.get_mut(&fetch)?;
        entry.last_at = now;
        let key = entry.segment;
        let segment = self
            .streams
            .get_mut(&key.stream)?
            .segments
            .get_mut(&key.id)?;
        Some((key, segment))
    }

    pub(crate) fn on_fetch_started(&mut self, fetch: FetchKey, offset: u64, total: Option<u64>) {
        if let Some(entry) = self.fetches.get(&fetch) {
            self.http_rate.began(self.now.since_ms(entry.asked_at));
        }
        let Some((_, segment)) = self.fetched(fetch) else {
            return;
        };
        if offset == 0 && segment.loaded > 0 {
            // The server ignored the range and starts from the beginning.
            let tail = segment.tail.and_then(|tail| tail.conn);
            segment.reset();
            if let Some(conn) = tail {
                self.cancel_download(conn);
            }
        }
        let Some((_, segment)) = self.fetched(fetch) else {
            return;
        };
        let resized = segment.total.is_some() && total.is_some() && segment.total != total;
        let too_large = total.is_some_and(|total| total > shared::SEGMENT_BYTES_MAX);
        if offset != segment.loaded || resized || too_large {
            return self.fail_fetch(fetch, LoadError::HttpLength);
        }
        segment.total = total.or(segment.total);
    }

    pub(crate) fn on_fetch_progress(&mut self, fetch: FetchKey, bytes: u32) {
        if let Some(entry) = self.fetches.get_mut(&fetch) {
            entry.received += u64::from(bytes);
        }
        let Some((key, segment)) = self.fetched(fetch) else {
            return;
        };
        segment.advance(Transfer::Http(fetch), segment.loaded + u64::from(bytes));
        if segment.loaded > segment.total.unwrap_or(shared::SEGMENT_BYTES_MAX) {
            return self.fail_fetch(fetch, LoadError::HttpLength);
        }
        self.downloaded += u64::from(bytes);
        self.event(Event::Downloaded {
            segment: key,
            bytes,
            source: Source::Http,
        });
        self.join_tail(key);
    }

    pub(crate) fn on_fetch_done(&mut self, fetch: FetchKey) {
        let now = self.now;
        let Some((key, segment)) = self.fetched(fetch) else {
            return;
        };
        let whole = *segment.total.get_or_insert(segment.loaded);
        if segment.loaded != whole || whole == 0 {
            return self.fail_fetch(fetch, LoadError::HttpLength);
        }
        segment.end(now);
        segment.http_errors = 0;
        if let Some(done) = self.fetches.remove(&fetch) {
            let took_ms = now.since_ms(done.asked_at);
            self.http_rate.brought(done.received, took_ms, now);
        }
        self.segment_arrived(key, Source::Http);
    }

    pub(crate) fn on_fetch_failed(&mut self, fetch: FetchKey, status: u16) {
        self.count_fetch_error(fetch, LoadError::Http(status));
    }

    /// Aborts a fetch that went wrong.
    fn fail_fetch(&mut self, fetch: FetchKey, error: LoadError) {
        self.outputs.push_back(Output::FetchCancel(fetch));
        self.count_fetch_error(fetch, error);
    }

    fn count_fetch_error(&mut self, fetch: FetchKey, error: LoadError) {
        let now = self.now;
        let Some(Fetch { segment: key, .. }) = self.fetches.remove(&fetch) else {
            return;
        };
        self.end_transfer(key);
        self.event(Event::SegmentError {
            segment: key,
            error,
            source: Source::Http,
        });
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        let wait = limits::HTTP_RETRY_MS << segment.http_errors.min(8);
        segment.http_errors += 1;
        segment.retry_at = now + wait.min(limits::HTTP_RETRY_MS_MAX);
        segment.http_status = if let LoadError::Http(status) = error {
            status
        } else {
            0
        };
        if error == LoadError::HttpLength {
            self.discard(key);
        }
        self.give_up_if_hopeless(key);
    }

    /// After too many failures the player's own loader, or the waiting peer, decides what comes next.
    fn give_up_if_hopeless(&mut self, key: SegmentKey) {
        let errors_max = self.config.http_errors_max;
        let Some(segment) = self.segment_state(key) else {
            return;
        };
        if segment.http_errors < errors_max {
            return;
        }
        let status = segment.http_status;
        segment.demanded = false;
        let wanted = segment.wanted_since.take().is_some();
        if wanted {
            segment.http_errors = 0;
            self.outputs.push_back(Output::SegmentFailed {
                segment: key,
                status,
            });
        }
        self.answer_waiting(key, false);
    }

    /// Gives up on responses that have stopped.
    pub(crate) fn expire_fetches(&mut self) {
        let silence = self.config.http_silence_ms;
        let silent = |fetch: &Fetch| self.now.since_ms(fetch.last_at) >= silence;
        for fetch in self.fetches.keys_where(&|_, fetch| silent(fetch)) {
            self.fail_fetch(fetch, LoadError::Timeout);
        }
    }
}
