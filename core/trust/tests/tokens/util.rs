//! Keys and signatures for tests.

use beekeepr_trust::{
    Algorithm, Claims, Grant, Key, KeySet, Material, Policy, Secret, TokenError, Unverified,
    Verify, signing_input, with_signature,
};
use ring::hmac;
use ring::signature::{self, Ed25519KeyPair, KeyPair as _};

/// The time in most tests, in seconds since 1970.
pub(crate) const NOW_S: u64 = 1_800_000_000;

/// The tracker's cryptography in small.
pub(crate) struct Ring;

impl Verify for Ring {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        let by = |algorithm, key: &[u8]| {
            signature::UnparsedPublicKey::new(algorithm, key)
                .verify(message, signature)
                .is_ok()
        };
        match &key.material {
            Material::Ed25519(key) => by(&signature::ED25519, key),
            Material::P256(point) => by(&signature::ECDSA_P256_SHA256_FIXED, point),
            Material::Rsa { n, e } => signature::RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Material::Hmac(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
                hmac::verify(&key, message, signature).is_ok()
            }
        }
    }
}

/// An issuer with an Ed25519 key of this name.
pub(crate) struct Issuer {
    kid: Option<&'static str>,
    pair: Ed25519KeyPair,
}

impl Issuer {
    pub(crate) fn new(kid: Option<&'static str>, seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Self { kid, pair }
    }

    pub(crate) fn key(&self) -> Key {
        let public = self.pair.public_key().as_ref().try_into().unwrap();
        Key {
            kid: self.kid.map(ToOwned::to_owned),
            material: Material::Ed25519(public),
        }
    }

    pub(crate) fn token(&self, claims: &Claims) -> String {
        let input = signing_input(Algorithm::EdDsa, self.kid, claims);
        self.sign(&input)
    }

    pub(crate) fn sign(&self, input: &str) -> String {
        with_signature(input, self.pair.sign(input.as_bytes()).as_ref())
    }
}

/// A shared secret, and a token signed with it.
pub(crate) fn hmac_token(secret: &[u8], input: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    with_signature(input, hmac::sign(&key, input.as_bytes()).as_ref())
}

pub(crate) fn hmac_key(secret: &[u8]) -> Key {
    Key {
        kid: None,
        material: Material::Hmac(Secret(secret.to_vec())),
    }
}

/// Claims that count for another minute.
pub(crate) fn minute() -> Claims {
    Claims {
        exp: Some(NOW_S + 60),
        ..Claims::default()
    }
}

pub(crate) fn grant(token: &str, keys: &[Key], policy: &Policy) -> Result<Grant, TokenError> {
    grant_at(NOW_S, token, keys, policy)
}

pub(crate) fn grant_at(
    now_s: u64,
    token: &str,
    keys: &[Key],
    policy: &Policy,
) -> Result<Grant, TokenError> {
    let keys = KeySet::new(keys).unwrap();
    let verified = Unverified::read(token)?.verified(&keys, &Ring)?;
    policy.grant(verified, now_s)
}
