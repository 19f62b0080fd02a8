//! Datagrams in memory, on their way in and out. Made once for each worker and used again.

use std::net::{IpAddr, SocketAddr};

use beekeepr_stun_core::{REPLY_BYTES_MAX, REQUEST_BYTES_MAX};

/// Datagrams taken in one system call. Beyond this the gain is below what can be measured.
pub(crate) const BATCH: usize = 64;

/// Room for replies. A batch of the longest ordinary ones (IPv6 with RFC 5780 and FINGERPRINT, 124
/// bytes) takes half of it; a padded one may need to wait until those before it are sent.
const OUTBOX_BYTES: usize = 16 * 1024;

/// Received datagrams.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// One more than the longest that is read, so that a longer one is not mistaken for it.
    pub(crate) bytes: Box<[[u8; REQUEST_BYTES_MAX + 4]]>,
    pub(crate) envelopes: Vec<Envelope>,
}

/// Where a datagram came from and went to, and how much of the inbox it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) bytes: usize,
    pub(crate) source: SocketAddr,
    /// `None` when the system did not tell.
    pub(crate) asked: Option<IpAddr>,
}

/// Replies that wait for the end of the batch.
#[derive(Debug)]
pub(crate) struct Outbox {
    bytes: Box<[u8]>,
    used: usize,
    pub(crate) letters: Vec<Letter>,
}

/// One reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter {
    start: usize,
    bytes: usize,
    pub(crate) to: SocketAddr,
    /// The address to send from, where the socket has several.
    pub(crate) from: Option<IpAddr>,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![[0; REQUEST_BYTES_MAX + 4]; BATCH].into_boxed_slice(),
            envelopes: Vec::with_capacity(BATCH),
        }
    }

    /// What the last receive brought.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = (&[u8], &Envelope)> {
        let pairs = self.bytes.iter().zip(&self.envelopes);
        pairs.map(|(bytes, envelope)| (&bytes[..envelope.bytes.min(bytes.len())], envelope))
    }
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; OUTBOX_BYTES].into_boxed_slice(),
            used: 0,
            letters: Vec::with_capacity(BATCH),
        }
    }

    /// Where the next reply may be written; nothing until what is there has been sent.
    pub(crate) fn room(&mut self) -> Option<&mut [u8; REPLY_BYTES_MAX]> {
        self.bytes.get_mut(self.used..)?.first_chunk_mut()
    }

    /// Takes the first bytes of the room as a reply.
    pub(crate) fn push(&mut self, bytes: usize, to: SocketAddr, from: Option<IpAddr>) {
        let start = self.used;
        self.used += bytes.min(REPLY_BYTES_MAX);
        self.letters.push(Letter {
            start,
            bytes,
            to,
            from,
        });
    }

    pub(crate) fn content(&self, letter: &Letter) -> &[u8] {
        &self.bytes[letter.start..letter.start + letter.bytes]
    }

    pub(crate) fn clear(&mut self) {
        self.letters.clear();
        self.used = 0;
    }
}
