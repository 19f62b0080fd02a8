//! Doing what an engine wants.

use std::sync::Arc;

use beekeepr_engine::{ConnKey, Event, FetchKey, Input, Output, SegmentKey, TrackerKey};
use beekeepr_model::PeerId;
use bytes::Bytes;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::shelf::Answer;
use super::{Arrival, Channel, FETCH_FAILURES_MAX, Request, slices};
use crate::origin::{Backoff, Source};
use crate::seed::seed;
use crate::tracker::Socket;

impl Channel {
    pub(super) fn act(&mut self, peer: usize, output: Output) {
        match output {
            Output::TrackerConnect(tracker) => self.connect(peer, tracker),
            Output::TrackerDisconnect(tracker) => {
                self.peers[peer].sockets.remove(&tracker);
            }
            Output::TrackerSend { tracker, message } => {
                let text = message.text_with(self.token_for(tracker));
                self.send_to_tracker(peer, tracker, text);
            }
            Output::TokenWanted(tracker) => self.give_token(peer, tracker),
            // Nobody new, rather than everybody slow.
            Output::OfferCreate(conn) | Output::OfferAccept { conn, .. }
                if self.account.is_full() =>
            {
                self.handle(peer, Input::ChannelClosed(conn));
            }
            Output::OfferCreate(conn) => self.hub.offer_create(self.conns.add((peer, conn))),
            Output::OfferAccept { conn, sdp } => {
                self.hub.offer_accept(self.conns.add((peer, conn)), sdp);
            }
            Output::AnswerAccept { conn, sdp } => {
                if let Some(number) = self.conns.number((peer, conn)) {
                    self.hub.answer_accept(number, sdp);
                }
            }
            Output::ConnClose(conn) => {
                if let Some(number) = self.conns.remove((peer, conn)) {
                    self.hub.close(number);
                }
            }
            Output::CommandSend { conn, message } => {
                if let Some(number) = self.conns.number((peer, conn)) {
                    self.hub.send(number, Bytes::from(message));
                }
            }
            Output::SliceSend {
                conn,
                segment,
                offset,
                bytes,
            } => {
                self.send_slice(peer, conn, segment, offset, bytes);
            }
            Output::FetchStart { fetch, segment, .. } => self.fetch(peer, fetch, segment),
            Output::FetchCancel(fetch) => {
                if let Some((_, source)) = self.peers[peer].requests.remove(&fetch) {
                    self.shelf.cancel(&source, &(peer, fetch));
                }
            }
            Output::SegmentDropped(segment) => self.drop_segment(peer, segment),
            Output::Event(event) => self.on_event(peer, event),
            // Answers to a player, which a super-peer has none of.
            Output::SegmentCheck(_)
            | Output::SegmentReady { .. }
            | Output::SegmentFailed { .. } => {}
        }
    }

    fn connect(&mut self, peer: usize, tracker: TrackerKey) {
        let Some(url) = self.common.config.trackers.get(tracker.0 as usize) else {
            return;
        };
        let key = (peer, tracker, self.next_socket);
        self.next_socket += 1;
        let tls = Arc::clone(&self.common.tls);
        let socket = Socket::open(url.url().clone(), tls, key, self.tracker_outlet.clone());
        self.peers[peer].sockets.insert(tracker, socket);
    }

    fn send_to_tracker(&mut self, peer: usize, tracker: TrackerKey, text: String) {
        let socket = self.peers[peer].sockets.get(&tracker);
        if socket.is_some_and(|socket| !socket.send(text)) {
            self.peers[peer].sockets.remove(&tracker);
            self.handle(peer, Input::TrackerClosed(tracker));
        }
    }

    fn send_slice(
        &mut self,
        peer: usize,
        conn: ConnKey,
        segment: SegmentKey,
        offset: u64,
        bytes: u32,
    ) {
        let Some(number) = self.conns.number((peer, conn)) else {
            return;
        };
        let Some((source, whole)) = self.peers[peer].segments.get(&segment) else {
            return;
        };
        if offset == 0 {
            self.shelf.touch(source);
        }
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(whole.len());
        let end = start.saturating_add(bytes as usize).min(whole.len());
        for message in slices::messages(whole.slice(start..end)) {
            self.hub.send(number, message);
        }
    }

    fn fetch(&mut self, peer: usize, fetch: FetchKey, segment: SegmentKey) {
        let Some(source) = self.source(segment) else {
            return self.handle(peer, Input::FetchFailed { fetch, status: 0 });
        };
        let request = (peer, fetch);
        let purpose = self.purpose(peer, segment, &source);
        self.peers[peer]
            .requests
            .insert(fetch, (segment, Arc::clone(&source)));
        match self.shelf.want(&source, purpose, request) {
            Answer::Here(bytes) => self.deliver(request, &source, bytes),
            Answer::Wait => {}
            Answer::Fetch => self.fetch_from_origin(source),
            Answer::Full => {
                debug!(
                    channel = self.health.channel(),
                    "memory for segments is full"
                );
                self.fail(request);
            }
        }
    }

    fn fetch_from_origin(&mut self, source: Arc<Source>) {
        let (origin, account) = (self.origin.clone(), Arc::clone(self.shelf.account()));
        let is_live = self.is_live();
        let permits = Arc::clone(&self.fetch_permits);
        let backoff = Backoff::new(seed());
        self.fetches.spawn(async move {
            // The semaphore is never closed; without a permit the fetch would run all the same.
            let _permit = permits.acquire().await;
            let began = Instant::now();
            let fetch = account.fetch(&origin, &source, backoff, is_live);
            let (flight, outcome) = fetch.await;
            Arrival {
                source,
                _flight: flight,
                outcome,
                took: began.elapsed(),
            }
        });
    }

