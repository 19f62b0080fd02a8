//! One peer: the stack's connection, our send queue before it, and the two nudges it needs.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ::rtc::data_channel::RTCDataChannelId;
use ::rtc::peer_connection::RTCPeerConnection;
use ::rtc::peer_connection::event::{RTCDataChannelEvent, RTCPeerConnectionEvent};
use ::rtc::peer_connection::message::RTCMessage;
use ::rtc::peer_connection::state::{RTCIceConnectionState, RTCPeerConnectionState};
use ::rtc::sansio::Protocol;
use ::rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use bytes::{Bytes, BytesMut};

use super::client::{HubEvent, Outlet};
use super::stack::Ends;
use super::stun::Check;
use super::{SEND_QUEUE_BYTES_MAX, SEND_WINDOW_BYTES};

/// Without a datagram from a connected peer, until it counts as gone: a tab that is closed says no
/// farewell. Chromium checks a good path every 2.5 s, we every 2 s. RFC 7675 would allow 30 s.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Datagrams kept from before the path is up: a DTLS flight of Chromium has at most three.
const EARLY_MAX: usize = 4;

/// Rounds of one drive. Each is caused by the previous one; a handshake step takes two or three,
/// and what is left is done at the next deadline, which is at once.
const ROUNDS_MAX: usize = 8;

/// One peer's connection.
pub(super) struct Connection {
    number: u32,
    outlet: Outlet,
    stack: RTCPeerConnection,
    /// The address of ours that the stack takes for its own, whichever one a datagram came to.
    own: SocketAddr,
    password: String,
    channel: Channel,
    is_path_up: bool,
    nomination: Option<(SocketAddr, BytesMut)>,
    early: Vec<(SocketAddr, BytesMut)>,
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    drained_bytes: u32,
    is_drain_awaited: bool,
    /// When it is given up unless the channel is open by then.
    give_up: Instant,
    /// When the peer's latest datagram came.
    heard: Instant,
    is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Awaited,
    Open(RTCDataChannelId),
}

/// What a connection is called and whom it tells.
pub(super) struct Owner {
    pub(super) number: u32,
    pub(super) outlet: Outlet,
    pub(super) drained_bytes: u32,
    pub(super) give_up: Instant,
}

impl Connection {
    /// Takes a stack that has both descriptions.
    pub(super) fn new(
        now: Instant,
        stack: RTCPeerConnection,
        ends: &Ends<'_>,
        owner: Owner,
    ) -> Self {
        Self {
            number: owner.number,
            outlet: owner.outlet,
            stack,
            own: ends.own,
            password: ends.local.password.clone(),
            channel: Channel::Awaited,
            is_path_up: false,
            nomination: None,
            early: Vec::new(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            drained_bytes: owner.drained_bytes,
            is_drain_awaited: false,
            give_up: owner.give_up,
            heard: now,
            is_over: false,
        }
    }

    /// The password that a peer's checks are signed with.
    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// Whether it has ended and only has to be cleared away.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes a connectivity check or the answer to one.
    pub(super) fn check(&mut self, now: Instant, from: SocketAddr, check: &Check, bytes: BytesMut) {
        // The stack answers a nomination only when its own check of that path has succeeded, and
        // forgets it otherwise; the browser repeats it after half a second. So it is kept and
        // given to the stack again once that check has succeeded.
        if !self.is_path_up && check.is_request() && check.nominates() {
            self.nomination = Some((from, bytes.clone()));
        }
        self.hand_over(now, from, bytes);
        if check.is_success()
            && let Some((from, nomination)) = self.nomination.take()
        {
            self.hand_over(now, from, nomination);
        }
    }

    /// Takes a datagram of the peer that is no check.
    pub(super) fn datagram(&mut self, now: Instant, from: SocketAddr, bytes: BytesMut) {
        if self.is_path_up {
            self.hand_over(now, from, bytes);
        } else if self.early.len() < EARLY_MAX {
            // A peer may take the path for good before we do. The stack would drop its first
            // flight, and the handshake would wait for the next.
            self.early.push((from, bytes));
        }
    }

    fn hand_over(&mut self, now: Instant, from: SocketAddr, message: BytesMut) {
        self.heard = now;
        let taken = self.stack.handle_read(TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: self.own,
                peer_addr: from,
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message,
        });
        if let Err(error) = taken {
            tracing::debug!(conn = self.number, %error, "datagram refused");
        }
    }

    /// Queues a message.
    pub(super) fn send(&mut self, message: Bytes) {
        if self.channel == Channel::Awaited || self.is_over {
            return;
        }
        self.queued_bytes += message.len();
        self.queue.push_back(message);
        self.is_drain_awaited = true;
        if self.queued_bytes > SEND_QUEUE_BYTES_MAX {
            tracing::warn!(
                conn = self.number,
                queued_bytes = self.queued_bytes,
                "connection closed: more queued than {SEND_QUEUE_BYTES_MAX} bytes"
            );
            self.is_over = true;
        }
    }

