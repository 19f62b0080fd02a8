//! One peer: the path to it, the secure channel on the path, the association in the channel, and our
//! send queue before that.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc_crypto::RTCCryptoProvider;

use super::SEND_QUEUE_BYTES_MAX;
use super::client::{HubEvent, Outlet};
use super::dtls::{Dtls, OVERHEAD, Parties, Progress};
use super::hub::Identity;
use super::ice::{Credentials, Ice, Start};
use super::pace::Pace;
use super::sctp::{Happened, Sctp, SctpConfig};
use super::sdp::{Description, Setup};
use super::stun::Check;
use super::wire::Wire;

/// Without a sign of life of a connected peer, until it counts as gone: a tab that is closed says no
/// farewell. Chromium checks a good path every 2.5 s, we every 2 s. RFC 7675 would allow 30 s.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// What a connection is called and whom it tells.
pub(super) struct Owner {
    pub(super) number: u32,
    pub(super) outlet: Outlet,
    pub(super) drained_bytes: u32,
    pub(super) give_up: Instant,
}

/// The ends of one description exchange.
pub(super) struct Ends<'a> {
    /// What we said.
    pub(super) local: &'a Description,
    /// What the peer said, with the candidates that may be tried.
    pub(super) remote: &'a Description,
    /// What we call the data channel, when it is us who open it.
    pub(super) label: Option<String>,
    /// Random bits, for [`super::ice`].
    pub(super) random: [u8; 16],
}

/// One peer's connection.
pub(super) struct Connection {
    owner: Owner,
    crypto: Arc<dyn RTCCryptoProvider>,
    ice: Ice,
    dtls: Dtls,
    is_dtls_client: bool,
    /// There once the channel is secure; until then, what it needs to begin.
    sctp: Option<Sctp>,
    sctp_config: Arc<SctpConfig>,
    label: Option<String>,
    message_bytes_max: u32,
    is_open: bool,
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    is_drain_awaited: bool,
    pace: Pace,
    /// When the peer's latest sign of life came.
    heard: Instant,
    is_over: bool,
}

impl Connection {
    /// A connection between two ends that know each other's descriptions.
    pub(super) fn new(
        now: Instant,
        identity: &Identity,
        ends: Ends<'_>,
        owner: Owner,
    ) -> Result<Self, String> {
        let Ends { local, remote, .. } = ends;
        let is_dtls_client = match local.setup {
            Setup::Active => true,
            Setup::Passive => false,
            // We offered, so the peer has chosen.
            Setup::ActPass => remote.setup == Setup::Passive,
        };
        let parties = Parties {
            crypto: &identity.crypto,
            certificate: &identity.certificate,
            is_client: is_dtls_client,
            fingerprint: remote.fingerprint.clone(),
        };
        let dtls = Dtls::new(now, parties)?;
        let (prefix, tie_breaker) = ends.random.split_at(8);
        let bits = |bytes: &[u8]| bytes.try_into().unwrap_or_default();
        let start = Start {
            local: credentials(local),
            remote: credentials(remote),
            is_lite: local.lite,
            prefix: bits(prefix),
            tie_breaker: u64::from_be_bytes(bits(tie_breaker)),
            candidates: remote.candidates.clone(),
        };
        Ok(Self {
            owner,
            crypto: Arc::clone(&identity.crypto),
            ice: Ice::new(now, start),
            dtls,
            is_dtls_client,
            sctp: None,
            sctp_config: Arc::clone(&identity.sctp),
            label: ends.label,
            message_bytes_max: remote.message_bytes_max,
            is_open: false,
            queue: VecDeque::new(),
            queued_bytes: 0,
            is_drain_awaited: false,
            pace: Pace::new(now),
            heard: now,
            is_over: false,
        })
    }

    /// The password that a peer's checks are signed with.
    pub(super) fn password(&self) -> &str {
        self.ice.password()
    }

    /// Whether the channel is open.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether it has ended and only has to be cleared away.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes a connectivity check whose signature was found good, or the answer to one of ours.
    pub(super) fn check(&mut self, now: Instant, from: SocketAddr, check: &mut Check) {
        let crypto = Arc::clone(&self.crypto);
        if check.is_request() {
            self.heard = now;
            self.ice.request(now, from, check, crypto.as_ref());
        } else if self.ice.answer(now, from, check, crypto.as_ref()) {
            self.heard = now;
        }
    }

    /// Takes a datagram of the peer that is no check.
    pub(super) fn datagram(&mut self, now: Instant, from: SocketAddr, bytes: BytesMut) {
        let mut is_genuine = false;
        let sctp = &mut self.sctp;
        let progress = self.dtls.receive(now, bytes, |payload| {
            is_genuine = true;
            if let Some(sctp) = sctp {
                sctp.receive(now, payload);
            }
        });
        if is_genuine {
            self.heard = now;
            self.ice.heard(now, from);
        }
        match progress {
            Progress::Waiting => {}
            Progress::Secured => {
                self.sctp = Some(Sctp::new(
                    now,
                    &self.sctp_config,
                    self.is_dtls_client,
                    self.label.take(),
                    self.message_bytes_max,
                ));
            }
            Progress::Over => self.is_over = true,
        }
    }

