//! Keys that sign viewers' tokens: Ed25519, made here.

use beekeepr_trust::{Algorithm, Claims, signing_input, with_signature};
use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Document;
use crate::store::Kind;

/// A key as it is kept, sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// When it came, in ms since 1970.
    pub created_ms: i64,
    /// The private key (PKCS #8), base64url.
    private: String,
    /// The public key, base64url.
    public: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl Document for SigningKey {
    const KIND: Kind = Kind::SigningKey;
    const IS_SEALED: bool = true;
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// No random numbers.
    pub fn make(now_ms: i64) -> Result<Self, String> {
        let random = "the system gives no random numbers";
        let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| random)?;
        let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).map_err(|_| random)?;
        Ok(Self {
            created_ms: now_ms,
            private: BASE64URL_NOPAD.encode(private.as_ref()),
            public: BASE64URL_NOPAD.encode(pair.public_key().as_ref()),
        })
    }

    /// The public half, for trackers (RFC 7517, RFC 8037).
    #[must_use]
    pub fn jwk(&self, kid: &str) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": self.public })
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// The key is damaged.
    pub fn sign(&self, kid: &str, claims: &Claims) -> Result<String, String> {
        let damaged = "the signing key is damaged; make a new one";
        let private = BASE64URL_NOPAD
            .decode(self.private.as_bytes())
            .map_err(|_| damaged)?;
        let pair = Ed25519KeyPair::from_pkcs8(&private).map_err(|_| damaged)?;
        let input = signing_input(Algorithm::EdDsa, Some(kid), claims);
        Ok(with_signature(&input, pair.sign(input.as_bytes()).as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use beekeepr_trust::{Key, KeySet, Material, Unverified, Verify};
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    struct Ring;

    impl Verify for Ring {
        fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
            let Material::Ed25519(public) = &key.material else {
                return false;
            };
            UnparsedPublicKey::new(&ED25519, public)
                .verify(message, signature)
                .is_ok()
        }
    }

    #[test]
    fn a_tracker_with_the_public_half_takes_its_tokens() {
        let key = SigningKey::make(0).unwrap();
        let set = json!({ "keys": [key.jwk("k1")] }).to_string();
        let set = KeySet::read(set.as_bytes()).unwrap();
        let claims = Claims {
            sub: Some("anna".into()),
            exp: Some(5),
            ..Claims::default()
        };
        let token = key.sign("k1", &claims).unwrap();
        let verified = Unverified::read(&token)
            .unwrap()
            .verified(&set, &Ring)
            .unwrap();
        assert_eq!(verified.claims, claims);
        assert!(!format!("{key:?}").contains(&key.private));
        assert!(!set_text(&key).contains(&key.private));
    }

    fn set_text(key: &SigningKey) -> String {
        key.jwk("k1").to_string()
    }
}
