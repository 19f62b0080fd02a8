//! Signatures, by ring, which TLS brings along.

use beekeepr_trust::{Key, Material, Verify};
use ring::{hmac, signature};

/// Verifies with ring: constant time for secrets, and strict about the shapes of signatures.
#[derive(Debug)]
pub(super) struct Ring;

impl Verify for Ring {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        let by = |algorithm, key: &[u8]| {
            signature::UnparsedPublicKey::new(algorithm, key).verify(message, signature)
        };
        let verified = match &key.material {
            Material::Ed25519(key) => by(&signature::ED25519, key),
            Material::P256(point) => by(&signature::ECDSA_P256_SHA256_FIXED, point),
            Material::Rsa { n, e } => signature::RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Material::Hmac(secret) => hmac::verify(
                &hmac::Key::new(hmac::HMAC_SHA256, &secret.0),
                message,
                signature,
            ),
        };
        verified.is_ok()
    }
}
