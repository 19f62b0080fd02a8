//! One client's connection: what stage it is in, what waits to be sent, when it was last heard.

use std::io;
use std::mem;
use std::net::Shutdown;
use std::rc::Rc;

use beekeepr_model::{Time, limits::TRACKER_MESSAGE_BYTES_MAX};
use beekeepr_websocket::Decoder;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::metrics::Reason;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The client has to ask for a WebSocket.
    Handshake,
    /// Messages flow.
    Open,
    /// The last bytes are on their way out, what comes in is thrown away until the client closes too:
    /// closing at once would make the system throw away what we sent last.
    Closing {
        /// When that began.
        since: Time,
        /// Why.
        reason: Reason,
    },
}

/// A connection. Idle, it owns no buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Rc<Socket>,
    pub(crate) stage: Stage,
    pub(crate) decoder: Decoder,
    /// The beginning of a frame whose end has not come.
    pub(crate) partial: Vec<u8>,
    output: Vec<u8>,
    /// The system takes no more at the moment.
    is_blocked: bool,
    /// It is on the list of connections to write to.
    pub(crate) is_dirty: bool,
    /// When bytes last came, at first when it was accepted.
    heard: Time,
    /// When it was pinged, if nothing came since.
    pinged: Option<Time>,
}

/// What a connection and the task that waits for its socket share.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: TcpStream,
    /// Tells the task that what to wait for has changed.
    pub(crate) changed: Notify,
}

/// What the clock asks of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    End(Reason),
}

/// The times after which something is due, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) handshake_ms: u64,
    pub(crate) ping_ms: u64,
    pub(crate) pong_ms: u64,
    pub(crate) close_ms: u64,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, now: Time) -> Self {
        Self {
            socket: Rc::new(Socket {
                stream,
                changed: Notify::new(),
            }),
            stage: Stage::Handshake,
            decoder: Decoder::new(TRACKER_MESSAGE_BYTES_MAX),
            partial: Vec::new(),
            output: Vec::new(),
            is_blocked: false,
            is_dirty: false,
            heard: now,
            pinged: None,
        }
    }

    pub(crate) fn interest(&self) -> Interest {
        if self.is_blocked {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        }
    }

    /// Notes that bytes came. During the handshake they earn no more time: one byte every few seconds
    /// must not hold a connection for ever.
    pub(crate) fn heard(&mut self, now: Time) {
        if self.stage != Stage::Handshake {
            self.heard = now;
            self.pinged = None;
        }
    }

    /// Notes that a ping goes out; false when one is out already.
    pub(crate) fn begin_ping(&mut self, now: Time) -> bool {
        let is_new = self.pinged.is_none();
        self.pinged.get_or_insert(now);
        is_new
    }

    /// Appends frames to what waits to be sent.
    pub(crate) fn queue(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.output);
    }

    pub(crate) fn output_bytes(&self) -> usize {
        self.output.len()
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Writes what waits, as far as the system takes it. Returns how many bytes.
    pub(crate) fn flush(&mut self) -> io::Result<usize> {
        let mut written = 0;
        let was_blocked = mem::take(&mut self.is_blocked);
        while written < self.output.len() {
            match self.socket.stream.try_write(&self.output[written..]) {
                Ok(bytes) => written += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_blocked = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if self.is_blocked {
            self.output.drain(..written);
        } else {
            self.output = Vec::new();
            if matches!(self.stage, Stage::Closing { .. }) {
                // The other end may be gone already, which ends the connection just as well.
                let _ = SockRef::from(&self.socket.stream).shutdown(Shutdown::Write);
            }
        }
        if self.is_blocked != was_blocked {
            self.socket.changed.notify_one();
        }
        Ok(written)
    }

    pub(crate) fn due(&self, now: Time, patience: Patience) -> Due {
        match (self.stage, self.pinged) {
            (Stage::Handshake, _) if now.since_ms(self.heard) > patience.handshake_ms => {
                Due::End(Reason::HandshakeTimeout)
            }
            (Stage::Closing { since, reason }, _) if now.since_ms(since) > patience.close_ms => {
                Due::End(reason)
            }
            (Stage::Open, Some(pinged)) if now.since_ms(pinged) > patience.pong_ms => {
                Due::End(Reason::Silent)
            }
            (Stage::Open, None) if now.since_ms(self.heard) > patience.ping_ms => Due::Ping,
            (Stage::Handshake | Stage::Closing { .. } | Stage::Open, _) => Due::Nothing,
        }
    }
}

impl Socket {
    /// Reads once. When less came than there is room for, no more is waiting, so the next read may
    /// wait for the system's word; that saves a call that would find nothing.
    pub(crate) fn read(&self, input: &mut [u8]) -> io::Result<usize> {
        let bytes = self.stream.try_read(input)?;
        if bytes > 0 && bytes < input.len() {
            let nothing = || Err::<(), _>(io::Error::from(io::ErrorKind::WouldBlock));
            let _ = self.stream.try_io(Interest::READABLE, nothing);
        }
        Ok(bytes)
    }
}
