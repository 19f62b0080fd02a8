//! TLS for listeners: a certificate from two files, renewed while the server runs.
//!
//! Certificates live for weeks and are renewed by somebody else (certbot, cert-manager), who writes
//! new files. A server that had to be restarted for that would lose all its connections.

mod certificate;
mod renewal;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::server::{NoServerSessionStorage, ServerConfig};
use serde::{Deserialize, Serialize};

pub use certificate::LoadError;
use renewal::Renewal;

/// The section `tls` of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// File with the certificate and those between it and the root, PEM, its own first
    /// (`fullchain.pem` of most tools).
    pub certificate: PathBuf,
    /// File with the certificate's private key, PEM (`privkey.pem` of most tools).
    pub key: PathBuf,
}

/// TLS 1.2 and 1.3 with the configured certificate, for protocols that are negotiated by these names
/// (ALPN; none for protocols that have no name).
///
/// The files are looked at every few seconds and on SIGHUP; new connections get the new certificate.
/// Files that cannot be used change nothing, and the log says what is wrong with them. Clients that
/// come back resume by session tickets, which cost the server no memory and save most of the handshake.
///
/// Needs a tokio runtime, which watches the files until the returned configuration is dropped.
///
/// # Errors
/// A file cannot be read or holds something else; the text names it and what to do.
pub fn server_config(config: &Config, protocols: &[&str]) -> Result<Arc<ServerConfig>, LoadError> {
    let provider = Arc::new(ring::default_provider());
    let renewal = Arc::new(Renewal::new(config.clone(), Arc::clone(&provider))?);
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(LoadError::Tls)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&renewal) as Arc<_>);
    server.ticketer = ring::Ticketer::new().map_err(LoadError::Tls)?;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    // One is enough for a client that keeps one connection; each is a fifth of a kilobyte to send.
    server.send_tls13_tickets = 1;
    server.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    renewal::watch(&renewal);
    Ok(Arc::new(server))
}

#[cfg(test)]
mod tests;
