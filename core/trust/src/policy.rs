//! What a verified token must say to count.

use crate::token::Verified;
use crate::{Claims, Grant, Role, Scope, TokenError};

/// What is expected of tokens, beyond a good signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `iss` must be one of these; when there are none, any will do.
    pub issuers: Vec<String>,
    /// `aud` must have one of these; when there are none, only tokens without `aud` will do (RFC 7519
    /// section 4.1.3: who is not named must refuse).
    pub audiences: Vec<String>,
    /// How far the issuer's clock may be ahead, in seconds. It makes no token live longer.
    pub clock_skew_s: u64,
    /// The longest that a token may count from now on, in seconds; 0 allows any time.
    pub lifetime_s_max: u64,
    /// Which keys may sign for super-peers, by `kid`; when there are none, every key may.
    pub super_peer_kids: Vec<String>,
}

impl Policy {
    /// What a token is worth now. `now_s` is in seconds since 1970.
    ///
    /// # Errors
    /// It is worth nothing, here or now.
    pub fn grant(&self, token: Verified, now_s: u64) -> Result<Grant, TokenError> {
        let Verified { claims, kid } = token;
        let expires_s = self.check_times(&claims, now_s)?;
        self.check_parties(&claims)?;
        if claims.role == Role::SuperPeer && !self.may_make_super_peers(kid.as_deref()) {
            return Err(TokenError::Role);
        }
        Ok(Grant {
            subject: claims.sub,
            scope: Scope::of(claims.swarms),
            role: claims.role,
            is_leech: claims.is_leech,
            max_up_kbps: claims.max_up_kbps,
            privacy: claims.privacy,
            expires_s,
        })
    }

    fn check_times(&self, claims: &Claims, now_s: u64) -> Result<u64, TokenError> {
        let expires_s = claims.exp.ok_or(TokenError::Missing("exp"))?;
        if now_s >= expires_s {
            return Err(TokenError::Expired(now_s - expires_s));
        }
        let begins_s = claims.nbf.unwrap_or(0).max(claims.iat.unwrap_or(0));
        if begins_s > now_s.saturating_add(self.clock_skew_s) {
            return Err(TokenError::NotYet(begins_s - now_s));
        }
        let lifetime_s = expires_s - now_s;
        if self.lifetime_s_max > 0
            && lifetime_s > self.lifetime_s_max.saturating_add(self.clock_skew_s)
        {
            return Err(TokenError::LivesTooLong(lifetime_s, self.lifetime_s_max));
        }
        Ok(expires_s)
    }

    fn check_parties(&self, claims: &Claims) -> Result<(), TokenError> {
        let is_issuer = |issuer: &String| self.issuers.contains(issuer);
        if !self.issuers.is_empty() && !claims.iss.as_ref().is_some_and(is_issuer) {
            return Err(TokenError::Issuer);
        }
        let is_for_us = claims.aud.iter().any(|aud| self.audiences.contains(aud));
        let is_for_anybody = self.audiences.is_empty() && claims.aud.is_empty();
        if is_for_us || is_for_anybody {
            Ok(())
        } else {
            Err(TokenError::Audience)
        }
    }

    fn may_make_super_peers(&self, kid: Option<&str>) -> bool {
        let is_named = |kid: &str| self.super_peer_kids.iter().any(|it| it == kid);
        self.super_peer_kids.is_empty() || kid.is_some_and(is_named)
    }
}
