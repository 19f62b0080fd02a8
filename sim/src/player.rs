//! A player, as hls.js comes: one segment after the other, a buffer, a quality, seeks.
//!
//! It computes its playhead instead of stepping it, and says when it wants to be looked at next.

use beekeepr_model::Time;

use crate::config::{Kind, Media};

/// Media that is kept ahead of the playhead (hls.js 1.7, `maxBufferLength`).
const BUFFER_MS_MAX: i64 = 30_000;
/// First wait before a failed segment is asked for again; doubles (hls.js 1.7, `fragLoadPolicy.errorRetry`).
const RETRY_MS: u64 = 1_000;
/// The longest of these waits.
const RETRY_MS_MAX: u64 = 8_000;
/// How often a player that waits tells where it is.
const WAITING_REPORT_MS: u64 = 250;
/// A rendition is taken when it needs at most this part of the bandwidth, in percent (hls.js 1.7:
/// `abrBandWidthUpFactor`, `abrBandWidthFactor`).
const UP_PERCENT: u64 = 70;
const STAY_PERCENT: u64 = 95;
/// What the bandwidth is taken to be before anything was measured (hls.js 1.7: `abrEwmaDefaultEstimate`).
const BANDWIDTH_GUESS_BPS: u64 = 500_000;

/// The segments of a playlist: the first, and one past the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) first: u64,
    pub(crate) end: u64,
}

/// What a player wants done after a look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish {
    /// Load this: rendition and number.
    pub(crate) want: Option<(usize, u64)>,
    /// Tell the engine where the playhead is: position and rate in thousandths.
    pub(crate) report: Option<(i64, u32)>,
    /// When to look again.
    pub(crate) wake: Option<Time>,
}

/// What a viewer lived through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Experience {
    /// From joining to the first picture.
    pub(crate) startup_ms: Option<u64>,
    pub(crate) stalls: u32,
    pub(crate) stalled_ms: u64,
    /// From seeks to pictures.
    pub(crate) seek_wait_ms: u64,
    /// Bits per second of what was played, weighted by time, to be divided by `segments`.
    pub(crate) bps_sum: u64,
    pub(crate) segments: u64,
}

#[derive(Debug)]
pub(crate) struct Player {
    joined_at: Time,
    segment_ms: i64,
    first_segment: u64,
    rate_milli: u32,
    /// Where the playhead was when; `None` before the first segment.
    anchor: Option<(Time, i64)>,
    state: State,
    /// The end of what is buffered without a gap.
    buffered_ms: i64,
    /// Its beginning.
    buffer_from_ms: i64,
    pub(crate) wanted: Option<(usize, u64)>,
    next: Option<u64>,
    pub(crate) rendition: usize,
    forced: Option<usize>,
    bandwidth_bps: u64,
    failures: u32,
    append_ms: u64,
    /// Nothing is asked for before: a segment is being appended, or has failed.
    not_before: Time,
    pub(crate) experience: Experience,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first segment.
    Starting,
    Playing,
    /// The buffer ran empty then.
    Stalled(Time),
    /// Looking for a place since then.
    Seeking(Time),
    Ended,
}

impl Player {
    pub(crate) fn new(now: Time, media: &Media, first_segment: u64, rate_milli: u32) -> Self {
        Self {
            joined_at: now,
            segment_ms: media.segment_ms as i64,
            first_segment,
            rate_milli,
            anchor: None,
            state: State::Starting,
            buffered_ms: 0,
            buffer_from_ms: 0,
            wanted: None,
            next: None,
            rendition: choose(&media.ladder, 0, BANDWIDTH_GUESS_BPS),
            forced: None,
            bandwidth_bps: 0,
            failures: 0,
            append_ms: 0,
            not_before: Time::ZERO,
            experience: Experience::default(),
        }
    }

    /// What it needs for a segment before it asks for the next one.
    pub(crate) fn appends_in(mut self, ms: u64) -> Self {
        self.append_ms = ms;
        self
    }

