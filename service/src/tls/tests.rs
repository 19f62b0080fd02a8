use std::fs;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConnection};
use tempfile::TempDir;

use super::*;

const NAME: &str = "tracker.example";

/// A folder with a certificate and its key.
struct Files {
    folder: TempDir,
    config: Config,
}

impl Files {
    fn new() -> (Self, CertificateDer<'static>) {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            certificate: folder.path().join("fullchain.pem"),
            key: folder.path().join("privkey.pem"),
        };
        let files = Self { folder, config };
        let certificate = files.write();
        (files, certificate)
    }

    /// Puts a new certificate there.
    fn write(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([NAME.to_owned()]).unwrap();
        fs::write(&self.config.certificate, cert.pem()).unwrap();
        fs::write(&self.config.key, signing_key.serialize_pem()).unwrap();
        cert.der().clone()
    }

    fn renewal(&self) -> Arc<Renewal> {
        let provider = Arc::new(ring::default_provider());
        Arc::new(Renewal::new(self.config.clone(), provider).unwrap())
    }

    fn error(&self) -> String {
        server_config(&self.config, &[]).unwrap_err().to_string()
    }
}

fn client(certificate: &CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"stun.turn".to_vec()];
    Arc::new(client)
}

/// Both ends after their handshake.
fn connect(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> (ClientConnection, ServerConnection) {
    let name = ServerName::try_from(NAME).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    loop {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut &*bytes).unwrap();
        server.process_new_packets().unwrap();
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        if bytes.is_empty() {
            return (client, server);
        }
        client.read_tls(&mut &*bytes).unwrap();
        client.process_new_packets().unwrap();
    }
}

#[tokio::test]
async fn clients_get_the_certificate_and_the_protocol() {
    let (files, certificate) = Files::new();
    let server = server_config(&files.config, &["stun.turn"]).unwrap();
    let (client, server) = connect(&client(&certificate), &server);
    assert_eq!(client.peer_certificates().unwrap(), [certificate]);
    assert_eq!(server.alpn_protocol(), Some(&b"stun.turn"[..]));
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let (files, certificate) = Files::new();
    let server = server_config(&files.config, &["stun.turn"]).unwrap();
    let client = client(&certificate);
    let (first, _) = connect(&client, &server);
    assert_eq!(first.handshake_kind(), Some(HandshakeKind::Full));
    let (second, _) = connect(&client, &server);
    assert_eq!(second.handshake_kind(), Some(HandshakeKind::Resumed));
}

#[test]
fn new_files_are_taken_and_broken_ones_are_not() {
    let (files, first) = Files::new();
    let renewal = files.renewal();
    let used = || renewal.resolve_certificate();
    renewal.renew(true);
    assert_eq!(used(), first);
    let second = files.write();
    renewal.renew(true);
    assert_eq!(used(), second);
    fs::write(&files.config.certificate, "broken").unwrap();
    renewal.renew(true);
    assert_eq!(used(), second);
    fs::remove_file(&files.config.key).unwrap();
    renewal.renew(true);
    assert_eq!(used(), second);
}

#[test]
fn files_are_read_again_only_when_they_changed() {
    let (files, first) = Files::new();
    let renewal = files.renewal();
    renewal.renew(false);
    assert_eq!(renewal.resolve_certificate(), first);
    let second = files.write();
    // The system's clock may not have moved on since the first was written.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(10);
    let file = fs::File::options()
        .append(true)
        .open(&files.config.key)
        .unwrap();
    file.set_modified(later).unwrap();
    renewal.renew(false);
    assert_eq!(renewal.resolve_certificate(), second);
}

#[tokio::test]
async fn what_is_wrong_names_the_file_and_what_to_do() {
    let (files, _) = Files::new();
    let other = Files::new().0;
    fs::copy(&other.config.key, &files.config.key).unwrap();
    let error = files.error();
    assert!(error.contains("privkey.pem does not work with"), "{error}");
    fs::write(&files.config.key, "").unwrap();
    let error = files.error();
    assert!(error.contains("privkey.pem has no PRIVATE KEY"), "{error}");
    assert!(error.contains("-----BEGIN PRIVATE KEY-----"), "{error}");
    fs::copy(&other.config.key, &files.config.certificate).unwrap();
    let error = files.error();
    assert!(
        error.contains("fullchain.pem has no CERTIFICATE"),
        "{error}"
    );
    fs::remove_file(&files.config.certificate).unwrap();
    let error = files.error();
    assert!(
        error.starts_with("cannot read ") && error.contains("check that it is there"),
        "{error}"
    );
    assert!(files.folder.path().exists());
}