    /// Does all that can be done now; `emit` gets the datagrams. Returns when to come again.
    pub(super) fn drive(
        &mut self,
        now: Instant,
        mut emit: impl FnMut(SocketAddr, &[u8]),
    ) -> Instant {
        if !self.is_path_up {
            // The stack puts DTLS before the answers to checks. A peer that gets the first flight
            // before the answer that brings its path up drops it, and waits a second for the next.
            self.write_out(&mut emit);
        }
        for _ in 0..ROUNDS_MAX {
            if self.stack.poll_timeout().is_some_and(|due| due <= now) {
                self.timeout(now);
            }
            let is_moving = self.take_events(now) | self.take_messages();
            if !is_moving {
                break;
            }
        }
        if self.patience_ends() <= now {
            tracing::debug!(conn = self.number, channel = ?self.channel, "peer given up");
            self.is_over = true;
        }
        self.fill_window(now);
        self.write_out(&mut emit);
        self.report_drain();
        self.due()
    }

    /// Tells the peer that it is over; `emit` gets the datagrams.
    pub(super) fn close(&mut self, now: Instant, mut emit: impl FnMut(SocketAddr, &[u8])) {
        self.is_over = true;
        // The stack stamps its farewell with the latest time it knows.
        self.timeout(now);
        if let Err(error) = self.stack.close() {
            tracing::debug!(conn = self.number, %error, "close failed");
        }
        self.write_out(&mut emit);
    }

    fn write_out(&mut self, emit: &mut impl FnMut(SocketAddr, &[u8])) {
        while let Some(datagram) = self.stack.poll_write() {
            emit(datagram.transport.peer_addr, &datagram.message);
        }
    }

    fn timeout(&mut self, now: Instant) {
        if let Err(error) = self.stack.handle_timeout(now) {
            tracing::debug!(conn = self.number, %error, "connection ended by its stack");
            self.is_over = true;
        }
    }

    fn take_events(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(event) = self.stack.poll_event() {
            any = true;
            match event {
                RTCPeerConnectionEvent::OnIceConnectionStateChangeEvent(
                    RTCIceConnectionState::Connected,
                ) => {
                    self.is_path_up = true;
                    self.nomination = None;
                    // The first DTLS flight leaves only when the stack is told the time.
                    self.timeout(now);
                    for (from, bytes) in std::mem::take(&mut self.early) {
                        self.hand_over(now, from, bytes);
                    }
                }
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(
                    RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed,
                ) => self.is_over = true,
                RTCPeerConnectionEvent::OnDataChannel(event) => self.channel_event(&event),
                _ => {}
            }
        }
        any
    }

    fn channel_event(&mut self, event: &RTCDataChannelEvent) {
        match (event, self.channel) {
            (RTCDataChannelEvent::OnOpen(id), Channel::Awaited) => {
                self.channel = Channel::Open(*id);
                self.outlet.emit(HubEvent::Opened { conn: self.number });
            }
            // One channel is the protocol; more would only be memory that a peer can take.
            (RTCDataChannelEvent::OnOpen(_), Channel::Open(_))
            | (
                RTCDataChannelEvent::OnClosing(_)
                | RTCDataChannelEvent::OnClose(_)
                | RTCDataChannelEvent::OnError(_),
                _,
            ) => self.is_over = true,
            _ => {}
        }
    }

    /// Messages stay with the stack while the client lags. It holds 256 of them, then its receive
    /// window fills and the peer has to wait.
    fn take_messages(&mut self) -> bool {
        let mut any = false;
        while !self.outlet.is_full()
            && let Some(read) = self.stack.poll_read()
        {
            any = true;
            if let RTCMessage::DataChannelMessage(_, message) = read.message
                && !message.is_string
            {
                self.outlet.emit(HubEvent::Message {
                    conn: self.number,
                    data: message.data.freeze(),
                });
            }
        }
        any
    }

    fn fill_window(&mut self, now: Instant) {
        let Channel::Open(id) = self.channel else {
            return;
        };
        while let Some(next) = self.queue.front()
            && let Some(mut channel) = self.stack.data_channel(id)
        {
            let outstanding = channel.outstanding_bytes();
            if outstanding > 0 && outstanding + next.len() > SEND_WINDOW_BYTES {
                break;
            }
            let Some(message) = self.queue.pop_front() else {
                break;
            };
            self.queued_bytes -= message.len();
            let message = message
                .try_into_mut()
                .unwrap_or_else(|shared| shared[..].into());
            if let Err(error) = channel.send(now, message) {
                tracing::debug!(conn = self.number, %error, "connection closed: cannot send");
                self.is_over = true;
                break;
            }
        }
    }

    fn report_drain(&mut self) {
        let Channel::Open(id) = self.channel else {
            return;
        };
        if !self.is_drain_awaited {
            return;
        }
        let outstanding = self
            .stack
            .data_channel(id)
            .map_or(0, |channel| channel.outstanding_bytes());
        let buffered = u32::try_from(self.queued_bytes + outstanding).unwrap_or(u32::MAX);
        if buffered <= self.drained_bytes {
            self.is_drain_awaited = false;
            self.outlet.emit(HubEvent::Drained {
                conn: self.number,
                buffered,
            });
        }
    }

    /// When the peer is given up unless something happens before.
    fn patience_ends(&self) -> Instant {
        match self.channel {
            Channel::Awaited => self.give_up,
            Channel::Open(_) => self.heard + SILENCE_MAX,
        }
    }

    fn due(&mut self) -> Instant {
        let patience_ends = self.patience_ends();
        self.stack
            .poll_timeout()
            .map_or(patience_ends, |due| due.min(patience_ends))
    }
}
