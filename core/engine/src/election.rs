//! Who fetches a segment that nobody has, settled without a word being said.
//!
//! Every viewer scores itself and the peers it knows with one hash of peer id and segment number, the
//! one of p2p-media-loader 5.x (its `utils/election.ts` and `specs/prefetch.md`): the lowest score
//! fetches at once, the others are backups that step in, in the order of their scores, when waiting
//! any longer would risk that HTTP comes too late.

use beekeepr_model::{PeerId, SegmentId};

use crate::Engine;
use crate::api::SegmentKey;
use crate::limits;
use crate::peer::Peer;
use crate::stream::Stream;

/// How a segment's election stands among the peers we know.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Election {
    /// Viewers that take part, without us.
    pub(crate) others: u64,
    /// Those of them that come before us: 0 for whoever fetches.
    pub(crate) place: u64,
    /// Super-peers, which fetch before everybody.
    pub(crate) super_peers: u64,
}

impl Engine {
    pub(crate) fn election(&self, key: SegmentKey) -> Election {
        let mut election = Election::default();
        let Some(stream) = self.streams.get(&key.stream) else {
            return election;
        };
        for conn in self.conns.values() {
            let Some((_, peer)) = conn.peer().filter(|(it, _)| *it == key.stream) else {
                continue;
            };
            if peer.id.is_seeder() {
                election.super_peers += 1;
            } else if self.takes_part(stream, peer, key.id) {
                election.others += 1;
                // The number that both of us know it by.
                let id = stream.swarms[conn.swarm.place].theirs(key.id);
                let id = id.unwrap_or(key.id);
                let before = |one: PeerId, other| (score(one, id), one) < (score(other, id), other);
                election.place += u64::from(before(peer.id, stream.peer_id));
            }
        }
        election
    }

    /// Whether a peer can be expected to fetch this segment when the election is its own. Clients
    /// before 5.x fetch by chance; who has announced nothing gives nothing, or has just come; and on
    /// demand most are somewhere else in the film.
    fn takes_part(&self, stream: &Stream, peer: &Peer, id: SegmentId) -> bool {
        if !elects(peer.id) {
            return false;
        }
        if peer.is_empty() {
            return self.now.since_ms(peer.opened_at) < limits::NEWCOMER_MS;
        }
        stream.live || peer.is_near(id)
    }
}

/// Whether this client takes part in elections at all.
fn elects(id: PeerId) -> bool {
    // The major version is the fourth and fifth character: `-PM0500-`.
    id.is_beekeepr() || id.0.starts_with(b"-PM") && id.0[3..5] >= b"05"[..]
}

/// A peer's place in the election for a segment: lower is earlier. FNV-1a over `<peer id>|<number>`,
/// then the finaliser of `MurmurHash3`, because FNV alone hardly mixes the last characters.
fn score(peer: PeerId, segment: SegmentId) -> u32 {
    let mut digits = [0; DIGITS_MAX];
    let number = decimal(segment.0, &mut digits);
    let text = peer.0.iter().chain(b"|").chain(number);
    let mut hash = text.fold(0x811c_9dc5_u32, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Characters of the lowest `i64`.
const DIGITS_MAX: usize = 20;

/// A number in decimal. The standard library's formatting would weigh 2 KB in the browser's module.
fn decimal(number: i64, digits: &mut [u8; DIGITS_MAX]) -> &[u8] {
    let mut rest = number.unsigned_abs();
    let mut start = DIGITS_MAX;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    &digits[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_election_spreads_segments_evenly() {
        let peers = [PeerId([b'a'; 20]), PeerId([b'b'; 20]), PeerId([b'c'; 20])];
        let mut won = [0; 3];
        for id in 0..3_000 {
            let first = (0..3).min_by_key(|&peer| score(peers[peer], SegmentId(id)));
            won[first.expect("there are three peers")] += 1;
        }
        assert!(
            won.iter().all(|&won| (900..1_100).contains(&won)),
            "{won:?}"
        );
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for number in [0, 7, 10, 859_000_000, -1, i64::MAX, i64::MIN] {
            let mut digits = [0; DIGITS_MAX];
            assert_eq!(decimal(number, &mut digits), number.to_string().as_bytes());
        }
    }

    // Computed by p2p-media-loader 5's formula in JavaScript.
    #[test]
    fn scores_are_those_of_p2p_media_loader_5() {
        for (peer, segment, expected) in SCORES {
            assert_eq!(score(PeerId(*peer), SegmentId(segment)), expected);
        }
    }

    const SCORES: [(&[u8; 20], i64, u32); 3] = [
        (b"-PM0500-abcdefghijkl", 0, 2_880_528_974),
        (b"-BK0001-ABCDEFGHIJKL", 859_000_000, 1_204_455_441),
        (b"-PM0501-000000000000", -3, 2_094_551_365),
    ];

    #[test]
    fn only_clients_that_elect_are_candidates() {
        let ids: [(&[u8; 20], bool); 5] = [
            (b"-BK0001-abcdefghijkl", true),
            (b"-PM0500-abcdefghijkl", true),
            (b"-PM1200-abcdefghijkl", true),
            (b"-PM0401-abcdefghijkl", false),
            (b"-WW0100-abcdefghijkl", false),
        ];
        for (id, expected) in ids {
            assert_eq!(elects(PeerId(*id)), expected);
        }
    }
}
