//! What every server role shares: configuration, logs, metrics and health, shutdown, sockets.
//!
//! Knows nothing of what the roles do: no protocol, no core crate. A role's life with it:
//!
//! ```text
//! config::load -> logs::init -> Shutdown::on_signals -> Admin::start
//!     -> the role's start -> Readiness::ready -> ready::announce
//!     -> Shutdown::requested -> drain -> exit
//! ```

pub mod admin;
pub mod cidr;
pub mod config;
pub mod handover;
pub mod http;
pub mod logs;
pub mod net;
pub mod open_files;
pub mod range;
pub mod ready;
mod shutdown;
pub mod tls;

pub use shutdown::{Shutdown, Trigger};
