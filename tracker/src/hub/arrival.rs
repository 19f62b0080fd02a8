//! From an accepted socket to an open WebSocket: who may come in, and who it is.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use beekeepr_model::Time;
use beekeepr_swarm::ConnKey;
use beekeepr_websocket::{Handshake, Upgrade, read_request, refusal};
use tokio::net::TcpStream;

use super::Hub;
use crate::access::Arrival;
use crate::connection::{Connection, Socket, Stage};
use crate::gate::Closed;
use crate::metrics::Reason;
use crate::outbox::Outbox;
use crate::proxy_header::{self, ProxyHeader};
use crate::rate::Bucket;
use crate::tls::Tls;
use crate::{forwarded, origin};
use beekeepr_service::cidr::any_contains;

/// Seconds after which somebody who was sent away may try again: longer than the bursts that limits
/// allow take to refill.
const RETRY_AFTER_S: u32 = 30;

impl Hub {
    /// Takes a new connection, or sends it away.
    pub(crate) fn accept(
        &mut self,
        now: Time,
        stream: TcpStream,
        from: IpAddr,
    ) -> Option<(ConnKey, Rc<Socket>)> {
        let from = from.to_canonical();
        self.shared.metrics.accepted.inc();
        let pass = match self.shared.gate.enter(now, from) {
            Ok(pass) => pass,
            Err(closed) => {
                self.shared.metrics.closed(Reason::Full);
                if self.shared.tls.is_none() {
                    // Whether the client gets to read it is up to the system.
                    let _ = stream.try_write(busy(closed).as_bytes());
                }
                return None;
            }
        };
        let tls = match self.shared.tls.as_ref().map(Tls::new).transpose() {
            Ok(tls) => tls.map(Box::new),
            Err(error) => {
                tracing::error!(%error, "no TLS session");
                self.shared.metrics.closed(Reason::Tls);
                return None;
            }
        };
        // Without it the connection works as well, only slower.
        let _ = stream.set_nodelay(true);
        let config = &self.shared.config;
        let stage = if config.proxy_protocol && any_contains(&config.trusted_proxies, from) {
            Stage::Proxy
        } else {
            Stage::Handshake
        };
        let requests = Bucket::new(now, self.request_rate());
        let socket = Socket::new(stream);
        let connection = Connection::new(from, pass, stage, tls, requests, now);
        let key = self.connections.insert(Rc::clone(&socket), connection);
        Some((key, socket))
    }

    /// Returns the length of the proxy's header once it is there.
    pub(super) fn proxy_header(&mut self, now: Time, key: ConnKey, input: &[u8]) -> Option<usize> {
        let connection = self.connections.get_mut(key)?;
        match proxy_header::read(input) {
            ProxyHeader::Incomplete => {
                connection.partial = input.to_vec();
                None
            }
            ProxyHeader::Whole(header_bytes, source) => {
                connection.stage = Stage::Handshake;
                let Some(source) = source else {
                    return Some(header_bytes);
                };
                connection.ip = source;
                match connection.pass.speaks_for(now, source) {
                    Ok(()) => Some(header_bytes),
                    Err(closed) => {
                        self.send_away(key, closed);
                        None
                    }
                }
            }
            ProxyHeader::Wrong => {
                tracing::debug!(
                    connection = key.0,
                    "no PROXY protocol header from a trusted proxy; turn it on there or set \
                     tracker.proxy_protocol to false"
                );
                self.connections.remove(key, Reason::NoProxyHeader);
                None
            }
        }
    }

    /// Opens TLS records. False when there is nothing to be understood any more.
    pub(super) fn open_records(
        &mut self,
        key: ConnKey,
        input: &mut [u8],
        plain: &mut Vec<u8>,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(key) else {
            return false;
        };
        let Some(tls) = &mut connection.tls else {
            return false;
        };
        let was_open = tls.is_open();
        let opened = tls.open(input, plain);
        if !was_open && let Some(is_resumed) = tls.handshake() {
            self.shared.metrics.tls_handshakes.inc();
            self.shared
                .metrics
                .tls_resumed
                .inc_by(u64::from(is_resumed));
        }
        if !tls.sealed.is_empty() {
            self.connections.mark_dirty(key);
        }
        match opened {
            Ok(false) => true,
            // The client says that nothing more comes, which ends a WebSocket too.
            Ok(true) => {
                self.connections.finish(key, Reason::Client, |_| {});
                false
            }
            Err(error) => {
                tracing::debug!(connection = key.0, %error, "TLS failed");
                // The alert is already sealed.
                self.connections.finish(key, Reason::Tls, |_| {});
                false
            }
        }
    }

    /// Returns the length of the request once it is accepted.
    pub(super) fn handshake(&mut self, now: Time, key: ConnKey, input: &[u8]) -> Option<usize> {
        match read_request(input) {
            Handshake::Incomplete => {
                self.connections.get_mut(key)?.partial = input.to_vec();
                None
            }
            Handshake::Upgrade(upgrade) => self.upgrade(now, key, &upgrade),
            Handshake::Refuse { response } => {
                self.connections.finish(key, Reason::NoHandshake, |out| {
                    out.extend_from_slice(response.as_bytes());
                });
                None
            }
        }
    }

    fn upgrade(&mut self, now: Time, key: ConnKey, upgrade: &Upgrade<'_>) -> Option<usize> {
        let config = &self.shared.config;
        let connection = self.connections.get_mut(key)?;
        let ip = forwarded::client(
            connection.ip,
            &config.trusted_proxies,
            upgrade.values("x-forwarded-for"),
        );
        if ip != connection.ip {
            connection.ip = ip;
            if let Err(closed) = connection.pass.speaks_for(now, ip) {
                self.send_away(key, closed);
                return None;
            }
        }
        if !origin::is_allowed(config, upgrade.values("origin").next()) {
            self.connections.finish(key, Reason::Refused, |out| {
                out.extend_from_slice(refusal("403 Forbidden", "", origin::REFUSED).as_bytes());
            });
            return None;
        }
        let (session, protocol) = self.shared.access.admit(&Arrival {
            now,
            ip,
            target: upgrade.target,
            protocols: upgrade.values("sec-websocket-protocol").collect(),
        });
        if let Some(holder) = session.holder()
            && let Err(closed) = connection.pass.holds(now, holder)
        {
            self.send_away(key, closed);
            return None;
        }
        if let Some(kind) = session.refused_kind() {
            self.shared.metrics.token_refused(kind);
        }
        connection.session = Some(Arc::new(session));
        connection.stage = Stage::Open;
        let response = upgrade.response(protocol);
        self.connections
            .send(key, |out| out.extend_from_slice(response.as_bytes()));
        Some(upgrade.request_bytes)
    }

    fn send_away(&mut self, key: ConnKey, closed: Closed) {
        self.connections.finish(key, Reason::Full, |out| {
            out.extend_from_slice(busy(closed).as_bytes());
        });
    }
}

/// The response to a connection that is not let in.
fn busy(closed: Closed) -> String {
    refusal(
        "503 Service Unavailable",
        &format!("Retry-After: {RETRY_AFTER_S}\r\n"),
        closed.text(),
    )
}
