//! What the operator sees of the server: the workers' counters, added up when somebody asks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use beekeepr_stun_core::{DropReason, Mapping, Mappings, ReplyKind};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::connections::{Connections, Refusal};
use crate::counters::{Counters, Traffic, Transport};

/// Counted by the listeners, rarely.
#[derive(Debug)]
pub(crate) struct Accepts {
    accepted: [IntCounter; Transport::ALL.len()],
    refused: [IntCounter; Refusal::ALL.len()],
    /// Accept calls that failed.
    pub(crate) errors: IntCounter,
}

/// Where the numbers come from.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) workers: Vec<Arc<Counters>>,
    pub(crate) connections: Connections,
    /// With RFC 5780 only.
    pub(crate) mappings: Option<Arc<Mappings>>,
    pub(crate) started: Instant,
}

/// The workers' sums as metrics.
struct Sums {
    sources: Sources,
    replies: IntCounterVec,
    drops: IntCounterVec,
    limited: IntCounterVec,
    bytes: IntCounterVec,
    unsent: IntCounterVec,
    receive_errors: IntCounter,
    connections: IntGauge,
    mappings: Option<IntCounterVec>,
    /// One reader at a time: what is added is the difference to the last sum.
    turn: Mutex<()>,
}

impl Accepts {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let accepted = family(
            "beekeepr_stun_accepts_total",
            "Connections accepted.",
            &["transport"],
        )?;
        let refused = family(
            "beekeepr_stun_refusals_total",
            "Connections closed at once, because there were too many of one source or in all.",
            &["limit"],
        )?;
        let errors = IntCounter::new(
            "beekeepr_stun_accept_errors_total",
            "Accept calls that failed, for want of open files for example.",
        )?;
        registry.register(Box::new(accepted.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        registry.register(Box::new(errors.clone()))?;
        Ok(Self {
            accepted: Transport::ALL.map(|it| accepted.with_label_values(&[it.as_str()])),
            refused: Refusal::ALL.map(|it| refused.with_label_values(&[it.as_str()])),
            errors,
        })
    }

    pub(crate) fn accepted(&self, transport: Transport) {
        self.accepted[transport as usize].inc();
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        self.refused[refusal as usize].inc();
    }
}

/// Has the registry show the sums.
pub(crate) fn register(registry: &Registry, sources: Sources) -> Result<(), prometheus::Error> {
    let mappings = sources.mappings.is_some().then(|| {
        family(
            "beekeepr_stun_nat_mappings_total",
            "Sources that asked both addresses of RFC 5780, by how their NAT maps ports; a sample.",
            &["mapping"],
        )
    });
    let sums = Sums {
        sources,
        replies: family(
            "beekeepr_stun_replies_total",
            "Requests answered, by what the answer says.",
            &["transport", "kind"],
        )?,
        drops: family(
            "beekeepr_stun_drops_total",
            "Messages that get no answer from anybody, by the reason.",
            &["transport", "reason"],
        )?,
        limited: family(
            "beekeepr_stun_limited_total",
            "Requests not answered because one source or all together had had their share.",
            &["transport", "limit"],
        )?,
        bytes: family(
            "beekeepr_stun_bytes_total",
            "Bytes of messages, without the headers below them.",
            &["transport", "direction"],
        )?,
        unsent: family(
            "beekeepr_stun_unsent_total",
            "Answers that the system did not take; the client asks again.",
            &["transport"],
        )?,
        receive_errors: IntCounter::new(
            "beekeepr_stun_receive_errors_total",
            "Receive calls that failed.",
        )?,
        connections: IntGauge::new("beekeepr_stun_connections", "TCP and TLS connections.")?,
        mappings: mappings.transpose()?,
        turn: Mutex::new(()),
    };
    registry.register(Box::new(sums))
}

impl Sums {
    fn parts(&self) -> Vec<&dyn Collector> {
        let mut parts: Vec<&dyn Collector> = vec![
            &self.replies,
            &self.drops,
            &self.limited,
            &self.bytes,
            &self.unsent,
            &self.receive_errors,
            &self.connections,
        ];
        parts.extend(self.mappings.iter().map(|it| it as &dyn Collector));
        parts
    }

    fn add_up(&self) {
        for transport in Transport::ALL {
            self.add_up_traffic(transport);
        }
        let errors = self
            .sources
            .workers
            .iter()
            .map(|it| it.receive_errors.get());
        raise(&self.receive_errors, errors.sum());
        let connections = i64::try_from(self.sources.connections.count());
        self.connections.set(connections.unwrap_or(i64::MAX));
        if let (Some(family), Some(mappings)) = (&self.mappings, &self.sources.mappings) {
            let now_s = self.sources.started.elapsed().as_secs();
            let now_s = u32::try_from(now_s).unwrap_or(u32::MAX);
            for mapping in Mapping::ALL {
                let counter = family.with_label_values(&[mapping.as_str()]);
                raise(&counter, mappings.count(now_s, mapping));
            }
        }
    }

    fn add_up_traffic(&self, transport: Transport) {
        let name = transport.as_str();
        let sum = |read: &dyn Fn(&Traffic) -> u64| {
            let workers = self.sources.workers.iter();
            workers
                .map(|worker| read(worker.of(transport)))
                .sum::<u64>()
        };
        for kind in ReplyKind::ALL {
            let counter = self.replies.with_label_values(&[name, kind.as_str()]);
            raise(&counter, sum(&|it| it.replies[kind as usize].get()));
        }
        for reason in DropReason::ALL {
            let counter = match reason {
                DropReason::SourceLimit => self.limited.with_label_values(&[name, "source"]),
                DropReason::TotalLimit => self.limited.with_label_values(&[name, "total"]),
                other => self.drops.with_label_values(&[name, other.as_str()]),
            };
            raise(&counter, sum(&|it| it.drops[reason as usize].get()));
        }
        let received = self.bytes.with_label_values(&[name, "received"]);
        raise(&received, sum(&|it| it.received_bytes.get()));
        let sent = self.bytes.with_label_values(&[name, "sent"]);
        raise(&sent, sum(&|it| it.sent_bytes.get()));
        let unsent = self.unsent.with_label_values(&[name]);
        raise(&unsent, sum(&|it| it.unsent.get()));
    }
}

impl Collector for Sums {
    fn desc(&self) -> Vec<&Desc> {
        self.parts().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.add_up();
        self.parts()
            .into_iter()
            .flat_map(Collector::collect)
            .collect()
    }
}

/// Brings a counter up to a sum that never falls.
fn raise(counter: &IntCounter, sum: u64) {
    counter.inc_by(sum.saturating_sub(counter.get()));
}

fn family(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}
