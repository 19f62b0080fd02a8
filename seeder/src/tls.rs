//! TLS for everything the seeder calls: origins and trackers.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Trusts Mozilla's authorities, so that an image without any works, and those that the system
/// lists, so that an operator's own authority works.
pub(crate) fn client_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
