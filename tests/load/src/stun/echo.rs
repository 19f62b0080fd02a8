//! The limit: datagrams sent back as they came, many for each system call.

use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use anyhow::Result;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg};

use super::{BATCH, DATAGRAM_BYTES_MAX};

/// Echoes until the process is ended.
pub(crate) fn run(listen: SocketAddr) -> Result<()> {
    let socket = UdpSocket::bind(listen)?;
    let mut incoming = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let mut outgoing = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let mut buffers = vec![[0; DATAGRAM_BYTES_MAX]; BATCH];
    loop {
        let (lengths, addresses) = receive(&socket, &mut incoming, &mut buffers)?;
        let replies: Vec<[IoSlice<'_>; 1]> = buffers
            .iter()
            .zip(lengths)
            .map(|(buffer, length)| [IoSlice::new(&buffer[..length])])
            .collect();
        let fd = socket.as_raw_fd();
        sendmmsg(
            fd,
            &mut outgoing,
            &replies,
            addresses,
            [],
            MsgFlags::empty(),
        )?;
    }
}

/// Lengths and senders of what has come; waits for the first.
fn receive(
    socket: &UdpSocket,
    headers: &mut MultiHeaders<SockaddrIn>,
    buffers: &mut [[u8; DATAGRAM_BYTES_MAX]],
) -> Result<(Vec<usize>, Vec<Option<SockaddrIn>>)> {
    let mut slices: Vec<[IoSliceMut<'_>; 1]> =
        buffers.iter_mut().map(|it| [IoSliceMut::new(it)]).collect();
    let (fd, wait) = (socket.as_raw_fd(), MsgFlags::MSG_WAITFORONE);
    let received = recvmmsg(fd, headers, slices.iter_mut(), wait, None)?;
    Ok(received
        .map(|message| (message.bytes, message.address))
        .unzip())
}
