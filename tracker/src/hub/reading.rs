//! From bytes to messages.

use std::io;
use std::mem;

use beekeepr_model::Time;
use beekeepr_swarm::ConnKey;
use beekeepr_websocket::{Decoder, Event, write};

use super::pace::CONTROL_FRAME_MILLI;
use super::{Hub, Then};
use crate::connection::Stage;
use crate::connections::Entry;
use crate::metrics::Reason;
use crate::outbox::Outbox;

/// Plain text that may stay allocated for the next connection: twice the largest message.
const PLAIN_BYTES_KEPT: usize = 128 * 1024;

impl Hub {
    /// Reads once from a connection. `input` is the worker's buffer; it has room for an unfinished
    /// frame or record and more.
    pub(crate) fn read(&mut self, now: Time, key: ConnKey, input: &mut [u8]) -> Then {
        let Some(Entry { socket, connection }) = self.connections.entry(key) else {
            return Then::Stay;
        };
        let kept = mem::take(connection.unfinished());
        input[..kept.len()].copy_from_slice(&kept);
        match socket.read(&mut input[kept.len()..]) {
            Ok(0) => self.connections.remove(key, Reason::Client),
            Ok(bytes) => {
                connection.heard(now);
                self.shared.metrics.received_bytes.inc_by(bytes as u64);
                return self.take(now, key, &mut input[..kept.len() + bytes]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                *connection.unfinished() = kept;
            }
            Err(_) => self.connections.remove(key, Reason::Network),
        }
        Then::Stay
    }

    /// Understands what came from the socket, in the order it came.
    fn take(&mut self, now: Time, key: ConnKey, input: &mut [u8]) -> Then {
        let input = match self.connections.stage(key) {
            Some(Stage::Proxy) => match self.proxy_header(now, key, input) {
                Some(header_bytes) => &mut input[header_bytes..],
                None => return Then::Stay,
            },
            _ => input,
        };
        let Some(connection) = self.connections.get_mut(key) else {
            return Then::Stay;
        };
        if connection.tls.is_none() {
            return self.understand(now, key, input);
        }
        let mut plain = mem::take(&mut self.plain);
        plain.clear();
        plain.append(&mut connection.partial);
        let then = if self.open_records(key, input, &mut plain) {
            self.understand(now, key, &mut plain)
        } else {
            Then::Stay
        };
        plain.shrink_to(PLAIN_BYTES_KEPT);
        self.plain = plain;
        then
    }

    /// Understands what the client says.
    fn understand(&mut self, now: Time, key: ConnKey, input: &mut [u8]) -> Then {
        let input = match self.connections.stage(key) {
            Some(Stage::Handshake) => match self.handshake(now, key, input) {
                Some(request_bytes) => &mut input[request_bytes..],
                None => return Then::Stay,
            },
            Some(Stage::Open) => input,
            Some(Stage::Proxy | Stage::Closing { .. }) | None => return Then::Stay,
        };
        self.frames(now, key, input)
    }

    pub(super) fn frames(&mut self, now: Time, key: ConnKey, mut input: &mut [u8]) -> Then {
        let Some(connection) = self.connections.get_mut(key) else {
            return Then::Stay;
        };
        // Messages may be relayed to the very connection they came from, so it stays reachable while
        // its decoder lends them out.
        let mut decoder = mem::replace(&mut connection.decoder, Decoder::new(0));
        let mut then = Then::Stay;
        while then == Then::Stay && self.connections.is_open(key) {
            match decoder.next(input) {
                Ok(Some((bytes, event))) => {
                    then = self.event(now, key, &event);
                    input = &mut input[bytes..];
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(connection = key.0, %error, "bad frame");
                    let code = error.close_code();
                    self.connections
                        .finish(key, Reason::Protocol, |out| write::close(out, code));
                }
            }
        }
        if let Some(connection) = self.connections.get_mut(key)
            && connection.stage == Stage::Open
        {
            connection.decoder = decoder;
            connection.partial = input.to_vec();
        }
        then
    }

    fn event(&mut self, now: Time, key: ConnKey, event: &Event<'_>) -> Then {
        match *event {
            Event::Text(text) => return self.message(now, key, text.as_bytes()),
            Event::Binary(text) => return self.message(now, key, text),
            Event::Ping(payload) => {
                if self.may_ask(now, key, CONTROL_FRAME_MILLI) {
                    self.connections.send(key, |out| write::pong(out, payload));
                } else {
                    self.count_refusal(key);
                }
            }
            Event::Close(code) => {
                self.connections.finish(key, Reason::Client, |out| {
                    write::close_reply(out, code);
                });
            }
            Event::Pong | Event::Fragment => {}
        }
        Then::Stay
    }
}
