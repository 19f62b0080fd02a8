//! The secure channel to a peer (DTLS 1.2, RFC 6347 and RFC 8827).
//!
//! `rtc-dtls` makes the handshake. Its record layer allocates four times for every record and draws
//! a random nonce from the operating system, so once the keys are known the records are sealed and
//! opened by [`record`], in the buffer that goes to the socket or comes from it; [`tap`] is how the
//! keys get there. The handshake is kept until the peer's first record proves that it has all it
//! needs, because until then the peer may ask for the last flight again, and is dropped then.

mod record;
mod seen;
mod tap;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;

use self::record::{Kind, Opener, Sealer};
use self::seen::Seen;
use self::tap::Tap;

pub(super) use self::record::OVERHEAD;

/// The one that every WebRTC end must have (RFC 8827, 6.5), and its twin for a peer whose
/// certificate is of RSA. Both are AES-128-GCM, which is what [`record`] does.
const CIPHER_SUITES: [CipherSuiteId; 2] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
];

/// Browsers ask for SRTP even where there is only data, and `rtc-dtls` ends the handshake when it
/// has nothing to agree on. Nothing is ever sent with it.
const SRTP_PROFILES: [SrtpProtectionProfile; 2] = [
    SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
];

/// The shortest time between two sendings of one flight when the peer repeats its own: Chromium does
/// so after 50 ms, which on a long path means nothing yet, and the stack gives up after seven.
const REPEATS_APART: Duration = Duration::from_millis(400);

/// The handshake knows its peer by an address, whichever path the datagrams take: this one.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// Who we are, which end of the handshake, and who the peer has to be.
pub(super) struct Parties<'a> {
    pub(super) crypto: &'a Arc<dyn RTCCryptoProvider>,
    pub(super) certificate: &'a Certificate,
    pub(super) is_client: bool,
    /// SHA-256 of the peer's certificate, as its description says it.
    pub(super) fingerprint: String,
}

/// What came of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing yet.
    Waiting,
    /// The keys are there: [`Dtls::seal`] works from now on.
    Secured,
    /// The peer has ended the connection, or is not who its description says.
    Over,
}

/// One connection's end of DTLS.
pub(super) struct Dtls {
    handshake: Option<Box<Handshake>>,
    keys: Option<(Sealer, Opener)>,
}

struct Handshake {
    endpoint: Endpoint,
    config: Arc<HandshakeConfig>,
    tap: Tap,
    is_client: bool,
    is_begun: bool,
    seen: Seen,
    /// When a flight was sent last.
    sent: Instant,
    fingerprint: String,
    crypto: Arc<dyn RTCCryptoProvider>,
}

impl Dtls {
    pub(super) fn new(now: Instant, parties: Parties<'_>) -> Result<Self, String> {
        let tap = Tap::new(Arc::clone(parties.crypto));
        let config = ConfigBuilder::default()
            .with_crypto_provider(tap.provider())
            .with_certificates(vec![parties.certificate.clone()])
            .with_cipher_suites(CIPHER_SUITES.to_vec())
            .with_srtp_protection_profiles(SRTP_PROFILES.to_vec())
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // Nobody signs these certificates; the fingerprint of the description is what counts.
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_server_name("peer".to_owned())
            .build(parties.is_client, None)
            .map_err(|error| error.to_string())?;
        let config = Arc::new(config);
        let server = (!parties.is_client).then(|| Arc::clone(&config));
        let endpoint = Endpoint::new(PEER, Default::default(), server);
        let handshake = Handshake {
            endpoint,
            config,
            tap,
            is_client: parties.is_client,
            is_begun: false,
            seen: Seen::new(parties.is_client),
            sent: now,
            fingerprint: parties.fingerprint,
            crypto: Arc::clone(parties.crypto),
        };
        Ok(Self {
            handshake: Some(Box::new(handshake)),
            keys: None,
        })
    }

    /// There is a path: the client begins.
    pub(super) fn begin(&mut self, now: Instant) {
        if let Some(handshake) = &mut self.handshake {
            handshake.begin(now);
        }
    }

