//! What must hold at every moment, whatever viewers and networks do.

use beekeepr_engine::{ConnKey, Input, Output, SegmentKey};
use beekeepr_model::Time;
use beekeepr_peer_proto::{Command, Joiner};

use crate::node::{Live, Mind};
use crate::world::World;

/// Faults that are kept; the first ones tell why.
const TEXTS_MAX: usize = 16;
/// An engine wants to be called at least this often (`IDLE_TICK_MS` of the engine).
const DEADLINE_MS_MAX: u64 = 1_000;
/// From a request's deadline to the look that ends it (two of the engine's `SCHEDULE_TICK_MS`).
const LOOK_MS: u64 = 200;
/// Connections beyond the peers that may be: offers that nobody has answered (`OFFERS_PENDING_MAX` of the engine).
const OFFERS_MAX: usize = 20;
/// Segments beyond the memory's limit: those that are just coming.
const COMING_MAX: u64 = 8;

/// What did not hold.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    texts: Vec<String>,
    pub(crate) count: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, now: Time, text: &str) {
        self.count += 1;
        if self.texts.len() < TEXTS_MAX {
            let ms = now.as_ms() - crate::world::START_MS;
            self.texts.push(format!("at {ms} ms: {text}"));
        }
    }

    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// What is noted of one node's conversations. Only in worlds that are verified.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    conns: Vec<(ConnKey, Talk)>,
}

#[derive(Debug, Default)]
struct Talk {
    ours: Joiner,
    theirs: Joiner,
    /// A request of ours is open; anything last came of it then.
    asked: Option<Time>,
}

impl Audit {
    fn talk(&mut self, conn: ConnKey) -> &mut Talk {
        let place = match self.conns.iter().position(|(it, _)| *it == conn) {
            Some(place) => place,
            None => {
                self.conns.push((conn, Talk::default()));
                self.conns.len() - 1
            }
        };
        &mut self.conns[place].1
    }

    fn forget(&mut self, conn: ConnKey) {
        self.conns.retain(|(it, _)| *it != conn);
    }

