//! Why a token or a key set is refused. Texts name claims and algorithms, never their secrets.

use std::fmt;

use beekeepr_json::ReadError;

use crate::Algorithm;

/// Most characters of foreign text in an error's text: a `kid` or the name of an algorithm is shorter.
const EXCERPT_CHARS_MAX: usize = 40;

/// Why a token is refused. The text is meant for the client's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It has this many bytes.
    TooLong(usize),
    /// It is not three parts of base64url, or a part is not what it should be.
    Malformed(&'static str),
    /// Its header or claims are no JSON, or a claim has the wrong type.
    Json(ReadError),
    /// This name occurs twice.
    Duplicate(String),
    /// Its header names an algorithm that no key may be used with.
    Algorithm(String),
    /// No key has its `kid` and algorithm.
    UnknownKey(Algorithm),
    /// The signature is not by the key.
    BadSignature,
    /// This claim is needed and absent.
    Missing(&'static str),
    /// It expired so many seconds ago.
    Expired(u64),
    /// It begins to count in so many seconds.
    NotYet(u64),
    /// It would count for so many seconds more, with the most that is allowed.
    LivesTooLong(u64, u64),
    /// Its `iss` is not expected here.
    Issuer,
    /// Its `aud` is not expected here.
    Audience,
    /// Its key may not make super-peers.
    Role,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(
                f,
                "the token has {bytes} bytes, expected at most {}",
                crate::TOKEN_BYTES_MAX
            ),
            Self::Malformed(expected) => write!(f, "the token is malformed, expected {expected}"),
            Self::Json(error) => write!(f, "the token cannot be read: {error}"),
            Self::Duplicate(name) => {
                let name = excerpt(name);
                write!(f, "the token says {name:?} twice, expected once")
            }
            Self::Algorithm(seen) => write!(
                f,
                "the token's alg is {:?}, expected EdDSA, ES256, RS256 or HS256",
                excerpt(seen)
            ),
            Self::UnknownKey(algorithm) => write!(
                f,
                "no {} key of the tracker has the token's kid; \
                 check the key set and that both clocks of a key change overlap",
                algorithm.as_str()
            ),
            Self::BadSignature => f.write_str("the token's signature does not fit its key"),
            Self::Missing(claim) => write!(f, "the token has no {claim:?}, which is needed"),
            Self::Expired(seconds) => {
                write!(f, "the token expired {seconds} s ago; get a new one")
            }
            Self::NotYet(seconds) => write!(
                f,
                "the token counts in {seconds} s only; check the clocks of issuer and tracker"
            ),
            Self::LivesTooLong(seconds, max) => write!(
                f,
                "the token counts for {seconds} s more, expected at most {max} s"
            ),
            Self::Issuer => f.write_str("the token's iss is not one that the tracker expects"),
            Self::Audience => f.write_str("the token's aud is not one that the tracker expects"),
            Self::Role => f.write_str("the token's key may not sign for the role superpeer"),
        }
    }
}

impl std::error::Error for TokenError {}

impl TokenError {
    /// A word for each kind of error, for counting.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too_long",
            Self::Malformed(_) | Self::Json(_) | Self::Duplicate(_) | Self::Missing(_) => {
                "malformed"
            }
            Self::Algorithm(_) | Self::UnknownKey(_) => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired(_) => "expired",
            Self::NotYet(_) => "not_yet",
            Self::LivesTooLong(_, _) => "lives_too_long",
            Self::Issuer | Self::Audience => "not_for_us",
            Self::Role => "role",
        }
    }
}

/// The beginning of a text that somebody else wrote: enough to recognise it, too little to fill a log.
pub(crate) fn excerpt(text: &str) -> &str {
    let end = text.char_indices().nth(EXCERPT_CHARS_MAX);
    end.map_or(text, |(end, _)| &text[..end])
}

impl From<ReadError> for TokenError {
    fn from(error: ReadError) -> Self {
        Self::Json(error)
    }
}

/// Why a key set is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    /// Which key, counted from 0, when it is one of them.
    pub index: Option<usize>,
    /// What was seen and what was expected.
    pub text: String,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "key {index}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl std::error::Error for KeyError {}
