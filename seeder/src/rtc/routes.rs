//! Whose datagram is it? By name first, then by address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// A connection within the hub.
pub(super) type Key = u64;

/// Addresses that one connection may own. A browser with four interfaces behind a NAT shows about
/// eight; a peer that forges more must not fill the table.
const ADDRESSES_PER_CONNECTION_MAX: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Route {
    key: Key,
    /// The address of ours that the peer uses.
    own: Option<IpAddr>,
    /// Whether a check signed with the connection's password came from there. Otherwise we only
    /// sent there because the peer's description said so.
    is_proved: bool,
}

/// The table of names and addresses.
#[derive(Debug, Default)]
pub(super) struct Routes {
    by_name: HashMap<String, Key>,
    by_address: HashMap<SocketAddr, Route>,
    owned: HashMap<Key, Vec<SocketAddr>>,
}

impl Routes {
    pub(super) fn add(&mut self, name: String, key: Key) {
        self.by_name.insert(name, key);
    }

    pub(super) fn named(&self, name: &str) -> Option<Key> {
        self.by_name.get(name).copied()
    }

    pub(super) fn at(&self, address: SocketAddr) -> Option<Key> {
        self.by_address.get(&address).map(|route| route.key)
    }

    /// The address of ours to answer this address from.
    pub(super) fn own(&self, address: SocketAddr) -> Option<IpAddr> {
        self.by_address.get(&address).and_then(|route| route.own)
    }

    /// A signed check came from `address`. Returns whether the address is the connection's now: it
    /// is not while another one has proved it, for sender addresses can be forged.
    pub(super) fn prove(&mut self, address: SocketAddr, own: Option<IpAddr>, key: Key) -> bool {
        match self.by_address.get(&address) {
            Some(route) if route.key != key && route.is_proved => return false,
            Some(route) if route.key == key => {}
            Some(_) | None => {
                if !self.claim(address, key) {
                    return false;
                }
            }
        }
        let route = Route {
            key,
            own,
            is_proved: true,
        };
        self.by_address.insert(address, route);
        true
    }

    /// We send to `address`, so an answer may come from there.
    pub(super) fn expect(&mut self, address: SocketAddr, key: Key) {
        if !self.by_address.contains_key(&address) && self.claim(address, key) {
            let route = Route {
                key,
                own: None,
                is_proved: false,
            };
            self.by_address.insert(address, route);
        }
    }

    /// Forgets a connection.
    pub(super) fn remove(&mut self, name: &str, key: Key) {
        self.by_name.remove(name);
        for address in self.owned.remove(&key).unwrap_or_default() {
            // It may have been proved by another connection since.
            if self.at(address) == Some(key) {
                self.by_address.remove(&address);
            }
        }
    }

    fn claim(&mut self, address: SocketAddr, key: Key) -> bool {
        let owned = self.owned.entry(key).or_default();
        let has_room = owned.len() < ADDRESSES_PER_CONNECTION_MAX;
        if has_room {
            owned.push(address);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn a_proved_address_cannot_be_taken() {
        let mut routes = Routes::default();
        assert!(routes.prove(address(1), None, 1));
        assert!(!routes.prove(address(1), None, 2));
        routes.expect(address(1), 2);
        assert_eq!(routes.at(address(1)), Some(1));
    }

    #[test]
    fn proof_beats_a_claim_of_a_description() {
        let mut routes = Routes::default();
        routes.expect(address(1), 1);
        assert_eq!(routes.at(address(1)), Some(1));
        assert!(routes.prove(address(1), None, 2));
        routes.remove("one", 1);
        assert_eq!(routes.at(address(1)), Some(2));
    }

    #[test]
    fn a_connection_owns_so_many_addresses_only() {
        let mut routes = Routes::default();
        let owned = (0..100).filter(|port| routes.prove(address(*port), None, 1));
        assert_eq!(owned.count(), ADDRESSES_PER_CONNECTION_MAX);
    }

    #[test]
    fn nothing_is_left_of_a_removed_connection() {
        let mut routes = Routes::default();
        routes.add("one".to_owned(), 1);
        assert!(routes.prove(address(1), None, 1));
        routes.remove("one", 1);
        assert_eq!(routes.named("one"), None);
        assert_eq!(routes.at(address(1)), None);
        assert!(routes.owned.is_empty());
    }
}
