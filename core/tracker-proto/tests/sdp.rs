//! Which session descriptions are relayed.

#![cfg(test)]

use beekeepr_tracker_proto::{SdpFault, SdpRules, check_sdp, is_private};
use proptest::prelude::*;

/// An offer of Chromium 141 for a data channel, its random parts replaced.
const OFFER: &str = concat!(
    "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n",
    "a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n",
    "a=candidate:1 1 udp 2113937151 3b3c6b5c-9b7d-4f57-8d7e-1a2b3c4d5e6f.local 51234 typ host ",
    "generation 0 network-cost 999\r\n",
    "a=candidate:2 1 udp 1677729535 198.51.100.7 51234 typ srflx raddr 0.0.0.0 rport 0 ",
    "generation 0 network-cost 999\r\n",
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=ice-options:trickle\r\n",
    "a=fingerprint:sha-256 00:11\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n",
    "a=max-message-size:262144\r\n",
);

const STRICT: SdpRules = SdpRules {
    candidates_max: 4,
    allows_loopback: false,
    allows_private: false,
};

fn check(sdp: &str, rules: &SdpRules) -> Result<(), SdpFault> {
    check_sdp(&serde_json::to_string(sdp).unwrap(), rules)
}

/// The offer with one more candidate at this address.
fn with(address: &str) -> String {
    format!("{OFFER}a=candidate:3 1 udp 1 {address} 51234 typ host\r\n")
}

#[test]
fn what_browsers_send_is_relayed() {
    assert_eq!(check(OFFER, &STRICT), Ok(()));
    assert_eq!(check("", &STRICT), Ok(()));
    assert_eq!(check("anything", &STRICT), Ok(()));
    assert_eq!(check(&OFFER.replace("\r\n", "\n"), &STRICT), Ok(()));
    let tcp =
        format!("{OFFER}a=candidate:3 1 tcp 1518280447 198.51.100.7 9 typ host tcptype active\r\n");
    assert_eq!(check(&tcp, &STRICT), Ok(()));
}

#[test]
fn media_other_than_a_data_channel_is_not() {
    for media in [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=video 9 X 1",
        "m=",
        "m=applications 9",
    ] {
        let sdp = format!("{OFFER}{media}\r\n");
        assert_eq!(check(&sdp, &STRICT), Err(SdpFault::Media), "{media}");
    }
}

#[test]
fn addresses_are_relayed_by_their_kind() {
    let lan = SdpRules {
        allows_private: true,
        ..STRICT
    };
    let local = SdpRules {
        allows_loopback: true,
        ..STRICT
    };
    for (address, kind) in [
        ("203.0.113.9", None),
        ("2001:db8::1", None),
        ("64:ff9b::203.0.113.9", None),
        ("192.168.1.2", Some("private")),
        ("10.1.2.3", Some("private")),
        ("172.31.0.1", Some("private")),
        ("100.64.0.1", Some("private")),
        ("169.254.1.1", Some("private")),
        ("fd00::1", Some("private")),
        ("fe80::1", Some("private")),
        ("::ffff:10.0.0.1", Some("private")),
        ("64:ff9b::10.0.0.1", Some("private")),
        ("2002:a00:1::1", Some("private")),
        ("127.0.0.1", Some("loopback")),
        ("127.9.9.9", Some("loopback")),
        ("::1", Some("loopback")),
        ("::ffff:127.0.0.1", Some("loopback")),
        ("0.0.0.0", Some("reserved")),
        ("::", Some("reserved")),
        ("::127.0.0.1", Some("reserved")),
        ("255.255.255.255", Some("reserved")),
        ("224.0.0.251", Some("multicast")),
        ("ff02::fb", Some("multicast")),
    ] {
        let sdp = with(address);
        let fault = kind.map(SdpFault::Address);
        assert_eq!(check(&sdp, &STRICT).err(), fault, "{address}");
        let in_lan = fault.filter(|_| kind != Some("private"));
        assert_eq!(check(&sdp, &lan).err(), in_lan, "{address}");
        let here = fault.filter(|_| kind != Some("loopback"));
        assert_eq!(check(&sdp, &local).err(), here, "{address}");
    }
}

#[test]
fn names_are_mdns_names() {
    for name in [
        "localhost",
        "victim.example",
        ".local",
        "a.b.local",
        "x.local.example",
        "1.2.3",
    ] {
        assert_eq!(check(&with(name), &STRICT), Err(SdpFault::Name), "{name}");
    }
    let long = format!("{}.local", "x".repeat(90));
    assert_eq!(check(&with(&long), &STRICT), Err(SdpFault::Name));
}

#[test]
fn candidates_are_whole_and_few() {
    for candidate in [
        "",
        "1",
        "1 1 udp 1 203.0.113.9",
        "1 1 udp 1 203.0.113.9 x typ host",
    ] {
        let sdp = format!("{OFFER}a=candidate:{candidate}\r\n");
        assert_eq!(
            check(&sdp, &STRICT),
            Err(SdpFault::Malformed),
            "{candidate}"
        );
    }
    let line = "a=candidate:3 1 udp 1 203.0.113.9 51234 typ host\r\n";
    assert_eq!(
        check(&format!("{OFFER}{}", line.repeat(2)), &STRICT),
        Ok(())
    );
    let many = format!("{OFFER}{}", line.repeat(3));
    assert_eq!(check(&many, &STRICT), Err(SdpFault::Candidates(4)));
}

#[test]
fn escapes_hide_nothing() {
    let raw = |sdp: &str| check_sdp(&format!("\"{sdp}\""), &STRICT);
    assert_eq!(raw(r"v=0\u000d\u000am=audio 9"), Err(SdpFault::Media));
    assert_eq!(raw(r"v=0\r\n\u006d=audio 9"), Err(SdpFault::Media));
    assert_eq!(raw(r"v=0\r\nm=\u0061udio 9"), Err(SdpFault::Media));
    assert_eq!(raw(r"v=0\r\nm=application 9 UDP\/DTLS\/SCTP x"), Ok(()));
    let fault = raw(r"a=candidate:1 1 udp 1 127.0.0\u002e1 9 typ host");
    assert_eq!(fault, Err(SdpFault::Address("loopback")));
    assert_eq!(
        raw(r"s=a\\nm=audio 9"),
        Ok(()),
        "a backslash and an n are no new line"
    );
}

#[test]
fn private_clients_are_known() {
    for (address, expected) in [("10.0.0.1", true), ("::1", true), ("203.0.113.9", false)] {
        assert_eq!(is_private(address.parse().unwrap()), expected);
    }
}

/// Descriptions of likely and unlikely pieces, as strings of JSON.
fn raw() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "m=",
        "audio ",
        "application ",
        "a=candidate:",
        "1 1 udp 1 ",
        "127.0.0.1",
        "10.0.0.1",
        " 9 typ host",
        "\r\n",
        "\n",
        "\\",
        "\"",
        "/",
        "é",
        "x.local",
        "\u{1}",
        " ",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_way_it_is_escaped_changes_nothing(text in raw()) {
        let plain = serde_json::to_string(&text).unwrap();
        let escaped: String = text.encode_utf16().map(|it| format!("\\u{it:04x}")).collect();
        let verdict = check_sdp(&plain, &STRICT);
        prop_assert_eq!(verdict, check_sdp(&format!("\"{escaped}\""), &STRICT));
    }
}
