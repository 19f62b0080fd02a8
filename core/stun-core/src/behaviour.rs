//! RFC 5780: four addresses of one server, by which a client finds out how its NAT behaves.

use core::net::SocketAddr;

/// The flags of CHANGE-REQUEST (RFC 5780 section 7.2).
const CHANGE_ADDRESS_FLAG: u8 = 4;
const CHANGE_PORT_FLAG: u8 = 2;

/// From which of the server's addresses an answer is to come, seen from the one that was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// From the other IP address.
    pub address: bool,
    /// From the other port.
    pub port: bool,
}

/// One of two addresses with one of two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whether it has the second address.
    pub is_second_address: bool,
    /// Whether it has the second port.
    pub is_second_port: bool,
}

/// What a socket of a server with RFC 5780 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// The addresses as clients know them, in the order of [`Place::ALL`]. Behind a NAT that
    /// translates one address to one other, as clouds have it, they are not those of the sockets.
    pub told: [SocketAddr; 4],
    /// Which of them was asked.
    pub here: Place,
}

impl Change {
    /// From where it was asked.
    pub const NONE: Self = Self {
        address: false,
        port: false,
    };

    pub(crate) fn from_flags(value: [u8; 4]) -> Self {
        Self {
            address: value[3] & CHANGE_ADDRESS_FLAG != 0,
            port: value[3] & CHANGE_PORT_FLAG != 0,
        }
    }

    pub(crate) fn flags(self) -> [u8; 4] {
        let address = if self.address { CHANGE_ADDRESS_FLAG } else { 0 };
        let port = if self.port { CHANGE_PORT_FLAG } else { 0 };
        [0, 0, 0, address | port]
    }
}

impl Place {
    /// Every place, in the order of [`Place::index`].
    pub const ALL: [Self; 4] = [
        Self::new(false, false),
        Self::new(false, true),
        Self::new(true, false),
        Self::new(true, true),
    ];

    const fn new(is_second_address: bool, is_second_port: bool) -> Self {
        Self {
            is_second_address,
            is_second_port,
        }
    }

    /// Its number, 0 to 3.
    #[must_use]
    pub fn index(self) -> usize {
        2 * usize::from(self.is_second_address) + usize::from(self.is_second_port)
    }

    /// Where an answer with this change comes from (RFC 5780 section 6.1, table 1).
    #[must_use]
    pub fn changed(self, change: Change) -> Self {
        Self {
            is_second_address: self.is_second_address ^ change.address,
            is_second_port: self.is_second_port ^ change.port,
        }
    }
}

impl Behaviour {
    /// What RESPONSE-ORIGIN says.
    pub(crate) fn origin(&self, change: Change) -> SocketAddr {
        self.told[self.here.changed(change).index()]
    }

    /// What OTHER-ADDRESS says, whatever the change.
    pub(crate) fn other(&self) -> SocketAddr {
        self.origin(Change {
            address: true,
            port: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stand_in_the_order_of_their_numbers() {
        let numbers = Place::ALL.map(Place::index);
        assert_eq!(numbers, [0, 1, 2, 3]);
    }

    #[test]
    fn the_flags_are_read_as_they_are_written() {
        for (address, port) in [(false, false), (false, true), (true, false), (true, true)] {
            let change = Change { address, port };
            assert_eq!(Change::from_flags(change.flags()), change);
        }
    }
}
