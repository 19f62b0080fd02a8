//! The UDP socket: many datagrams per system call, in both directions.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::io::Interest;

/// Batches that one read takes.
const BATCHES: usize = 8;

/// Bytes of one batch: the most that the kernel puts together (GRO), a full IP datagram.
const BATCH_BYTES: usize = 65_536;

/// Bytes of one send: a batch must fit an IP datagram with its headers, whatever the kernel's limit
/// of segments.
const SEND_BYTES_MAX: usize = 65_000;

/// Bytes that wait while the kernel's buffer is full. What comes beyond is dropped, as the network
/// would; SCTP repeats it.
const BACKLOG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Buffers of sent batches that are kept for the next ones: a round's worth, 1 MiB at most.
const SPARE_MAX: usize = 16;

/// Bytes that we ask the kernel to hold in each direction; it gives at most `net.core.[rw]mem_max`.
/// 50 peers answer a full window each within one turn: 50 x 64 KiB.
const KERNEL_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Datagrams that came from one address, one behind the other.
pub(super) struct Received<'a> {
    pub(super) from: SocketAddr,
    /// The address of ours that they came to, where the system tells.
    pub(super) to: Option<IpAddr>,
    pub(super) bytes: &'a [u8],
    /// Bytes of each datagram; the last one may be shorter.
    pub(super) stride: usize,
}

/// Datagrams of one size to one peer, the last one maybe shorter.
struct Batch {
    to: SocketAddr,
    from: Option<IpAddr>,
    segment_bytes: usize,
    count: usize,
    bytes: Vec<u8>,
}

impl Batch {
    /// Whether a datagram can join: the kernel cuts a batch into equal pieces.
    fn takes(&self, to: SocketAddr, datagram_bytes: usize, segments_max: usize) -> bool {
        self.to == to
            && self.count < segments_max
            && datagram_bytes <= self.segment_bytes
            && self.bytes.len() == self.count * self.segment_bytes
            && self.bytes.len() + datagram_bytes <= SEND_BYTES_MAX
    }
}

/// The way to one peer.
pub(super) struct Lane<'a> {
    socket: &'a mut Socket,
    to: SocketAddr,
    from: Option<IpAddr>,
}

impl Lane<'_> {
    /// Room for one datagram at the end of what waits: the caller has to add `bytes` bytes to it.
    /// `None` when too much waits already.
    pub(super) fn room(&mut self, bytes: usize) -> Option<&mut Vec<u8>> {
        self.socket.room(self.from, self.to, bytes)
    }
}

/// The socket with what waits to be sent.
pub(super) struct Socket {
    inner: tokio::net::UdpSocket,
    state: UdpSocketState,
    buffers: Vec<u8>,
    backlog: VecDeque<Batch>,
    backlog_bytes: usize,
    /// Buffers of batches that were sent.
    spare: Vec<Vec<u8>>,
}

impl Socket {
    /// Takes a non-blocking socket. Has to be called within a tokio runtime.
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let inner = tokio::net::UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new(UdpSockRef::from(&inner))?;
        // Smaller buffers only cost speed.
        let _ = state.set_send_buffer_size(UdpSockRef::from(&inner), KERNEL_BUFFER_BYTES);
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&inner), KERNEL_BUFFER_BYTES);
        Ok(Self {
            inner,
            state,
            buffers: vec![0; BATCHES * BATCH_BYTES],
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            spare: Vec::new(),
        })
    }

    /// Returns when there may be something to receive.
    pub(super) async fn readable(&self) {
        // An error shows again, and is met, where the socket is read.
        let _ = self.inner.readable().await;
    }

    /// Returns when there may be room to send.
    pub(super) async fn writable(&self) {
        let _ = self.inner.writable().await;
    }

    /// Hands out what one read brings. Returns whether there may be more.
    pub(super) fn receive(&mut self, mut each: impl FnMut(Received<'_>)) -> bool {
        let mut meta = [RecvMeta::default(); BATCHES];
        let mut chunks = self.buffers.chunks_mut(BATCH_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCHES] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let read = self.inner.try_io(Interest::READABLE, || {
            self.state
                .recv(UdpSockRef::from(&self.inner), &mut slices, &mut meta)
        });
        // Whatever the error is (on some systems: an earlier datagram was refused), the next read
        // is worth a try once the socket is readable again.
        let Ok(count) = read else {
            return false;
        };
        for (slice, meta) in slices.iter().zip(&meta).take(count) {
            each(Received {
                from: meta.addr,
                to: meta.dst_ip,
                bytes: &slice[..meta.len],
                stride: meta.stride.max(1),
            });
        }
        count == BATCHES
    }

    /// The way to `to`. `from` is the address of ours to send from.
    pub(super) fn lane(&mut self, from: Option<IpAddr>, to: SocketAddr) -> Lane<'_> {
        Lane {
            socket: self,
            to,
            from,
        }
    }

    fn room(&mut self, from: Option<IpAddr>, to: SocketAddr, bytes: usize) -> Option<&mut Vec<u8>> {
        if self.backlog_bytes + bytes > BACKLOG_BYTES_MAX {
            return None;
        }
        self.backlog_bytes += bytes;
        let segments_max = self.state.max_gso_segments();
        let joins = self
            .backlog
            .back()
            .is_some_and(|last| last.takes(to, bytes, segments_max));
        if !joins {
            let mut buffer = self.spare.pop().unwrap_or_default();
            buffer.clear();
            self.backlog.push_back(Batch {
                to,
                from,
                segment_bytes: bytes,
                count: 0,
                bytes: buffer,
            });
        }
        let last = self.backlog.back_mut()?;
        last.count += 1;
        Some(&mut last.bytes)
    }

    /// Whether something waits for room.
    pub(super) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Sends what the kernel takes now.
    pub(super) fn flush(&mut self) {
        while let Some(batch) = self.backlog.front() {
            let sent = self
                .inner
                .try_io(Interest::WRITABLE, || self.send_batch(batch));
            if matches!(&sent, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                return;
            }
            // Any other error means this peer cannot be reached, which its time-outs notice.
            let Some(batch) = self.backlog.pop_front() else {
                return;
            };
            self.backlog_bytes = self.backlog_bytes.saturating_sub(batch.bytes.len());
            if self.spare.len() < SPARE_MAX {
                self.spare.push(batch.bytes);
            }
        }
    }

    /// Returns when all is sent.
    pub(super) async fn drain(&mut self) {
        self.flush();
        while self.has_backlog() {
            self.writable().await;
            self.flush();
        }
    }

    fn send_batch(&self, batch: &Batch) -> io::Result<()> {
        let whole = self.send_bytes(batch, &batch.bytes);
        match whole {
            // Some network devices refuse segmentation only when it is tried.
            Err(error) if batch.count > 1 && error.kind() != io::ErrorKind::WouldBlock => batch
                .bytes
                .chunks(batch.segment_bytes)
                .try_for_each(|datagram| self.send_bytes(batch, datagram)),
            whole => whole,
        }
    }

    fn send_bytes(&self, batch: &Batch, contents: &[u8]) -> io::Result<()> {
        let transmit = Transmit {
            destination: batch.to,
            ecn: None,
            contents,
            segment_size: Some(batch.segment_bytes),
            src_ip: batch.from,
        };
        self.state
            .try_send(UdpSockRef::from(&self.inner), &transmit)
    }
}
