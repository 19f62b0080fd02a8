//! What leaves for peers: in turns, within limits of the rate, and never more than a channel takes.

use std::collections::VecDeque;

use beekeepr_model::{Time, limits as shared};
use beekeepr_peer_proto::Command;

use crate::Engine;
use crate::api::{ConnKey, Event, Output, SegmentKey};
use crate::limits;
use crate::peer::Peer;
use crate::rate::bits_per_second;

/// A limit of a rate. It knows when what was sent would have left at exactly that rate; more may go
/// until that lies a burst ahead (the virtual scheduling of ITU-T I.371).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    busy_until_us: u64,
}

impl Pace {
    /// Whether something may be sent at `bps`, where 0 is no limit.
    pub(crate) fn admits(self, bps: u64, now: Time) -> bool {
        let horizon_ms = now.as_ms().saturating_add(limits::UPLOAD_BURST_MS);
        bps == 0 || self.busy_until_us / 1_000 <= horizon_ms
    }

    pub(crate) fn sent(&mut self, bytes: u32, bps: u64, now: Time) {
        if let Some(takes_us) = (u64::from(bytes) * 8_000_000).checked_div(bps) {
            let from_us = self.busy_until_us.max(now.as_ms() * 1_000);
            self.busy_until_us = from_us.saturating_add(takes_us);
        }
    }
}

/// What a channel may hold when it last says how much it holds: half of the window in browsers (`LOW_WATER_BYTES`
/// of the shell) and in the seeder.
const LOW_WATER_BYTES: u32 = limits::UPLOAD_WINDOW_BYTES / 2;

/// One channel, seen from here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Channel {
    /// Under its own limit of the rate.
    pace: Pace,
    /// It is in the line of those who are sent a slice, or rests.
    takes_turns: bool,
    /// When it last took bytes, or was first given some.
    pub(crate) moved_at: Time,
    /// How long it took when it last ran low.
    took_ms: u64,
}

impl Peer {
    /// So many bytes more are in its channel.
    fn fill(&mut self, bytes: u32, now: Time) {
        if self.waiting_bytes() == 0 {
            self.channel.moved_at = now;
        }
        self.buffered += bytes;
    }

    /// So many bytes are left in its channel.
    fn drain(&mut self, buffered: u32, now: Time) {
        if self.buffered > 0 {
            self.channel.took_ms = now.since_ms(self.channel.moved_at);
        }
        self.channel.moved_at = now;
        self.buffered = buffered;
    }

    /// Bytes in its channel that have to leave yet. A channel that has run low says nothing after that, so
    /// what little it held then counts as taken.
    pub(crate) fn waiting_bytes(&self) -> u32 {
        match self.buffered {
            0..=LOW_WATER_BYTES => 0,
            more => more,
        }
    }

    /// For how long its channel has taken nothing that is in it.
    pub(crate) fn stuck_ms(&self, now: Time) -> u64 {
        match self.waiting_bytes() {
            0 => 0,
            _ => now.since_ms(self.channel.moved_at),
        }
    }

    /// How long its channel needs to run low, as far as is known.
    pub(crate) fn drain_ms(&self, now: Time) -> u64 {
        self.channel.took_ms.max(self.stuck_ms(now))
    }
}

/// What leaves for all peers together.
#[derive(Debug, Default)]
pub(crate) struct Uplink {
    pace: Pace,
    /// Who may be sent a slice, the next one first.
    ready: VecDeque<ConnKey>,
    /// Who has had what a limit of its own allows, until the next look.
    resting: Vec<ConnKey>,
    /// Since when peers have been waiting for bytes without a pause, as far as it is not measured yet.
    busy_since: Option<Time>,
    /// Bytes handed to channels since then, and in their buffers then.
    sent: u64,
    buffered: u64,
    /// The best rate lately, in bits per second; 0 when unknown.
    pub(crate) peak_bps: u64,
    /// Bytes handed to channels since the shell last asked what is wanted.
    pub(crate) sent_lately: u64,
    /// Whether the limit of the rate has held something back since then.
    pub(crate) held_back: bool,
}

impl Uplink {
    /// Whether there is more to send, or to measure, as time goes by.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.ready.is_empty() || !self.resting.is_empty() || self.busy_since.is_some()
    }

    /// Takes note that peers wait for bytes, or that none does, while so many are in the channels' buffers.
    /// Only what takes a while is measured: a quick burst says nothing but that the uplink is quick enough.
    fn measure(&mut self, busy: bool, buffered: u64, now: Time) {
        let since = self.busy_since.filter(|_| busy);
        let Some(since) = since else {
            self.busy_since = busy.then_some(now);
            (self.sent, self.buffered) = (0, buffered);
            return;
        };
        let passed = now.since_ms(since);
        if passed >= limits::UPLOAD_MEASURE_MS {
            let left = (self.sent + self.buffered).saturating_sub(buffered);
            let faded = self.peak_bps - self.peak_bps / PEAK_FADES;
            self.peak_bps = bits_per_second(left, passed).max(faded);
            self.busy_since = Some(now);
            (self.sent, self.buffered) = (0, buffered);
        }
    }

    fn count(&mut self, bytes: u32) {
        self.sent += u64::from(bytes);
        self.sent_lately += u64::from(bytes);
    }
}

