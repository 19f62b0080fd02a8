//! The admin API over HTTP, as programs use it.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "support/server.rs"]
mod server;

#[path = "api/beacons.rs"]
mod beacons;
#[path = "api/dashboard.rs"]
mod dashboard;
#[path = "api/documents.rs"]
mod documents;
#[path = "api/matrix.rs"]
mod matrix;
#[path = "api/seeders.rs"]
mod seeders;
#[path = "api/sessions.rs"]
mod sessions;
#[path = "api/tokens.rs"]
mod tokens;