    /// Where the playhead is.
    pub(crate) fn position_ms(&self, now: Time) -> Option<i64> {
        let (at, position) = self.anchor?;
        let moved = match self.state {
            State::Playing => now.since_ms(at) as i64 * i64::from(self.rate_milli) / 1_000,
            State::Starting | State::Stalled(_) | State::Seeking(_) | State::Ended => 0,
        };
        Some((position + moved).min(self.buffered_ms.max(position)))
    }

    /// Looks at the time and at the playlist.
    pub(crate) fn look(&mut self, now: Time, media: &Media, listed: Listed) -> Wish {
        let mut wish = Wish::default();
        self.play(now, media);
        if self.is_waiting() && self.anchor.is_some() {
            wish.report = self.position_ms(now).map(|it| (it, self.rate_milli));
        }
        wish.want = self.want(now, media, listed);
        if wish.want.is_some() {
            self.wanted = wish.want;
        }
        wish.wake = self.wake(now);
        wish
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state, State::Stalled(_) | State::Seeking(_))
    }

    /// Moves the playhead on, into a stall where the buffer ends.
    fn play(&mut self, now: Time, media: &Media) {
        let Some(position) = self.position_ms(now) else {
            return;
        };
        if self.state != State::Playing || position < self.buffered_ms {
            return;
        }
        let film_ms = match media.kind {
            Kind::OnDemand { segments } => segments as i64 * self.segment_ms,
            Kind::Live { .. } => i64::MAX,
        };
        self.anchor = Some((now, self.buffered_ms));
        self.state = State::Ended;
        if self.buffered_ms < film_ms {
            self.state = State::Stalled(now);
            self.experience.stalls += 1;
        }
    }

    fn want(&mut self, now: Time, media: &Media, listed: Listed) -> Option<(usize, u64)> {
        if self.wanted.is_some() || listed.end == 0 || now < self.not_before {
            return None;
        }
        let start = match media.kind {
            Kind::Live { window, sync } => listed
                .end
                .saturating_sub(sync_segments(media, window, sync))
                .max(listed.first),
            Kind::OnDemand { .. } => self.first_segment,
        };
        // Whoever has fallen out of a live playlist starts anew at the usual distance.
        let next = match self.next {
            Some(next) if next >= listed.first => next,
            Some(_) | None => start,
        };
        self.next = Some(next);
        let ahead_ms = self.buffered_ms - self.position_ms(now).unwrap_or(self.buffered_ms);
        if next >= listed.end || ahead_ms >= BUFFER_MS_MAX {
            return None;
        }
        Some((self.rendition, next))
    }

    /// When something happens without anybody's doing.
    fn wake(&self, now: Time) -> Option<Time> {
        let retry = (self.not_before > now).then_some(self.not_before);
        let own = match self.state {
            State::Stalled(_) | State::Seeking(_) => Some(now + WAITING_REPORT_MS),
            State::Playing => {
                let position = self.position_ms(now).unwrap_or(0);
                let ahead = self.buffered_ms - position;
                let until = if self.wanted.is_none() && ahead > BUFFER_MS_MAX {
                    ahead - BUFFER_MS_MAX
                } else {
                    ahead
                };
                let rate = i64::from(self.rate_milli.max(1));
                Some(now + ((until.max(0) * 1_000 + rate - 1) / rate) as u64)
            }
            State::Starting | State::Ended => None,
        };
        [retry, own].into_iter().flatten().min()
    }

    /// The player has got the segment that it wanted. True when it is to tell the engine where it is.
    pub(crate) fn receive(
        &mut self,
        now: Time,
        media: &Media,
        id: u64,
        bandwidth_bps: u64,
    ) -> bool {
        let Some((rendition, _)) = self.wanted.filter(|&(_, wanted)| wanted == id) else {
            return false;
        };
        self.wanted = None;
        self.failures = 0;
        self.not_before = now + self.append_ms;
        self.next = Some(id + 1);
        self.play(now, media);
        self.experience.segments += 1;
        self.experience.bps_sum += media.ladder[rendition];
        let start_ms = id as i64 * self.segment_ms;
        let gap = start_ms > self.buffered_ms || self.anchor.is_none();
        if gap {
            self.buffer_from_ms = start_ms;
        }
        self.buffered_ms = start_ms + self.segment_ms;
        self.measure(media, bandwidth_bps);
        self.go_on(now, gap.then_some(start_ms))
    }

    /// Starts or goes on playing, at `jump_ms` where there is nothing before it.
    fn go_on(&mut self, now: Time, jump_ms: Option<i64>) -> bool {
        let waited = |since| now.since_ms(since);
        match self.state {
            State::Starting => self.experience.startup_ms = Some(waited(self.joined_at)),
            State::Stalled(since) => self.experience.stalled_ms += waited(since),
            State::Seeking(since) => self.experience.seek_wait_ms += waited(since),
            State::Playing | State::Ended => return false,
        }
        let position = self.anchor.map_or(i64::MIN, |(_, position)| position);
        let position = jump_ms.map_or(position, |jump| position.max(jump));
        self.anchor = Some((now, position));
        self.state = State::Playing;
        true
    }

    fn measure(&mut self, media: &Media, bandwidth_bps: u64) {
        if bandwidth_bps > 0 {
            self.bandwidth_bps = match self.bandwidth_bps {
                0 => bandwidth_bps,
                known => (2 * known + bandwidth_bps) / 3,
            };
        }
        if self.bandwidth_bps > 0 {
            self.rendition = choose(&media.ladder, self.rendition, self.bandwidth_bps);
        }
        self.rendition = self.forced.unwrap_or(self.rendition);
    }

    /// The wanted segment could not be had.
    pub(crate) fn fail(&mut self, now: Time) {
        self.wanted = None;
        self.not_before = now + (RETRY_MS << self.failures.min(3)).min(RETRY_MS_MAX);
        self.failures += 1;
    }

    /// Goes on with this rendition from now on; gives what is no longer wanted.
    pub(crate) fn force(&mut self, rendition: usize) -> Option<(usize, u64)> {
        self.forced = Some(rendition);
        self.rendition = rendition;
        self.wanted.take_if(|&mut (wanted, _)| wanted != rendition)
    }

    /// Plays from the beginning of another segment; gives what is no longer wanted.
    pub(crate) fn seek(&mut self, now: Time, media: &Media, segment: u64) -> Option<(usize, u64)> {
        self.play(now, media);
        let target_ms = segment as i64 * self.segment_ms;
        self.anchor?;
        self.finish(now);
        self.anchor = Some((now, target_ms));
        if (self.buffer_from_ms..self.buffered_ms).contains(&target_ms) {
            self.state = State::Playing;
            return None;
        }
        self.state = State::Seeking(now);
        (self.buffer_from_ms, self.buffered_ms) = (target_ms, target_ms);
        self.next = Some(segment);
        self.wanted.take()
    }

    /// Closes the books of whoever waits.
    pub(crate) fn finish(&mut self, now: Time) {
        match self.state {
            State::Stalled(since) => self.experience.stalled_ms += now.since_ms(since),
            State::Seeking(since) => self.experience.seek_wait_ms += now.since_ms(since),
            State::Starting | State::Playing | State::Ended => {}
        }
    }
}

