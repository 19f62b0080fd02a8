//! One engine with its player and what it was seen to do.

use std::collections::{BTreeMap, BTreeSet};

use beekeepr_engine::{
    Config, ConnKey, Engine, Event, FetchKey, ListedSegment, Output, Role, SegmentKey, Source,
    TrackerKey,
};
use beekeepr_model::{SegmentId, Time};

use super::link::{Link, Traffic};
use super::{SEGMENT_MS, STREAM};

pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) link: Link,
    pub(crate) traffic: Traffic,
    pub(crate) alive: bool,
    pub(crate) viewer: bool,
    pub(crate) listed: Vec<ListedSegment>,
    pub(crate) fetches: BTreeMap<FetchKey, (SegmentKey, u64)>,
    pub(crate) tick_at: Option<Time>,
    pub(crate) lost_trackers: Vec<TrackerKey>,
    /// Bytes from HTTP and from peers.
    pub(crate) bytes: (u64, u64),
    pub(crate) uploaded: u64,
    pub(crate) peers: BTreeSet<ConnKey>,
    pub(crate) failed: u32,
    pub(crate) delivered: BTreeSet<SegmentId>,
    pub(crate) events: Vec<Event>,
    pub(crate) stalled_ms: u64,
    started: Option<(Time, u64)>,
    playing_ms: u64,
    wanted: Option<SegmentId>,
    next_wanted: Option<SegmentId>,
    last_step: Time,
}

impl Node {
    pub(crate) fn new(config: Config, link: Link, seed: u64, now: Time) -> Self {
        Self {
            viewer: config.role == Role::Viewer,
            engine: Engine::new(config, seed, now),
            link,
            traffic: Traffic::default(),
            alive: true,
            listed: Vec::new(),
            fetches: BTreeMap::new(),
            tick_at: None,
            lost_trackers: Vec::new(),
            bytes: (0, 0),
            uploaded: 0,
            peers: BTreeSet::new(),
            failed: 0,
            delivered: BTreeSet::new(),
            events: Vec::new(),
            stalled_ms: 0,
            started: None,
            playing_ms: 0,
            wanted: None,
            next_wanted: None,
            last_step: now,
        }
    }

    pub(crate) fn note(&mut self, now: Time, output: Output) {
        match output {
            Output::SegmentReady { segment, .. } => {
                self.delivered.insert(segment.id);
                self.wanted = None;
                self.next_wanted = Some(SegmentId(segment.id.0 + 1));
                if self.started.is_none() {
                    self.started = Some((now, segment.id.0 as u64 * SEGMENT_MS));
                }
            }
            Output::SegmentFailed { .. } => {
                self.failed += 1;
                self.wanted = None;
            }
            Output::Event(event) => self.note_event(event),
            _ => {}
        }
    }

    fn note_event(&mut self, event: Event) {
        match &event {
            Event::Downloaded {
                bytes,
                source: Source::Http,
                ..
            } => self.bytes.0 += u64::from(*bytes),
            Event::Downloaded { bytes, .. } => self.bytes.1 += u64::from(*bytes),
            Event::Uploaded { bytes, .. } => self.uploaded += u64::from(*bytes),
            Event::PeerConnected { conn, .. } => {
                self.peers.insert(*conn);
            }
            Event::PeerClosed { conn, .. } => {
                self.peers.remove(conn);
            }
            _ => {}
        }
        self.events.push(event);
    }

    pub(crate) fn position_ms(&self) -> Option<i64> {
        let (_, start) = self.started?;
        Some((start + self.playing_ms) as i64)
    }

    /// Moves the playhead on, counts a stall where the buffer is empty, and wants what comes next.
    pub(crate) fn step(&mut self, now: Time, live: bool) -> Option<SegmentKey> {
        if !self.viewer || self.listed.is_empty() {
            return None;
        }
        let passed = now.since_ms(self.last_step);
        self.last_step = now;
        if let Some(position) = self.position_ms() {
            let playing = SegmentId(position / SEGMENT_MS as i64);
            let last = self.listed.last().map(|segment| segment.id);
            if self.delivered.contains(&playing) {
                self.playing_ms += passed;
            } else if live || Some(playing) <= last {
                self.stalled_ms += passed;
            }
        }
        // Live players start three segments behind the edge.
        let behind = if live {
            self.listed.len().saturating_sub(4)
        } else {
            0
        };
        let next = *self.next_wanted.get_or_insert(self.listed[behind].id);
        let listed = self.listed.iter().find(|segment| segment.id == next)?;
        let ahead = listed.start_ms - self.position_ms().unwrap_or(listed.start_ms);
        if self.wanted.is_some() || ahead > 20_000 {
            return None;
        }
        self.wanted = Some(next);
        Some(SegmentKey {
            stream: STREAM,
            id: next,
        })
    }

    /// Puts a slice where the engine says, and checks that it is the right place.
    pub(crate) fn take_bytes(
        &mut self,
        now: Time,
        conn: ConnKey,
        segment: SegmentKey,
        offset: u64,
        bytes: u32,
    ) {
        if !self.alive {
            return;
        }
        if let Some(place) = self.engine.place(now, conn, bytes as usize) {
            assert_eq!(
                (place.segment.id, place.offset),
                (segment.id, offset),
                "bytes are misplaced"
            );
        }
    }

    pub(crate) fn check_slice(&self, segment: SegmentKey, offset: u64, bytes: u32) {
        assert!(
            offset + u64::from(bytes) <= super::SEGMENT_BYTES,
            "{segment:?} has no such bytes"
        );
    }
}
