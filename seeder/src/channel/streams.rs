//! A channel's streams: what the manifests say of them becomes what the engines know.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use beekeepr_engine::{Input, ListedSegment, SegmentKey, StreamKey};
use beekeepr_model::{Generation, InfoHash};
use url::Url;

use super::Channel;
use super::follow::{Listing, Track};
use super::timeline::{Change, Timeline};
use crate::origin::Source;

/// The swarms of a stream, one for each of [`Generation::ALL`] that knows it.
type Hashes = [Option<InfoHash>; Generation::ALL.len()];

/// A stream of the channel.
pub(super) struct Rendition {
    hashes: Hashes,
    timeline: Timeline,
}

/// A swarm that the channel is in.
pub(super) struct Swarm {
    info_hash: InfoHash,
    /// Which of [`Generation::ALL`].
    generation: usize,
    /// The streams that are served in it, by their places: redundant ones, and Representations of several Periods that
    /// look alike.
    renditions: Vec<usize>,
    /// Whether the engines know it.
    is_joined: bool,
}

impl Channel {
    /// `from` is where the manifest came from.
    pub(super) fn on_streams(&mut self, tracks: &[Track], from: &Url) {
        let swarm_ids = Generation::ALL.map(|it| self.settings.swarm_id_for(it, from));
        let hash = |track: &Track, it: Generation| track.info_hash(it, &swarm_ids[it as usize]);
        let named: Vec<Hashes> = tracks
            .iter()
            .map(|track| Generation::ALL.map(|it| hash(track, it)))
            .collect();
        let is_known = self
            .renditions
            .iter()
            .map(|it| it.hashes)
            .eq(named.iter().copied());
        if is_known {
            return;
        }
        self.take_renditions(&named);
        self.take_swarms();
        tracing::info!(
            channel = self.health.channel(),
            streams = self.renditions.len(),
            swarms = self.streams.len(),
            "channel is being seeded"
        );
        for stream in self.keys(|_| true) {
            self.list(stream);
        }
    }

    /// Streams that were there before keep what is known of them.
    fn take_renditions(&mut self, named: &[Hashes]) {
        let mut old = std::mem::take(&mut self.renditions);
        let renditions = named.iter().map(|&hashes| {
            let known = old.iter().position(|it| it.hashes == hashes);
            known.map(|at| old.remove(at)).unwrap_or_else(|| Rendition {
                hashes,
                timeline: Timeline::default(),
            })
        });
        self.renditions = renditions.collect();
    }

    /// Leaves the swarms that no stream has any more, and enters those that are new.
    fn take_swarms(&mut self) {
        let mut wanted: HashMap<(usize, InfoHash), Vec<usize>> = HashMap::new();
        for (place, rendition) in self.renditions.iter().enumerate() {
            for (generation, hash) in rendition.hashes.iter().enumerate() {
                if let Some(hash) = hash {
                    wanted.entry((generation, *hash)).or_default().push(place);
                }
            }
        }
        let known = self.streams.iter();
        let known: Vec<_> = known
            .map(|(&key, it)| (key, (it.generation, it.info_hash)))
            .collect();
        for (stream, swarm) in known {
            match (wanted.remove(&swarm), self.streams.get_mut(&stream)) {
                (Some(renditions), Some(swarm)) => swarm.renditions = renditions,
                (None, _) | (_, None) => self.leave_for_good(stream),
            }
        }
        for ((generation, info_hash), renditions) in wanted {
            let key = StreamKey(self.next_stream);
            self.next_stream += 1;
            let swarm = Swarm {
                info_hash,
                generation,
                renditions,
                is_joined: false,
            };
            self.streams.insert(key, swarm);
        }
    }

