//! What an attacker would try.

use beekeepr_trust::{
    Algorithm, KeySet, Material, Policy, TOKEN_BYTES_MAX, TokenError, Unverified, signing_input,
    with_signature,
};
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;

use crate::util::{Issuer, NOW_S, Ring, grant, hmac_key, hmac_token, minute};

fn input(header: &str, claims: &str) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}", encode(header), encode(claims))
}

fn refused(token: &str) -> TokenError {
    let issuer = Issuer::new(Some("a"), 1);
    grant(token, &[issuer.key()], &Policy::default()).unwrap_err()
}

#[test]
fn tokens_without_a_signature_are_refused() {
    let claims = format!(r#"{{"exp":{}}}"#, NOW_S + 60);
    for alg in ["none", "None", "NONE", ""] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        let token = format!("{}.", input(&header, &claims));
        assert_eq!(refused(&token), TokenError::Algorithm(alg.to_owned()));
    }
    let unsigned = input(r#"{"alg":"EdDSA","kid":"a"}"#, &claims);
    assert_eq!(refused(&format!("{unsigned}.")), TokenError::BadSignature);
}

#[test]
fn errors_quote_little_of_what_somebody_else_wrote() {
    let long = "é".repeat(300);
    let quoted = format!("\"{}\"", "é".repeat(40));
    for header in [
        format!(r#"{{"alg":"{long}"}}"#),
        format!(r#"{{"{long}":1,"{long}":2}}"#),
    ] {
        let text = refused(&format!("{}.", input(&header, "{}"))).to_string();
        assert!(text.contains(&quoted), "{text}");
    }
}

#[test]
fn the_key_decides_the_algorithm_and_not_the_token() {
    // RS256 to HS256: the public key as the shared secret.
    let n = vec![0xc5; 256];
    let rsa = beekeepr_trust::Key {
        kid: None,
        material: Material::Rsa {
            n: n.clone(),
            e: vec![1, 0, 1],
        },
    };
    let token = hmac_token(&n, &signing_input(Algorithm::Hs256, None, &minute()));
    let error = grant(&token, &[rsa], &Policy::default()).unwrap_err();
    assert_eq!(error, TokenError::UnknownKey(Algorithm::Hs256));
    // The same with Ed25519, whose public key has the length of a secret.
    let issuer = Issuer::new(Some("a"), 1);
    let Material::Ed25519(public) = issuer.key().material else {
        panic!("expected an Ed25519 key");
    };
    let token = hmac_token(
        &public,
        &signing_input(Algorithm::Hs256, Some("a"), &minute()),
    );
    assert_eq!(refused(&token), TokenError::UnknownKey(Algorithm::Hs256));
}

#[test]
fn other_keys_signatures_are_refused() {
    let stranger = Issuer::new(Some("a"), 2);
    assert_eq!(
        refused(&stranger.token(&minute())),
        TokenError::BadSignature
    );
    let unknown = Issuer::new(Some("b"), 1);
    let error = refused(&unknown.token(&minute()));
    assert_eq!(error, TokenError::UnknownKey(Algorithm::EdDsa));
}

#[test]
fn a_wrong_secret_is_refused() {
    let input = signing_input(Algorithm::Hs256, None, &minute());
    let (secret, other) = ([1; 32], [2; 32]);
    let grant = |secret: &[u8]| {
        let keys = [hmac_key(&[1; 32])];
        grant(&hmac_token(secret, &input), &keys, &Policy::default())
    };
    assert!(grant(&secret).is_ok());
    assert_eq!(grant(&other).unwrap_err(), TokenError::BadSignature);
}

#[test]
fn names_that_come_twice_are_refused() {
    let issuer = Issuer::new(Some("a"), 1);
    let header = r#"{"alg":"EdDSA","kid":"a"}"#;
    for (claims, name) in [
        (r#"{"exp":1,"exp":1900000000}"#, "exp"),
        (r#"{"exp":1900000000,"x":1,"x":2}"#, "x"),
        (
            r#"{"exp":1900000000,"role":"viewer","r\u006fle":"superpeer"}"#,
            "role",
        ),
    ] {
        let token = issuer.sign(&input(header, claims));
        assert_eq!(refused(&token), TokenError::Duplicate(name.to_owned()));
    }
    let token = issuer.sign(&input(r#"{"alg":"EdDSA","alg":"none","kid":"a"}"#, "{}"));
    assert_eq!(refused(&token), TokenError::Duplicate("alg".to_owned()));
}

#[test]
fn headers_that_must_be_understood_are_refused() {
    let issuer = Issuer::new(Some("a"), 1);
    for header in [
        r#"{"alg":"EdDSA","kid":"a","crit":["exp"]}"#,
        r#"{"alg":"EdDSA","kid":"a","b64":false}"#,
    ] {
        let token = issuer.sign(&input(header, r#"{"exp":1900000000}"#));
        assert!(
            matches!(refused(&token), TokenError::Malformed(_)),
            "{header}"
        );
    }
    let no_alg = issuer.sign(&input(r#"{"kid":"a"}"#, "{}"));
    assert_eq!(refused(&no_alg), TokenError::Missing("alg"));
}

#[test]
fn huge_and_broken_tokens_are_refused() {
    assert_eq!(refused(&"x".repeat(5_000)), TokenError::TooLong(5_000));
    let good = Issuer::new(Some("a"), 1).token(&minute());
    for broken in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        good.replace('.', ""),
        format!("{good}.x"),
        format!("{good}="),
        format!("{good} "),
        good.replacen('.', "+.", 1),
        format!("é{good}"),
    ] {
        assert!(Unverified::read(&broken).is_err(), "{broken}");
    }
    let deep = input(&format!("{}1", "[".repeat(2_000)), "{}");
    assert!(matches!(
        refused(&with_signature(&deep, b"x")),
        TokenError::Json(_)
    ));
}

#[test]
fn a_signature_has_one_shape() {
    // The last character of 64 bytes carries four unused bits; other readers let them pass.
    let good = Issuer::new(Some("a"), 1).token(&minute());
    let last = good.chars().last().unwrap();
    for other in ('A'..='Z').filter(|it| *it != last) {
        let changed = format!("{}{other}", &good[..good.len() - 1]);
        let error = refused(&changed);
        let is_expected = matches!(error, TokenError::Malformed(_) | TokenError::BadSignature);
        assert!(is_expected, "{other}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_granted_anything(text in "[ -~]{0,200}") {
        let keys = KeySet::new(&[hmac_key(&[1; 32])]).unwrap();
        let verified = Unverified::read(&text).and_then(|token| token.verified(&keys, &Ring));
        prop_assert!(verified.is_err());
    }

    #[test]
    fn no_changed_byte_survives(at in any::<prop::sample::Index>(), byte in b' '..b'~') {
        let issuer = Issuer::new(Some("a"), 1);
        let good = issuer.token(&minute());
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(grant(&changed, &[issuer.key()], &Policy::default()).is_err());
    }

    #[test]
    fn no_bytes_make_a_key_set_panic(bytes: Vec<u8>) {
        prop_assert!(KeySet::read(&bytes).is_err());
    }
}

#[test]
fn long_tokens_up_to_the_limit_are_read() {
    let issuer = Issuer::new(None, 1);
    let mut claims = minute();
    claims.swarms = Some(
        (0..90)
            .map(|it| format!("hpw5DN1BrHoy/nDyI{it:03}"))
            .collect(),
    );
    let token = issuer.token(&claims);
    assert!(
        token.len() > 2_500 && token.len() <= TOKEN_BYTES_MAX,
        "{}",
        token.len()
    );
    assert!(grant(&token, &[issuer.key()], &Policy::default()).is_ok());
}
