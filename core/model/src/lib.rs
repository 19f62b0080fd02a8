//! The nouns of Beekeepr, shared by every part of it.
//!
//! Plain values only: this crate knows no socket, no clock, no codec. Time and randomness are
//! values that a shell hands in.

mod id;
mod random;
mod segment;
mod stream;
mod time;

pub mod limits;

pub use id::{IdError, InfoHash, OfferId, PEER_ID_PREFIX_SEEDER, PEER_ID_PREFIX_VIEWER, PeerId};
pub use random::Random;
pub use segment::{ByteRange, SegmentId};
pub use stream::{Generation, StreamKind, StreamProperties, identity, info_hash, swarm_string};
pub use time::Time;
