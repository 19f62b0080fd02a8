//! What a session description may contain to be relayed.
//!
//! Whoever gets a description sends connectivity checks to every address in it. So one with the
//! addresses of others makes viewers knock at strangers' doors, or at machines in their own networks.
//! And one with audio or video makes the browser do what no player of segments needs.
//!
//! Descriptions are looked at as they stand in the message, line by line, and relayed as they are or
//! not at all.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use beekeepr_json::unescape;

/// Most candidates in a description, unless configured otherwise. Chromium gives two for each network
/// interface and two for each STUN server; a laptop with containers and a VPN reaches 30.
pub const CANDIDATES_MAX: usize = 64;

/// The longest mDNS name that stands for an address: 36 characters of a UUID and `.local`
/// (draft-ietf-mmusic-mdns-ice-candidates section 3.1.1), and room for other makes.
const MDNS_NAME_BYTES_MAX: usize = 80;

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdpRules {
    /// Most candidates.
    pub candidates_max: usize,
    /// Whether addresses of this machine may be in it: only where clients are on this machine.
    pub allows_loopback: bool,
    /// Whether addresses of private networks may be in it. Peers in one office need them where their
    /// browsers do not hide them behind mDNS names.
    pub allows_private: bool,
}

impl Default for SdpRules {
    fn default() -> Self {
        Self {
            candidates_max: CANDIDATES_MAX,
            allows_loopback: false,
            allows_private: true,
        }
    }
}

/// Why a description is not relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpFault {
    /// It has media that are no data channel.
    Media,
    /// It has more candidates than this.
    Candidates(usize),
    /// A candidate is not written as RFC 8839 section 5.1 says.
    Malformed,
    /// A candidate's address is a name, and no mDNS name.
    Name,
    /// A candidate's address is of a kind that is not allowed.
    Address(&'static str),
}

impl fmt::Display for SdpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Media => {
                f.write_str("media other than application, expected a data channel only")
            }
            Self::Candidates(max) => write!(f, "more than {max} candidates"),
            Self::Malformed => f.write_str("a malformed candidate"),
            Self::Name => {
                f.write_str("a candidate with a name, expected an address or a .local name")
            }
            Self::Address(kind) => write!(f, "a candidate with a {kind} address"),
        }
    }
}

impl std::error::Error for SdpFault {}

impl SdpFault {
    /// A word for each kind of fault, for counting.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Candidates(_) => "candidates",
            Self::Malformed => "malformed",
            Self::Name => "name",
            Self::Address(_) => "address",
        }
    }
}

/// Looks at a description: a string of JSON with its quotes.
///
/// # Errors
/// It contains what the rules do not allow.
pub fn check_sdp(raw: &str, rules: &SdpRules) -> Result<(), SdpFault> {
    let mut rest = raw
        .as_bytes()
        .get(1..raw.len().saturating_sub(1))
        .unwrap_or_default();
    let mut candidates = 0;
    while let Some(end) = memchr::memchr(b'\\', rest) {
        if !matches!(rest.get(end + 1), Some(b'r' | b'n')) {
            // Real ones have no escapes but the ends of lines. Others could hide a line, or something
            // in one.
            return check_text(&unescape(raw), rules);
        }
        check_line(&rest[..end], rules, &mut candidates)?;
        rest = &rest[end + 2..];
    }
    check_line(rest, rules, &mut candidates)
}

fn check_text(text: &str, rules: &SdpRules) -> Result<(), SdpFault> {
    let mut candidates = 0;
    let mut lines = text
        .as_bytes()
        .split(|&byte| byte == b'\r' || byte == b'\n');
    lines.try_for_each(|line| check_line(line, rules, &mut candidates))
}

