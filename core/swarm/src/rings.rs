//! Who is near whom: for each place the members that are there.
//!
//! A ring is a way of being near: the operator's group, the autonomous system, the country, and the
//! block of addresses. Only members that may be introduced to viewers are listed. The lists hold places
//! in the swarm's list of members, and each member knows its slot in them, so that coming, going and
//! moving cost the same in swarms of any size.

use std::collections::HashMap;

use beekeepr_model::Random;

use crate::{Network, Place};

/// How many rings there are.
pub(crate) const RINGS: usize = 4;

/// One place of one ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RingKey {
    Group(u16),
    Asn(u32),
    Country([u8; 2]),
    Network(Network),
}

impl RingKey {
    /// A place's keys by ring, the nearest first; the block of addresses, which counts for diversity
    /// and not for nearness, last.
    pub(crate) fn of(place: &Place) -> [Option<Self>; RINGS] {
        [
            place.group.map(Self::Group),
            place.asn.map(Self::Asn),
            place.country.map(Self::Country),
            place.network.map(Self::Network),
        ]
    }
}

#[derive(Debug)]
struct List {
    members: Vec<u32>,
    /// Where a network stands in the list of all networks.
    slot: usize,
}

/// The lists of one swarm.
#[derive(Debug, Default)]
pub(crate) struct Rings {
    lists: HashMap<RingKey, List>,
    networks: Vec<Network>,
}

impl Rings {
    /// The members at one place.
    pub(crate) fn at(&self, key: RingKey) -> &[u32] {
        self.lists.get(&key).map_or(&[], |list| &list.members)
    }

    /// The blocks of addresses that members are in.
    pub(crate) fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// One of the members in a block of addresses.
    pub(crate) fn somebody(&self, network: Network, random: &mut Random) -> Option<u32> {
        let members = self.at(RingKey::Network(network));
        members.get(random.below(members.len())).copied()
    }

    /// Lists a member at its places, and returns its slots.
    pub(crate) fn insert(&mut self, place: &Place, member: u32) -> [u32; RINGS] {
        RingKey::of(place).map(|key| key.map_or(0, |key| self.insert_at(key, member)))
    }

    /// Notes that the member with these slots has another place in the swarm's list.
    pub(crate) fn moved(&mut self, place: &Place, slots: &[u32; RINGS], member: u32) {
        for (key, &slot) in RingKey::of(place).into_iter().zip(slots) {
            let list = key.and_then(|key| self.lists.get_mut(&key));
            if let Some(entry) = list.and_then(|list| list.members.get_mut(slot as usize)) {
                *entry = member;
            }
        }
    }

    /// Takes a member off its lists. For each ring returns the member that got its slot, if one did.
    pub(crate) fn remove(&mut self, place: &Place, slots: &[u32; RINGS]) -> [Option<u32>; RINGS] {
        let keys = RingKey::of(place);
        std::array::from_fn(|ring| self.remove_at(keys[ring]?, slots[ring]))
    }

    /// What must hold when so many slots are taken, or the text that says what does not.
    pub(crate) fn check(&self, slots: usize) -> Result<(), String> {
        let listed: usize = self.lists.values().map(|list| list.members.len()).sum();
        let is_network = |key: &&RingKey| matches!(key, RingKey::Network(_));
        let networks = self.lists.keys().filter(is_network).count();
        let is_placed = |(slot, network): (usize, &Network)| {
            let list = self.lists.get(&RingKey::Network(*network));
            list.is_some_and(|list| list.slot == slot)
        };
        if listed != slots
            || networks != self.networks.len()
            || !self.networks.iter().enumerate().all(is_placed)
            || self.lists.values().any(|list| list.members.is_empty())
        {
            return Err(format!("the rings do not fit {slots} slots: {self:?}"));
        }
        Ok(())
    }

    fn insert_at(&mut self, key: RingKey, member: u32) -> u32 {
        let list = self.lists.entry(key).or_insert_with(|| {
            let slot = self.networks.len();
            if let RingKey::Network(network) = key {
                self.networks.push(network);
            }
            List {
                members: Vec::with_capacity(1),
                slot,
            }
        });
        list.members.push(member);
        (list.members.len() - 1) as u32
    }

    fn remove_at(&mut self, key: RingKey, slot: u32) -> Option<u32> {
        let list = self.lists.get_mut(&key)?;
        let slot = slot as usize;
        if slot < list.members.len() {
            list.members.swap_remove(slot);
        }
        let heir = list.members.get(slot).copied();
        if list.members.is_empty()
            && let Some(list) = self.lists.remove(&key)
            && matches!(key, RingKey::Network(_))
        {
            self.forget_network(list.slot);
        }
        heir
    }

    fn forget_network(&mut self, slot: usize) {
        self.networks.swap_remove(slot);
        if let Some(&heir) = self.networks.get(slot)
            && let Some(list) = self.lists.get_mut(&RingKey::Network(heir))
        {
            list.slot = slot;
        }
    }
}