    /// Takes a datagram of the peer; `take` gets what it carries for us.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        datagram: BytesMut,
        take: impl FnMut(Bytes),
    ) -> Progress {
        match &mut self.keys {
            Some((_, opener)) if record::is_protected(&datagram) => {
                let (progress, is_genuine) = open_all(opener, datagram, take);
                if is_genuine {
                    self.handshake = None;
                }
                progress
            }
            _ => self.shake(now, datagram),
        }
    }

    fn shake(&mut self, now: Instant, datagram: BytesMut) -> Progress {
        let Some(handshake) = &mut self.handshake else {
            return Progress::Waiting;
        };
        if self.keys.is_none() && handshake.seen.repeats(&datagram) {
            handshake.answer_repeat(now);
            return Progress::Waiting;
        }
        let progress = handshake.receive(now, datagram);
        if progress != Progress::Secured {
            return progress;
        }
        self.keys = handshake.tap.keys();
        match self.keys {
            Some(_) => Progress::Secured,
            None => Progress::Over,
        }
    }

    /// Sends the last flight again when its answer is late.
    pub(super) fn timeout(&mut self, now: Instant) {
        if self.keys.is_none()
            && let Some(handshake) = &mut self.handshake
        {
            handshake.timeout(now);
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        if self.keys.is_some() {
            return None;
        }
        self.handshake.as_ref()?.endpoint.poll_timeout(&PEER)
    }

    /// A datagram of the handshake to send.
    pub(super) fn poll(&mut self, now: Instant) -> Option<BytesMut> {
        let handshake = self.handshake.as_mut()?;
        let transmit = handshake.endpoint.poll_transmit()?;
        handshake.sent = now;
        Some(transmit.message)
    }

    /// Adds `payload` to `to` as one record, [`OVERHEAD`] bytes longer. False when it cannot be.
    pub(super) fn seal(&mut self, payload: &[u8], to: &mut Vec<u8>) -> bool {
        self.keys
            .as_mut()
            .is_some_and(|(sealer, _)| sealer.seal(Kind::Data, payload, to))
    }

    /// The farewell (RFC 5246, 7.2.1) as a datagram.
    pub(super) fn farewell(&mut self) -> Option<Vec<u8>> {
        let (sealer, _) = self.keys.as_mut()?;
        let mut datagram = Vec::new();
        sealer
            .seal(Kind::Alert, &record::CLOSE_NOTIFY, &mut datagram)
            .then_some(datagram)
    }
}

impl Handshake {
    fn begin(&mut self, now: Instant) {
        if self.is_begun || !self.is_client {
            return;
        }
        self.is_begun = true;
        let config = Arc::clone(&self.config);
        if let Err(error) = self.endpoint.connect(now, PEER, config, None) {
            tracing::debug!(%error, "handshake not begun");
        }
    }

    fn timeout(&mut self, now: Instant) {
        if self.is_begun
            && let Err(error) = self.endpoint.handle_timeout(PEER, now)
        {
            tracing::debug!(%error, "handshake flight not repeated");
        }
    }

    /// The peer has sent a flight again, so it misses the one that answers it.
    fn answer_repeat(&mut self, now: Instant) {
        if now < self.sent + REPEATS_APART {
            return;
        }
        // To the stack it is as late as its timer.
        if let Some(due) = self.endpoint.poll_timeout(&PEER) {
            self.timeout(due.max(now));
        }
    }

    fn receive(&mut self, now: Instant, datagram: BytesMut) -> Progress {
        if self.is_client && !self.is_begun {
            return Progress::Waiting;
        }
        self.is_begun = true;
        let events = match self.endpoint.read(now, PEER, None, datagram) {
            Ok(events) => events,
            Err(error) => {
                // Anybody who forges the peer's address can make a bad datagram: it is dropped, and
                // the time-out of the connection deals with a peer that makes only such.
                tracing::debug!(%error, "handshake datagram refused");
                return Progress::Waiting;
            }
        };
        let mut progress = Progress::Waiting;
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete if self.is_expected_peer() => {
                    progress = Progress::Secured;
                }
                EndpointEvent::HandshakeComplete => {
                    tracing::debug!("the peer's certificate is not the one of its description");
                    return Progress::Over;
                }
                EndpointEvent::PeerClosed => return Progress::Over,
                // What overtook the end of the handshake is repeated by the association.
                EndpointEvent::ApplicationData(_) => {}
                _ => {}
            }
        }
        progress
    }

    fn is_expected_peer(&self) -> bool {
        let certificate = self
            .endpoint
            .get_connection_state(PEER)
            .and_then(|state| state.peer_certificates.first());
        certificate
            .and_then(|der| fingerprint(self.crypto.as_ref(), der))
            .is_some_and(|found| found == self.fingerprint)
    }
}

/// What a description says of a certificate: SHA-256 in capital hexadecimal digits, with colons.
pub(super) fn fingerprint(crypto: &dyn RTCCryptoProvider, der: &[u8]) -> Option<String> {
    let digest = crypto.crypto().hash(HashAlgorithm::Sha256, der).ok()?;
    let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    Some(bytes.join(":"))
}

/// Opens each record of a datagram; one that is not the peer's is skipped (RFC 6347, 4.1.2.7). Tells
/// also whether any was the peer's.
fn open_all(
    opener: &mut Opener,
    mut datagram: BytesMut,
    mut take: impl FnMut(Bytes),
) -> (Progress, bool) {
    let mut is_genuine = false;
    while let Some(mut record) = record::split(&mut datagram) {
        let Some((kind, place)) = opener.open(&mut record) else {
            continue;
        };
        is_genuine = true;
        match kind {
            Kind::Data => take(record.freeze().slice(place)),
            Kind::Alert if record::is_end(&record[place]) => return (Progress::Over, true),
            Kind::Alert => {}
        }
    }
    (Progress::Waiting, is_genuine)
}
