//! The tracker's mind: who is in which swarm, whom to introduce to whom, when to forget.
//!
//! [`Swarms`] knows connections by number and peers by id. It sees neither sockets nor JSON nor
//! session descriptions, and takes time and randomness as values. A shell
//!
//! ```text
//! swarms.announce(now, ..)   for each announce: whom to hand which offer
//! swarms.answer(now, ..)     for each answer: whom to hand it
//! swarms.leave(..)           when a client says that it stops
//! swarms.close(..)           when a connection is gone
//! swarms.expire(now)         when swarms.deadline() has come
//! ```
//!
//! What always holds, and [`Swarms::check`] verifies:
//! - a peer id stands for one connection in a swarm, until that leaves, closes, misses two announces or
//!   the same token's holder comes with another connection;
//! - an answer is let through only from the connection that the offer was handed to, once, and to the
//!   connection that made the offer;
//! - no swarm is empty, and what is empty takes no memory.

mod choose;
mod config;
mod connections;
mod ledger;
mod member;
mod message;
mod peer;
mod place;
mod refusal;
mod rings;
mod shuffle;
mod swarm;
mod swarms;

pub use config::Config;
pub use message::{Announce, Answer, ConnKey, Counts, Summary};
pub use peer::{Holder, Privacy, Role, Standing};
pub use place::{Network, Place};
pub use refusal::Refusal;
pub use swarms::{PROBE_MS, Swarms};
