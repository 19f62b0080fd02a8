//! A UDP socket that receives in batches and answers from the address that was asked.
//!
//! The only place that knows how datagrams get in and out of the system.

use std::array;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::io::Interest;

/// Messages taken in one system call; what the kernel interface of quinn-udp takes at most.
const BATCH: usize = quinn_udp::BATCH_SIZE;

/// Room for one message. The kernel joins datagrams of one source that come in a row (UDP GRO), up
/// to 64: that many requests of a browser (20 bytes) fit. Longer ones are cut, and then dropped for
/// their length; nothing a STUN client sends to a server comes near it.
const MESSAGE_BYTES_MAX: usize = 4096;

/// A bound socket, registered with the runtime.
#[derive(Debug)]
pub(crate) struct Socket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
}

/// Memory for received messages, used again for every batch.
#[derive(Debug)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH],
    count: usize,
}

/// A datagram, where it came from and where it was sent to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datagram<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) source: SocketAddr,
    /// `None` when the system did not tell.
    pub(crate) asked: Option<IpAddr>,
}

impl Socket {
    /// Takes a bound, non-blocking socket and has it tell which address each datagram was sent to.
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self {
            io: tokio::net::UdpSocket::from_std(socket)?,
            state,
        })
    }

    /// Waits until something has come and takes as much of it as the batch holds.
    pub(crate) async fn receive(&self, batch: &mut Batch) -> io::Result<()> {
        let Batch {
            bytes,
            metas,
            count,
        } = batch;
        *count = 0;
        let receive = || {
            let mut parts = bytes.chunks_exact_mut(MESSAGE_BYTES_MAX);
            let mut slices: [IoSliceMut<'_>; BATCH] =
                array::from_fn(|_| IoSliceMut::new(parts.next().unwrap_or_default()));
            self.state
                .recv(UdpSockRef::from(&self.io), &mut slices, metas)
        };
        *count = self.io.async_io(Interest::READABLE, receive).await?;
        Ok(())
    }

    /// Sends an answer without waiting: when the system has no room for it now, the client's own
    /// repetition serves it better than a late answer.
    pub(crate) fn send(&self, answer: &[u8], to: &Datagram<'_>) -> io::Result<()> {
        let transmit = Transmit {
            destination: to.source,
            ecn: None,
            contents: answer,
            segment_size: None,
            src_ip: to.asked,
        };
        self.state.try_send(UdpSockRef::from(&self.io), &transmit)
    }
}

impl Batch {
    pub(crate) fn new() -> Self {
        let metas = [RecvMeta::default(); BATCH];
        Self {
            bytes: vec![0; BATCH * MESSAGE_BYTES_MAX],
            metas,
            count: 0,
        }
    }

    /// What the last receive brought, with joined datagrams taken apart again.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        let messages = self.bytes.chunks_exact(MESSAGE_BYTES_MAX).zip(&self.metas);
        messages.take(self.count).flat_map(|(bytes, meta)| {
            let bytes = &bytes[..meta.len.min(MESSAGE_BYTES_MAX)];
            // An empty datagram has no stride; it has nothing to answer either.
            let parts = bytes.chunks(meta.stride.max(1));
            parts.map(|bytes| Datagram {
                bytes,
                source: meta.addr,
                asked: meta.dst_ip,
            })
        })
    }
}
