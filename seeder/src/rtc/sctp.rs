//! The association (RFC 8831) and the one data channel in it (RFC 8832).
//!
//! `rtc-sctp` does the work. Messages go in as shared bytes and leave as packets that are copied
//! once, from the message to the packet.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rtc_sctp::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event,
    Payload, PayloadProtocolIdentifier as Protocol, ServerConfig, StreamEvent, StreamId,
    TimerConfig, TransportConfig,
};

use super::MESSAGE_BYTES_MAX;
use super::dcep;

/// Bytes that SCTP holds for a peer whose messages are incomplete or unread; what it advertises as
/// its receive window. Two of the largest messages: a window that one message can fill deadlocks
/// (webrtc-rs/rtc#217).
const RECEIVE_WINDOW_BYTES: u32 = 2 * MESSAGE_BYTES_MAX;

/// Streams in each direction that are agreed on. One is used; Chromium opens at most 1,024 channels
/// and takes what it is given.
const STREAMS: u16 = 1_024;

/// Associations that a peer's INITs make before one of them is up. A peer repeats its INIT when the
/// answer is lost or late, and goes on with whichever answer reaches it; it tries nine times.
const ATTEMPTS_MAX: usize = 9;

/// How often data, or the wish to reset a stream, is repeated: the stack's five would end in a
/// channel that is up and never sends again. A peer that is gone is known by its silence.
const REPEATS_MAX: usize = usize::MAX;

/// The association knows its peer by an address, whichever path the datagrams take: this one.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// What all associations of a hub have in common.
pub(super) struct SctpConfig {
    endpoint: Arc<EndpointConfig>,
    server: Arc<ServerConfig>,
}

impl SctpConfig {
    pub(super) fn new() -> Self {
        let timers = TimerConfig {
            max_t3_rtx_retrans: REPEATS_MAX,
            max_reconfig_retrans: REPEATS_MAX,
            ..TimerConfig::default()
        };
        let transport = TransportConfig::default()
            .with_timer_config(timers)
            .with_max_receive_buffer_size(RECEIVE_WINDOW_BYTES)
            .with_max_message_size(MESSAGE_BYTES_MAX)
            .with_max_num_inbound_streams(STREAMS)
            .with_max_num_outbound_streams(STREAMS);
        Self {
            endpoint: Arc::new(EndpointConfig::new()),
            server: Arc::new(ServerConfig::new(transport)),
        }
    }
}

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// The channel is open.
    Open,
    /// A binary message.
    Message(Bytes),
    /// The association or the channel has ended.
    Over,
}

/// The channel, as far as it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    /// The peer opens it.
    Awaited,
    /// We open it on this stream as soon as the association is up.
    Planned(StreamId),
    /// We have opened it and the peer has not said that it knows.
    Announced(StreamId),
    Open(StreamId),
}

/// One end of an association.
pub(super) struct Sctp {
    endpoint: Endpoint,
    /// One, once it is up.
    associations: Vec<(AssociationHandle, Association)>,
    channel: Channel,
    label: String,
    /// Bytes of the largest message that the peer takes.
    message_bytes_max: usize,
    is_connected: bool,
    /// Whether messages may lie ready.
    is_readable: bool,
}

impl Sctp {
    /// The end that was the client of the handshake begins, as both might. With a label we open the
    /// channel, on the first stream of our parity (RFC 8832, 6).
    pub(super) fn new(
        now: Instant,
        config: &SctpConfig,
        is_client: bool,
        label: Option<String>,
        message_bytes_max: u32,
    ) -> Self {
        let server = (!is_client).then(|| Arc::clone(&config.server));
        let mut endpoint = Endpoint::new(
            PEER,
            Default::default(),
            Arc::clone(&config.endpoint),
            server,
        );
        let mut associations = Vec::new();
        if is_client {
            let client = ClientConfig {
                transport: Arc::clone(&config.server.transport),
            };
            match endpoint.connect(now, client, PEER) {
                Ok(made) => associations.push(made),
                Err(error) => tracing::debug!(%error, "association not begun"),
            }
        }
        Self {
            endpoint,
            associations,
            channel: match label {
                Some(_) => Channel::Planned(StreamId::from(!is_client)),
                None => Channel::Awaited,
            },
            label: label.unwrap_or_default(),
            message_bytes_max: match message_bytes_max {
                0 => MESSAGE_BYTES_MAX,
                said => said.min(MESSAGE_BYTES_MAX),
            } as usize,
            is_connected: false,
            is_readable: false,
        }
    }

