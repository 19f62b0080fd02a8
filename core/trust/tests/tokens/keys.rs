//! Key sets, and how one key follows another.

use beekeepr_trust::{Algorithm, KEYS_MAX, Key, KeySet, Material, Policy, Secret, TokenError};
use data_encoding::BASE64URL_NOPAD;

use crate::util::{Issuer, grant, minute};

fn fault(json: &str) -> String {
    KeySet::read(json.as_bytes()).unwrap_err().to_string()
}

fn oct(bytes: usize) -> String {
    let k = BASE64URL_NOPAD.encode(&vec![7; bytes]);
    format!(r#"{{"kty":"oct","k":"{k}"}}"#)
}

#[test]
fn keys_follow_each_other() {
    let (old, new) = (Issuer::new(Some("old"), 1), Issuer::new(Some("new"), 2));
    let is_good = |issuer: &Issuer, keys: &[&Issuer]| {
        let keys: Vec<_> = keys.iter().map(|it| it.key()).collect();
        grant(&issuer.token(&minute()), &keys, &Policy::default())
    };
    assert!(is_good(&old, &[&old, &new]).is_ok() && is_good(&new, &[&old, &new]).is_ok());
    let gone = is_good(&old, &[&new]).unwrap_err();
    assert_eq!(gone, TokenError::UnknownKey(Algorithm::EdDsa));
}

#[test]
fn a_token_without_kid_is_tried_with_every_key_of_its_algorithm() {
    let (a, b) = (Issuer::new(Some("a"), 1), Issuer::new(Some("b"), 2));
    let nameless = Issuer::new(None, 2);
    let keys = [a.key(), b.key()];
    assert!(grant(&nameless.token(&minute()), &keys, &Policy::default()).is_ok());
}

#[test]
fn sets_and_single_keys_are_read() {
    let one = oct(32);
    assert_eq!(KeySet::read(one.as_bytes()).unwrap().len(), 1);
    let two = format!(r#"{{"keys":[{one},{}],"more":1}}"#, oct(64));
    assert_eq!(KeySet::read(two.as_bytes()).unwrap().len(), 2);
    assert!(KeySet::read(br#"{"keys":[]}"#).unwrap().is_empty());
}

#[test]
fn keys_that_cannot_be_used_are_named() {
    let rsa = BASE64URL_NOPAD.encode(&[0xff; 128]);
    for (json, expected) in [
        ("[]".to_owned(), "expected an object"),
        (oct(31), "a secret of 31 bytes, expected at least 32"),
        (
            format!(r#"{{"kty":"RSA","n":"{rsa}","e":"AQAB"}}"#),
            "an RSA key of 1024 bits, expected 2048 to 8192",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(),
            "\"x\" has 1 bytes, expected 32",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed448","x":"AA"}"#.to_owned(),
            "expected OKP with Ed25519",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519"}"#.to_owned(),
            "it has no \"x\"",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","x":"?"}"#.to_owned(),
            "its \"x\" is no base64url",
        ),
        (
            oct(32).replace('}', r#","alg":"RS256"}"#),
            "its alg is \"RS256\", expected \"HS256\"",
        ),
        (
            oct(32).replace('}', r#","use":"enc"}"#),
            "its use is not \"sig\"",
        ),
        (oct(32).replace('}', r#","d":"AA"}"#), "private part"),
    ] {
        let text = fault(&json);
        assert!(text.contains(expected), "{text}");
    }
    let second = fault(&format!(r#"{{"keys":[{},{}]}}"#, oct(32), oct(1)));
    assert!(second.starts_with("key 1: "), "{second}");
}

#[test]
fn sets_are_bounded_and_names_are_unique() {
    let many = vec![oct(32); KEYS_MAX + 2].join(",");
    let text = fault(&format!(r#"{{"keys":[{many}]}}"#));
    assert!(text.contains("expected at most 32"), "{text}");
    let named = oct(32).replace('}', r#","kid":"a"}"#);
    let twice = fault(&format!(r#"{{"keys":[{named},{named}]}}"#));
    assert!(twice.contains("two keys have the kid \"a\""), "{twice}");
}

#[test]
fn a_full_file_leaves_room_for_keys_of_the_process() {
    let full = vec![oct(32); KEYS_MAX].join(",");
    let full = KeySet::read(format!(r#"{{"keys":[{full}]}}"#).as_bytes()).unwrap();
    let own = Key {
        kid: Some("own".to_owned()),
        material: Material::Hmac(Secret(vec![7; 32])),
    };
    assert_eq!(full.and(&[own]).map(|set| set.len()), Ok(KEYS_MAX + 1));
}

#[test]
fn secrets_do_not_show() {
    let keys = KeySet::read(oct(32).as_bytes()).unwrap();
    let shown = format!("{keys:?}");
    assert!(
        shown.contains("Secret(..)") && !shown.contains("7, 7"),
        "{shown}"
    );
}

#[test]
fn faults_quote_little_of_what_is_in_the_file() {
    let long = "x".repeat(1_000);
    let named = oct(32).replace('}', &format!(r#","kid":"{long}"}}"#));
    for json in [
        oct(32).replace('}', &format!(r#","alg":"{long}"}}"#)),
        format!(r#"{{"kty":"{long}","crv":"{long}"}}"#),
        format!(r#"{{"keys":[{named},{named}]}}"#),
    ] {
        let text = fault(&json);
        assert!(text.contains(&format!("\"{}\"", "x".repeat(40))), "{text}");
    }
}
