//! What the tracker counts.

use beekeepr_tracker_proto::SdpFault;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// All metrics of the tracker, registered.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) connections: IntGauge,
    pub(crate) swarms: IntGauge,
    pub(crate) peers: IntGauge,
    pub(crate) offers_pending: IntGauge,
    pub(crate) accepted: IntCounter,
    closed: IntCounterVec,
    tokens_refused: IntCounterVec,
    descriptions_refused: IntCounterVec,
    pub(crate) received_bytes: IntCounter,
    pub(crate) sent_bytes: IntCounter,
    pub(crate) announces: IntCounter,
    pub(crate) offers: IntCounter,
    pub(crate) answers: IntCounter,
    pub(crate) scrapes: IntCounter,
    pub(crate) failures: IntCounter,
    pub(crate) expired: IntCounter,
    pub(crate) messages: IntCounter,
    pub(crate) forwarded: IntCounter,
    pub(crate) moved: IntCounter,
    pub(crate) mail_lost: IntCounter,
    pub(crate) tls_handshakes: IntCounter,
    pub(crate) tls_resumed: IntCounter,
    pub(crate) workers: IntGauge,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The client closed it.
    Client,
    /// There were too many already.
    Full,
    /// It was no WebSocket handshake.
    NoHandshake,
    /// The handshake was good but not allowed.
    Refused,
    /// It was no TLS session, or one that broke.
    Tls,
    /// The proxy did not say whom it speaks for.
    NoProxyHeader,
    /// The handshake took too long.
    HandshakeTimeout,
    /// A frame broke the protocol.
    Protocol,
    /// The client did what it may not, or may not any more.
    Policy,
    /// The client asked too often, and went on after it was told.
    TooFast,
    /// The client did not read what it was sent.
    Slow,
    /// The client did not answer a ping.
    Silent,
    /// The network failed.
    Network,
    /// The tracker shuts down.
    Shutdown,
}

impl Reason {
    const ALL: [Self; 14] = [
        Self::Client,
        Self::Full,
        Self::NoHandshake,
        Self::Refused,
        Self::Tls,
        Self::NoProxyHeader,
        Self::HandshakeTimeout,
        Self::Protocol,
        Self::Policy,
        Self::TooFast,
        Self::Slow,
        Self::Silent,
        Self::Network,
        Self::Shutdown,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Full => "full",
            Self::NoHandshake => "no_handshake",
            Self::Refused => "refused",
            Self::Tls => "tls",
            Self::NoProxyHeader => "no_proxy_header",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::Protocol => "protocol",
            Self::Policy => "policy",
            Self::TooFast => "too_fast",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::Network => "network",
            Self::Shutdown => "shutdown",
        }
    }
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |what: &str, help: &str| {
            let counter = IntCounter::new(format!("beekeepr_tracker_{what}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |what: &str, help: &str| {
            let gauge = IntGauge::new(format!("beekeepr_tracker_{what}"), help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        // Reasons that are named begin at 0: a rate over a series that begins with its first event does not see that one.
        let by_reason = |what: &str, help: &str, reasons: &[&str]| {
            let options = Opts::new(format!("beekeepr_tracker_{what}"), help);
            let counters = IntCounterVec::new(options, &["reason"])?;
            for reason in reasons {
                counters.with_label_values(&[*reason]);
            }
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        Ok(Self {
            connections: gauge("connections", "Connections now")?,
            swarms: gauge("swarms", "Swarms with at least one peer now")?,
            peers: gauge("peers", "Peers in swarms now; in two swarms counts twice")?,
            offers_pending: gauge("offers_pending", "Relayed offers without an answer yet")?,
            accepted: counter("connections_accepted_total", "Connections accepted")?,
            closed: by_reason(
                "connections_closed_total",
                "Connections ended",
                &Reason::ALL.map(Reason::as_str),
            )?,
            tokens_refused: by_reason(
                "tokens_refused_total",
                "Clients without a token that counts, at their handshake or later",
                &["absent"],
            )?,
            descriptions_refused: by_reason(
                "descriptions_refused_total",
                "Session descriptions in offers and answers that were not relayed",
                &[SdpFault::Media.kind(), SdpFault::Malformed.kind()],
            )?,
            received_bytes: counter("received_bytes_total", "Bytes received, TLS not counted")?,
            sent_bytes: counter("sent_bytes_total", "Bytes sent, TLS not counted")?,
            announces: counter("announces_total", "Announces understood")?,
            offers: counter("offers_relayed_total", "Offers handed to another peer")?,
            answers: counter("answers_relayed_total", "Answers handed to their offerer")?,
            scrapes: counter("scrapes_total", "Scrapes answered")?,
            failures: counter("failures_total", "Messages refused with a failure reason")?,
            expired: counter(
                "peers_expired_total",
                "Peers forgotten after missed announces",
            )?,
            messages: counter("messages_total", "Messages from clients, answers included")?,
            forwarded: counter(
                "messages_forwarded_total",
                "Messages about content of another worker than the connection's",
            )?,
            moved: counter(
                "connections_moved_total",
                "Connections moved to the worker of their content",
            )?,
            mail_lost: counter(
                "worker_mail_lost_total",
                "Messages and frames that found the other worker too busy",
            )?,
            tls_handshakes: counter("tls_handshakes_total", "TLS handshakes finished")?,
            tls_resumed: counter(
                "tls_handshakes_resumed_total",
                "TLS handshakes finished that resumed a session",
            )?,
            workers: gauge("workers", "Threads that serve connections")?,
        })
    }

    pub(crate) fn closed(&self, reason: Reason) {
        self.closed.with_label_values(&[reason.as_str()]).inc();
    }

    pub(crate) fn token_refused(&self, kind: &'static str) {
        self.tokens_refused.with_label_values(&[kind]).inc();
    }

    pub(crate) fn description_refused(&self, fault: SdpFault) {
        self.descriptions_refused
            .with_label_values(&[fault.kind()])
            .inc();
    }
}
