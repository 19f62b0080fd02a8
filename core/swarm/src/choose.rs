//! Whom to introduce to an asker.
//!
//! A viewer gets, until it has as many as it wants:
//! 1. super-peers, for the places that are kept for them: whoever cannot have everybody should at
//!    least have one peer that has every segment;
//! 2. who is near, the nearest first (the operator's group, then autonomous system, then country);
//! 3. anybody, each as likely as any other.
//!
//! The diversity guard lets only a share of them come from one block of addresses or one group, so that
//! nobody is surrounded by one stranger's many peers. When others cannot be found it gives way: where
//! everybody sits in one network, there is nobody else to meet.
//!
//! Super-peers have nothing to give each other and meet viewers only. Viewers in privacy mode meet
//! super-peers only.
//!
//! The work follows from how many are wanted, not from how many there are.

use beekeepr_model::{Random, Time};

use crate::member::{Class, Member};
use crate::rings::RingKey;
use crate::shuffle::Shuffle;
use crate::swarm::Swarm;
use crate::{Config, Privacy};

/// So many members are looked at for each that is wanted: enough to meet everybody in small swarms and
/// to step over those that are overdue in large ones.
const VISITS_PER_PLACE: usize = 4;

/// So many more, however few are wanted.
const VISITS_MIN: usize = 16;

/// Who asks for how many at what time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// The asker's place in the swarm's list.
    pub(crate) asker: usize,
    pub(crate) wanted: usize,
    pub(crate) now: Time,
}

/// Makes the choice. Between choices it keeps only memory.
#[derive(Debug, Default)]
pub(crate) struct Chooser {
    chosen: Vec<usize>,
    /// Those that only the diversity guard refused.
    spare: Vec<usize>,
    moved: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Too many of its network or group are chosen already.
    Crowded,
    Bad,
}

/// Places in a swarm's list to draw from.
#[derive(Clone, Copy, Debug)]
enum Pool<'a> {
    Range(usize, usize),
    List(&'a [u32]),
}

impl Pool<'_> {
    fn len(self) -> usize {
        match self {
            Self::Range(start, end) => end.saturating_sub(start),
            Self::List(places) => places.len(),
        }
    }

    fn get(self, index: usize) -> Option<usize> {
        match self {
            Self::Range(start, _) => Some(start + index),
            Self::List(places) => places.get(index).map(|&place| place as usize),
        }
    }
}

impl Chooser {
    /// The places of the chosen in the swarm's list, at most as many as are wanted.
    pub(crate) fn choose(
        &mut self,
        swarm: &Swarm,
        question: &Question,
        config: &Config,
        random: &mut Random,
    ) -> &[usize] {
        self.chosen.clear();
        self.spare.clear();
        if let Some(asker) = swarm.members().get(question.asker)
            && question.wanted > 0
        {
            let crowd_max = crowd_max(swarm, asker, question.wanted, config);
            let choice = Choice {
                chooser: self,
                swarm,
                asker,
                question,
                age_ms_max: config.peer_age_ms_max(),
                crowd_max,
                random,
            };
            choice.make(config.super_peer_places);
        }
        &self.chosen
    }
}

/// How many of the chosen may come from one block of addresses or group.
fn crowd_max(swarm: &Swarm, asker: &Member, wanted: usize, config: &Config) -> usize {
    let is_guarded = asker.class() != Class::SuperPeer && swarm.rings().networks().len() > 1;
    match is_guarded {
        true => (wanted * usize::from(config.crowd_percent_max))
            .div_ceil(100)
            .max(1),
        false => wanted,
    }
}

/// One choice in the making.
struct Choice<'a> {
    chooser: &'a mut Chooser,
    swarm: &'a Swarm,
    asker: &'a Member,
    question: &'a Question,
    age_ms_max: u64,
    crowd_max: usize,
    random: &'a mut Random,
}