    pub(crate) fn input(&mut self, now: Time, input: &Input<'_>) {
        match input {
            Input::ChannelClosed(conn) => self.forget(*conn),
            Input::Command { conn, message } => {
                let talk = self.talk(*conn);
                match talk.theirs.push(message) {
                    Ok(Some(Command::SegmentData { .. })) => talk.moved(now),
                    Ok(Some(
                        Command::SegmentDataSendingCompleted { .. } | Command::SegmentAbsent { .. },
                    )) => talk.asked = None,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    pub(crate) fn output(&mut self, now: Time, output: &Output) {
        match output {
            Output::ConnClose(conn) => self.forget(*conn),
            Output::CommandSend { conn, message } => {
                let talk = self.talk(*conn);
                match talk.ours.push(message) {
                    Ok(Some(Command::SegmentRequest { .. })) => talk.asked = Some(now),
                    Ok(Some(Command::CancelSegmentRequest { .. })) => talk.asked = None,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Segment bytes came.
    pub(crate) fn bytes(&mut self, now: Time, conn: ConnKey) {
        self.talk(conn).moved(now);
    }

    /// For how long the most silent request has been waiting.
    fn silent_ms(&self, now: Time) -> u64 {
        let asked = self.conns.iter().filter_map(|(_, talk)| talk.asked);
        asked.map(|at| now.since_ms(at)).max().unwrap_or(0)
    }
}

impl Talk {
    fn moved(&mut self, now: Time) {
        if let Some(at) = &mut self.asked {
            *at = now;
        }
    }
}

impl World {
    /// Looks at a node after something has happened to it.
    pub(crate) fn verify(&mut self, node: usize) {
        if let Err(fault) = self.check(node).and_then(|()| self.books.check()) {
            self.faults.add(self.now, &format!("node {node}: {fault}"));
        }
        // It looks at everybody, so not every time.
        if self.events.is_multiple_of(TRACKER_CHECKED_EVERY)
            && let Err(fault) = self.tracker.check()
        {
            self.faults.add(self.now, &fault);
        }
    }

    fn check(&self, node: usize) -> Result<(), String> {
        let Some(live) = &self.nodes[node].live else {
            return Ok(());
        };
        if let Mind::Engine(engine) = &live.mind {
            let deadline = engine.deadline().ok_or("the engine sleeps for ever")?;
            let until_ms = deadline.since_ms(self.now);
            within("ms to its next look", until_ms, DEADLINE_MS_MAX)?;
            self.check_requests(live)?;
        }
        self.check_memory(live)
    }

    /// Every request ends by itself.
    fn check_requests(&self, live: &Live) -> Result<(), String> {
        let settings = &self.config.engine;
        let http = live
            .fetches
            .iter()
            .map(|(_, it)| self.now.since_ms(it.moved_at));
        let http_ms = http.max().unwrap_or(0);
        within(
            "ms of silence over HTTP",
            http_ms,
            settings.http_silence_ms + LOOK_MS,
        )?;
        let peers_ms = live.audit.as_ref().map_or(0, |it| it.silent_ms(self.now));
        within(
            "ms of silence of a peer",
            peers_ms,
            settings.p2p_silence_ms + LOOK_MS,
        )
    }

    fn check_memory(&self, live: &Live) -> Result<(), String> {
        let (viewers, super_peers) = (
            self.config.engine.peers_max,
            self.config.super_peers.peers_max,
        );
        let peers_max = if live.player.is_some() {
            viewers
        } else {
            super_peers
        };
        let streams = self.config.media.ladder.len();
        let wires_max = streams * (peers_max as usize + OFFERS_MAX);
        within("connections", live.wires.len() as u64, wires_max as u64)?;
        let largest = self.config.media.ladder.iter().max().copied().unwrap_or(0);
        let coming = COMING_MAX * largest * self.config.media.segment_ms / 8_000;
        let bytes_max = self.config.engine.storage_bytes_max.saturating_add(coming);
        within("bytes in memory", live.store.bytes(), bytes_max)
    }

    /// A node sends only what it has, over what is open.
    pub(crate) fn verify_slice(
        &mut self,
        node: usize,
        conn: ConnKey,
        segment: SegmentKey,
        offset: u64,
        bytes: u32,
    ) {
        let end = offset + u64::from(bytes);
        let live = self.nodes[node].live.as_ref();
        let has = live.is_some_and(|live| live.store.has(segment, offset, end));
        if !has {
            let fault = format!(
                "node {node} sends {offset}..{end} of {segment:?}, which it has not, over {conn:?}"
            );
            self.faults.add(self.now, &fault);
        }
    }

    pub(crate) fn closed_fault(&mut self, node: usize, conn: ConnKey) {
        let fault = format!("node {node} sends over {conn:?}, which is not open");
        self.faults.add(self.now, &fault);
    }

    /// A player gets every byte of a segment, and no wrong one.
    pub(crate) fn verify_played(&mut self, node: usize, segment: SegmentKey) {
        let total = self.segment_bytes(segment);
        let live = self.nodes[node].live.as_ref();
        let held = live.and_then(|live| live.store.get(segment));
        let fault = match held {
            None => "nothing",
            Some(held) if held.is_bad => "wrong bytes",
            Some(held) if !held.covers(0, total) => "a part",
            Some(_) => return,
        };
        let fault = format!("node {node} plays {fault} of {segment:?}");
        self.faults.add(self.now, &fault);
    }
}

/// How many events lie between two looks at all of the tracker.
const TRACKER_CHECKED_EVERY: u64 = 1_024;

fn within(what: &str, seen: u64, most: u64) -> Result<(), String> {
    if seen <= most {
        return Ok(());
    }
    Err(format!("{seen} {what}, expected {most} at most"))
}