/// Segments between the live edge and the player: as many as the playlist allows, at most two minutes. The same as
/// our player adapters choose.
fn sync_segments(media: &Media, window: u64, sync: Option<u64>) -> u64 {
    let target_s = media.segment_ms.div_ceil(1_000).max(1);
    let wanted = (LIVE_DELAY_S_MAX / target_s).max(SYNC_SEGMENTS_MIN);
    let within = window
        .saturating_sub(2)
        .max(SYNC_SEGMENTS_MIN.min(window.saturating_sub(1)))
        .max(1);
    sync.unwrap_or(within.min(wanted))
}

/// Seconds behind the live edge at most (`LIVE_DELAY_S_MAX` of the client's hls.js adapter).
const LIVE_DELAY_S_MAX: u64 = 120;
/// Segments behind the live edge at least (`SYNC_COUNT_MIN` there).
const SYNC_SEGMENTS_MIN: u64 = 3;

/// The highest rendition that the bandwidth carries.
fn choose(ladder: &[u64], current: usize, bandwidth_bps: u64) -> usize {
    let carries = |&(place, &bps): &(usize, &u64)| {
        let percent = if place > current {
            UP_PERCENT
        } else {
            STAY_PERCENT
        };
        bps <= bandwidth_bps / 100 * percent
    };
    let able = ladder.iter().enumerate().filter(carries);
    able.map(|(place, _)| place).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Media {
        Media::default()
    }

    const LISTED: Listed = Listed {
        first: 100,
        end: 110,
    };

    fn at(ms: u64) -> Time {
        Time::from_ms(ms)
    }

    #[test]
    fn a_live_player_begins_as_far_back_as_the_playlist_allows() {
        let mut player = Player::new(at(0), &live(), 0, 1_000);
        let wish = player.look(at(0), &live(), LISTED);
        assert_eq!(wish.want, Some((0, 102)));
        assert!(player.receive(at(700), &live(), 102, 0));
        assert_eq!(player.experience.startup_ms, Some(700));
        assert_eq!(player.position_ms(at(1_700)), Some(102 * 4_000 + 1_000));
        let wish = player.look(at(700), &live(), LISTED);
        assert_eq!(wish.want, Some((0, 103)));
        assert_eq!(wish.wake, Some(at(4_700)), "the buffer ends there");
    }

    #[test]
    fn an_empty_buffer_is_a_stall_until_the_next_segment() {
        let mut player = Player::new(at(0), &live(), 0, 1_000);
        player.look(at(0), &live(), LISTED);
        player.receive(at(0), &live(), 102, 0);
        player.look(at(0), &live(), LISTED);
        let wish = player.look(at(4_000), &live(), LISTED);
        assert_eq!(wish.report, Some((103 * 4_000, 1_000)));
        player.receive(at(5_500), &live(), 103, 0);
        let experience = player.experience;
        assert_eq!((experience.stalls, experience.stalled_ms), (1, 1_500));
    }

    #[test]
    fn a_seek_within_the_buffer_loads_nothing_and_one_outside_starts_over() {
        let media = Media {
            kind: Kind::OnDemand { segments: 100 },
            ..live()
        };
        let listed = Listed { first: 0, end: 100 };
        let mut player = Player::new(at(0), &media, 0, 1_000);
        for id in 0..3 {
            player.look(at(0), &media, listed);
            player.receive(at(0), &media, id, 0);
        }
        assert_eq!(player.seek(at(1_000), &media, 2), None);
        player.look(at(1_000), &media, listed);
        assert_eq!(player.seek(at(2_000), &media, 50), Some((0, 3)));
        assert_eq!(player.look(at(2_000), &media, listed).want, Some((0, 50)));
        player.receive(at(2_300), &media, 50, 0);
        assert_eq!(player.experience.seek_wait_ms, 300);
    }

    #[test]
    fn quality_rises_only_where_there_is_room() {
        let ladder = [1_000_000, 2_000_000, 4_000_000];
        assert_eq!(choose(&ladder, 0, 2_500_000), 0);
        assert_eq!(choose(&ladder, 1, 2_500_000), 1);
        assert_eq!(choose(&ladder, 0, 6_000_000), 2);
        assert_eq!(choose(&ladder, 2, 100), 0);
    }

    #[test]
    fn the_distance_to_the_edge_is_that_of_the_client() {
        for (window, expected) in [(12, 10), (4, 3), (3, 2), (100, 30)] {
            assert_eq!(sync_segments(&live(), window, None), expected, "{window}");
        }
    }
}