impl Choice<'_> {
    fn make(mut self, super_peer_places: usize) {
        let (swarm, wanted) = (self.swarm, self.question.wanted);
        if self.asker.class() == Class::SuperPeer {
            self.draw(Pool::Range(swarm.super_peers(), swarm.len()), wanted);
            return;
        }
        let super_peers = Pool::Range(0, swarm.super_peers());
        if self.asker.standing.privacy == Privacy::SuperPeerOnly {
            self.draw(super_peers, wanted);
            return;
        }
        self.draw(super_peers, wanted.min(super_peer_places));
        let [group, asn, country, _] = RingKey::of(&self.asker.standing.place);
        for key in [group, asn, country].into_iter().flatten() {
            self.draw(Pool::List(swarm.rings().at(key)), wanted);
        }
        self.draw(Pool::Range(0, swarm.servers()), wanted);
        if !self.chooser.spare.is_empty() {
            self.draw_from_other_networks();
            self.give_way();
        }
    }

    /// Adds members of the pool until `until` are chosen.
    fn draw(&mut self, pool: Pool<'_>, until: usize) {
        let missing = until.saturating_sub(self.chooser.chosen.len());
        if missing == 0 {
            return;
        }
        let mut moved = std::mem::take(&mut self.chooser.moved);
        let mut shuffle = Shuffle::new(pool.len(), &mut moved);
        for _ in 0..VISITS_MIN + VISITS_PER_PLACE * missing {
            if self.chooser.chosen.len() >= until {
                break;
            }
            let Some(index) = shuffle.next(self.random) else {
                break;
            };
            if let Some(place) = pool.get(index) {
                self.consider(place);
            }
        }
        self.chooser.moved = moved;
    }

    /// Adds members of networks that have no part yet. Drawing networks and not members finds the few
    /// others among one network's many.
    fn draw_from_other_networks(&mut self) {
        let networks = self.swarm.rings().networks();
        let wanted = self.question.wanted;
        let mut moved = std::mem::take(&mut self.chooser.moved);
        let mut shuffle = Shuffle::new(networks.len(), &mut moved);
        for _ in 0..VISITS_MIN + VISITS_PER_PLACE * wanted {
            if self.chooser.chosen.len() >= wanted {
                break;
            }
            let Some(index) = shuffle.next(self.random) else {
                break;
            };
            if let Some(place) = self.swarm.rings().somebody(networks[index], self.random) {
                self.consider(place as usize);
            }
        }
        self.chooser.moved = moved;
    }

    /// Fills up with those that the guard refused.
    fn give_way(&mut self) {
        let Chooser { chosen, spare, .. } = &mut *self.chooser;
        for &place in spare.iter() {
            if chosen.len() >= self.question.wanted {
                break;
            }
            if !chosen.contains(&place) {
                chosen.push(place);
            }
        }
    }

    fn consider(&mut self, place: usize) {
        match self.verdict(place) {
            Verdict::Good => self.chooser.chosen.push(place),
            Verdict::Crowded => self.chooser.spare.push(place),
            Verdict::Bad => {}
        }
    }

    fn verdict(&self, place: usize) -> Verdict {
        let Some(member) = self.swarm.members().get(place) else {
            return Verdict::Bad;
        };
        if place == self.question.asker
            || member.is_overdue(self.question.now, self.age_ms_max)
            || member.is_same_viewer(self.asker)
            || self.chooser.chosen.contains(&place)
        {
            return Verdict::Bad;
        }
        let is_crowded = self.crowd_max < self.question.wanted
            && member.class() != Class::SuperPeer
            && self.neighbours(member) >= self.crowd_max;
        if is_crowded {
            Verdict::Crowded
        } else {
            Verdict::Good
        }
    }

    /// How many of the chosen share the member's block of addresses or its group, whichever are more.
    fn neighbours(&self, member: &Member) -> usize {
        let place = &member.standing.place;
        let (mut network, mut group) = (0, 0);
        for &other in &self.chooser.chosen {
            let other = &self.swarm.members()[other].standing.place;
            network += usize::from(place.network.is_some() && place.network == other.network);
            group += usize::from(place.group.is_some() && place.group == other.group);
        }
        network.max(group)
    }
}
