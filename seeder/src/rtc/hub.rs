//! Starting the hub, and the handle to it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use ::rtc::crypto::{HashAlgorithm, RTCCryptoProvider, SignatureScheme, default_provider};
use ::rtc::peer_connection::certificate::{CertificateParams, RTCCertificate};
use beekeepr_service::Shutdown;
use beekeepr_service::net::{BindError, udp_socket};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::candidates::advertised;
use super::client::{Client, Request};
use super::mux::Mux;
use super::run::run;
use super::socket::Socket;

/// How the hub listens and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConfig {
    /// Address of the one UDP socket. Default `0.0.0.0:0`: all IPv4 interfaces, any free port.
    pub udp: SocketAddr,
    /// Addresses under which peers reach `udp`, when a 1:1 NAT stands before it. They replace the
    /// machine's own addresses in what peers are told; the port stays. Default none.
    pub external_ips: Vec<IpAddr>,
    /// Bytes, queued or unacknowledged, at or below which [`super::HubEvent::Drained`] comes.
    /// Default 32 KiB, half of the window.
    pub send_buffer_low: u32,
    /// Connections at one time, counted from the answer to the close. Default 1000: about 145 KiB
    /// each when idle.
    pub peers_max: usize,
    /// Offers waiting for an answer at one time; each costs about 1 KiB. Default 10000.
    pub offers_max: usize,
    /// From the exchange of descriptions to the open channel. Default 15 s, as p2p-media-loader 3.
    pub connect_timeout: Duration,
    /// From an offer to its answer. Default 60 s: p2p-media-loader drops its own after 50 s, and an
    /// answer may still be on its way then.
    pub offer_timeout: Duration,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            udp: SocketAddr::from(([0, 0, 0, 0], 0)),
            external_ips: Vec::new(),
            send_buffer_low: 32 * 1024,
            peers_max: 1_000,
            offers_max: 10_000,
            connect_timeout: Duration::from_secs(15),
            offer_timeout: Duration::from_secs(60),
        }
    }
}

/// Why a hub could not start.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The UDP address cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// No address to tell peers.
    #[error(
        "no address to tell peers for {0}: none of the external addresses is of its family; name \
         one in external_ips or listen on the other family"
    )]
    NoAddress(SocketAddr),
    /// The certificate could not be made.
    #[error("cannot make the WebRTC certificate: {0}")]
    Crypto(String),
    /// The system refused a socket option, the thread or its runtime.
    #[error("cannot start the WebRTC thread: {0}")]
    Start(#[from] std::io::Error),
}

impl HubError {
    pub(super) fn crypto(error: impl std::fmt::Display) -> Self {
        Self::Crypto(error.to_string())
    }
}

/// A running hub. Clones are the same hub. It ends when the shutdown is requested, or when the last
/// hub and client are dropped.
#[derive(Clone, Debug)]
pub struct Hub {
    address: SocketAddr,
    requests: UnboundedSender<Request>,
    next_client: Arc<AtomicU32>,
}

impl Hub {
    /// The address the socket is really bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new set of connections.
    #[must_use]
    pub fn register(&self) -> Client {
        let id = self.next_client.fetch_add(1, Ordering::Relaxed);
        Client::join(id, self.requests.clone())
    }
}

/// Who we are to every peer of this hub.
pub(super) struct Identity {
    pub(super) crypto: Arc<dyn RTCCryptoProvider>,
    pub(super) certificate: RTCCertificate,
    /// As a description says it.
    pub(super) fingerprint: String,
}

impl Identity {
    fn generate() -> Result<Self, HubError> {
        let crypto = default_provider().map_err(HubError::crypto)?;
        let certificate = RTCCertificate::generate(
            crypto.crypto(),
            SignatureScheme::EcdsaP256Sha256,
            CertificateParams::default(),
        )
        .map_err(HubError::crypto)?;
        let der = certificate
            .dtls_certificate
            .certificate
            .first()
            .ok_or_else(|| HubError::crypto("it is empty"))?;
        let digest = crypto
            .crypto()
            .hash(HashAlgorithm::Sha256, der)
            .map_err(HubError::crypto)?;
        let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self {
            fingerprint: bytes.join(":"),
            certificate,
            crypto,
        })
    }
}

/// Binds the UDP socket and starts the hub on a thread of its own.
///
/// # Errors
/// When the socket cannot be bound, or certificate or thread cannot be made.
pub fn start(config: HubConfig, shutdown: Shutdown) -> Result<Hub, HubError> {
    let socket = udp_socket(config.udp, false)?;
    let address = socket.local_addr()?;
    let advertised = advertised(address, &config.external_ips);
    let own = *advertised.first().ok_or(HubError::NoAddress(config.udp))?;
    let identity = Identity::generate()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let socket = {
        let _inside = runtime.enter();
        Socket::new(socket)?
    };
    tracing::debug!(?advertised, "WebRTC hub listens");
    let mux = Mux::new(config, identity, own, advertised);
    let (requests, receiver) = unbounded_channel();
    thread::Builder::new()
        .name("webrtc".to_owned())
        .spawn(move || runtime.block_on(run(mux, socket, receiver, shutdown)))?;
    Ok(Hub {
        address,
        requests,
        next_client: Arc::new(AtomicU32::new(0)),
    })
}
