//! Addresses, resolved by us and by the `url` crate, which resolves them as browsers do.
//!
//! Where the two may differ, and why:
//!
//! - We refuse what is not `http` or `https`, what is too long, and hosts that no manifest has: in
//!   letters beyond ASCII, with percent signs, IPv4 in other forms than the usual one.
//! - Hosts that are IPv6 addresses we only look at; `url` checks them and writes them shortest.
//! - Hosts in Punycode we take as they are; `url` refuses those that say nothing.
//! - `url` 2.5 does not go up from a folder that looks like the drive of a Windows machine, `c:/`,
//!   under `https` as under `file`; browsers and we do.
//! - An empty host before a backslash: `url` refuses it, browsers and we take all slashes for one.

use beekeepr_playlist::Address;
use url::{ParseError, Url};

use crate::manifest::check_address;

/// A base, a line end, a reference. What we resolve, the other resolves alike.
pub fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (base, reference) = text.split_once('\n').unwrap_or((text, ""));
    if has_drive(base) || has_drive(reference) {
        return;
    }
    let Ok(ours) = Address::parse(base) else {
        return;
    };
    let Some(theirs) = check_same(&ours, Url::parse(base)) else {
        return;
    };
    if let Ok(ours) = ours.join(reference) {
        check_same(&ours, theirs.join(reference));
    }
}

/// Whether a folder, or the host, is a letter and a colon.
fn has_drive(address: &str) -> bool {
    // Tabs and line ends within addresses count for nothing (WHATWG URL, basic URL parser).
    let address = address.replace(['\t', '\r', '\n'], "");
    let mut folders = address.split(['/', '\\']);
    folders.any(|folder| matches!(folder.trim().as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic()))
}

fn check_same(ours: &Address, theirs: Result<Url, ParseError>) -> Option<Url> {
    check_address(ours);
    let theirs = match theirs {
        Err(ParseError::EmptyHost | ParseError::InvalidIpv6Address | ParseError::IdnaError) => {
            return None;
        }
        theirs => theirs.expect("what we take others take"),
    };
    if theirs.host_str().is_some_and(|host| host.starts_with('[')) {
        return None;
    }
    assert_eq!(ours.as_str(), theirs.as_str());
    Some(theirs)
}