    /// Queues a message.
    pub(super) fn send(&mut self, message: Bytes) {
        if !self.is_open || self.is_over {
            return;
        }
        self.queued_bytes += message.len();
        self.queue.push_back(message);
        self.is_drain_awaited = true;
        if self.queued_bytes > SEND_QUEUE_BYTES_MAX {
            tracing::warn!(
                conn = self.owner.number,
                queued_bytes = self.queued_bytes,
                "connection closed: more queued than {SEND_QUEUE_BYTES_MAX} bytes"
            );
            self.is_over = true;
        }
    }

    /// Does all that can be done now. Returns when to come again.
    pub(super) fn drive(&mut self, now: Instant, wire: &mut Wire<'_>) -> Instant {
        let crypto = Arc::clone(&self.crypto);
        self.ice.timeout(now, crypto.as_ref());
        // The answers to checks go first: a peer that gets the first flight of a handshake before
        // the answer that brings its path up drops it, and waits a second for the next.
        for (to, datagram) in self.ice.take_outbox() {
            wire.send(to, &datagram);
        }
        if self.ice.is_connected() {
            self.dtls.begin(now);
        }
        self.dtls.timeout(now);
        if let Some(sctp) = &mut self.sctp {
            sctp.timeout(now);
        }
        self.take_news(now);
        if self.patience_ends() <= now {
            tracing::debug!(
                conn = self.owner.number,
                is_open = self.is_open,
                "peer given up"
            );
            self.is_over = true;
        }
        self.fill_window(now);
        self.write_out(now, wire);
        self.report_drain();
        self.due(now)
    }

    /// Tells the peer that it is over.
    pub(super) fn close(&mut self, now: Instant, wire: &mut Wire<'_>) {
        self.is_over = true;
        if let Some(sctp) = &mut self.sctp {
            sctp.abort();
        }
        self.write_out(now, wire);
        if let Some(to) = self.ice.target()
            && let Some(farewell) = self.dtls.farewell()
        {
            wire.send(to, &farewell);
        }
    }

    fn write_out(&mut self, now: Instant, wire: &mut Wire<'_>) {
        let Some(to) = self.ice.target() else {
            return;
        };
        while let Some(flight) = self.dtls.poll(now) {
            wire.send(to, &flight);
        }
        let Some(sctp) = &mut self.sctp else {
            return;
        };
        let mut lane = wire.toward(to);
        sctp.transmit(now, |packet| {
            if let Some(buffer) = lane.room(packet.len() + OVERHEAD) {
                // A record that cannot be sealed leaves a hole in the batch, which then ends there.
                self.is_over |= !self.dtls.seal(packet, buffer);
            }
        });
    }

    fn take_news(&mut self, now: Instant) {
        let Some(sctp) = &mut self.sctp else {
            return;
        };
        let Owner { number, outlet, .. } = &self.owner;
        let conn = *number;
        sctp.drain(
            now,
            || outlet.is_full(),
            |happened| match happened {
                Happened::Open => {
                    self.is_open = true;
                    outlet.emit(HubEvent::Opened { conn });
                }
                Happened::Message(data) => outlet.emit(HubEvent::Message { conn, data }),
                Happened::Over => self.is_over = true,
            },
        );
    }

    fn fill_window(&mut self, now: Instant) {
        let Some(sctp) = &mut self.sctp else {
            return;
        };
        let mut outstanding = sctp.outstanding_bytes();
        self.pace.observe(now, outstanding);
        while let Some(next) = self.queue.front() {
            if !self.pace.allows(now, outstanding, next.len()) {
                break;
            }
            let Some(message) = self.queue.pop_front() else {
                break;
            };
            self.queued_bytes -= message.len();
            outstanding += message.len();
            if !sctp.send(now, &message) {
                tracing::debug!(
                    conn = self.owner.number,
                    bytes = message.len(),
                    "connection closed: message not taken"
                );
                self.is_over = true;
                break;
            }
        }
    }

    fn report_drain(&mut self) {
        if !self.is_drain_awaited || !self.is_open {
            return;
        }
        let Some(sctp) = &mut self.sctp else {
            return;
        };
        let waiting = self.queued_bytes + self.pace.beyond_path(sctp.outstanding_bytes());
        let buffered = u32::try_from(waiting).unwrap_or(u32::MAX);
        if buffered <= self.owner.drained_bytes {
            self.is_drain_awaited = false;
            self.owner.outlet.emit(HubEvent::Drained {
                conn: self.owner.number,
                buffered,
            });
        }
    }

    /// When the peer is given up unless something happens before.
    fn patience_ends(&self) -> Instant {
        if self.is_open {
            self.heard + SILENCE_MAX
        } else {
            self.owner.give_up
        }
    }

    fn due(&self, now: Instant) -> Instant {
        let paced = (!self.queue.is_empty())
            .then(|| self.pace.due(now))
            .flatten();
        let sctp = self.sctp.as_ref().and_then(Sctp::due);
        [self.ice.due(), self.dtls.due(), sctp, paced]
            .into_iter()
            .flatten()
            .fold(self.patience_ends(), Instant::min)
    }
}

fn credentials(of: &Description) -> Credentials {
    Credentials {
        ufrag: of.ufrag.clone(),
        password: of.password.clone(),
    }
}