    /// Takes a packet of the peer.
    pub(super) fn receive(&mut self, now: Instant, packet: Bytes) {
        match self.endpoint.handle(now, PEER, None, packet) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                // A peer has one: another would only be memory that it can take.
                if !self.is_connected && self.associations.len() < ATTEMPTS_MAX {
                    self.associations.push((handle, association));
                }
            }
            Some((handle, DatagramEvent::AssociationEvent(event))) => {
                let known = self
                    .associations
                    .iter_mut()
                    .find(|(known, _)| *known == handle);
                if let Some((_, association)) = known {
                    association.handle_event(event);
                }
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        for (_, association) in &mut self.associations {
            if association.poll_timeout().is_some_and(|due| due <= now) {
                association.handle_timeout(now);
            }
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let timers = self.associations.iter();
        timers
            .filter_map(|(_, association)| association.poll_timeout())
            .min()
    }

    /// Hands out what has happened. Messages stay inside while `is_full` says so; the receive window
    /// fills then, and the peer has to wait.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        is_full: impl Fn() -> bool,
        mut report: impl FnMut(Happened),
    ) {
        for index in 0..self.associations.len() {
            while let Some(event) = self.associations[index].1.poll() {
                match event {
                    Event::Connected => self.is_connected = true,
                    Event::Stream(StreamEvent::Readable { .. }) => self.is_readable = true,
                    Event::HandshakeFailed { .. } | Event::AssociationLost { .. } => {
                        report(Happened::Over);
                    }
                    _ => {}
                }
            }
            if self.is_connected {
                self.associations.swap(0, index);
                self.associations.truncate(1);
                break;
            }
        }
        let Some((_, association)) = self.associations.first() else {
            return;
        };
        // One that is not up yet calls itself closed too.
        if !self.is_connected {
            return;
        }
        if association.is_closed() {
            report(Happened::Over);
            return;
        }
        self.announce(now, &mut report);
        if self.is_readable {
            self.is_readable = self.read(now, is_full, &mut report);
        }
    }

    fn announce(&mut self, now: Instant, report: &mut impl FnMut(Happened)) {
        let Channel::Planned(id) = self.channel else {
            return;
        };
        self.channel = Channel::Announced(id);
        let open = dcep::open(&self.label);
        if self.write(now, id, &open, Protocol::Dcep).is_err() {
            report(Happened::Over);
        }
    }

    /// Reads every stream; the peer has one, and what else it opens ends the connection. Returns
    /// whether something is left to be read later.
    fn read(
        &mut self,
        now: Instant,
        is_full: impl Fn() -> bool,
        report: &mut impl FnMut(Happened),
    ) -> bool {
        let Some((_, association)) = self.associations.first() else {
            return false;
        };
        for id in association.stream_ids() {
            loop {
                if is_full() {
                    return true;
                }
                match self.next_message(id) {
                    Ok(Some((protocol, data))) => self.take(now, id, protocol, data, report),
                    Ok(None) => break,
                    Err(()) => {
                        report(Happened::Over);
                        return false;
                    }
                }
            }
        }
        false
    }

    /// The next whole message of a stream.
    fn next_message(&mut self, id: StreamId) -> Result<Option<(Protocol, Bytes)>, ()> {
        let Some((_, association)) = self.associations.first_mut() else {
            return Ok(None);
        };
        let Ok(mut stream) = association.stream(id) else {
            return Ok(None);
        };
        let Some(message) = stream.read_sctp().map_err(drop)? else {
            return Ok(None);
        };
        let data = message
            .to_payload(MESSAGE_BYTES_MAX as usize)
            .map_err(drop)?;
        Ok(Some((message.ppi, data.freeze())))
    }

