//! Two files to a certificate with its key.

use std::path::{Path, PathBuf};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::Config;

/// Certificates in one file at most: a chain has two to four.
const CHAIN_LENGTH_MAX: usize = 16;

/// Why there is no certificate to be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; check that it is there and readable for this user", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("{} has no {expected}: {seen}; expected a PEM file with -----BEGIN {expected}-----", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
        /// What was found.
        seen: String,
    },
    /// The two files do not work together.
    #[error(
        "the key in {} does not work with the certificate in {}: {source}; expected the key that the \
         certificate was issued for", key.display(), certificate.display()
    )]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// The TLS library cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(rustls::Error),
}

/// Reads both files.
pub(super) fn load(config: &Config, provider: &CryptoProvider) -> Result<CertifiedKey, LoadError> {
    let chain = chain(&config.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .map_err(|error| fault(&config.key, "PRIVATE KEY", error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| LoadError::Pair {
        certificate: config.certificate.clone(),
        key: config.key.clone(),
        source,
    })
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let fault = |error| fault(path, "CERTIFICATE", error);
    let chain = CertificateDer::pem_file_iter(path)
        .map_err(fault)?
        .take(CHAIN_LENGTH_MAX)
        .collect::<Result<Vec<_>, _>>()
        .map_err(fault)?;
    if chain.is_empty() {
        return Err(fault(pem::Error::NoItemsFound));
    }
    Ok(chain)
}

fn fault(path: &Path, expected: &'static str, error: pem::Error) -> LoadError {
    let path = path.to_owned();
    let seen = match error {
        pem::Error::Io(source) => return LoadError::Read { path, source },
        pem::Error::NoItemsFound => "no such section in it".to_owned(),
        other => other.to_string(),
    };
    LoadError::Content {
        path,
        expected,
        seen,
    }
}
