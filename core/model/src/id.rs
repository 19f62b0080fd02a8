//! Ids of 20 bytes, and how they travel in JSON.
//!
//! WebTorrent writes such an id as a string of 20 characters of which each stands for one byte
//! (U+0000 to U+00FF); in UTF-8 that is 20 to 40 bytes.

use std::fmt;

use crate::Random;

/// How the peer ids of Beekeepr's browser client begin: client `BK`, version 00.01.
pub const PEER_ID_PREFIX_VIEWER: &[u8; 8] = b"-BK0001-";

/// How the peer ids of Beekeepr's seeder begin. Anybody can claim it: good for display, not for trust.
pub const PEER_ID_PREFIX_SEEDER: &[u8; 8] = b"-BS0001-";

/// Why a string is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// It has this many characters instead of 20.
    Length(usize),
    /// This character is no byte.
    Char(char),
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(seen) => write!(f, "id has {seen} characters, expected 20"),
            Self::Char(seen) => {
                write!(
                    f,
                    "id has the character {seen:?}, expected U+0000 to U+00FF only"
                )
            }
        }
    }
}

impl std::error::Error for IdError {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 20]);

        impl $name {
            /// Reads the 20 characters that stand for the 20 bytes.
            ///
            /// # Errors
            /// Another number of characters, or one above U+00FF.
            pub fn from_chars(text: &str) -> Result<Self, IdError> {
                from_chars(text).map(Self)
            }

            /// The 20 characters that stand for the 20 bytes.
            pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
                self.0.iter().map(|&byte| char::from(byte))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.escape_ascii().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id!(
    /// Names one swarm: the viewers of one stream. See [`crate::info_hash`].
    InfoHash
);
id!(
    /// Names one peer in one swarm.
    PeerId
);
id!(
    /// Names one offer; the answer carries it back.
    OfferId
);

impl PeerId {
    /// A new id: the 8 bytes that name the client, then 12 random letters and digits.
    #[must_use]
    pub fn generate(prefix: &[u8; 8], random: &mut Random) -> Self {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(prefix);
        bytes[8..].copy_from_slice(&random.alphanumeric::<12>());
        Self(bytes)
    }

    /// Whether the peer says that it is a viewer or seeder of Beekeepr.
    #[must_use]
    pub fn is_beekeepr(&self) -> bool {
        self.0.starts_with(b"-BK") || self.is_seeder()
    }

    /// Whether the peer says that it is a seeder of Beekeepr. A claim, not a proof.
    #[must_use]
    pub fn is_seeder(&self) -> bool {
        self.0.starts_with(b"-BS")
    }
}

impl OfferId {
    /// A new id of 20 random letters and digits.
    #[must_use]
    pub fn generate(random: &mut Random) -> Self {
        Self(random.alphanumeric())
    }
}

fn from_chars(text: &str) -> Result<[u8; 20], IdError> {
    let mut bytes = [0; 20];
    let mut seen = 0;
    for char in text.chars() {
        let byte = u8::try_from(char).map_err(|_| IdError::Char(char))?;
        if let Some(place) = bytes.get_mut(seen) {
            *place = byte;
        }
        seen += 1;
    }
    if seen == 20 {
        Ok(bytes)
    } else {
        Err(IdError::Length(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_through_characters() {
        for start in 0..=235u8 {
            let id = OfferId(std::array::from_fn(|i| start + i as u8));
            let text: String = id.chars().collect();
            assert_eq!(OfferId::from_chars(&text), Ok(id));
        }
    }

    #[test]
    fn other_lengths_and_characters_are_refused() {
        assert_eq!(InfoHash::from_chars("short"), Err(IdError::Length(5)));
        assert_eq!(
            InfoHash::from_chars(&"x".repeat(21)),
            Err(IdError::Length(21))
        );
        assert_eq!(
            InfoHash::from_chars(&"€".repeat(20)),
            Err(IdError::Char('€'))
        );
    }

    #[test]
    fn a_generated_peer_id_names_its_client() {
        let mut random = Random::new(1);
        assert!(PeerId::generate(PEER_ID_PREFIX_SEEDER, &mut random).is_seeder());
        let viewer = PeerId::generate(PEER_ID_PREFIX_VIEWER, &mut random);
        assert!(viewer.is_beekeepr() && !viewer.is_seeder());
    }
}