/// The best rate loses this part of itself with each measurement.
const PEAK_FADES: u64 = 16;

/// What came of a connection's turn.
enum Turn {
    /// A slice was sent; there may be more.
    Sent,
    /// Its own limit is reached.
    Rests,
    /// There is nothing to send, or no room for it.
    Over,
}

impl Engine {
    /// Has a connection take part in the turns, and takes those that are allowed now.
    pub(crate) fn pump(&mut self, conn: ConnKey) {
        if let Some((_, peer)) = self.open_peer_mut(conn)
            && !std::mem::replace(&mut peer.channel.takes_turns, true)
        {
            self.uplink.ready.push_back(conn);
        }
        self.take_turns();
    }

    /// A channel has run low.
    pub(crate) fn on_drained(&mut self, conn: ConnKey, buffered: u32) {
        let now = self.now;
        if let Some((_, peer)) = self.open_peer_mut(conn) {
            peer.drain(buffered, now);
            self.pump(conn);
        }
    }

    /// Goes on with what limits held back, and looks at how uploads fare.
    pub(crate) fn run_uploads(&mut self) {
        self.end_hopeless_uploads();
        if self.is_super_peer() {
            self.watch_load();
        } else {
            self.measure_uplink();
        }
        let rested = std::mem::take(&mut self.uplink.resting);
        self.uplink.ready.extend(rested);
        self.take_turns();
    }

    fn measure_uplink(&mut self) {
        let peers = self.conns.values().filter_map(|conn| Some(conn.peer()?.1));
        let (mut busy, mut buffered) = (false, 0);
        for peer in peers {
            busy |= peer.upload.is_some();
            buffered += u64::from(peer.buffered);
        }
        self.uplink.measure(busy, buffered, self.now);
    }

    /// A slice to each in turn, as long as the limit of the rate allows it.
    fn take_turns(&mut self) {
        let (now, bps_max) = (self.now, self.config.upload_bps_max);
        while !self.uplink.ready.is_empty() {
            if !self.uplink.pace.admits(bps_max, now) {
                self.uplink.held_back = true;
                return self.look_at(now + limits::SCHEDULE_TICK_MS);
            }
            let Some(conn) = self.uplink.ready.pop_front() else {
                return;
            };
            match self.send_slice(conn) {
                Turn::Sent => self.uplink.ready.push_back(conn),
                Turn::Rests => {
                    self.uplink.resting.push(conn);
                    self.look_at(now + limits::SCHEDULE_TICK_MS);
                }
                Turn::Over => {
                    if let Some((_, peer)) = self.open_peer_mut(conn) {
                        peer.channel.takes_turns = false;
                    }
                }
            }
        }
    }

    /// Sends one slice, or says that the segment is sent.
    fn send_slice(&mut self, conn: ConnKey) -> Turn {
        let (now, peer_bps_max) = (self.now, self.config.peer_upload_bps_max);
        let Some((stream, peer)) = self.open_peer_mut(conn) else {
            return Turn::Over;
        };
        let Some(upload) = &mut peer.upload else {
            return Turn::Over;
        };
        let Some(end) = upload.end else {
            return Turn::Over;
        };
        let id = upload.segment;
        if upload.offset >= end {
            let request = upload.request;
            peer.upload = None;
            let done = Command::SegmentDataSendingCompleted {
                segment: id,
                request,
            };
            self.send_command(conn, &done);
            return Turn::Over;
        }
        if peer.buffered >= limits::UPLOAD_WINDOW_BYTES {
            return Turn::Over;
        }
        if !peer.channel.pace.admits(peer_bps_max, now) {
            return Turn::Rests;
        }
        let offset = upload.offset;
        let bytes = (end - offset).min(u64::from(shared::SEGMENT_SLICE_BYTES)) as u32;
        upload.offset += u64::from(bytes);
        peer.fill(bytes, now);
        peer.channel.pace.sent(bytes, peer_bps_max, now);
        let peer = peer.id;
        let segment = SegmentKey { stream, id };
        self.uploaded += u64::from(bytes);
        self.uplink.count(bytes);
        let bps_max = self.config.upload_bps_max;
        self.uplink.pace.sent(bytes, bps_max, now);
        self.outputs.push_back(Output::SliceSend {
            conn,
            segment,
            offset,
            bytes,
        });
        self.event(Event::Uploaded {
            segment,
            bytes,
            peer,
        });
        Turn::Sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_lets_a_burst_through_and_then_its_rate() {
        let (mut pace, bps) = (Pace::default(), 800_000);
        let mut sent = 0;
        for ms in 0..1_000 {
            let now = Time::from_ms(10_000 + ms);
            while pace.admits(bps, now) {
                pace.sent(10_000, bps, now);
                sent += 10_000;
            }
        }
        // 100 KB in this second, 25 KB of burst, and the one that passed its end.
        assert!((120_000..=135_000).contains(&sent), "{sent}");
    }

    #[test]
    fn without_a_limit_everything_passes() {
        let mut pace = Pace::default();
        pace.sent(u32::MAX, 0, Time::ZERO);
        assert!(pace.admits(0, Time::ZERO));
    }
}
