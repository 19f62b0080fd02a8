//! The caller's end: commands in, events out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Bytes of messages that a client may leave unread before its peers are made to wait. The
/// receive window of SCTP then fills and the peers stop sending.
const UNREAD_BYTES_MAX: usize = 1024 * 1024;

/// What happened to a connection. Numbers are those that the caller chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubEvent {
    /// The offer that was asked for; all candidates are in it.
    OfferReady {
        /// Connection.
        conn: u32,
        /// Description to hand to the far end.
        sdp: String,
    },
    /// The answer to an offer that was accepted; all candidates are in it.
    AnswerReady {
        /// Connection.
        conn: u32,
        /// Description to hand to the far end.
        sdp: String,
    },
    /// The data channel is open: messages may be sent.
    Opened {
        /// Connection.
        conn: u32,
    },
    /// A binary message of the peer.
    Message {
        /// Connection.
        conn: u32,
        /// The whole message.
        data: Bytes,
    },
    /// After sends: what is queued or unacknowledged has fallen to `send_buffer_low` or below, or
    /// never rose above it. Comes once; the next send arms it again.
    Drained {
        /// Connection.
        conn: u32,
        /// Bytes still queued or unacknowledged.
        buffered: u32,
    },
    /// The connection is over, whoever ended it and however far it had come. The last event of a
    /// connection, and none goes without it.
    Closed {
        /// Connection.
        conn: u32,
    },
}

/// What a client asks of the hub.
#[derive(Debug)]
pub(super) enum Command {
    Join(Outlet),
    Offer(u32),
    AcceptOffer(u32, String),
    AcceptAnswer(u32, String),
    Send(u32, Bytes),
    Close(u32),
    /// The client has read what it had left unread.
    Resume,
    Leave,
}

/// A command and the client it comes from.
pub(super) type Request = (u32, Command);

/// A set of connections of one caller. Dropping it closes them.
#[derive(Debug)]
pub struct Client {
    id: u32,
    requests: UnboundedSender<Request>,
    events: UnboundedReceiver<HubEvent>,
    unread: Arc<AtomicUsize>,
}

impl Client {
    pub(super) fn join(id: u32, requests: UnboundedSender<Request>) -> Self {
        let (sender, events) = unbounded_channel();
        let unread = Arc::new(AtomicUsize::new(0));
        let outlet = Outlet {
            events: sender,
            unread: Arc::clone(&unread),
        };
        let client = Self {
            id,
            requests,
            events,
            unread,
        };
        client.request(Command::Join(outlet));
        client
    }

    /// Makes an offer; [`HubEvent::OfferReady`] brings it.
    pub fn offer_create(&self, conn: u32) {
        self.request(Command::Offer(conn));
    }

    /// Takes a peer's offer; [`HubEvent::AnswerReady`] brings the answer.
    pub fn offer_accept(&self, conn: u32, sdp: String) {
        self.request(Command::AcceptOffer(conn, sdp));
    }

    /// Takes the answer to the offer of this connection.
    pub fn answer_accept(&self, conn: u32, sdp: String) {
        self.request(Command::AcceptAnswer(conn, sdp));
    }

    /// Sends one binary message. One that is longer than the peer takes (Chromium: 256 KiB) ends
    /// the connection. What is sent before the channel is open or after it is closed is lost.
    pub fn send(&self, conn: u32, message: Bytes) {
        self.request(Command::Send(conn, message));
    }

    /// Ends a connection and tells the peer. What is still queued is lost.
    pub fn close(&self, conn: u32) {
        self.request(Command::Close(conn));
    }

    /// The next event; `None` when the hub has ended. Safe to cancel.
    pub async fn event(&mut self) -> Option<HubEvent> {
        let event = self.events.recv().await?;
        if let HubEvent::Message { data, .. } = &event {
            self.has_read(data.len());
        }
        Some(event)
    }

    fn has_read(&self, bytes: usize) {
        let before = self.unread.fetch_sub(bytes, Ordering::AcqRel);
        if before >= UNREAD_BYTES_MAX && before - bytes < UNREAD_BYTES_MAX {
            self.request(Command::Resume);
        }
    }

    /// A hub that has ended takes no requests; the caller learns it from [`Client::event`].
    fn request(&self, command: Command) {
        let _ = self.requests.send((self.id, command));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.request(Command::Leave);
    }
}

/// The hub's end of a client's events.
///
/// The queue needs no limit of its own: messages stop at [`UNREAD_BYTES_MAX`], and every other
/// event answers a request or ends a connection, of which there are at most so many.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    events: UnboundedSender<HubEvent>,
    unread: Arc<AtomicUsize>,
}

impl Outlet {
    pub(super) fn emit(&self, event: HubEvent) {
        if let HubEvent::Message { data, .. } = &event {
            self.unread.fetch_add(data.len(), Ordering::AcqRel);
        }
        // A client that is gone has asked for its connections to be closed.
        let _ = self.events.send(event);
    }

    /// Whether the client reads too slowly to be given more.
    pub(super) fn is_full(&self) -> bool {
        self.unread.load(Ordering::Acquire) >= UNREAD_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_catches_up_asks_for_more() {
        let (requests, mut hub) = unbounded_channel();
        let mut client = Client::join(7, requests);
        let Some((7, Command::Join(outlet))) = hub.recv().await else {
            panic!("expected the client to join");
        };
        for _ in 0..2 {
            let data = Bytes::from(vec![0; UNREAD_BYTES_MAX / 2]);
            outlet.emit(HubEvent::Message { conn: 1, data });
        }
        assert!(outlet.is_full());
        client.event().await.unwrap();
        assert!(!outlet.is_full());
        assert!(matches!(hub.recv().await, Some((7, Command::Resume))));
    }
}
