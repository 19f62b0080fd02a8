//! One engine with its player and what it was seen to do.

use std::collections::{BTreeMap, BTreeSet};

use beekeepr_engine::{
    Config, ConnKey, Engine, Event, FetchKey, ListedSegment, Output, Role, SegmentKey, Source,
    TrackerKey,
};
use beekeepr_model::{InfoHash, SegmentId, Time};

use super::link::{Link, Traffic};
use super::{SEGMENT_MS, STREAM};

/// A swarm of the stream in which segments have numbers of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meeting {
    pub(crate) info_hash: InfoHash,
    /// How far its numbers are ahead of the world's.
    pub(crate) ahead: i64,
}

impl Meeting {
    pub(crate) const FIRST: Self = Self {
        info_hash: InfoHash(*b"the one swarm here.."),
        ahead: 0,
    };
    pub(crate) const SECOND: Self = Self {
        info_hash: InfoHash(*b"the swarm of 5.x ..."),
        ahead: 7_000,
    };
    pub(crate) const THIRD: Self = Self {
        info_hash: InfoHash(*b"the swarm of 2.2 ..."),
        ahead: -100_000,
    };
}

pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) link: Link,
    pub(crate) traffic: Traffic,
    pub(crate) alive: bool,
    /// What happens to it before then reaches it then.
    pub(crate) asleep_until: Option<Time>,
    pub(crate) viewer: bool,
    /// Generations of clients that it meets, by their swarms; its own numbers are those of the first.
    pub(crate) swarms: Vec<Meeting>,
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
    /// Thousandths: 1000 is normal speed.
    pub(crate) rate_milli: u32,
    /// How far ahead of its playhead the player asks for segments.
    pub(crate) buffer_ms: i64,
    /// How far the player's timeline is ahead of the world's.
    pub(crate) skew_ms: i64,
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
            swarms: vec![Meeting::FIRST],
            engine: Engine::new(config, seed, now),
            link,
            traffic: Traffic::default(),
            alive: true,
            asleep_until: None,
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
            rate_milli: 1_000,
            buffer_ms: 20_000,
            skew_ms: 0,
            started: None,
            playing_ms: 0,
            wanted: None,
            next_wanted: None,
            last_step: now,
        }
    }

    /// The number that this node has for a segment of the world, and back.
    pub(crate) fn own(&self, id: SegmentId) -> SegmentId {
        SegmentId(id.0 + self.swarms[0].ahead)
    }

    fn common(&self, id: SegmentId) -> SegmentId {
        SegmentId(id.0 - self.swarms[0].ahead)
    }

    pub(crate) fn note(&mut self, now: Time, output: Output) {
        match output {
            Output::SegmentReady { mut segment, .. } => {
                segment.id = self.common(segment.id);
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

    /// Plays from another place; gives what is no longer wanted.
    pub(crate) fn seek(&mut self, now: Time, position_ms: u64) -> Option<SegmentKey> {
        self.started = Some((now, position_ms));
        self.playing_ms = 0;
        self.next_wanted = Some(SegmentId((position_ms / SEGMENT_MS) as i64));
        let id = self.wanted.take()?;
        let id = self.own(id);
        Some(SegmentKey { stream: STREAM, id })
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
                self.playing_ms += passed * u64::from(self.rate_milli) / 1_000;
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
        if self.wanted.is_some() || ahead > self.buffer_ms {
            return None;
        }
        self.wanted = Some(next);
        Some(SegmentKey {
            stream: STREAM,
            id: self.own(next),
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
                (self.common(place.segment.id), place.offset),
                (segment.id, offset),
                "bytes are misplaced"
            );
        }
    }

    /// A slice of this node's, as the world calls it.
    pub(crate) fn sends(&self, segment: SegmentKey) -> SegmentKey {
        let id = self.common(segment.id);
        SegmentKey { id, ..segment }
    }

    pub(crate) fn check_slice(&self, segment: SegmentKey, offset: u64, bytes: u32) {
        assert!(
            offset + u64::from(bytes) <= super::SEGMENT_BYTES,
            "{segment:?} has no such bytes"
        );
    }
}
