//! A node's line: bytes leave and arrive one after the other.
//!
//! Flows share a line because each has only a little on its way at a time: whoever is served gives way to the next.
//! That needs no look at all flows when one begins or ends.

use crate::config::Lines;

/// When each direction of a line is free again, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) up_free_us: u64,
    pub(crate) down_free_us: u64,
}

/// How long bytes take at a rate, in microseconds.
pub(crate) fn takes_us(bytes: u64, bps: u64) -> u64 {
    bytes.saturating_mul(8_000_000) / bps.max(1)
}

/// The millisecond in which a moment has come.
pub(crate) fn ceil_ms(us: u64) -> u64 {
    us.div_ceil(1_000)
}

/// Sends bytes through a queue that is free at `free_us`; gives when they are through.
///
/// Events fall on whole milliseconds: what follows at once may count as begun up to one earlier.
pub(crate) fn pass(free_us: &mut u64, ready_us: u64, bytes: u64, bps: u64) -> u64 {
    *free_us = (*free_us).max(ready_us.saturating_sub(1_000)) + takes_us(bytes, bps);
    *free_us
}

/// Bytes in a packet's payload.
const PACKET_BYTES: u64 = 1_200;

/// What one flow brings at most where packets are lost: TCP and SCTP with Reno (Mathis et al. 1997).
pub(crate) fn flow_bps_max(lines: &Lines, round_trip_ms: u64) -> u64 {
    if lines.loss <= 0.0 {
        return u64::MAX;
    }
    let seconds = round_trip_ms.max(1) as f64 / 1_000.0;
    let bps = 1.22 * (PACKET_BYTES * 8) as f64 / (seconds * lines.loss.sqrt());
    bps as u64
}

/// Packets that bytes travel in.
pub(crate) fn packets(bytes: u64) -> u64 {
    bytes.div_ceil(PACKET_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_flows_on_one_line_wait_for_each_other() {
        let mut free_us = 0;
        // 8 Mbit/s are 1,000 bytes in a millisecond.
        assert_eq!(pass(&mut free_us, 5_000, 1_000, 8_000_000), 5_000);
        assert_eq!(pass(&mut free_us, 5_000, 3_000, 8_000_000), 8_000);
    }

    #[test]
    fn a_percent_of_loss_limits_a_flow() {
        let lines = Lines {
            loss: 0.01,
            ..Lines::default()
        };
        let bps = flow_bps_max(&lines, 50);
        // Measured in one tab of Chromium at 50 ms and 1 %: 2.0 Mbit/s (docs/benchmarks).
        assert!((1_900_000..2_600_000).contains(&bps), "{bps}");
    }
}
