//! One space of connection numbers for all logical peers of a channel.

use std::collections::HashMap;

use beekeepr_engine::ConnKey;

/// Which logical peer a connection belongs to, and its name there.
pub(crate) type Owner = (usize, ConnKey);

/// Connections of a channel, both ways.
#[derive(Debug, Default)]
pub(crate) struct Conns {
    next: u32,
    numbers: HashMap<Owner, u32>,
    owners: HashMap<u32, Owner>,
}

impl Conns {
    /// A number for a new connection.
    pub(crate) fn add(&mut self, owner: Owner) -> u32 {
        let number = self.next;
        // Wraps after 2^32 connections; those still open after so many are none.
        self.next = self.next.wrapping_add(1);
        self.numbers.insert(owner, number);
        self.owners.insert(number, owner);
        number
    }

    /// The number of a connection that is not over.
    pub(crate) fn number(&self, owner: Owner) -> Option<u32> {
        self.numbers.get(&owner).copied()
    }

    /// Whose connection it is.
    pub(crate) fn owner(&self, number: u32) -> Option<Owner> {
        self.owners.get(&number).copied()
    }

    /// The connection is over.
    pub(crate) fn remove(&mut self, owner: Owner) -> Option<u32> {
        let number = self.numbers.remove(&owner)?;
        self.owners.remove(&number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_of_two_peers_are_two_connections() {
        let mut conns = Conns::default();
        let (one, other) = ((0, ConnKey(5)), (1, ConnKey(5)));
        let numbers = (conns.add(one), conns.add(other));
        assert_ne!(numbers.0, numbers.1);
        assert_eq!(conns.owner(numbers.1), Some(other));
        assert_eq!(conns.remove(one), Some(numbers.0));
        assert_eq!((conns.number(one), conns.owner(numbers.0)), (None, None));
    }
}
