//! Access tokens and key sets.

use beekeepr_model::InfoHash;
use beekeepr_trust::{
    Algorithm, Claims, KEYS_MAX, Key, KeySet, Material, Policy, SCOPE_ENTRIES_MAX, Secret,
    TOKEN_BYTES_MAX, TokenError, Unverified, Verified, Verify, signing_input, with_signature,
};
use serde_json::Value;

/// The time at which tokens are looked at: in 2026.
const NOW_S: u64 = 1_780_000_000;

/// The only name of a key.
const KID: &str = "one";

/// The first byte chooses what the rest is: a token, the claims of a token that is signed well, or a
/// key set.
///
/// No token counts that nobody signed; what is read of one that somebody did, serde_json reads as
/// well, and it can be written and read again.
pub fn token(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else {
        return;
    };
    match choice % 3 {
        0 => check_token(text),
        1 => check_claims(text),
        _ => check_key_set(text),
    }
}

/// Takes as signature the length of the message and its last byte: enough to tell one from another,
/// and no fuzzer guesses it.
struct Signer;

impl Signer {
    fn sign(message: &[u8]) -> Vec<u8> {
        let last = message.last().copied().unwrap_or_default();
        [b"signed".as_slice(), &message.len().to_be_bytes(), &[last]].concat()
    }
}

impl Verify for Signer {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        assert_eq!(key.algorithm(), Algorithm::Hs256);
        signature == Self::sign(message)
    }
}

fn keys() -> KeySet {
    let key = Key {
        kid: Some(KID.to_owned()),
        material: Material::Hmac(Secret(vec![7; 32])),
    };
    KeySet::new(&[key]).expect("one key is a set")
}

fn check_token(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    match Unverified::read(text) {
        Ok(token) => {
            assert!(text.len() <= TOKEN_BYTES_MAX);
            let signature = text.rsplit('.').next().unwrap_or_default();
            if let Ok(verified) = token.verified(&keys(), &Signer) {
                assert!(
                    signature.starts_with("c2lnbmVk"),
                    "nobody signed {verified:?}"
                );
            }
        }
        Err(error) => check_text(&error),
    }
}

fn check_claims(json: &[u8]) {
    let claims = match Claims::read(json) {
        Ok(claims) => claims,
        Err(error) => return check_text(&error),
    };
    check_foreign(json, &claims);
    let input = signing_input(Algorithm::Hs256, Some(KID), &claims);
    let token = with_signature(&input, &Signer::sign(input.as_bytes()));
    if token.len() > TOKEN_BYTES_MAX {
        assert_eq!(
            Unverified::read(&token),
            Err(TokenError::TooLong(token.len()))
        );
        return;
    }
    let verified = Unverified::read(&token).and_then(|it| it.verified(&keys(), &Signer));
    let verified = verified.expect("what we sign we take");
    assert_eq!(verified.claims, claims);
    check_grant(verified);
}

/// Another reader finds the same. Of numbers it and JavaScript keep 53 bits only.
fn check_foreign(json: &[u8], claims: &Claims) {
    let Ok(value) = serde_json::from_slice::<Value>(json) else {
        // Its numbers end at 1.8e308, and it wants no more than 128 levels; we none of both.
        return;
    };
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    assert_eq!(claims.iss.as_deref(), text("iss"));
    assert_eq!(claims.sub.as_deref(), text("sub"));
    if let Some(exp) = value.get("exp").and_then(Value::as_u64) {
        assert_eq!(claims.exp, Some(exp));
    }
    let count = |name: &str| value.get(name).and_then(Value::as_array).map(Vec::len);
    if let Some(count) = count("swarms") {
        assert_eq!(claims.swarms.as_ref().map(Vec::len), Some(count));
        assert!(count <= SCOPE_ENTRIES_MAX);
    }
    assert_eq!(
        Some(claims.is_leech),
        value.get("leech").map_or(Some(false), Value::as_bool)
    );
}

/// A token grants something only while it counts, and nothing beyond what it says.
fn check_grant(token: Verified) {
    let claims = token.claims.clone();
    match Policy::default().grant(token, NOW_S) {
        Ok(grant) => {
            assert!(grant.expires_s > NOW_S && claims.nbf.is_none_or(|begins| begins <= NOW_S));
            assert_eq!(claims.exp, Some(grant.expires_s));
            assert_eq!((grant.role, grant.is_leech), (claims.role, claims.is_leech));
            let opens = grant.scope.opens(&InfoHash([b'a'; 20]), Some("swarm"));
            assert!(!opens || claims.swarms.is_none_or(|list| !list.is_empty()));
        }
        Err(error) => check_text(&error),
    }
}

fn check_key_set(json: &[u8]) {
    match KeySet::read(json) {
        Ok(keys) => assert!(keys.len() <= KEYS_MAX),
        Err(error) => check_text(&error),
    }
}

/// Names of algorithms, keys and members come back whole, so the text is as long as they are at most,
/// each character written as an escape of ten.
fn check_text(error: &impl std::fmt::Display) {
    assert!(!error.to_string().is_empty());
}
