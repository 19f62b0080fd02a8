//! Starting the hub, and the handle to it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use beekeepr_service::Shutdown;
use beekeepr_service::net::{BindError, udp_socket};
use rtc_crypto::{RTCCryptoProvider, default_provider};
use rtc_dtls::crypto::Certificate;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::candidates::advertised;
use super::client::{Client, Request};
use super::dtls::fingerprint;
use super::mux::Mux;
use super::run::run;
use super::sctp::SctpConfig;
use super::socket::Socket;

/// How the hub listens and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConfig {
    /// Address of the UDP socket. Default `0.0.0.0:0`: all IPv4 interfaces, any free port. With
    /// several shards the address of the first one: each has the next port, or with port 0 a free
    /// one.
    pub udp: SocketAddr,
    /// Threads, each with a UDP port and connections of its own, among which clients are dealt out
    /// in turn. Default 1, which carries about 9 Gbit/s on one core (`docs/benchmarks`); from 1 to
    /// 64 are started. An operator who sets N opens N consecutive UDP ports.
    pub shards: usize,
    /// Addresses under which peers reach `udp`, when a 1:1 NAT stands before it. They replace the
    /// machine's own addresses in what peers are told; the port stays. Default none.
    pub external_ips: Vec<IpAddr>,
    /// Bytes, queued or unacknowledged, at or below which [`super::HubEvent::Drained`] comes.
    /// Default 32 KiB, half of the window.
    pub send_buffer_low: u32,
    /// Connections at one time, counted from the answer to the close. Default 1000: about 12 KiB each
    /// when idle. Several shards share it evenly.
    pub peers_max: usize,
    /// Offers waiting for an answer at one time; each costs about 1 KiB. Default 10000. Several
    /// shards share it evenly.
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
            shards: 1,
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
    /// The shards' ports end beyond 65535.
    #[error("no {shards} consecutive UDP ports from {udp} on; choose a lower port or fewer shards")]
    Ports {
        /// Address of the first shard.
        udp: SocketAddr,
        /// How many were asked for.
        shards: usize,
    },
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

/// More than any machine has cores to spare for it.
pub(crate) const SHARDS_MAX: usize = 64;

/// A running hub. Clones are the same hub. It ends when the shutdown is requested, or when the last
/// hub and client are dropped.
#[derive(Clone, Debug)]
pub struct Hub {
    shards: Arc<[Shard]>,
    next_client: Arc<AtomicU32>,
}

/// One thread with its socket.
#[derive(Debug)]
struct Shard {
    address: SocketAddr,
    requests: UnboundedSender<Request>,
}

impl Hub {
    /// The address that the socket, with several shards the first one's, is really bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shards[0].address
    }

    /// The addresses of all shards' sockets.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.shards.iter().map(|shard| shard.address)
    }

    /// A new set of connections, all of one shard.
    #[must_use]
    pub fn register(&self) -> Client {
        let id = self.next_client.fetch_add(1, Ordering::Relaxed);
        let shard = &self.shards[id as usize % self.shards.len()];
        Client::join(id, shard.requests.clone())
    }
}

/// Who we are to every peer of this hub, and what all connections have in common.
pub(super) struct Identity {
    pub(super) crypto: Arc<dyn RTCCryptoProvider>,
    pub(super) certificate: Certificate,
    /// As a description says it.
    pub(super) fingerprint: String,
    pub(super) sctp: Arc<SctpConfig>,
}

impl Identity {
    fn generate() -> Result<Self, HubError> {
        let crypto = default_provider().map_err(HubError::crypto)?;
        // ECDSA on P-256, as every browser makes it. The name means nothing (RFC 8827, 6.5).
        let certificate = Certificate::generate_self_signed(["webrtc".to_owned()], crypto.crypto())
            .map_err(HubError::crypto)?;
        let fingerprint = certificate
            .certificate
            .first()
            .and_then(|der| fingerprint(crypto.as_ref(), der))
            .ok_or_else(|| HubError::crypto("it has no fingerprint"))?;
        Ok(Self {
            crypto,
            certificate,
            fingerprint,
            sctp: Arc::new(SctpConfig::new()),
        })
    }
}

/// Binds the UDP sockets and starts the hub, each shard on a thread of its own.
///
/// # Errors
/// When a socket cannot be bound, or certificate or threads cannot be made.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the caller hands both over; how many threads share them is the hub's affair"
)]
pub fn start(config: HubConfig, shutdown: Shutdown) -> Result<Hub, HubError> {
    let identity = Arc::new(Identity::generate()?);
    let count = config.shards.clamp(1, SHARDS_MAX);
    let shards: Vec<Shard> = (0..count)
        .map(|index| {
            let config = config.shard(index, count)?;
            start_shard(config, Arc::clone(&identity), shutdown.clone())
        })
        .collect::<Result<_, _>>()?;
    Ok(Hub {
        shards: shards.into(),
        next_client: Arc::new(AtomicU32::new(0)),
    })
}

impl HubConfig {
    /// What one of `count` shards gets of it.
    fn shard(&self, index: usize, count: usize) -> Result<Self, HubError> {
        let mut shard = self.clone();
        let port = match self.udp.port() {
            0 => Some(0),
            first => u16::try_from(usize::from(first) + index).ok(),
        };
        shard.udp.set_port(port.ok_or(HubError::Ports {
            udp: self.udp,
            shards: count,
        })?);
        shard.peers_max = self.peers_max.div_ceil(count);
        shard.offers_max = self.offers_max.div_ceil(count);
        Ok(shard)
    }
}

fn start_shard(
    config: HubConfig,
    identity: Arc<Identity>,
    shutdown: Shutdown,
) -> Result<Shard, HubError> {
    let socket = udp_socket(config.udp, false)?;
    let address = socket.local_addr()?;
    let advertised = advertised(address, &config.external_ips);
    if advertised.is_empty() {
        return Err(HubError::NoAddress(config.udp));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let socket = {
        let _inside = runtime.enter();
        Socket::new(socket)?
    };
    tracing::debug!(?advertised, "WebRTC hub listens");
    let mux = Mux::new(config, identity, advertised);
    let (requests, receiver) = unbounded_channel();
    thread::Builder::new()
        .name("webrtc".to_owned())
        .spawn(move || runtime.block_on(run(mux, socket, receiver, shutdown)))?;
    Ok(Shard { address, requests })
}
