//! What one worker counts. Only its own thread writes, so counting is a plain addition; whoever reads
//! the metrics adds the workers up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use beekeepr_stun_core::{DropReason, ReplyKind};

/// How a message comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// A number that one thread adds to and all may read.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// The counters of one transport.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) replies: [Counter; ReplyKind::ALL.len()],
    pub(crate) drops: [Counter; DropReason::ALL.len()],
    pub(crate) received_bytes: Counter,
    pub(crate) sent_bytes: Counter,
    /// Replies that the system did not take.
    pub(crate) unsent: Counter,
}

/// All counters of a worker. Aligned so that no two workers write to one cache line, which processors
/// fetch in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counters {
    pub(crate) traffic: [Traffic; Transport::ALL.len()],
    /// Receive calls that failed.
    pub(crate) receive_errors: Counter,
}

impl Transport {
    pub(crate) const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];

    /// For metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        let before = self.0.load(Relaxed);
        self.0.store(before + count as u64, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Counters {
    pub(crate) fn of(&self, transport: Transport) -> &Traffic {
        &self.traffic[transport as usize]
    }
}

impl Traffic {
    pub(crate) fn received(&self, bytes: usize) {
        self.received_bytes.add(bytes);
    }

    pub(crate) fn replied(&self, kind: ReplyKind, bytes: usize) {
        self.replies[kind as usize].add(1);
        self.sent_bytes.add(bytes);
    }

    pub(crate) fn dropped(&self, reason: DropReason) {
        self.drops[reason as usize].add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_stand_in_the_order_of_their_numbers() {
        let transports = Transport::ALL.iter().enumerate();
        assert!({ transports }.all(|(index, transport)| *transport as usize == index));
    }
}
