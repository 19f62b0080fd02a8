//! One swarm: its members, and the choice among them.

use std::collections::HashMap;

use beekeepr_model::{PeerId, Random, Time};

use crate::ConnKey;

/// A membership, numbered. No number is used twice, so one that was noted somewhere never means
/// somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemberKey(pub(crate) u64);

/// A peer in a swarm.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: MemberKey,
    pub(crate) peer_id: PeerId,
    pub(crate) conn: ConnKey,
    /// When it last announced.
    pub(crate) seen: Time,
    pub(crate) has_all: bool,
}

/// Members in a list for choosing, and their places in it by peer id. Super-peers stand first.
#[derive(Debug, Default)]
pub(crate) struct Swarm {
    members: Vec<Member>,
    places: HashMap<PeerId, usize>,
    super_peers: usize,
    has_all: usize,
}

impl Swarm {
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn has_all(&self) -> usize {
        self.has_all
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn get(&self, peer_id: &PeerId) -> Option<&Member> {
        self.places
            .get(peer_id)
            .and_then(|&place| self.members.get(place))
    }

    /// Adds a member; its peer id must not be one of the swarm yet.
    pub(crate) fn insert(&mut self, member: Member) {
        let (place, is_super) = (self.members.len(), member.peer_id.is_seeder());
        self.has_all += usize::from(member.has_all);
        self.places.insert(member.peer_id, place);
        self.members.push(member);
        if is_super {
            self.swap(place, self.super_peers);
            self.super_peers += 1;
        }
    }

    /// Notes that a member announced again. Who has everything keeps it.
    pub(crate) fn refresh(&mut self, peer_id: &PeerId, now: Time, has_all: bool) {
        let place = self.places.get(peer_id);
        if let Some(member) = place.and_then(|&place| self.members.get_mut(place)) {
            member.seen = now;
            if has_all && !member.has_all {
                member.has_all = true;
                self.has_all += 1;
            }
        }
    }

    pub(crate) fn remove(&mut self, peer_id: &PeerId) -> Option<Member> {
        let mut place = *self.places.get(peer_id)?;
        if place < self.super_peers {
            self.super_peers -= 1;
            self.swap(place, self.super_peers);
            place = self.super_peers;
        }
        self.swap(place, self.members.len() - 1);
        self.places.remove(peer_id);
        let member = self.members.pop()?;
        self.has_all -= usize::from(member.has_all);
        Some(member)
    }

    /// Chooses up to `wanted` members other than `asker`, each set of them as likely as any other.
    ///
    /// Only that one place is kept for a super-peer when the asker is none: whoever cannot have
    /// everybody should at least have one peer that has every segment. Super-peers have nothing to
    /// give each other and meet viewers only.
    pub(crate) fn choose(
        &self,
        asker: &PeerId,
        wanted: usize,
        random: &mut Random,
    ) -> impl Iterator<Item = &Member> {
        let places = if asker.is_seeder() {
            self.choose_viewers(wanted, random)
        } else {
            self.choose_for_viewer(asker, wanted, random)
        };
        places
            .into_iter()
            .filter_map(|place| self.members.get(place))
    }

    fn choose_viewers(&self, wanted: usize, random: &mut Random) -> Vec<usize> {
        let viewers = self.members.len() - self.super_peers;
        let mut places = sample(viewers, wanted, random);
        places
            .iter_mut()
            .for_each(|place| *place += self.super_peers);
        places
    }

    fn choose_for_viewer(&self, asker: &PeerId, wanted: usize, random: &mut Random) -> Vec<usize> {
        let mut left_out = Vec::with_capacity(2);
        left_out.extend(self.places.get(asker));
        let mut chosen = Vec::with_capacity(wanted.min(self.members.len()));
        if wanted > 0 && self.super_peers > 0 {
            let super_peer = random.below(self.super_peers);
            chosen.push(super_peer);
            left_out.push(super_peer);
        }
        left_out.sort_unstable();
        let others = self.members.len() - left_out.len();
        let rest = sample(others, wanted.saturating_sub(chosen.len()), random);
        chosen.extend(rest.into_iter().map(|place| step_over(place, &left_out)));
        chosen
    }

    /// What must hold, or the text that says what does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_super = |member: &Member| member.peer_id.is_seeder();
        let placed = |(place, member): (usize, &Member)| {
            self.places.get(&member.peer_id) == Some(&place)
                && is_super(member) == (place < self.super_peers)
        };
        let has_all = self.members.iter().filter(|member| member.has_all).count();
        if self.members.is_empty() {
            return Err("a swarm is empty".to_owned());
        }
        if self.places.len() != self.members.len()
            || !self.members.iter().enumerate().all(placed)
            || has_all != self.has_all
        {
            return Err(format!("places and members of a swarm differ: {self:?}"));
        }
        Ok(())
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.members.swap(a, b);
        for place in [a, b] {
            self.places.insert(self.members[place].peer_id, place);
        }
    }
}

