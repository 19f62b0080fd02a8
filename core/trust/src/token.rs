//! Tokens in their compact form, RFC 7515 section 7.1.

use data_encoding::BASE64URL_NOPAD;

use crate::keys::{Algorithm, Verify};
use crate::object::{read_object, read_text};
use crate::{Claims, KeySet, TokenError};

/// The longest token that is read. RS256 with a dozen swarms takes 1.5 KB, and a WebSocket handshake,
/// where tokens come, has 8 KiB for everything.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// A token that says something, true or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    /// What is signed.
    message: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What a good signature stands behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The claims.
    pub claims: Claims,
    /// The name of the key that signed, when it has one.
    pub kid: Option<String>,
}

impl<'a> Unverified<'a> {
    /// Reads a token's three parts and its header.
    ///
    /// # Errors
    /// It has another shape, or its header asks for something that is not supported.
    pub fn read(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong(token.len()));
        }
        let parts = token.rsplit_once('.').and_then(|(message, signature)| {
            let (header, payload) = message.split_once('.')?;
            (!payload.contains('.')).then_some((message, header, payload, signature))
        });
        let (message, header, payload, signature) =
            parts.ok_or(TokenError::Malformed("header, claims and signature"))?;
        let (algorithm, kid) = read_header(&decode(header)?)?;
        Ok(Self {
            algorithm,
            kid,
            message,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// The claims, when one of the keys has signed them.
    ///
    /// # Errors
    /// No key fits or has signed them, or they cannot be read.
    pub fn verified(self, keys: &KeySet, verify: &impl Verify) -> Result<Verified, TokenError> {
        let kid = self.kid.as_deref();
        let mut candidates = keys.candidates(self.algorithm, kid).peekable();
        if candidates.peek().is_none() {
            return Err(TokenError::UnknownKey(self.algorithm));
        }
        let message = self.message.as_bytes();
        let key = candidates
            .find(|key| verify.verify(key, message, &self.signature))
            .ok_or(TokenError::BadSignature)?;
        Ok(Verified {
            claims: Claims::read(&self.payload)?,
            kid: key.kid.clone(),
        })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| TokenError::Malformed("base64url without padding"))
}

fn read_header(json: &[u8]) -> Result<(Algorithm, Option<String>), TokenError> {
    let (mut alg, mut kid, mut is_critical) = (None, None, false);
    read_object(json, |scanner, name| {
        match name {
            "alg" => alg = Some(read_text(scanner)?),
            "kid" => kid = Some(read_text(scanner)?),
            // Extensions that must be understood (RFC 7515 section 4.1.11), or payloads that are not
            // base64 (RFC 7797): none is understood here.
            "crit" | "b64" => {
                is_critical = true;
                scanner.value()?;
            }
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    })?;
    if is_critical {
        return Err(TokenError::Malformed("a header without crit and b64"));
    }
    let alg = alg.ok_or(TokenError::Missing("alg"))?;
    let algorithm = Algorithm::from_name(&alg).ok_or(TokenError::Algorithm(alg))?;
    Ok((algorithm, kid))
}
