//! What one announce costs the tracker's cores: read, look at the descriptions, choose, write. No
//! sockets and no frames to read, so this is the share of the work that is ours to make faster.
//!
//! `cargo bench -p beekeepr-swarm --bench announce`

use std::hint::black_box;

use beekeepr_model::{InfoHash, OfferId, PeerId, Random, Time};
use beekeepr_swarm::{Announce, Config, ConnKey, Network, Place, Standing, Swarms};
use beekeepr_tracker_proto::{
    Announce as AnnounceText, ClientMessage, Offer, SdpRules, check_sdp, read_client_message,
    reply::{self, Announced},
    write_announce,
};
use beekeepr_websocket::write;
use criterion::{Criterion, criterion_group, criterion_main};

/// As many as p2p-media-loader sends.
const OFFERS: usize = 5;

/// Chromium's offers with a server-reflexive candidate.
const SDP_BYTES: usize = 1_300;

const HASH: InfoHash = InfoHash(*b"hpw5DN1BrHoy/nDyIVbD");
const NOW: Time = Time::from_ms(1_000);

fn sdp() -> String {
    let candidate = "a=candidate:2 1 udp 1677729535 198.51.100.7 51234 typ srflx raddr 0.0.0.0 \
        rport 0 generation 0 network-cost 999\r\n";
    let mut sdp = format!(
        "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
         a=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
         c=IN IP4 0.0.0.0\r\n{}",
        candidate.repeat(4)
    );
    while sdp.len() < SDP_BYTES {
        sdp.push_str("a=ice-options:trickle and more of that length\r\n");
    }
    sdp
}

fn message(peer_id: PeerId) -> String {
    let sdp = sdp();
    let mut random = Random::new(1);
    let offers = [(); OFFERS].map(|()| Offer {
        offer_id: OfferId::generate(&mut random),
        sdp: &sdp,
    });
    write_announce(&AnnounceText {
        info_hash: HASH,
        peer_id,
        numwant: OFFERS as u32,
        uploaded: 0,
        downloaded: 0,
        event: None,
        offers: &offers,
        token: None,
    })
}

fn peer(number: u32) -> PeerId {
    let mut id = *b"-PM0203-abcdefghijkl";
    id[16..].copy_from_slice(&number.to_be_bytes());
    PeerId(id)
}

/// A tracker in small, with a swarm of this size.
struct Tracker {
    swarms: Swarms,
    targets: Vec<ConnKey>,
    ids: Vec<OfferId>,
    out: Vec<u8>,
}

impl Tracker {
    fn new(peers: u32) -> Self {
        let mut tracker = Self {
            swarms: Swarms::new(Config::default(), 1, NOW),
            targets: Vec::new(),
            ids: Vec::new(),
            out: Vec::new(),
        };
        (0..peers).for_each(|number| tracker.announce(number, peer(number)));
        tracker
    }

    fn announce(&mut self, number: u32, peer_id: PeerId) {
        let [_, a, b, c] = number.to_be_bytes();
        let standing = Standing {
            place: Place {
                network: Some(Network::of([a, b, c, 1].into())),
                ..Place::default()
            },
            ..Standing::default()
        };
        let announce = Announce {
            info_hash: HASH,
            peer_id,
            has_all: false,
            standing,
            offers: &self.ids,
        };
        let (conn, targets) = (ConnKey(number.into()), &mut self.targets);
        // The swarm is below its limit.
        let _ = self.swarms.announce(NOW, conn, &announce, targets);
    }

    /// What the tracker does with a message of peer 0.
    fn take(&mut self, text: &[u8]) {
        let Ok(ClientMessage::Announce(announce)) = read_client_message(text) else {
            return;
        };
        self.ids.clear();
        for offer in &announce.offers {
            if check_sdp(offer.sdp, &SdpRules::default()).is_ok() {
                self.ids.push(offer.offer_id.id);
            }
        }
        self.announce(0, announce.peer_id.id);
        self.out.clear();
        let (info_hash, peer_id) = (announce.info_hash.raw, announce.peer_id.raw);
        write::text(&mut self.out, |out| {
            reply::announced(out, info_hash, &Announced::default());
        });
        for offer in &announce.offers[..self.targets.len()] {
            write::text(&mut self.out, |out| {
                reply::offer(out, info_hash, peer_id, offer);
            });
        }
    }
}

fn announces(bench: &mut Criterion) {
    let text = message(peer(0));
    bench.bench_function("read", |it| {
        it.iter(|| read_client_message(black_box(text.as_bytes())).is_ok());
    });
    let raw = format!("{:?}", sdp());
    bench.bench_function("check one sdp", |it| {
        it.iter(|| check_sdp(black_box(&raw), &SdpRules::default()).is_ok());
    });
    for peers in [20, 1_000, 100_000] {
        let mut tracker = Tracker::new(peers);
        let mut random = Random::new(1);
        let ids: Vec<OfferId> = (0..OFFERS)
            .map(|_| OfferId::generate(&mut random))
            .collect();
        bench.bench_function(&format!("choose 5 of {peers}"), |it| {
            it.iter(|| {
                tracker.ids.clone_from(&ids);
                tracker.announce(0, peer(0));
            });
        });
        bench.bench_function(&format!("read, choose 5 of {peers}, write"), |it| {
            it.iter(|| tracker.take(black_box(text.as_bytes())));
        });
    }
}

criterion_group!(benches, announces);
criterion_main!(benches);