    pub(super) fn on_fetched(&mut self, arrival: Arrival) {
        self.note_fetch(&arrival);
        let source = arrival.source;
        match arrival.outcome {
            Ok(fetched) => {
                let bytes = fetched.bytes;
                for request in self.shelf.settle(&source, Some(&bytes)) {
                    self.deliver(request, &source, bytes.clone());
                }
                if self.is_live() {
                    self.note_announced(&source);
                }
            }
            Err(error) => {
                let status = error.status();
                // Live manifests are read again anyway.
                if error.may_be_stale() && !self.is_live() {
                    self.stale.notify_one();
                }
                for (peer, fetch) in self.shelf.settle(&source, None) {
                    self.peers[peer].requests.remove(&fetch);
                    self.handle(peer, Input::FetchFailed { fetch, status });
                }
            }
        }
    }

    fn note_fetch(&mut self, arrival: &Arrival) {
        match &arrival.outcome {
            Ok(fetched) => {
                if fetched.is_first {
                    self.metrics
                        .fetched_bytes
                        .inc_by(fetched.bytes.len() as u64);
                    self.metrics
                        .fetch_seconds
                        .observe(arrival.took.as_secs_f64());
                }
                self.fetch_failures = 0;
                if let Some(url) = self.fetch_trouble.take() {
                    self.health.works(&url);
                }
            }
            Err(error) => {
                self.metrics.fetch_failures.inc();
                self.fetch_failures += 1;
                if self.fetch_failures == FETCH_FAILURES_MAX {
                    let url = &arrival.source.url;
                    self.health.failed(url, error);
                    self.fetch_trouble = Some(url.clone());
                }
            }
        }
    }

    fn deliver(&mut self, (peer, fetch): Request, source: &Arc<Source>, bytes: Bytes) {
        let Some((segment, _)) = self.peers[peer].requests.remove(&fetch) else {
            return self.shelf.release(source);
        };
        let total = bytes.len() as u64;
        let held = (Arc::clone(source), bytes);
        if let Some((old, _)) = self.peers[peer].segments.insert(segment, held) {
            self.shelf.release(&old);
        }
        self.handle(
            peer,
            Input::FetchStarted {
                fetch,
                offset: 0,
                total: Some(total),
            },
        );
        // Fits: an origin's segment has at most SEGMENT_BYTES_MAX bytes.
        self.handle(
            peer,
            Input::FetchProgress {
                fetch,
                bytes: total as u32,
            },
        );
        self.handle(peer, Input::FetchDone { fetch });
    }

    fn fail(&mut self, (peer, fetch): Request) {
        self.peers[peer].requests.remove(&fetch);
        self.handle(peer, Input::FetchFailed { fetch, status: 0 });
    }

    fn drop_segment(&mut self, peer: usize, segment: SegmentKey) {
        if let Some((source, _)) = self.peers[peer].segments.remove(&segment) {
            self.shelf.release(&source);
        }
    }

    fn on_event(&mut self, index: usize, event: Event) {
        match event {
            Event::PeerConnected { stream, peer, .. } => {
                self.metrics.peers.inc();
                *self.viewers.entry(peer).or_default() += 1;
                self.metrics.viewers.set(self.viewers.len() as i64);
                self.viewer_connected(index, stream, peer);
            }
            Event::PeerClosed { stream, peer, .. } => {
                self.metrics.peers.dec();
                self.viewer_left(peer);
                self.viewer_closed(index, stream, peer);
            }
            Event::Uploaded { bytes, .. } => {
                self.metrics.uploaded_bytes.inc_by(u64::from(bytes));
            }
            Event::TrackerLost { tracker } => self.tracker_lost(tracker),
            Event::TrackerWarning { tracker, message } => {
                let host = self.tracker_host(tracker);
                warn!(
                    channel = self.health.channel(),
                    tracker = host,
                    "tracker says: {message}"
                );
            }
            Event::Downloaded { .. }
            | Event::SegmentStarted { .. }
            | Event::SegmentLoaded { .. }
            | Event::SegmentError { .. }
            | Event::SegmentAborted { .. } => {}
        }
    }

    fn viewer_left(&mut self, peer: PeerId) {
        if let Some(connections) = self.viewers.get_mut(&peer) {
            *connections -= 1;
            if *connections == 0 {
                self.viewers.remove(&peer);
            }
        }
        self.metrics.viewers.set(self.viewers.len() as i64);
    }

    fn tracker_host(&self, tracker: TrackerKey) -> String {
        let url = self.common.config.trackers.get(tracker.0 as usize);
        url.map(|url| crate::config::without_query(url.url()))
            .unwrap_or_default()
    }

    /// One line for all logical peers, which lose a tracker together.
    fn tracker_lost(&mut self, tracker: TrackerKey) {
        if self.trackers_lost.insert(tracker) {
            warn!(
                channel = self.health.channel(),
                tracker = self.tracker_host(tracker),
                "tracker is out of reach; trying again until it answers, connected viewers stay"
            );
        }
    }

    pub(super) fn tracker_found(&mut self, tracker: TrackerKey) {
        if self.trackers_lost.remove(&tracker) {
            let tracker = self.tracker_host(tracker);
            info!(
                channel = self.health.channel(),
                tracker, "tracker answers again"
            );
        }
    }
}