    pub(super) fn on_listing(&mut self, rendition: usize, listing: &Listing) {
        let Some(known) = self.renditions.get_mut(rendition) else {
            return;
        };
        let change = known.timeline.update(listing);
        self.start_peers(listing);
        let streams = match change {
            Change::None => return,
            Change::Listed => self.keys(|it| it.renditions.contains(&rendition)),
            Change::Restarted => {
                let streams = self.keys(|it| it.renditions.contains(&rendition));
                streams.iter().for_each(|&stream| self.leave(stream));
                streams
            }
        };
        for stream in streams {
            self.list(stream);
        }
    }

    fn keys(&self, fits: impl Fn(&Swarm) -> bool) -> Vec<StreamKey> {
        let fitting = self.streams.iter().filter(|(_, swarm)| fits(swarm));
        let mut keys: Vec<_> = fitting.map(|(&key, _)| key).collect();
        keys.sort_unstable();
        keys
    }

    fn leave_for_good(&mut self, stream: StreamKey) {
        self.leave(stream);
        self.streams.remove(&stream);
    }

    /// Forgets all segments of a stream.
    fn leave(&mut self, stream: StreamKey) {
        if let Some(swarm) = self.streams.get_mut(&stream) {
            swarm.is_joined = false;
        }
        for peer in 0..self.peers.len() {
            self.handle(peer, Input::StreamRemoved { stream });
        }
    }

    /// Tells the logical peers what there is of a stream.
    fn list(&mut self, stream: StreamKey) {
        let Some(swarm) = self.streams.get(&stream) else {
            return;
        };
        let info_hash = swarm.info_hash;
        let (live, segments) = self.listed(swarm);
        if segments.is_empty() && !swarm.is_joined {
            return;
        }
        if let Some(swarm) = self.streams.get_mut(&stream) {
            swarm.is_joined = true;
        }
        for peer in 0..self.present(stream) {
            self.tell(peer, (stream, info_hash), live, &segments);
        }
    }

    /// Has one more logical peer serve a stream.
    pub(super) fn enter(&mut self, stream: StreamKey, peer: usize) {
        if let Some(swarm) = self.streams.get(&stream).filter(|it| it.is_joined) {
            let info_hash = swarm.info_hash;
            let (live, segments) = self.listed(swarm);
            self.tell(peer, (stream, info_hash), live, &segments);
        }
    }

    fn tell(
        &mut self,
        peer: usize,
        (stream, info_hash): (StreamKey, InfoHash),
        live: bool,
        segments: &[ListedSegment],
    ) {
        let peer_id = self.peers[peer].id(info_hash);
        // Of a stream that is known already this changes nothing.
        self.handle(
            peer,
            Input::StreamAdded {
                stream,
                info_hash,
                peer_id,
            },
        );
        self.handle(
            peer,
            Input::SegmentsListed {
                stream,
                live,
                segments,
            },
        );
    }

    /// All segments of a swarm. Where two of its streams have one under the same number, it is the first one's.
    fn listed(&self, swarm: &Swarm) -> (bool, Vec<ListedSegment>) {
        let timelines = || {
            let renditions = swarm.renditions.iter();
            renditions.filter_map(|&place| Some(&self.renditions.get(place)?.timeline))
        };
        let mut seen = HashSet::new();
        let all = timelines().flat_map(|timeline| timeline.listed(swarm.generation));
        let mut segments: Vec<_> = all.filter(|segment| seen.insert(segment.id)).collect();
        segments.sort_by_key(|segment| segment.start_ms);
        (timelines().any(Timeline::is_live), segments)
    }

    /// Where a segment is.
    pub(super) fn source(&self, segment: SegmentKey) -> Option<Arc<Source>> {
        let swarm = self.streams.get(&segment.stream)?;
        let mut sources = swarm.renditions.iter().filter_map(|&place| {
            let timeline = &self.renditions.get(place)?.timeline;
            timeline.source(swarm.generation, segment.id)
        });
        sources.next().cloned()
    }

    /// Whether more segments will come.
    pub(super) fn is_live(&self) -> bool {
        self.renditions.iter().any(|it| it.timeline.is_live())
    }
}
