//! The PROXY protocol, versions 1 and 2: a proxy says whom it speaks for before it passes bytes on.
//! Source: "The PROXY protocol", W. Tarreau, HAProxy project, sections 2.1 and 2.2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest line of version 1 with its end, section 2.1.
const LINE_BYTES_MAX: usize = 107;

/// What version 2 begins with, section 2.2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, command, family and length of version 2.
const HEAD_BYTES: usize = 16;

/// The largest header that is read. Addresses take 36 bytes; the rest are extensions such as a
/// certificate's names.
pub(crate) const BYTES_MAX: usize = 2048;

/// What the first bytes of a proxied connection turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyHeader {
    /// Not whole yet.
    Incomplete,
    /// Whole: how long it is, and whom the proxy speaks for. Nobody when it speaks for itself, as it
    /// does to find out whether the tracker is well.
    Whole(usize, Option<IpAddr>),
    /// No such header.
    Wrong,
}

/// Looks for a header at the start of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> ProxyHeader {
    let may_be = |start: &[u8]| {
        bytes
            .iter()
            .zip(start)
            .all(|(seen, expected)| seen == expected)
    };
    if may_be(SIGNATURE) {
        version_2(bytes)
    } else if may_be(b"PROXY ") {
        version_1(bytes)
    } else {
        ProxyHeader::Wrong
    }
}

fn version_1(bytes: &[u8]) -> ProxyHeader {
    let searched = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    let Some(end) = searched.windows(2).position(|two| two == b"\r\n") else {
        return if bytes.len() < LINE_BYTES_MAX {
            ProxyHeader::Incomplete
        } else {
            ProxyHeader::Wrong
        };
    };
    let line = std::str::from_utf8(&searched[..end]).unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let source = match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Some(None),
        ["PROXY", "TCP4", source, ..] => source.parse::<Ipv4Addr>().ok().map(|it| Some(it.into())),
        ["PROXY", "TCP6", source, ..] => source.parse::<Ipv6Addr>().ok().map(|it| Some(it.into())),
        _ => None,
    };
    source.map_or(ProxyHeader::Wrong, |source| {
        ProxyHeader::Whole(end + 2, source)
    })
}

fn version_2(bytes: &[u8]) -> ProxyHeader {
    let Some(&[.., command, family, high, low]) = bytes.first_chunk::<HEAD_BYTES>() else {
        return ProxyHeader::Incomplete;
    };
    let end = HEAD_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if end > BYTES_MAX {
        return ProxyHeader::Wrong;
    }
    let Some(addresses) = bytes.get(HEAD_BYTES..end) else {
        return ProxyHeader::Incomplete;
    };
    // The upper half of a byte is the version or the family, the lower the command or the transport.
    let source = match (command, family) {
        (0x20, _) => Some(None),
        (0x21, 0x11) => addresses
            .first_chunk::<4>()
            .filter(|_| addresses.len() >= 12)
            .map(|&source| Some(IpAddr::from(source))),
        (0x21, 0x21) => addresses
            .first_chunk::<16>()
            .filter(|_| addresses.len() >= 36)
            .map(|&source| Some(IpAddr::from(source))),
        // Other families have no addresses that mean anything here.
        (0x21, _) => Some(None),
        _ => None,
    };
    source.map_or(ProxyHeader::Wrong, |source| {
        ProxyHeader::Whole(end, source.map(|address| address.to_canonical()))
    })
}

#[cfg(test)]
mod tests {
    use super::ProxyHeader::{Incomplete, Whole, Wrong};
    use super::*;

    fn version_2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([command, family]);
        bytes.extend((addresses.len() as u16).to_be_bytes());
        bytes.extend(addresses);
        bytes
    }

    #[test]
    fn lines_of_version_1_are_read() {
        let four = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\nGET /";
        assert_eq!(read(four), Whole(41, Some("192.0.2.7".parse().unwrap())));
        let six = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n";
        assert_eq!(
            read(six),
            Whole(six.len(), Some("2001:db8::7".parse().unwrap()))
        );
        assert_eq!(read(b"PROXY UNKNOWN\r\n"), Whole(15, None));
        for wrong in [
            &b"PROXY TCP4 2001:db8::7 x\r\n"[..],
            b"PROXY \r\n",
            b"PROXY TCP4\r\n",
            &[b'P'; 3],
            b"GET / HTTP/1.1\r\n",
        ] {
            assert_eq!(read(wrong), Wrong);
        }
        assert_eq!(
            read(format!("PROXY TCP4 {}", "x".repeat(120)).as_bytes()),
            Wrong
        );
    }

    #[test]
    fn headers_of_version_2_are_read() {
        let mut addresses = vec![192, 0, 2, 7, 192, 0, 2, 1, 0x12, 0x67, 1, 0xbb];
        assert_eq!(
            read(&version_2(0x21, 0x11, &addresses)),
            Whole(28, Some("192.0.2.7".parse().unwrap()))
        );
        addresses.extend([4, 0, 1, 0]); // an extension without content
        assert_eq!(
            read(&version_2(0x21, 0x11, &addresses)),
            Whole(32, Some("192.0.2.7".parse().unwrap()))
        );
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        assert_eq!(
            read(&version_2(0x21, 0x21, &six)),
            Whole(52, Some("2001:db8::".parse().unwrap()))
        );
        assert_eq!(
            read(&version_2(0x20, 0, &[])),
            Whole(16, None),
            "a health check"
        );
        assert_eq!(
            read(&version_2(0x21, 0x31, &[0; 216])),
            Whole(232, None),
            "a unix socket"
        );
        assert_eq!(read(&version_2(0x21, 0x11, &[0; 11])), Wrong);
        assert_eq!(
            read(&version_2(0x11, 0x11, &[0; 12])),
            Wrong,
            "version 1 in binary"
        );
        assert_eq!(read(&version_2(0x21, 0x11, &[0; BYTES_MAX])), Wrong);
    }

    #[test]
    fn both_may_come_byte_by_byte() {
        let line = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n".to_vec();
        for whole in [line, version_2(0x21, 0x11, &[1; 12])] {
            for end in 0..whole.len() {
                assert_eq!(read(&whole[..end]), Incomplete, "{end}");
            }
        }
    }
}
