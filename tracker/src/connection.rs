//! One client's connection: what stage it is in, what waits to be sent, when it was last heard.

use std::io;
use std::mem;
use std::net::{IpAddr, Shutdown};
use std::rc::Rc;
use std::sync::Arc;

use beekeepr_model::{Time, limits::TRACKER_MESSAGE_BYTES_MAX};
use beekeepr_swarm::PROBE_MS;
use beekeepr_websocket::Decoder;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::access::Session;
use crate::directory::{Place, WorkerId};
use crate::gate::Pass;
use crate::metrics::Reason;
use crate::rate::Bucket;
use crate::tls::Tls;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The proxy has to say whom it speaks for.
    Proxy,
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

/// A connection without its socket, so that it can move to another worker. Idle, it owns no buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stage: Stage,
    /// The client's address.
    pub(crate) ip: IpAddr,
    pub(crate) pass: Pass,
    /// Who the client is, once it has said so in its handshake.
    pub(crate) session: Option<Arc<Session>>,
    /// Where its content is, once it has any.
    pub(crate) place: Option<Place>,
    /// Swarms that nobody was in before it.
    pub(crate) swarms_brought: usize,
    /// Other workers that have heard from it.
    pub(crate) known_at: Vec<WorkerId>,
    pub(crate) tls: Option<Box<Tls>>,
    pub(crate) decoder: Decoder,
    /// The beginning of a frame whose end has not come.
    pub(crate) partial: Vec<u8>,
    /// What it may still ask for.
    pub(crate) requests: Bucket,
    /// How often it asked for more, since it last paused.
    pub(crate) refusals: u32,
    output: Vec<u8>,
    /// The system takes no more at the moment.
    is_blocked: bool,
    /// It is on the list of connections to write to.
    pub(crate) is_dirty: bool,
    /// When bytes last came, at first when it was accepted.
    heard: Time,
    /// When it was pinged, if nothing came since.
    pinged: Option<Time>,
    /// When it was asked to show at once that it lives, if nothing came since.
    probed: Option<Time>,
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
    /// It may not stay any longer.
    Leave,
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

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Rc<Self> {
        Rc::new(Self {
            stream,
            changed: Notify::new(),
        })
    }

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

impl Connection {
    pub(crate) fn new(
        ip: IpAddr,
        pass: Pass,
        stage: Stage,
        tls: Option<Box<Tls>>,
        requests: Bucket,
        now: Time,
    ) -> Self {
        Self {
            stage,
            ip,
            pass,
            session: None,
            place: None,
            swarms_brought: 0,
            known_at: Vec::new(),
            tls,
            decoder: Decoder::new(TRACKER_MESSAGE_BYTES_MAX),
            partial: Vec::new(),
            requests,
            refusals: 0,
            output: Vec::new(),
            is_blocked: false,
            is_dirty: false,
            heard: now,
            pinged: None,
            probed: None,
        }
    }

    pub(crate) fn interest(&self) -> Interest {
        if self.is_blocked {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        }
    }

    /// What came before and is not whole: of a record, a request or a frame.
    pub(crate) fn unfinished(&mut self) -> &mut Vec<u8> {
        match &mut self.tls {
            // The proxy's header comes before TLS.
            Some(tls) if self.stage != Stage::Proxy => &mut tls.partial,
            _ => &mut self.partial,
        }
    }

    /// Notes that bytes came. During the handshake they earn no more time: one byte every few seconds
    /// must not hold a connection for ever.
    pub(crate) fn heard(&mut self, now: Time) {
        if self.stage == Stage::Open {
            self.heard = now;
            self.pinged = None;
            self.probed = None;
        }
    }

    /// Notes that a ping goes out; false when one is out already.
    pub(crate) fn begin_ping(&mut self, now: Time) -> bool {
        let is_new = self.pinged.is_none();
        self.pinged.get_or_insert(now);
        is_new
    }

    /// Notes that it has to show at once that it lives; false when that is going on already.
    pub(crate) fn begin_probe(&mut self, now: Time) -> bool {
        let is_new = self.probed.is_none();
        self.probed.get_or_insert(now);
        is_new
    }

    /// Appends frames to what waits to be sent.
    pub(crate) fn queue(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.output);
    }

    pub(crate) fn output_bytes(&self) -> usize {
        let sealed = self.tls.as_ref().map_or(0, |tls| tls.sealed.len());
        self.output.len() + sealed
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// It comes from another worker, whose system may have taken more since.
    pub(crate) fn unblock(&mut self) {
        self.is_blocked = false;
        self.is_dirty = false;
    }

    /// Writes what waits, as far as the system takes it. Returns how many bytes.
    pub(crate) fn flush(&mut self, socket: &Socket) -> io::Result<usize> {
        self.seal()?;
        let wire = match &mut self.tls {
            Some(tls) => &mut tls.sealed,
            None => &mut self.output,
        };
        let mut written = 0;
        let was_blocked = mem::take(&mut self.is_blocked);
        while written < wire.len() {
            match socket.stream.try_write(&wire[written..]) {
                Ok(bytes) => written += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_blocked = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if self.is_blocked {
            wire.drain(..written);
        } else {
            *wire = Vec::new();
            if matches!(self.stage, Stage::Closing { .. }) {
                // The other end may be gone already, which ends the connection just as well.
                let _ = SockRef::from(&socket.stream).shutdown(Shutdown::Write);
            }
        }
        if self.is_blocked != was_blocked {
            socket.changed.notify_one();
        }
        Ok(written)
    }

    /// Makes records of what waits.
    fn seal(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return Ok(());
        };
        if !self.output.is_empty() {
            tls.seal(&mem::take(&mut self.output))
                .map_err(io::Error::other)?;
        }
        if matches!(self.stage, Stage::Closing { .. }) {
            // During its handshake a session cannot say goodbye.
            let _ = tls.say_goodbye();
        }
        Ok(())
    }

    /// Whether its token has expired.
    fn is_expired(&self, now: Time) -> bool {
        let expires = self.session.as_ref().and_then(|it| it.expires());
        expires.is_some_and(|expires| now >= expires)
    }

    pub(crate) fn due(&self, now: Time, patience: Patience) -> Due {
        match (self.stage, self.pinged) {
            (Stage::Proxy | Stage::Handshake, _)
                if now.since_ms(self.heard) > patience.handshake_ms =>
            {
                Due::End(Reason::HandshakeTimeout)
            }
            (Stage::Closing { since, reason }, _) if now.since_ms(since) > patience.close_ms => {
                Due::End(reason)
            }
            (Stage::Open, _) if self.is_expired(now) => Due::Leave,
            (Stage::Open, _) if self.probed.is_some_and(|it| now.since_ms(it) >= PROBE_MS) => {
                Due::End(Reason::Silent)
            }
            (Stage::Open, Some(pinged)) if now.since_ms(pinged) > patience.pong_ms => {
                Due::End(Reason::Silent)
            }
            (Stage::Open, None) if now.since_ms(self.heard) > patience.ping_ms => Due::Ping,
            (Stage::Proxy | Stage::Handshake | Stage::Closing { .. } | Stage::Open, _) => {
                Due::Nothing
            }
        }
    }
}
