//! One viewer: joins the swarm, connects with the seeder, and wants every segment in time.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use beekeepr_model::InfoHash;
use ring::digest::Digest;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use super::conversation::{Conversation, Heard};
use super::live::Live;
use super::swarm::Swarm;
use crate::peer::Peer;

/// How long a viewer waits for an answer before it announces again: the tracker may have handed its
/// offer to somebody else.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Announces before a viewer counts as not connected.
const ATTEMPTS_MAX: usize = 10;

/// From the answer to the open channel.
const CONNECT_MAX: Duration = Duration::from_secs(15);

/// Segments missed one after the other by which a viewer counts as stuck.
const STUCK_AFTER: u64 = 3;

/// Digests kept: a live window and what lags behind it.
const DIGESTS_MAX: usize = 64;

/// What all viewers of a run share.
pub(crate) struct Run {
    pub(crate) live: Live,
    pub(crate) tracker: String,
    pub(crate) info_hash: InfoHash,
    pub(crate) ip: IpAddr,
    /// A segment has failed when it is not there after so many times its own duration.
    pub(crate) patience: f64,
    /// Whether viewers ask for segments yet.
    pub(crate) going: watch::Receiver<bool>,
    pub(crate) counts: RefCell<Counts>,
    pub(crate) connected: Cell<usize>,
    pub(crate) stuck: Cell<usize>,
    pub(crate) digests: RefCell<HashMap<u64, Digest>>,
}

/// What happened while it was counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) bytes: u64,
    /// Segments that came within their own duration.
    pub(crate) in_time: u64,
    /// Segments that came later, but not too late.
    pub(crate) late: u64,
    pub(crate) failed: u64,
    /// Segments with other bytes than the origin's.
    pub(crate) corrupt: u64,
    pub(crate) absent: u64,
    /// Connections that ended without being asked to.
    pub(crate) lost: u64,
    /// Viewers that found no seeder.
    pub(crate) alone: u64,
    /// From publication to the last byte.
    pub(crate) segment_ms: Vec<f64>,
    /// From the answer to the open channel.
    pub(crate) set_up_ms: Vec<f64>,
    /// From the announce to the open channel.
    pub(crate) join_ms: Vec<f64>,
}

impl Run {
    fn is_genuine(&self, number: u64, digest: &Digest) -> bool {
        let mut digests = self.digests.borrow_mut();
        if digests.len() > DIGESTS_MAX {
            digests.clear();
        }
        let own = digests
            .entry(number)
            .or_insert_with(|| self.live.digest(number));
        own.as_ref() == digest.as_ref()
    }

    fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.counts.borrow_mut());
    }
}

/// A viewer with its connection.
pub(crate) struct Viewer {
    run: Rc<Run>,
    peer: Peer,
    /// Stays in the swarm, as a page does.
    _swarm: Swarm,
    conversation: Conversation,
    /// The segment to have next, and since when it could have been had.
    next: Option<(u64, Instant)>,
    missed: u64,
}

impl Viewer {
    /// Joins the swarm and connects with the seeder.
    pub(crate) async fn connect(run: &Rc<Run>, seed: u64) -> Result<Self> {
        let mut swarm = Swarm::join(&run.tracker, run.info_hash, seed).await?;
        for _ in 0..ATTEMPTS_MAX {
            let mut peer = Peer::start(run.ip)?;
            let offer = peer.offer().await?;
            let announced = Instant::now();
            let Ok(answer) = timeout(ANSWER_MAX, swarm.offer(&offer)).await else {
                continue;
            };
            let (answer, answered) = (answer?, Instant::now());
            let connected = timeout(CONNECT_MAX, peer.connect(answer)).await;
            connected.context("no channel in time")??;
            run.count(|counts| {
                counts
                    .set_up_ms
                    .push(answered.elapsed().as_secs_f64() * 1e3);
                counts.join_ms.push(announced.elapsed().as_secs_f64() * 1e3);
            });
            run.connected.set(run.connected.get() + 1);
            return Ok(Self {
                run: Rc::clone(run),
                peer,
                _swarm: swarm,
                conversation: Conversation::default(),
                next: None,
                missed: 0,
            });
        }
        run.count(|counts| counts.alone += 1);
        anyhow::bail!("no answer to {ATTEMPTS_MAX} announces")
    }

    /// Watches until the connection ends. Safe to cancel.
    pub(crate) async fn watch(&mut self) -> Result<()> {
        let mut going = self.run.going.clone();
        loop {
            let is_going = *going.borrow_and_update();
            if is_going {
                self.ask();
            }
            let due = self.due();
            tokio::select! {
                message = self.peer.message() => match message {
                    Ok(message) => self.hear(&message)?,
                    Err(error) => {
                        self.run.count(|counts| counts.lost += 1);
                        return Err(error);
                    }
                },
                Ok(()) = going.changed(), if !is_going => {}
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => self.miss(),
            }
        }
    }

    fn ask(&mut self) {
        if self.next.is_none() {
            // Whoever begins takes the newest there is, and has from now on to get it.
            let newest = self.conversation.newest();
            self.next = newest.map(|number| (number, Instant::now()));
        }
        if let Some((number, _)) = self.next
            && let Some(messages) = self.conversation.ask(number)
        {
            self.send(messages);
        }
    }

    fn send(&self, messages: Vec<bytes::Bytes>) {
        for message in messages {
            self.peer.send(message);
        }
    }

    fn due(&self) -> Option<Instant> {
        let (_, since) = self.next?;
        Some(since + self.run.live.segment().mul_f64(self.run.patience))
    }

    fn hear(&mut self, message: &[u8]) -> Result<()> {
        match self.conversation.hear(message)? {
            Some(Heard::Segment(number, digest)) => self.got(number, &digest),
            Some(Heard::Absent) => self.run.count(|counts| counts.absent += 1),
            None => {}
        }
        Ok(())
    }

    fn got(&mut self, number: u64, digest: &Digest) {
        let Some((_, since)) = self.next else { return };
        let took = since.elapsed();
        let is_genuine = self.run.is_genuine(number, digest);
        self.run.count(|counts| {
            counts.bytes += self.run.live.segment_bytes() as u64;
            counts.segment_ms.push(took.as_secs_f64() * 1e3);
            if !is_genuine {
                counts.corrupt += 1;
            } else if took <= self.run.live.segment() {
                counts.in_time += 1;
            } else {
                counts.late += 1;
            }
        });
        self.set_missed(0);
        self.go_on(number);
    }

    /// The next segment did not come in time.
    fn miss(&mut self) {
        let Some((number, _)) = self.next else { return };
        if let Some(messages) = self.conversation.cancel() {
            self.send(messages);
        }
        self.run.count(|counts| counts.failed += 1);
        self.set_missed(self.missed + 1);
        self.go_on(number);
    }

    fn go_on(&mut self, number: u64) {
        self.next = Some((number + 1, self.run.live.published(number + 1)));
    }

    fn set_missed(&mut self, missed: u64) {
        let stuck = &self.run.stuck;
        match (self.missed >= STUCK_AFTER, missed >= STUCK_AFTER) {
            (false, true) => stuck.set(stuck.get() + 1),
            (true, false) => stuck.set(stuck.get() - 1),
            (true, true) | (false, false) => {}
        }
        self.missed = missed;
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.set_missed(0);
        self.run.connected.set(self.run.connected.get() - 1);
    }
}
