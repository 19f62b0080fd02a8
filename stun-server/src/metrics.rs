//! What the operator sees of the server.

use beekeepr_stun_core::{DropReason, ReplyKind};
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// Counters, one for each outcome, looked up once: counting is one atomic addition.
#[derive(Debug)]
pub(crate) struct Metrics {
    replies: [IntCounter; ReplyKind::ALL.len()],
    drops: [IntCounter; DropReason::ALL.len()],
    /// Replies that the system did not take.
    pub(crate) unsent: IntCounter,
    /// Receive calls that failed.
    pub(crate) receive_errors: IntCounter,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let replies = counters(
            registry,
            "beekeepr_stun_replies_total",
            "Requests answered, by what the answer says.",
            "kind",
        )?;
        let drops = counters(
            registry,
            "beekeepr_stun_drops_total",
            "Datagrams that got no answer, by the reason.",
            "reason",
        )?;
        Ok(Self {
            replies: ReplyKind::ALL.map(|kind| replies.with_label_values(&[kind.as_str()])),
            drops: DropReason::ALL.map(|reason| drops.with_label_values(&[reason.as_str()])),
            unsent: counter(
                registry,
                "beekeepr_stun_unsent_total",
                "Answers that the system did not take; the client asks again.",
            )?,
            receive_errors: counter(
                registry,
                "beekeepr_stun_receive_errors_total",
                "Receive calls that failed.",
            )?,
        })
    }

    pub(crate) fn replied(&self, kind: ReplyKind) {
        self.replies[kind as usize].inc();
    }

    pub(crate) fn dropped(&self, reason: DropReason) {
        self.drops[reason as usize].inc();
    }
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    let counter = IntCounter::new(name, help)?;
    registry.register(Box::new(counter.clone()))?;
    Ok(counter)
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    label: &str,
) -> Result<IntCounterVec, prometheus::Error> {
    let counters = IntCounterVec::new(Opts::new(name, help), &[label])?;
    registry.register(Box::new(counters.clone()))?;
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_in_the_order_of_their_outcomes() {
        assert!(
            ReplyKind::ALL
                .iter()
                .enumerate()
                .all(|(index, kind)| *kind as usize == index)
        );
        assert!(
            DropReason::ALL
                .iter()
                .enumerate()
                .all(|(index, kind)| *kind as usize == index)
        );
    }
}
