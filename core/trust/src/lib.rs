//! Who may do what: tokens, the keys that sign them, and what they grant.
//!
//! A token is a JWT (RFC 7519) in its compact form. This crate reads it, finds the key, and decides
//! what its claims are worth at a given time. It computes no signatures: the shell hands in a
//! [`Verify`], so that the crate has no cryptography to get wrong and builds for the browser.
//!
//! ```text
//! Unverified::read(token)       bounded, strict: one shape, no duplicates, no `none`
//!     .verified(keys, verify)   the key decides the algorithm, never the token
//!     policy.grant(.., now)     issuer, audience, times, role; then what it allows
//! ```
//!
//! Secrets are compared by the shell's verifier only, in constant time.

mod claims;
mod error;
mod grant;
mod issue;
mod key_set;
mod keys;
mod object;
mod policy;
mod scope;
mod token;

pub use claims::{Claims, Privacy, Role};
pub use error::{KeyError, TokenError};
pub use grant::Grant;
pub use issue::{signing_input, with_signature};
pub use key_set::{KEYS_MAX, KeySet};
pub use keys::{Algorithm, Key, Material, Secret, Verify};
pub use policy::Policy;
pub use scope::{SCOPE_ENTRIES_MAX, Scope};
pub use token::{TOKEN_BYTES_MAX, Unverified, Verified};