    fn take(
        &mut self,
        now: Instant,
        id: StreamId,
        protocol: Protocol,
        data: Bytes,
        report: &mut impl FnMut(Happened),
    ) {
        match protocol {
            Protocol::Dcep => self.take_dcep(now, id, &data, report),
            Protocol::Binary | Protocol::BinaryEmpty if self.channel == Channel::Open(id) => {
                // SCTP carries no empty message: one byte stands in for nothing (RFC 8831, 6.6).
                let is_empty = protocol == Protocol::BinaryEmpty;
                report(Happened::Message(if is_empty {
                    Bytes::new()
                } else {
                    data
                }));
            }
            // Text is no part of the peers' protocol.
            _ => {}
        }
    }

    fn take_dcep(
        &mut self,
        now: Instant,
        id: StreamId,
        data: &[u8],
        report: &mut impl FnMut(Happened),
    ) {
        match (dcep::read(data), self.channel) {
            (Some(dcep::Said::Open), Channel::Awaited) => {
                self.channel = Channel::Open(id);
                if self.write(now, id, &dcep::ACK, Protocol::Dcep).is_ok() {
                    report(Happened::Open);
                } else {
                    report(Happened::Over);
                }
            }
            (Some(dcep::Said::Ack), Channel::Announced(ours)) if ours == id => {
                self.channel = Channel::Open(id);
                report(Happened::Open);
            }
            // One channel is the protocol; more would only be memory that a peer can take.
            (Some(dcep::Said::Open), _) => report(Happened::Over),
            (Some(dcep::Said::Ack) | None, _) => {}
        }
    }

    /// Bytes that were sent and not acknowledged, or wait for the congestion window.
    pub(super) fn outstanding_bytes(&mut self) -> usize {
        let Channel::Open(id) = self.channel else {
            return 0;
        };
        let Some((_, association)) = self.associations.first_mut() else {
            return 0;
        };
        association
            .stream(id)
            .and_then(|stream| stream.buffered_amount())
            .unwrap_or(0)
    }

    /// Sends a message on the open channel. False when it cannot be.
    pub(super) fn send(&mut self, now: Instant, message: &Bytes) -> bool {
        let Channel::Open(id) = self.channel else {
            return false;
        };
        if message.len() > self.message_bytes_max {
            return false;
        }
        if message.is_empty() {
            let nothing = Bytes::from_static(&[0]);
            return self.write(now, id, &nothing, Protocol::BinaryEmpty).is_ok();
        }
        self.write(now, id, message, Protocol::Binary).is_ok()
    }

    fn write(
        &mut self,
        now: Instant,
        id: StreamId,
        message: &Bytes,
        protocol: Protocol,
    ) -> Result<(), ()> {
        let (_, association) = self.associations.first_mut().ok_or(())?;
        let mut stream = match association.stream(id) {
            Ok(stream) => stream,
            Err(_) => association
                .open_stream(id, Protocol::Binary)
                .map_err(drop)?,
        };
        stream
            .write_chunk_with_ppi(now, message, protocol)
            .map(drop)
            .map_err(|error| tracing::debug!(%error, "message refused"))
    }

    /// Hands out the packets that may be sent now.
    pub(super) fn transmit(&mut self, now: Instant, mut emit: impl FnMut(&[u8])) {
        for (_, association) in &mut self.associations {
            while let Some(transmit) = association.poll_transmit(now) {
                if let Payload::RawEncode(packets) = transmit.message {
                    packets.iter().for_each(|packet| emit(packet));
                }
            }
        }
    }

    /// Tells the peer, with the next packets, that it is over (RFC 9260, 9.1).
    pub(super) fn abort(&mut self) {
        for (_, association) in &mut self.associations {
            if let Err(error) = association.abort() {
                tracing::debug!(%error, "association not aborted");
            }
        }
    }
}
