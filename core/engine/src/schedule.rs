//! Which segment is loaded next, and from whom.
//!
//! A viewer looks at what its playhead will need, in the order of the timeline. A segment comes from a
//! peer while there is time for it, and over HTTP when there is not, so that playback is never worse
//! than with HTTP alone. `needs` says how much time there is, `choose` which peer is asked, `election`
//! who fetches a segment that nobody has.

use beekeepr_model::SegmentId;

use crate::Engine;
use crate::api::{FetchKey, SegmentKey, StreamKey};
use crate::fetch::Fetch;
use crate::limits;
use crate::needs::Need;
use crate::stream::Transfer;

impl Engine {
    pub(crate) fn schedule(&mut self) {
        if self.is_super_peer() {
            return self.schedule_super_peer();
        }
        let needs = self.needs();
        self.stop_what_nobody_needs(&needs);
        let tightest_ms = needs.iter().map(|need| need.slack_ms).min();
        let tightest_ms = tightest_ms.unwrap_or(i64::MAX);
        let hurried_ms = self.hurried_ms(&needs);
        // What the player asks for comes first.
        for wanted in [true, false] {
            for need in &needs {
                if need.wanted_since.is_some() != wanted {
                    continue;
                }
                if need.until_ms > hurried_ms {
                    self.make_room(need);
                } else {
                    self.serve(need, tightest_ms);
                }
            }
        }
    }

    /// When the first segment is played that the player asks for and HTTP will hardly bring in time. What peers bring
    /// of later ones passes the same line.
    fn hurried_ms(&self, needs: &[Need]) -> i64 {
        let is_hurried = |need: &&Need| {
            let transfer = self.segment(need.key).and_then(|segment| segment.transfer);
            let late = need.wanted_since.is_some() && need.room_ms() < need.work_ms;
            late && matches!(transfer, Some(Transfer::Http(_)))
        };
        let hurried = needs.iter().find(is_hurried);
        hurried.map_or(i64::MAX, |need| need.until_ms)
    }

    /// Has a later segment wait: what has come of it stays. A peer that brings next to nothing is in nobody's way, and
    /// goes on until it is found out.
    fn make_room(&mut self, need: &Need) {
        if let Some(Transfer::Peer(conn)) = self.segment(need.key).and_then(|it| it.transfer)
            && self.brings_much(need.key, conn)
        {
            self.cancel_download(conn);
        }
        self.stop_tail(need.key);
    }

    /// After a seek or a switch what still runs for the old place would only be in the way.
    fn stop_what_nobody_needs(&mut self, needs: &[Need]) {
        let needed = |key| needs.iter().any(|need| need.key == key);
        let mut stops = Vec::new();
        for (&stream, state) in self.streams.iter() {
            for (&id, segment) in state.segments.iter() {
                let key = SegmentKey { stream, id };
                if segment.transfer.is_some() && !needed(key) {
                    stops.push(key);
                }
            }
        }
        for key in stops {
            self.stop_transfer(key);
        }
    }

    fn serve(&mut self, need: &Need, tightest_ms: i64) {
        let urgent = need.is_urgent();
        match self.segment(need.key).and_then(|segment| segment.transfer) {
            Some(Transfer::Http(fetch)) => {
                if urgent && self.is_stuck(fetch) {
                    self.try_peer_instead(need, fetch);
                } else {
                    self.help(need, Transfer::Http(fetch));
                }
            }
            Some(Transfer::Peer(conn)) => {
                if urgent && !self.arrives_in_time(need, conn) && self.may_fetch(need, tightest_ms)
                {
                    self.leave_late_peer(conn);
                    self.fetch(need.key);
                } else {
                    self.help(need, Transfer::Peer(conn));
                }
            }
            None => self.start(need, tightest_ms),
        }
    }

    fn start(&mut self, need: &Need, tightest_ms: i64) {
        if self.has_download_slot()
            && let Some(conn) = self.choose_peer(need)
        {
            self.ask(need.key, conn);
        } else if self.may_fetch(need, tightest_ms) {
            if need.wanted_since.is_some() && need.slack_ms < -need.work_ms {
                self.make_way();
            }
            self.fetch(need.key);
        }
    }

