//! Tokens for the seeder and the page of `up`, where the tracker wants some.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use beekeepr_tracker::Tokens;
use beekeepr_trust::{Algorithm, Claims, Key, Material, Role, Secret};
use beekeepr_trust::{signing_input, with_signature};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::failure::Failure;

/// How long a token counts, unless the tracker allows less. Whoever has one gets the next before that.
const LIFETIME_S: u64 = 600;

/// A key that lives as long as the process and that nobody else has.
#[derive(Debug)]
pub(super) struct Mint {
    key: hmac::Key,
    kid: String,
    issuer: Option<String>,
    audience: Vec<String>,
    lifetime_s: u64,
}

impl Mint {
    /// Has the tracker trust a new key beside those of its file; `None` when it wants no tokens. What it expects of
    /// tokens it will find in these.
    pub(super) fn join(tokens: &mut Tokens) -> Result<Option<Arc<Self>>, Failure> {
        if tokens.keys.is_none() {
            return Ok(None);
        }
        let mut secret = [0; 32];
        let mut name = [0; 8];
        let random = SystemRandom::new();
        random
            .fill(&mut secret)
            .and_then(|()| random.fill(&mut name))
            .map_err(|_| Failure::Other("the system gives no random numbers".to_owned()))?;
        let kid = name.iter().fold("up-".to_owned(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        tokens.own_keys.push(Key {
            kid: Some(kid.clone()),
            material: Material::Hmac(Secret(secret.to_vec())),
        });
        if !tokens.super_peer_kids.is_empty() {
            tokens.super_peer_kids.push(kid.clone());
        }
        let lifetime_s = match tokens.lifetime_s_max {
            0 => LIFETIME_S,
            max => LIFETIME_S.min(max.into()),
        };
        Ok(Some(Arc::new(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            kid,
            issuer: tokens.issuers.first().cloned(),
            audience: tokens.audiences.first().cloned().into_iter().collect(),
            lifetime_s,
        })))
    }

    /// For the seeder. It is nobody's in particular: what one viewer may do is too little for it.
    pub(super) fn super_peer(&self) -> String {
        self.sign(Claims {
            role: Role::SuperPeer,
            ..Claims::default()
        })
    }

    /// For a viewer on the page.
    pub(super) fn viewer(&self, subject: &str) -> String {
        self.sign(Claims {
            sub: Some(format!("page-{subject}")),
            ..Claims::default()
        })
    }

    fn sign(&self, claims: Claims) -> String {
        let now_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let claims = Claims {
            exp: Some(now_s + self.lifetime_s),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            ..claims
        };
        let input = signing_input(Algorithm::Hs256, Some(&self.kid), &claims);
        let signature = hmac::sign(&self.key, input.as_bytes());
        with_signature(&input, signature.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use beekeepr_trust::{KeySet, Policy, Unverified, Verify};

    use super::*;

    struct Ring;

    impl Verify for Ring {
        fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
            let Material::Hmac(Secret(secret)) = &key.material else {
                return false;
            };
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            hmac::verify(&key, message, signature).is_ok()
        }
    }

    #[test]
    fn its_tokens_are_as_strict_a_tracker_wants_them() {
        let mut tokens = Tokens {
            keys: Some("keys.json".into()),
            issuers: vec!["shop".to_owned()],
            audiences: vec!["tracker".to_owned()],
            lifetime_s_max: 60,
            super_peer_kids: vec!["seeders".to_owned()],
            ..Tokens::default()
        };
        let mint = Mint::join(&mut tokens).unwrap().unwrap();
        let policy = Policy {
            issuers: tokens.issuers.clone(),
            audiences: tokens.audiences.clone(),
            lifetime_s_max: 60,
            super_peer_kids: tokens.super_peer_kids.clone(),
            ..Policy::default()
        };
        let keys = KeySet::new(&tokens.own_keys).unwrap();
        let now_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let grant = |token: &str| {
            let verified = Unverified::read(token).unwrap().verified(&keys, &Ring);
            policy.grant(verified.unwrap(), now_s).unwrap()
        };
        let seeder = grant(&mint.super_peer());
        assert_eq!((seeder.role, seeder.subject), (Role::SuperPeer, None));
        let viewer = grant(&mint.viewer("a"));
        assert_eq!(viewer.role, Role::Viewer);
        assert_eq!(viewer.subject.as_deref(), Some("page-a"));
    }

    #[test]
    fn a_tracker_for_everybody_gets_no_key() {
        let mut tokens = Tokens::default();
        assert!(Mint::join(&mut tokens).unwrap().is_none());
        assert_eq!(tokens, Tokens::default());
    }
}
