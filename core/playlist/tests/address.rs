//! Addresses resolve as the `url` crate, and so browsers, resolve them.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use beekeepr_playlist::{ADDRESS_BYTES_MAX, Address, AddressError};
use proptest::prelude::*;
use url::Url;

const BASE: &str = "https://user@cdn.example:8443/a/b/c.m3u8?token=1&x=2#f";

/// What both make of it.
#[track_caller]
fn check(base: &str, reference: &str) -> Result<String, AddressError> {
    let ours = Address::parse(base).unwrap().join(reference);
    let theirs = Url::parse(base).unwrap().join(reference);
    if let Ok(ours) = &ours {
        let again = Url::parse(ours.as_str()).map(String::from);
        assert_eq!(again.as_deref(), Ok(ours.as_str()), "{base} {reference:?}");
    }
    // Backslashes after `//` belong to the slashes, but `url` finds an empty host before them.
    if let (Ok(ours), false) = (&ours, theirs == Err(url::ParseError::EmptyHost)) {
        let theirs = theirs.map(String::from);
        assert_eq!(Ok(ours.as_str()), theirs.as_deref(), "{base} {reference:?}");
    }
    ours.map(|it| it.to_string())
}

#[test]
fn references_of_every_kind_resolve() {
    for reference in [
        "",
        "d.ts",
        "./d.ts",
        "../d.ts",
        "../../../../d.ts",
        "/d.ts",
        "//other.example/d.ts",
        "///other.example//d.ts",
        "?y",
        "#g",
        "d/../e/./f.ts",
        "d/..",
        "..",
        ".",
        "%2e%2E/d.ts",
        "a//../b",
        "..a/...",
        "\\d\\e.ts",
        "\\\\o.example\\d",
        "http://o.example",
        "HTTPS://O.Example:443/X",
        "https:d.ts",
        "http:d.ts",
        "https:/d.ts",
        "http://o.example:0080/?q#f",
        "http://a:b@o.example/",
        "http://192.168.0.1:8080/x",
        "http://[2001:DB8::1]:80/x",
        "http://o_o.example./x",
        "häuser/größe.ts?ü=ß#ö",
        "with space.ts ",
        " \t lead.ts",
        "a\tb\nc.ts",
        "q\"<>`{}|^'.ts?q\"<>`{}|^'#q\"<>`{}|^'",
        "100%.ts",
        "%zz%41.ts",
        "日本/動画.ts",
        "1:2.ts",
        "seg.ts;v=1,2@3!$&()*+=~",
        "\u{7f}\u{1}x",
        "?a=b?c#d#e",
        "http://o.example?x",
        "http://o.example#x",
        "https://xn--bcher-kva.example/x",
        "\u{feff}x",
        "http://o.example:/x",
    ] {
        assert!(check(BASE, reference).is_ok(), "{reference:?}");
        assert!(check("http://h/", reference).is_ok(), "{reference:?}");
    }
}

#[test]
fn what_is_no_place_on_the_web_is_refused() {
    use AddressError::{Host, Scheme, TooLong};
    for (reference, error) in [
        ("data:video/mp4;base64,AAAA", Scheme),
        ("blob:https://cdn.example/1", Scheme),
        ("javascript:1", Scheme),
        ("file:///etc/passwd", Scheme),
        ("skd://key", Scheme),
        ("a:b.ts", Scheme),
        ("http://", Host),
        ("http://bücher.example/", Host),
        ("http://a b/", Host),
        ("http://[::1", Host),
        ("http://[::ffff:1.2.3.4]/", Host),
        ("http://[fe80::1%25en0]/", Host),
        ("http://h:99999/", Host),
        ("http://h:x/", Host),
        ("http://0x7f.1/", Host),
        ("http://1.2.3/", Host),
        ("http://%31.example/", Host),
        (&"x".repeat(ADDRESS_BYTES_MAX + 1), TooLong),
        (&"ü".repeat(ADDRESS_BYTES_MAX / 4), TooLong),
    ] {
        assert_eq!(check(BASE, reference), Err(error), "{reference:?}");
    }
    assert_eq!(Address::parse("/relative"), Err(Scheme));
    assert_eq!(Address::parse(""), Err(Scheme));
}

#[test]
fn a_parameter_of_the_query_is_found() {
    let address = Address::parse(BASE).unwrap();
    assert_eq!(address.query_parameter("x"), Some("2"));
    assert_eq!(address.query_parameter("y"), None);
    assert_eq!(
        Address::parse("http://h/x").unwrap().query_parameter("x"),
        None
    );
}

proptest! {
    #[test]
    fn whatever_we_resolve_the_oracle_resolves_alike(
        reference in prop_oneof![
            r"[a-c./\\?#:@%2eE&=;, ü^`{}|'<>-]{0,16}",
            r"(https?:)?[/\\]{0,3}[a-c0-9.:@]{0,8}[/?#]?[a-c./%2e?#]{0,10}",
            ".*",
        ],
        base in prop_oneof![
            Just(BASE), Just("http://h"), Just("http://h/a//b/?q"), Just("https://h:1/a/../b#f"), Just("http://h/a/b/"),
        ],
    ) {
        let _outcome = check(base, &reference);
    }
}
