//! A channel's streams: what the manifests say of them becomes what the engines know.

use std::collections::HashSet;

use beekeepr_engine::{Input, StreamKey};
use beekeepr_model::Generation;
use beekeepr_playlist::{Media, Stream};

use super::Channel;
use super::timeline::{Change, Timeline};

/// A stream of the channel and the swarms it is served in.
pub(super) struct Rendition {
    pub(super) stream: Stream,
    pub(super) timeline: Timeline,
    /// One for each of [`Generation::ALL`]; none where another rendition has the same swarm.
    swarms: [Option<StreamKey>; Generation::ALL.len()],
}

impl Channel {
    pub(super) fn on_streams(&mut self, streams: Vec<Stream>) {
        let same = |(known, new): (&Rendition, &Stream)| {
            (
                known.stream.kind,
                known.stream.index,
                &known.stream.properties,
            ) == (new.kind, new.index, &new.properties)
        };
        let unchanged = streams.len() == self.renditions.len()
            && self.renditions.iter().zip(&streams).all(same);
        if unchanged {
            return;
        }
        let old: Vec<StreamKey> = self.streams.drain().map(|(stream, _)| stream).collect();
        for peer in 0..self.peers.len() {
            for &stream in &old {
                self.handle(peer, Input::StreamRemoved { stream });
            }
        }
        self.renditions.clear();
        self.add_renditions(streams);
        tracing::info!(
            channel = self.health.channel(),
            streams = self.renditions.len(),
            swarms = self.streams.len(),
            "channel is being seeded"
        );
    }

    fn add_renditions(&mut self, streams: Vec<Stream>) {
        let mut taken = HashSet::new();
        for stream in streams {
            let hashes =
                Generation::ALL.map(|generation| stream.info_hash(generation, &self.swarm_id));
            let mut swarms = [None; Generation::ALL.len()];
            for (generation, hash) in hashes.into_iter().enumerate() {
                if taken.insert(hash) {
                    let key = StreamKey(self.next_stream);
                    self.next_stream += 1;
                    swarms[generation] = Some(key);
                    self.streams
                        .insert(key, (self.renditions.len(), generation));
                }
            }
            self.renditions.push(Rendition {
                stream,
                timeline: Timeline::default(),
                swarms,
            });
        }
    }

    pub(super) fn on_playlist(&mut self, rendition: usize, media: &Media) {
        let Some(known) = self.renditions.get_mut(rendition) else {
            return;
        };
        match known.timeline.update(media) {
            Change::None => return,
            Change::Listed => {}
            Change::Restarted => self.leave(rendition),
        }
        for peer in 0..self.peers.len() {
            self.list(peer, rendition);
        }
    }

    /// Forgets all segments of a stream.
    fn leave(&mut self, rendition: usize) {
        let swarms = self.renditions[rendition].swarms;
        for peer in 0..self.peers.len() {
            for &stream in swarms.iter().flatten() {
                self.handle(peer, Input::StreamRemoved { stream });
            }
        }
    }

    /// Tells a logical peer what there is of a stream, in each of its swarms.
    fn list(&mut self, peer: usize, rendition: usize) {
        let swarms = self.renditions[rendition].swarms;
        for (generation, stream) in swarms.into_iter().enumerate() {
            let Some(stream) = stream else { continue };
            let known = &self.renditions[rendition];
            let info_hash = known
                .stream
                .info_hash(Generation::ALL[generation], &self.swarm_id);
            let (live, segments) = (known.timeline.is_live(), known.timeline.listed(generation));
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
                    segments: &segments,
                },
            );
        }
    }
}
