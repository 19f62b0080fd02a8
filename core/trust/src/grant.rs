//! What a token is worth.

use crate::{Privacy, Role, Scope};

/// What a good token allows its holder, until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who holds it, when it says so. Two tokens of one subject are the same viewer.
    pub subject: Option<String>,
    /// Which swarms it opens.
    pub scope: Scope,
    /// What the holder is for others.
    pub role: Role,
    /// Whether the holder takes only.
    pub is_leech: bool,
    /// How much the holder may give others, in kbit/s.
    pub max_up_kbps: Option<u32>,
    /// Whom the holder may be introduced to, when the token says so.
    pub privacy: Option<Privacy>,
    /// When it ends, in seconds since 1970.
    pub expires_s: u64,
}
