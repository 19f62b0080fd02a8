//! What viewers do: come, read playlists, play, seek, change quality, leave.

use beekeepr_engine::{Input, ListedSegment, SegmentKey, StreamKey, TrackerKey};
use beekeepr_model::{SegmentId, Time};

use crate::chance::{between, wait_ms};
use crate::config::{FaultKind, Kind};
use crate::event::What;
use crate::node::Node;
use crate::player::Listed;
use crate::profile::Role;
use crate::world::{START_MS, World};

/// A player that could not read its playlist tries again after this time (hls.js 1.7, `manifestLoadPolicy`).
const MANIFEST_RETRY_MS: u64 = 1_000;
/// How often a super-peer reads a live playlist, as a part of a segment's duration (the seeder does so at half).
const SUPER_PEER_READS_PER_SEGMENT: u64 = 2;
/// From the end of a live segment to its being in the playlist.
const PUBLISH_MS: u64 = 200;

impl World {
    pub(crate) fn join(&mut self, node: usize) {
        self.enter(node);
        let now = self.now;
        let Node {
            profile, conduct, ..
        } = &mut self.nodes[node];
        if profile.role == Role::Viewer {
            self.series.at(now.as_ms()).viewers += 1;
            let seek_ms = self.config.audience.seek_ms;
            if seek_ms > 0 && !self.config.media.is_live() {
                let wait = wait_ms(&mut conduct.random, seek_ms);
                self.at(node, wait, What::Seeks);
            }
            if let Some((at_ms, _)) = self.config.audience.switch {
                self.at_ms(node, START_MS + at_ms, What::Switches);
            }
        }
        self.ask_for_manifest(node);
    }

    /// A node is gone: what it had with others breaks.
    pub(crate) fn leave(&mut self, node: usize) {
        let now = self.now;
        if self.nodes[node].live.is_none() {
            return;
        }
        self.close_books(node, now);
        let crashed = self.nodes[node].conduct.crashes;
        self.break_wires(node, crashed);
        self.break_fetches(node);
        self.break_session(node);
        self.nodes[node].live = None;
        if self.nodes[node].profile.role == Role::Viewer {
            let viewers = &mut self.series.at(now.as_ms()).viewers;
            *viewers = viewers.saturating_sub(1);
        }
    }

    /// Writes down what is known only while a node is there.
    pub(crate) fn close_books(&mut self, node: usize, now: Time) {
        let Node { live, outcome, .. } = &mut self.nodes[node];
        let Some(live) = live else {
            return;
        };
        outcome.present_ms = now.since_ms(live.joined_at);
        outcome.left_over = live.store.unplayed_bytes();
        if let Some(player) = &mut live.player {
            player.finish(now);
            outcome.experience = player.experience;
        }
    }

    /// The request for a playlist is on its way and comes back.
    fn ask_for_manifest(&mut self, node: usize) {
        let delay_ms = 2 * self.origin_distance_ms(node) + self.config.origin.latency_ms;
        self.at(node, delay_ms, What::ReadsManifest);
    }

    pub(crate) fn read_manifest(&mut self, node: usize) {
        if self.nodes[node].live.is_none() {
            return;
        }
        if self.origin_fault().is_some_and(FaultKind::stops_playlists) {
            return self.at(node, MANIFEST_RETRY_MS, What::ReadsManifest);
        }
        let listed = self.listed_now();
        let renditions = match self.nodes[node].profile.role {
            Role::SuperPeer => 0..self.config.media.ladder.len(),
            Role::Viewer => self.rendition(node)..self.rendition(node) + 1,
        };
        let Some(live) = &mut self.nodes[node].live else {
            return;
        };
        let is_new = live.listed != listed;
        live.listed = listed;
        for rendition in renditions {
            self.tell_list(node, rendition, is_new);
        }
        self.play(node);
        self.plan_next_manifest(node, is_new);
    }

    fn rendition(&self, node: usize) -> usize {
        let live = self.nodes[node].live.as_ref();
        let player = live.and_then(|live| live.player.as_ref());
        player.map_or(0, |player| player.rendition)
    }

