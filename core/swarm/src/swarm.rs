//! One swarm: its members, sorted by whom they may be introduced to.

use std::collections::HashMap;

use beekeepr_model::{PeerId, Time};

use crate::Standing;
use crate::member::{Class, Member};
use crate::rings::{RingKey, Rings};

/// Members in a list for choosing, and their places in it by peer id. Super-peers stand first, then
/// viewers that serve, then the others.
#[derive(Debug, Default)]
pub(crate) struct Swarm {
    members: Vec<Member>,
    places: HashMap<PeerId, usize>,
    /// How many super-peers there are, and how many super-peers and serving viewers.
    ends: [usize; 2],
    rings: Rings,
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

    pub(crate) fn rings(&self) -> &Rings {
        &self.rings
    }

    /// How many super-peers there are: they have the first places.
    pub(crate) fn super_peers(&self) -> usize {
        self.ends[0]
    }

    /// How many super-peers and serving viewers there are: they have the first places.
    pub(crate) fn servers(&self) -> usize {
        self.ends[1]
    }

    pub(crate) fn place(&self, peer_id: &PeerId) -> Option<usize> {
        self.places.get(peer_id).copied()
    }

    pub(crate) fn get(&self, peer_id: &PeerId) -> Option<&Member> {
        self.members.get(self.place(peer_id)?)
    }

    pub(crate) fn get_mut(&mut self, peer_id: &PeerId) -> Option<&mut Member> {
        let place = self.place(peer_id)?;
        self.members.get_mut(place)
    }

    /// Adds a member; its peer id must not be one of the swarm yet.
    pub(crate) fn insert(&mut self, member: Member) {
        let (mut place, class) = (self.members.len(), member.class());
        self.has_all += usize::from(member.has_all);
        self.places.insert(member.peer_id, place);
        self.members.push(member);
        for end in [1, 0] {
            if class as usize <= end {
                self.swap(place, self.ends[end]);
                place = self.ends[end];
                self.ends[end] += 1;
            }
        }
        if class != Class::Guest {
            let member = &mut self.members[place];
            member.slots = Some(self.rings.insert(&member.standing.place, place as u32));
        }
    }

    /// Notes that a member announced again. Who has everything keeps it.
    pub(crate) fn refresh(&mut self, peer_id: &PeerId, now: Time, has_all: bool, new: &Standing) {
        let Some(member) = self.get_mut(peer_id) else {
            return;
        };
        member.seen = now;
        let gained = has_all && !member.has_all;
        member.has_all |= has_all;
        let is_changed = member.standing != *new;
        self.has_all += usize::from(gained);
        if is_changed && let Some(member) = self.remove(peer_id) {
            self.insert(Member {
                standing: *new,
                ..member
            });
        }
    }

    pub(crate) fn remove(&mut self, peer_id: &PeerId) -> Option<Member> {
        let mut place = self.place(peer_id)?;
        self.unlist(place);
        for end in [0, 1] {
            if place < self.ends[end] {
                self.ends[end] -= 1;
                self.swap(place, self.ends[end]);
                place = self.ends[end];
            }
        }
        self.swap(place, self.members.len() - 1);
        self.places.remove(peer_id);
        let member = self.members.pop()?;
        self.has_all -= usize::from(member.has_all);
        Some(member)
    }

    /// What must hold, or the text that says what does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_placed = |(place, member): (usize, &Member)| {
            let class = match place {
                _ if place < self.ends[0] => Class::SuperPeer,
                _ if place < self.ends[1] => Class::Server,
                _ => Class::Guest,
            };
            self.places.get(&member.peer_id) == Some(&place) && member.class() == class
        };
        let has_all = self.members.iter().filter(|member| member.has_all).count();
        if self.members.is_empty() {
            return Err("a swarm is empty".to_owned());
        }
        if self.places.len() != self.members.len()
            || !self.members.iter().enumerate().all(is_placed)
            || has_all != self.has_all
        {
            return Err(format!("places and members of a swarm differ: {self:?}"));
        }
        self.check_rings()
    }

    fn check_rings(&self) -> Result<(), String> {
        let mut listed = 0;
        for (place, member) in self.members.iter().enumerate().take(self.ends[1]) {
            let keys = RingKey::of(&member.standing.place);
            let slots = member.slots.ok_or("a member is on no list")?;
            for (key, slot) in keys.into_iter().zip(slots) {
                let Some(key) = key else { continue };
                listed += 1;
                if self.rings.at(key).get(slot as usize) != Some(&(place as u32)) {
                    return Err(format!("{member:?} is not at its slot of {key:?}"));
                }
            }
        }
        self.rings.check(listed)
    }

    /// Takes a member off the rings' lists.
    fn unlist(&mut self, place: usize) {
        let Some(member) = self.members.get_mut(place) else {
            return;
        };
        let Some(slots) = member.slots.take() else {
            return;
        };
        let heirs = self.rings.remove(&member.standing.place, &slots);
        for (ring, heir) in heirs.into_iter().enumerate() {
            let heir = heir.and_then(|heir| self.members.get_mut(heir as usize));
            if let Some(heir) = heir.and_then(|heir| heir.slots.as_mut()) {
                heir[ring] = slots[ring];
            }
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        self.members.swap(a, b);
        for place in [a, b] {
            let member = &self.members[place];
            self.places.insert(member.peer_id, place);
            if let Some(slots) = &member.slots {
                self.rings
                    .moved(&member.standing.place, slots, place as u32);
            }
        }
    }
}