fn check_line(line: &[u8], rules: &SdpRules, candidates: &mut usize) -> Result<(), SdpFault> {
    match line {
        [b'm', b'=', media @ ..] if media.starts_with(b"application ") => Ok(()),
        [b'm', b'=', ..] => Err(SdpFault::Media),
        [b'a', b'=', b'c', attribute @ ..] => {
            let Some(candidate) = attribute.strip_prefix(b"andidate:") else {
                return Ok(());
            };
            *candidates += 1;
            if *candidates > rules.candidates_max {
                return Err(SdpFault::Candidates(rules.candidates_max));
            }
            check_candidate(candidate, rules)
        }
        _ => Ok(()),
    }
}

/// `foundation component transport priority address port typ …`, and perhaps `raddr address` further on,
/// to which nobody sends anything.
fn check_candidate(mut candidate: &[u8], rules: &SdpRules) -> Result<(), SdpFault> {
    let mut word = || {
        while let [b' ', rest @ ..] = candidate {
            candidate = rest;
        }
        let end = memchr::memchr(b' ', candidate).unwrap_or(candidate.len());
        let (word, rest) = candidate.split_at(end);
        candidate = rest;
        std::str::from_utf8(word).unwrap_or_default()
    };
    for _ in ["foundation", "component", "transport", "priority"] {
        word();
    }
    let (address, port) = (word(), word());
    if port.parse::<u16>().is_err() || word() != "typ" {
        return Err(SdpFault::Malformed);
    }
    match address.parse::<IpAddr>() {
        Ok(address) => check_address(address.to_canonical(), rules),
        Err(_) if is_mdns_name(address) => Ok(()),
        Err(_) => Err(SdpFault::Name),
    }
}

fn is_mdns_name(name: &str) -> bool {
    let label = name.strip_suffix(".local").unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.len() <= MDNS_NAME_BYTES_MAX && !label.is_empty() && label.bytes().all(is_plain)
}

fn check_address(address: IpAddr, rules: &SdpRules) -> Result<(), SdpFault> {
    let kind = match address {
        IpAddr::V4(four) => kind_of_v4(four),
        IpAddr::V6(six) => kind_of_v6(six),
    };
    match kind {
        Kind::Public => Ok(()),
        Kind::Private if rules.allows_private => Ok(()),
        Kind::Private => Err(SdpFault::Address("private")),
        Kind::Loopback if rules.allows_loopback => Ok(()),
        Kind::Loopback => Err(SdpFault::Address("loopback")),
        Kind::Multicast => Err(SdpFault::Address("multicast")),
        Kind::Reserved => Err(SdpFault::Address("reserved")),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Public,
    /// RFC 1918, RFC 4193, RFC 6598 (carriers), and link-local.
    Private,
    Loopback,
    Multicast,
    /// Unspecified, broadcast, and those that RFC 6890 keeps.
    Reserved,
}

fn kind_of_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [127, ..] => Kind::Loopback,
        [224..=239, ..] => Kind::Multicast,
        [0 | 240..=255, ..] => Kind::Reserved,
        [10, ..] | [192, 168, ..] | [169, 254, ..] => Kind::Private,
        [172, 16..=31, ..] | [100, 64..=127, ..] => Kind::Private,
        _ => Kind::Public,
    }
}

fn kind_of_v6(address: Ipv6Addr) -> Kind {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Loopback,
        [0xff00..=0xffff, ..] => Kind::Multicast,
        [0xfc00..=0xfdff | 0xfe80..=0xfebf, ..] => Kind::Private,
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address, which decides.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let bits = u32::from(high) << 16 | u32::from(low);
            kind_of_v4(Ipv4Addr::from_bits(bits))
        }
        [0, 0, 0, 0, ..] => Kind::Reserved,
        _ => Kind::Public,
    }
}

/// Whether a client at this address is in a private network itself, or on this machine.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    let kind = match address.to_canonical() {
        IpAddr::V4(four) => kind_of_v4(four),
        IpAddr::V6(six) => kind_of_v6(six),
    };
    matches!(kind, Kind::Private | Kind::Loopback)
}
