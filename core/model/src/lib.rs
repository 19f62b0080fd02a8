//! The nouns of Beekeepr, shared by every part of it.
//!
//! Plain values only: this crate knows no socket, no clock, no codec. Time and randomness are
//! values that a shell hands in.

mod generation;
mod id;
mod identity;
mod random;
mod segment;
mod stream;
mod swarm;
mod time;

pub mod limits;

pub use generation::{Generation, IdentityRule, Numbering};
pub use id::{IdError, InfoHash, OfferId, PEER_ID_PREFIX_SEEDER, PEER_ID_PREFIX_VIEWER, PeerId};
pub use identity::{StreamProperties, identity, print_number};
pub use random::Random;
pub use segment::{ByteRange, SegmentId};
pub use stream::StreamKind;
pub use swarm::{info_hash, swarm_id, swarm_string};
pub use time::Time;
