//! What a token says.

use beekeepr_json::{ReadError, Scanner, read_count};

use crate::TokenError;
use crate::object::{read_bool, read_object, read_text, read_texts};
use crate::scope::SCOPE_ENTRIES_MAX;

/// Most audiences of a token.
const AUDIENCES_MAX: usize = 16;

/// What the holder is for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Somebody who watches.
    #[default]
    Viewer,
    /// One of the operator's seeders.
    SuperPeer,
}

/// Whom a viewer may be introduced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// To viewers and super-peers.
    Mesh,
    /// To super-peers only.
    SuperPeerOnly,
}

/// The claims of a token: the registered ones of RFC 7519 section 4.1, and ours. Others are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// When it stops to count, in seconds since 1970.
    pub exp: Option<u64>,
    /// When it begins to count, in seconds since 1970.
    pub nbf: Option<u64>,
    /// When it was made, in seconds since 1970.
    pub iat: Option<u64>,
    /// Who made it.
    pub iss: Option<String>,
    /// For whom it was made.
    pub aud: Vec<String>,
    /// Its own name, by which it can be revoked.
    pub jti: Option<String>,
    /// Who holds it.
    pub sub: Option<String>,
    /// `swarms`: which swarms, see [`crate::Scope`]; `None` means all.
    pub swarms: Option<Vec<String>>,
    /// `role`: "viewer" or "superpeer".
    pub role: Role,
    /// `leech`: whether the holder takes only.
    pub is_leech: bool,
    /// `max_up_kbps`: how much the holder may give others, in kbit/s.
    pub max_up_kbps: Option<u32>,
    /// `privacy`: "mesh" or "superpeer-only".
    pub privacy: Option<Privacy>,
}

impl Claims {
    /// Reads claims from their JSON.
    ///
    /// # Errors
    /// It is no object, a name occurs twice, or a claim has the wrong type.
    pub fn read(json: &[u8]) -> Result<Self, TokenError> {
        let mut claims = Self::default();
        read_object(json, |scanner, name| claims.take(scanner, name))?;
        Ok(claims)
    }

    fn take(&mut self, scanner: &mut Scanner<'_>, name: &str) -> Result<(), ReadError> {
        match name {
            "exp" => self.exp = Some(read_count(scanner)?),
            "nbf" => self.nbf = Some(read_count(scanner)?),
            "iat" => self.iat = Some(read_count(scanner)?),
            "iss" => self.iss = Some(read_text(scanner)?),
            "aud" => self.aud = read_texts(scanner, AUDIENCES_MAX)?,
            "sub" => self.sub = Some(read_text(scanner)?),
            "jti" => self.jti = Some(read_text(scanner)?),
            "swarms" => self.swarms = Some(read_texts(scanner, SCOPE_ENTRIES_MAX)?),
            "role" => self.role = read_role(scanner)?,
            "leech" => self.is_leech = read_bool(scanner)?,
            "max_up_kbps" => {
                let value = read_count(scanner)?;
                self.max_up_kbps = Some(u32::try_from(value).unwrap_or(u32::MAX));
            }
            "privacy" => self.privacy = Some(read_privacy(scanner)?),
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }
}

fn read_role(scanner: &mut Scanner<'_>) -> Result<Role, ReadError> {
    let offset = scanner.offset();
    match scanner.string()? {
        r#""viewer""# => Ok(Role::Viewer),
        r#""superpeer""# => Ok(Role::SuperPeer),
        _ => Err(ReadError::new(
            offset,
            "an unknown role",
            "viewer or superpeer",
        )),
    }
}

fn read_privacy(scanner: &mut Scanner<'_>) -> Result<Privacy, ReadError> {
    let offset = scanner.offset();
    match scanner.string()? {
        r#""mesh""# => Ok(Privacy::Mesh),
        r#""superpeer-only""# => Ok(Privacy::SuperPeerOnly),
        _ => Err(ReadError::new(
            offset,
            "an unknown privacy",
            "mesh or superpeer-only",
        )),
    }
}