    /// Tells the engine a rendition's segments, when they are news to it.
    fn tell_list(&mut self, node: usize, rendition: usize, is_new: bool) {
        let Some(live) = &mut self.nodes[node].live else {
            return;
        };
        let bit = 1 << rendition;
        if !is_new && live.read & bit != 0 {
            return;
        }
        live.read = if is_new { bit } else { live.read | bit };
        let listed = live.listed;
        let segment_ms = self.config.media.segment_ms as i64;
        let segments: Vec<ListedSegment> = (listed.first..listed.end)
            .map(|id| ListedSegment {
                id: SegmentId(id as i64),
                start_ms: id as i64 * segment_ms,
                end_ms: (id as i64 + 1) * segment_ms,
            })
            .collect();
        let live = self.config.media.is_live();
        self.input(
            node,
            Input::SegmentsListed {
                stream: StreamKey(rendition as u32),
                live,
                segments: &segments,
            },
        );
    }

    fn plan_next_manifest(&mut self, node: usize, is_new: bool) {
        if !self.config.media.is_live() {
            return;
        }
        let segment_ms = self.config.media.segment_ms;
        // hls.js reads again after a target duration, or after half of one when nothing was new.
        let wait_ms = match self.nodes[node].profile.role {
            Role::SuperPeer => segment_ms / SUPER_PEER_READS_PER_SEGMENT,
            Role::Viewer if is_new => segment_ms,
            Role::Viewer => segment_ms / 2,
        };
        self.at(node, wait_ms.max(1), What::ReadsManifest);
    }

    /// What a playlist lists at this moment.
    fn listed_now(&self) -> Listed {
        match self.config.media.kind {
            Kind::OnDemand { segments } => Listed {
                first: 0,
                end: segments,
            },
            Kind::Live { window, .. } => {
                let end = (self.now.as_ms() - PUBLISH_MS) / self.config.media.segment_ms;
                Listed {
                    first: end.saturating_sub(window),
                    end,
                }
            }
        }
    }

    /// Looks after a node's player.
    pub(crate) fn play(&mut self, node: usize) {
        let now = self.now;
        let Some(live) = &mut self.nodes[node].live else {
            return;
        };
        let Some(player) = &mut live.player else {
            return;
        };
        if live.player_at <= now {
            live.player_at = crate::world::NEVER;
        }
        // A rendition's playlist comes before its segments.
        let known = live.read & (1 << player.rendition) != 0;
        let listed = if known {
            live.listed
        } else {
            Listed::default()
        };
        let asks = !known && live.listed.end > 0;
        let wish = player.look(now, &self.config.media, listed);
        if let Some(wake) = wish.wake
            && wake < live.player_at
        {
            live.player_at = wake;
            self.at_ms(node, wake.as_ms(), What::Plays);
        }
        if asks && wish.want.is_none() {
            self.learn_rendition(node);
        }
        if let Some((position_ms, rate_milli)) = wish.report {
            self.input(
                node,
                Input::Playback {
                    position_ms,
                    rate_milli,
                },
            );
        }
        if let Some((rendition, id)) = wish.want {
            self.input(node, Input::SegmentWanted(key(rendition, id)));
        }
    }

    /// The playlist of a rendition that the player has changed to.
    fn learn_rendition(&mut self, node: usize) {
        let rendition = self.rendition(node);
        if self.origin_fault().is_some_and(FaultKind::stops_playlists) {
            return;
        }
        self.tell_list(node, rendition, false);
        self.at(node, 2 * self.origin_distance_ms(node), What::Plays);
    }

