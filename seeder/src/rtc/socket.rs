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

/// Bytes that we ask the kernel to hold in each direction; it gives at most `net.core.[rw]mem_max`.
/// 50 peers answer a full window each within one turn: 50 x 64 KiB.
const KERNEL_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// A datagram that came.
pub(super) struct Received<'a> {
    pub(super) from: SocketAddr,
    /// The address of ours that it came to, where the system tells.
    pub(super) to: Option<IpAddr>,
    pub(super) bytes: &'a [u8],
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
    /// Whether the datagram can join: the kernel cuts a batch into equal pieces.
    fn takes(&self, to: SocketAddr, datagram: &[u8], segments_max: usize) -> bool {
        self.to == to
            && self.count < segments_max
            && datagram.len() <= self.segment_bytes
            && self.bytes.len() == self.count * self.segment_bytes
            && self.bytes.len() + datagram.len() <= SEND_BYTES_MAX
    }
}

/// The socket with what waits to be sent.
pub(super) struct Socket {
    inner: tokio::net::UdpSocket,
    state: UdpSocketState,
    buffers: Vec<u8>,
    backlog: VecDeque<Batch>,
    backlog_bytes: usize,
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
            for bytes in slice[..meta.len].chunks(meta.stride.max(1)) {
                each(Received {
                    from: meta.addr,
                    to: meta.dst_ip,
                    bytes,
                });
            }
        }
        count == BATCHES
    }

    /// Puts a datagram in line. `from` is the address of ours to send it from.
    pub(super) fn send(&mut self, from: Option<IpAddr>, to: SocketAddr, datagram: &[u8]) {
        if self.backlog_bytes + datagram.len() > BACKLOG_BYTES_MAX {
            return;
        }
        self.backlog_bytes += datagram.len();
        let segments_max = self.state.max_gso_segments();
        if let Some(last) = self.backlog.back_mut()
            && last.takes(to, datagram, segments_max)
        {
            last.bytes.extend_from_slice(datagram);
            last.count += 1;
            return;
        }
        self.backlog.push_back(Batch {
            to,
            from,
            segment_bytes: datagram.len(),
            count: 1,
            bytes: datagram.to_vec(),
        });
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
            self.backlog_bytes -= batch.bytes.len();
            self.backlog.pop_front();
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
