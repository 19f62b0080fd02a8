//! Addresses and control messages as the kernel lays them out, read and written as bytes.
//!
//! The layouts are Linux's interface to programs and do not change (netinet/in.h, bits/socket.h).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Bytes of a `sockaddr_in` and of a `sockaddr_in6`.
const NAME_V4_BYTES: usize = 16;
const NAME_V6_BYTES: usize = 28;

/// A `cmsghdr`: the length as a word, level and type as ints; the data follows at once.
const LENGTH_BYTES: usize = size_of::<usize>();
const HEADER_BYTES: usize = LENGTH_BYTES + 8;

/// Bytes of an `in_pktinfo` (index, address to send from, address in the packet) and of an
/// `in6_pktinfo` (address, index).
const INFO_V4_BYTES: usize = 12;
const INFO_V6_BYTES: usize = 20;

/// Room for either control message, whole words.
const CONTROL_BYTES: usize = HEADER_BYTES + 24;

/// A socket address.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(8))]
pub(crate) struct Name {
    pub(crate) bytes: [u8; NAME_V6_BYTES],
}

/// Control messages: one is all that is asked for.
#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
pub(crate) struct Control {
    pub(crate) bytes: [u8; CONTROL_BYTES],
}

impl Default for Control {
    fn default() -> Self {
        Self {
            bytes: [0; CONTROL_BYTES],
        }
    }
}

impl Name {
    /// The address that the kernel wrote.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let port = u16::from_be_bytes(part(&self.bytes, 2));
        match i32::from(u16::from_ne_bytes(part(&self.bytes, 0))) {
            libc::AF_INET => Some((Ipv4Addr::from(part::<4>(&self.bytes, 4)), port).into()),
            libc::AF_INET6 => {
                let ip = Ipv6Addr::from(part::<16>(&self.bytes, 8));
                let scope = u32::from_ne_bytes(part(&self.bytes, 24));
                Some(SocketAddrV6::new(ip, port, 0, scope).into())
            }
            _ => None,
        }
    }

    /// Writes an address and tells its length.
    pub(crate) fn set(&mut self, address: SocketAddr) -> usize {
        self.bytes = [0; NAME_V6_BYTES];
        self.bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        let (family, length) = match address {
            SocketAddr::V4(address) => {
                self.bytes[4..8].copy_from_slice(&address.ip().octets());
                (libc::AF_INET, NAME_V4_BYTES)
            }
            SocketAddr::V6(address) => {
                self.bytes[8..24].copy_from_slice(&address.ip().octets());
                self.bytes[24..].copy_from_slice(&address.scope_id().to_ne_bytes());
                (libc::AF_INET6, NAME_V6_BYTES)
            }
        };
        self.bytes[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        length
    }
}

impl Control {
    /// Forgets what was there, so that what is read is what the kernel wrote, and tells the room.
    pub(crate) fn clear(&mut self) -> usize {
        self.bytes[..HEADER_BYTES].fill(0);
        self.bytes.len()
    }

    /// The address that a datagram was sent to. A packet to a network's broadcast address is told as
    /// sent to all: the kernel does not answer from there, and neither do we.
    pub(crate) fn asked(&self) -> Option<IpAddr> {
        let bytes = &self.bytes;
        let length = usize::from_ne_bytes(part(bytes, 0));
        let level = i32::from_ne_bytes(part(bytes, LENGTH_BYTES));
        let kind = i32::from_ne_bytes(part(bytes, LENGTH_BYTES + 4));
        match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) if length >= HEADER_BYTES + INFO_V4_BYTES => {
                let local = Ipv4Addr::from(part::<4>(bytes, HEADER_BYTES + 4));
                let sent_to = Ipv4Addr::from(part::<4>(bytes, HEADER_BYTES + 8));
                let is_ours = local == sent_to || sent_to.is_multicast();
                Some(
                    if is_ours {
                        sent_to
                    } else {
                        Ipv4Addr::BROADCAST
                    }
                    .into(),
                )
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if length >= HEADER_BYTES + INFO_V6_BYTES => {
                Some(Ipv6Addr::from(part::<16>(bytes, HEADER_BYTES)).into())
            }
            _ => None,
        }
    }

    /// Writes the address to send from and tells the length.
    pub(crate) fn set_from(&mut self, from: IpAddr) -> usize {
        self.bytes = [0; CONTROL_BYTES];
        let (level, kind, length) = match from {
            IpAddr::V4(ip) => {
                self.bytes[HEADER_BYTES + 4..][..4].copy_from_slice(&ip.octets());
                (libc::IPPROTO_IP, libc::IP_PKTINFO, INFO_V4_BYTES)
            }
            IpAddr::V6(ip) => {
                self.bytes[HEADER_BYTES..][..16].copy_from_slice(&ip.octets());
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, INFO_V6_BYTES)
            }
        };
        self.bytes[..LENGTH_BYTES].copy_from_slice(&(HEADER_BYTES + length).to_ne_bytes());
        self.bytes[LENGTH_BYTES..][..4].copy_from_slice(&level.to_ne_bytes());
        self.bytes[LENGTH_BYTES + 4..][..4].copy_from_slice(&kind.to_ne_bytes());
        // With the space up to the next whole word (CMSG_SPACE).
        HEADER_BYTES + length.next_multiple_of(LENGTH_BYTES)
    }
}

/// Bytes from a place that the caller knows to be inside.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["192.0.2.1:3478", "[2001:db8::1]:1", "[fe80::1%7]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            let mut name = Name::default();
            name.set(address);
            assert_eq!(name.address(), Some(address));
        }
        assert_eq!(Name::default().address(), None);
    }

    #[test]
    fn the_address_asked_is_the_one_in_the_packet() {
        let ip: IpAddr = "2001:db8::1".parse().unwrap();
        let mut control = Control::default();
        control.set_from(ip);
        assert_eq!(control.asked(), Some(ip));
        control.clear();
        assert_eq!(control.asked(), None);
    }

    #[test]
    fn a_packet_to_a_networks_broadcast_address_was_sent_to_all() {
        let mut control = Control::default();
        control.set_from(Ipv4Addr::new(192, 0, 2, 1).into());
        let sent_to = HEADER_BYTES + 8..HEADER_BYTES + 12;
        for (packet, expected) in [
            ([192, 0, 2, 1], [192, 0, 2, 1]),
            ([192, 0, 2, 255], [255; 4]),
            ([224, 0, 0, 1], [224, 0, 0, 1]),
        ] {
            control.bytes[sent_to.clone()].copy_from_slice(&packet);
            assert_eq!(control.asked(), Some(Ipv4Addr::from(expected).into()));
        }
    }
}