    /// The player has got a segment.
    pub(crate) fn segment_ready(&mut self, node: usize, segment: SegmentKey, bandwidth_bps: u64) {
        let now = self.now;
        self.verify_played(node, segment);
        let bytes = self.segment_bytes(segment);
        let Node { live, outcome, .. } = &mut self.nodes[node];
        let Some(live) = live else {
            return;
        };
        if let Some(held) = live.store.get_mut(segment)
            && !std::mem::replace(&mut held.is_played, true)
        {
            outcome.played += bytes;
        }
        let Some(player) = &mut live.player else {
            return;
        };
        let before_ms = player.experience.stalled_ms;
        let id = segment.id.0.unsigned_abs();
        let tells = player.receive(now, &self.config.media, id, bandwidth_bps);
        let report = player.position_ms(now).filter(|_| tells);
        let stalled_ms = player.experience.stalled_ms - before_ms;
        self.series.at(now.as_ms()).stalled_ms += stalled_ms;
        let rate_milli = self.nodes[node].conduct.rate_milli;
        if let Some(position_ms) = report {
            self.input(
                node,
                Input::Playback {
                    position_ms,
                    rate_milli,
                },
            );
        }
        let append_ms = self.config.audience.append_ms.max(1);
        self.at(node, append_ms, What::Plays);
    }

    pub(crate) fn segment_failed(&mut self, node: usize) {
        let now = self.now;
        let live = self.nodes[node].live.as_mut();
        if let Some(player) = live.and_then(|live| live.player.as_mut()) {
            player.fail(now);
            self.at(node, 1, What::Plays);
        }
    }

    pub(crate) fn seek(&mut self, node: usize) {
        let (now, mean_ms) = (self.now, self.config.audience.seek_ms);
        let Kind::OnDemand { segments } = self.config.media.kind else {
            return;
        };
        let Node { live, conduct, .. } = &mut self.nodes[node];
        let Some(player) = live.as_mut().and_then(|live| live.player.as_mut()) else {
            return;
        };
        let target = between(&mut conduct.random, 0, segments.saturating_sub(2));
        let wait = wait_ms(&mut conduct.random, mean_ms);
        let given_up = player.seek(now, &self.config.media, target);
        let position = player.position_ms(now);
        let rate_milli = conduct.rate_milli;
        self.at(node, wait, What::Seeks);
        if let Some(position_ms) = position {
            if let Some((rendition, id)) = given_up {
                self.input(node, Input::SegmentUnwanted(key(rendition, id)));
            }
            self.input(
                node,
                Input::Playback {
                    position_ms,
                    rate_milli,
                },
            );
            self.play(node);
        }
    }

    /// Everybody's player changes its quality.
    pub(crate) fn switch(&mut self, node: usize) {
        let Some((_, rendition)) = self.config.audience.switch else {
            return;
        };
        let rendition = rendition.min(self.config.media.ladder.len() - 1);
        let live = self.nodes[node].live.as_mut();
        let Some(player) = live.and_then(|live| live.player.as_mut()) else {
            return;
        };
        if let Some((rendition, id)) = player.force(rendition) {
            self.input(node, Input::SegmentUnwanted(key(rendition, id)));
        }
        self.play(node);
    }

    // The way to the tracker.

    pub(crate) fn connect_tracker(&mut self, node: usize) {
        let delay_ms = 2 * self.tracker_distance_ms(node);
        let is_up = self.tracker.is_up;
        let Some(live) = &mut self.nodes[node].live else {
            return;
        };
        live.sessions += 1;
        let session = live.sessions;
        live.session = Some(session);
        let what = match is_up {
            true => What::TrackerOpens(session),
            false => What::TrackerCloses(session),
        };
        self.at(node, delay_ms, what);
    }

    fn is_session(&self, node: usize, session: u32) -> bool {
        let live = self.nodes[node].live.as_ref();
        live.is_some_and(|live| live.session == Some(session))
    }

    pub(crate) fn tracker_opens(&mut self, node: usize, session: u32) {
        if self.is_session(node, session) && self.tracker.is_up {
            self.input(node, Input::TrackerOpened(TrackerKey(0)));
        } else {
            self.tracker_closes(node, session);
        }
    }

    pub(crate) fn tracker_closes(&mut self, node: usize, session: u32) {
        if self.is_session(node, session) {
            if let Some(live) = &mut self.nodes[node].live {
                live.session = None;
            }
            self.input(node, Input::TrackerClosed(TrackerKey(0)));
        }
    }
}

/// A segment of a rendition.
pub(crate) fn key(rendition: usize, id: u64) -> SegmentKey {
    SegmentKey {
        stream: StreamKey(rendition as u32),
        id: SegmentId(id as i64),
    }
}