/// `count` different numbers below `bound`, or all when there are fewer (Floyd, CACM 30:9, 1987).
fn sample(bound: usize, count: usize, random: &mut Random) -> Vec<usize> {
    let count = count.min(bound);
    let mut chosen = Vec::with_capacity(count);
    for last in bound - count..bound {
        let drawn = random.below(last + 1);
        chosen.push(if chosen.contains(&drawn) { last } else { drawn });
    }
    chosen
}

/// The `index`th place of those not in `left_out`, which is sorted.
fn step_over(index: usize, left_out: &[usize]) -> usize {
    left_out.iter().fold(
        index,
        |place, &out| if place >= out { place + 1 } else { place },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(number: u8, prefix: &[u8; 8]) -> Member {
        let mut peer_id = [number; 20];
        peer_id[..8].copy_from_slice(prefix);
        Member {
            key: MemberKey(u64::from(number)),
            peer_id: PeerId(peer_id),
            conn: ConnKey(u64::from(number)),
            seen: Time::ZERO,
            has_all: false,
        }
    }

    /// Members 0, 1, …; the last `super_peers` of them are super-peers.
    fn swarm(viewers: u8, super_peers: u8) -> Swarm {
        let mut swarm = Swarm::default();
        for number in 0..viewers + super_peers {
            let prefix = if number < viewers {
                b"-BK0001-"
            } else {
                b"-BS0001-"
            };
            swarm.insert(member(number, prefix));
        }
        swarm
    }

    /// How often each member was chosen for member 0.
    fn chosen(swarm: &Swarm, wanted: usize, rounds: usize) -> Vec<usize> {
        let asker = member(0, b"-BK0001-").peer_id;
        let mut random = Random::new(1);
        let mut counts = vec![0; swarm.len()];
        for _ in 0..rounds {
            let mut keys: Vec<u64> = swarm
                .choose(&asker, wanted, &mut random)
                .map(|member| member.key.0)
                .collect();
            let all = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(
                keys.len(),
                all.min(wanted),
                "somebody was chosen twice, or too many were"
            );
            keys.iter().for_each(|&key| counts[key as usize] += 1);
        }
        counts
    }

    #[test]
    fn everybody_but_the_asker_is_equally_likely() {
        let counts = chosen(&swarm(11, 0), 3, 10_000);
        assert_eq!(counts[0], 0);
        // 3,000 each; the deviation allowed is nine times the standard one (45).
        assert!(
            counts[1..].iter().all(|&count| count.abs_diff(3_000) < 400),
            "{counts:?}"
        );
    }

    #[test]
    fn super_peers_are_introduced_to_viewers_only() {
        let swarm = swarm(2, 3);
        let asker = member(4, b"-BS0001-").peer_id;
        let mut random = Random::new(1);
        let mut met: Vec<PeerId> = swarm
            .choose(&asker, 5, &mut random)
            .map(|member| member.peer_id)
            .collect();
        met.sort_unstable();
        let viewers = [0, 1].map(|number| member(number, b"-BK0001-").peer_id);
        assert_eq!(met, viewers);
    }

    #[test]
    fn one_place_is_kept_for_a_super_peer() {
        let counts = chosen(&swarm(100, 2), 3, 1_000);
        let super_peers: usize = counts[100..].iter().sum();
        assert!(super_peers >= 1_000);
        assert!(
            counts[1..100].iter().sum::<usize>() > 1_900,
            "the other two places are for all"
        );
    }

    #[test]
    fn a_small_swarm_is_introduced_whole() {
        assert_eq!(chosen(&swarm(3, 1), 10, 1), [0, 1, 1, 1]);
        assert_eq!(chosen(&swarm(1, 0), 10, 1), [0]);
        assert_eq!(chosen(&swarm(5, 1), 0, 1), [0; 6]);
    }

    #[test]
    fn members_leave_in_any_order() {
        for seed in 0..50 {
            let (mut swarm, mut random) = (swarm(5, 4), Random::new(seed));
            while swarm.len() > 1 {
                let peer_id = swarm.members()[random.below(swarm.len())].peer_id;
                assert_eq!(
                    swarm.remove(&peer_id).map(|member| member.peer_id),
                    Some(peer_id)
                );
                swarm.check().unwrap();
            }
        }
    }
}
