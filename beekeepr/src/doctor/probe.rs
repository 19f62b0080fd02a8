//! One request and its response, over each transport.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use beekeepr_stun_core::client::{self, Response, TransactionId};
use beekeepr_stun_core::{Change, Frame, STREAM_MESSAGE_BYTES_MAX, frame};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::stun_url::{StunUrl, Transport};

/// Waits for the answer to each datagram sent (RFC 8489 section 6.2.1, ended earlier than there: who
/// looks at the screen does not wait 40 s).
const WAITS: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// For connecting, the TLS handshake and the answer, each.
const STREAM_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest datagram of interest: answers have at most 124 bytes when nothing is padded.
const DATAGRAM_BYTES_MAX: usize = 1500;

/// What a server said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// This machine's address as the server saw it.
    pub(super) mapped: SocketAddr,
    /// The server's other address, with RFC 5780.
    pub(super) other: Option<SocketAddr>,
    /// From the request that was answered to its answer.
    pub(super) round_trip: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum ProbeError {
    /// Nothing came back.
    Silent,
    /// The connection was refused.
    Connect(io::Error),
    /// The connection was made, or not even that, and nothing came back.
    Slow,
    /// The TLS handshake failed.
    Tls(io::Error),
    /// An error response.
    Refused(u16),
    /// What came back was no answer.
    Strange,
    /// This machine cannot ask at all.
    System(io::Error),
}

impl std::fmt::Display for ProbeError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silent => write!(formatter, "no answer to {} requests", WAITS.len()),
            Self::Connect(error) => write!(formatter, "no connection: {error}"),
            Self::Slow => write!(formatter, "no answer within {STREAM_TIMEOUT:?}"),
            Self::Tls(error) => write!(formatter, "no TLS: {error}"),
            Self::Refused(code) => write!(formatter, "refused with error {code}"),
            Self::Strange => formatter.write_str("what came back was no STUN answer"),
            Self::System(error) => write!(formatter, "cannot send: {error}"),
        }
    }
}

/// Asks the server at one of its addresses.
pub(super) async fn ask(url: &StunUrl, address: SocketAddr) -> Result<Answer, ProbeError> {
    match url.transport {
        Transport::Udp => {
            let socket = socket(address).await.map_err(ProbeError::System)?;
            ask_udp(&socket, address, Change::NONE).await
        }
        Transport::Tcp => ask_stream(connect(address).await?).await,
        Transport::Tls => {
            let stream = connect(address).await?;
            let failed = |error| ProbeError::Tls(io::Error::other(error));
            let name = ServerName::try_from(url.host.clone()).map_err(io::Error::other);
            let connector = TlsConnector::from(tls_config().map_err(failed)?);
            let handshake = connector.connect(name.map_err(ProbeError::Tls)?, stream);
            let handshake = timeout(STREAM_TIMEOUT, handshake).await;
            let stream = handshake.map_err(|_| ProbeError::Slow)?;
            ask_stream(stream.map_err(ProbeError::Tls)?).await
        }
    }
}

/// A free UDP socket of the server's family that hears from everybody.
pub(super) async fn socket(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    UdpSocket::bind(any).await
}

/// Asks over UDP; the answer may come from anywhere.
pub(super) async fn ask_udp(
    socket: &UdpSocket,
    server: SocketAddr,
    change: Change,
) -> Result<Answer, ProbeError> {
    let id = transaction_id();
    let (request, length) = client::request(id, change);
    for wait in WAITS {
        let sent = Instant::now();
        let send = socket.send_to(&request[..length], server).await;
        send.map_err(ProbeError::System)?;
        while let Ok(received) = timeout_at(sent + wait, receive(socket, &id)).await {
            // A response to something else, or none: the right one may still come.
            if let Some(response) = received.map_err(ProbeError::System)? {
                return answer(&response, sent.elapsed());
            }
        }
    }
    Err(ProbeError::Silent)
}

async fn receive(socket: &UdpSocket, id: &TransactionId) -> io::Result<Option<Response>> {
    let mut bytes = [0; DATAGRAM_BYTES_MAX];
    let (length, _) = socket.recv_from(&mut bytes).await?;
    Ok(Response::read(&bytes[..length], id).ok())
}

async fn connect(address: SocketAddr) -> Result<TcpStream, ProbeError> {
    let connected = timeout(STREAM_TIMEOUT, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_| ProbeError::Slow)?;
    stream.map_err(ProbeError::Connect)
}

async fn ask_stream(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<Answer, ProbeError> {
    let id = transaction_id();
    let (request, length) = client::request(id, Change::NONE);
    let sent = Instant::now();
    let converse = async {
        stream.write_all(&request[..length]).await?;
        stream.flush().await?;
        read_message(&mut stream).await
    };
    let bytes = timeout(STREAM_TIMEOUT, converse).await;
    let bytes = bytes.map_err(|_| ProbeError::Slow)?;
    let bytes = bytes.map_err(ProbeError::Connect)?;
    let response = Response::read(&bytes, &id).map_err(|_| ProbeError::Strange)?;
    answer(&response, sent.elapsed())
}

/// The first message of a stream, or what there is of it when it does not come to its end.
async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(STREAM_MESSAGE_BYTES_MAX);
    while frame(&bytes) == Frame::Partial {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
    }
    Ok(bytes)
}

fn answer(response: &Response, round_trip: Duration) -> Result<Answer, ProbeError> {
    match (response.error, response.mapped) {
        (Some(code), _) => Err(ProbeError::Refused(code)),
        (None, None) => Err(ProbeError::Strange),
        (None, Some(mapped)) => Ok(Answer {
            mapped,
            other: response.other,
            round_trip,
        }),
    }
}

/// Trusts Mozilla's authorities and those that the system lists.
fn tls_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The standard library draws its hash keys from the system's randomness.
fn transaction_id() -> TransactionId {
    let state = RandomState::new();
    let random = [state.hash_one(0_u64), state.hash_one(1_u64)];
    let mut id = [0; 12];
    id[..8].copy_from_slice(&random[0].to_be_bytes());
    id[8..].copy_from_slice(&random[1].to_be_bytes()[..4]);
    id
}
