//! STUN over TCP and TLS: one connection, one request after the other.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use beekeepr_stun_core::{DropReason, Frame, REPLY_BYTES_MAX, STREAM_MESSAGE_BYTES_MAX, frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::config::Limits;
use crate::connections::Seat;
use crate::counters::Transport;
use crate::worker::Worker;

/// How long a connection may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    idle: Duration,
    message: Duration,
}

/// A connection that has been accepted, on its way to a worker.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) peer: SocketAddr,
    /// For TLS.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) timeouts: Timeouts,
    /// Held as long as the connection is there.
    pub(crate) seat: Seat,
}

impl Timeouts {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            idle: Duration::from_secs(limits.idle_timeout_s.into()),
            message: Duration::from_secs(limits.message_timeout_s.into()),
        }
    }
}

/// Serves a connection until one side ends it.
pub(crate) async fn serve(worker: Rc<Worker>, accepted: Accepted) {
    let Accepted {
        stream,
        peer,
        tls,
        timeouts,
        seat,
    } = accepted;
    let ended = async {
        let stream = tokio::net::TcpStream::from_std(stream)?;
        // An answer is one small write; nothing is gained by waiting for more.
        stream.set_nodelay(true)?;
        match tls {
            None => converse(&worker, Transport::Tcp, stream, peer, timeouts).await,
            Some(config) => {
                let handshake = TlsAcceptor::from(config).accept(stream);
                let stream = timeout(timeouts.message, handshake).await??;
                converse(&worker, Transport::Tls, stream, peer, timeouts).await
            }
        }
    };
    if let Err(error) = ended.await {
        tracing::debug!(%error, "STUN connection ended");
    }
    drop(seat);
}

async fn converse(
    worker: &Worker,
    transport: Transport,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    timeouts: Timeouts,
) -> io::Result<()> {
    let mut inbox = [0; STREAM_MESSAGE_BYTES_MAX];
    let mut out = [0; REPLY_BYTES_MAX];
    let mut filled = 0;
    let mut deadline = Instant::now() + timeouts.idle;
    loop {
        let end = match frame(&inbox[..filled]) {
            Frame::Broken => {
                worker.counters.of(transport).dropped(DropReason::NotStun);
                break;
            }
            Frame::Partial => {
                let read = timeout_at(deadline, stream.read(&mut inbox[filled..])).await??;
                if read == 0 {
                    break;
                }
                if filled == 0 {
                    // From its first byte on, however slowly the others come.
                    deadline = Instant::now() + timeouts.message;
                }
                filled += read;
                continue;
            }
            Frame::Message(end) => end,
        };
        match worker.answer_message(transport, &inbox[..end], peer, &mut out) {
            Ok(bytes) => {
                timeout(timeouts.message, stream.write_all(&out[..bytes])).await??;
                timeout(timeouts.message, stream.flush()).await??;
            }
            Err(reason) if is_harmless(reason) => {}
            Err(_) => break,
        }
        inbox.copy_within(end..filled, 0);
        filled -= end;
        let wait = if filled == 0 {
            timeouts.idle
        } else {
            timeouts.message
        };
        deadline = Instant::now() + wait;
    }
    timeout(timeouts.message, stream.shutdown()).await?
}

/// Whether a message that gets no answer says nothing against those after it. A client that has had
/// its share waits for no answer on a closed connection.
fn is_harmless(reason: DropReason) -> bool {
    match reason {
        DropReason::Response | DropReason::Indication | DropReason::Method => true,
        DropReason::Source
        | DropReason::OwnAddress
        | DropReason::Broadcast
        | DropReason::NotStun
        | DropReason::Length
        | DropReason::Attribute
        | DropReason::Fingerprint
        | DropReason::SourceLimit
        | DropReason::TotalLimit => false,
    }
}