    /// A segment whose response has stopped comes from a peer, if one has it.
    fn try_peer_instead(&mut self, need: &Need, fetch: FetchKey) {
        if self.has_download_slot()
            && let Some(conn) = self.choose_peer(need)
        {
            self.cancel_fetch(fetch);
            self.ask(need.key, conn);
        }
    }

    fn may_fetch(&self, need: &Need, tightest_ms: i64) -> bool {
        let segment = self.segment(need.key);
        if segment.is_some_and(|segment| self.now < segment.retry_at) {
            return false;
        }
        let urgent = need.is_urgent();
        let slot_is_free = self.fetches.len() < self.config.http_downloads_max as usize;
        match need.wanted_since {
            Some(since) if !self.started && !self.config.p2p_disabled => {
                let waited = self.now.since_ms(since) >= self.config.http_initial_ms;
                waited && (urgent || self.is_our_turn(need))
            }
            Some(_) => urgent || slot_is_free && !self.awaits_peers(need) && self.is_our_turn(need),
            // A player alone would not share its line between two segments, and by now would have asked
            // for this one, were it not for a peer that it waits for.
            None if urgent => self.fetches.is_empty() && self.player_waits(need.key.stream),
            None => slot_is_free && need.work_ms < tightest_ms && self.may_prefetch(need),
        }
    }

    fn player_waits(&self, stream: StreamKey) -> bool {
        let stream = self.streams.get(&stream);
        let mut segments = stream
            .into_iter()
            .flat_map(|stream| stream.segments.values());
        segments.any(|segment| segment.wanted_since.is_some())
    }

    /// Whether a viewer on demand with enough in its buffer is about to meet others. A quick line would fill the
    /// whole buffer meanwhile, and nothing would be left to share.
    fn awaits_peers(&self, need: &Need) -> bool {
        let Some(stream) = self.streams.get(&need.key.stream) else {
            return false;
        };
        let joining = self.now.since_ms(stream.joined_at) < limits::MEETING_MS_MAX;
        if stream.live || !joining || need.until_ms <= limits::MEETING_AHEAD_MS {
            return false;
        }
        let met = self.peers_of(need.key.stream).count();
        let mut memberships = stream.swarms.iter().flat_map(|it| &it.memberships);
        memberships.any(|it| it.others.is_none_or(|others| others as usize > met))
    }

    /// Whether it is on us to fetch a wanted segment that no idle peer has.
    fn is_our_turn(&self, need: &Need) -> bool {
        if self.config.p2p_disabled {
            return true;
        }
        if self.is_coming(need) {
            return false;
        }
        let election = self.election(need.key);
        let place = (election.place + election.super_peers) as i64;
        // Urgency is two times HTTP's time before the last moment. The first backup adds one, the
        // second a half, and so on, as in p2p-media-loader 5.
        place == 0 || need.slack_ms <= need.work_ms / place + limits::ELECTION_MARGIN_MS
    }

    /// Whether a peer has the segment or is fetching it: urgency decides when we no longer wait.
    fn is_coming(&self, need: &Need) -> bool {
        let id = need.key.id;
        let refused = self
            .segment(need.key)
            .and_then(|segment| segment.refused_at);
        let lately = |at| self.now.since_ms(at) < limits::REFUSED_KEEP_MS;
        refused.is_some_and(lately) || self.is_promised(need.key.stream, id)
    }

    fn is_promised(&self, stream: StreamKey, id: SegmentId) -> bool {
        self.peers_of(stream)
            .any(|(_, peer)| peer.is_credible() && (peer.has(id) || peer.is_fetching(id)))
    }

    /// Whether we fetch a segment ahead of time, for us and for others: when it is ours in the
    /// election, so that N viewers fetch one N-th each.
    fn may_prefetch(&self, need: &Need) -> bool {
        if self.config.upload_disabled
            || need.until_ms > self.config.http_window_ms as i64
            || self.is_coming(need)
        {
            return false;
        }
        let election = self.election(need.key);
        election.others > 0 && election.place + election.super_peers == 0
    }

    /// Stops what HTTP brings for others or for later: the player's next segment is late.
    fn make_way(&mut self) {
        let later = |fetch: &Fetch| {
            let segment = self.segment(fetch.segment);
            segment.is_some_and(|segment| segment.wanted_since.is_none())
        };
        for fetch in self.fetches.keys_where(&|_, fetch| later(fetch)) {
            self.cancel_fetch(fetch);
        }
    }
}
