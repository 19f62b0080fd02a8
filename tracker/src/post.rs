//! What workers send each other.

use std::net::TcpStream;

use beekeepr_model::InfoHash;
use beekeepr_swarm::ConnKey;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Connection;
use crate::directory::WorkerId;
use crate::outbox::Context;
use crate::signalling::Asked;

/// Mail that waits for one worker. A message from a client takes up to 64 KiB, most take 8, so a
/// worker that is stuck for a second holds some 30 MB.
const MAIL_MAX: usize = 4096;

/// How much of a connection's number is its worker's: the rest lasts for 2^48 connections.
const WORKER_SHIFT: u32 = 48;

/// A number for a connection that lives at this worker.
pub(crate) const fn key(home: WorkerId, number: u64) -> ConnKey {
    ConnKey((home as u64) << WORKER_SHIFT | number)
}

/// Where a connection lives.
pub(crate) const fn home(key: ConnKey) -> WorkerId {
    (key.0 >> WORKER_SHIFT) as WorkerId
}

/// Something for another worker.
#[derive(Debug)]
pub(crate) enum Mail {
    /// A connection that lives there from now on.
    Connection(Box<Parcel>),
    /// A message from a connection that lives elsewhere, about content of that worker.
    Message { from: Context, text: Vec<u8> },
    /// A connection that sent such messages is gone.
    Gone(ConnKey),
    /// Frames for a connection that lives there.
    Frames { to: ConnKey, frames: Vec<u8> },
    /// A connection that lives there may be dead.
    Probe(ConnKey),
    /// A connection that lives there has to go.
    Close { key: ConnKey, code: u16 },
    /// A scrape of a connection elsewhere asks what is there.
    Count {
        asked: Asked,
        /// The scrape's, for the answer.
        number: u64,
        back: WorkerId,
    },
    /// The answer.
    Counted { number: u64, sizes: Vec<SwarmSize> },
    /// Somebody wants to see the largest swarms.
    Largest {
        swarms: usize,
        reply: oneshot::Sender<Vec<SwarmSize>>,
    },
}

/// A connection on its way from worker to worker.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) stream: TcpStream,
    pub(crate) connection: Connection,
    /// The message that showed where it belongs.
    pub(crate) text: Vec<u8>,
}

/// How large a swarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SwarmSize {
    pub(crate) info_hash: InfoHash,
    pub(crate) complete: u32,
    pub(crate) incomplete: u32,
}

impl SwarmSize {
    pub(crate) fn peers(&self) -> u64 {
        u64::from(self.complete) + u64::from(self.incomplete)
    }
}

/// The letter boxes of all workers.
#[derive(Clone, Debug)]
pub(crate) struct Post(Vec<mpsc::Sender<Mail>>);

impl Post {
    /// For so many workers, with the end that each of them reads.
    pub(crate) fn new(workers: usize) -> (Self, Vec<mpsc::Receiver<Mail>>) {
        let (senders, receivers) = (0..workers).map(|_| mpsc::channel(MAIL_MAX)).unzip();
        (Self(senders), receivers)
    }

    /// Sends without waiting; false when the worker has more mail than it may have.
    pub(crate) fn send(&self, to: WorkerId, mail: Mail) -> bool {
        self.0
            .get(usize::from(to))
            .is_some_and(|sender| sender.try_send(mail).is_ok())
    }

    /// The letter box of one worker.
    pub(crate) fn to(&self, worker: WorkerId) -> Option<mpsc::Sender<Mail>> {
        self.0.get(usize::from(worker)).cloned()
    }

    /// The letter boxes of all.
    pub(crate) fn all(&self) -> impl Iterator<Item = &mpsc::Sender<Mail>> {
        self.0.iter()
    }
}
