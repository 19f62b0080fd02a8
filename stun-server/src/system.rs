//! Linux: many datagrams in one system call, each with the address that it was sent to.
//!
//! The only place with unsafe code. Everything that the kernel reads or writes lies in the boxes of
//! [`System`] and of the boxes handed in; all pointers are made right before the call from references
//! that outlive it, and are not used after it. What the kernel has written is then read as bytes.

#![expect(
    unsafe_code,
    reason = "recvmmsg and sendmmsg have no safe interface in the standard library"
)]

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use tokio::net::UdpSocket as Socket;

use crate::datagrams::{BATCH, Envelope, Inbox, Outbox};
use crate::kernel::{Control, Name};

/// Memory that the calls need besides the datagrams'.
pub(crate) struct System {
    names: Box<[Name]>,
    controls: Box<[Control]>,
    parts: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    /// The system lacks the calls, or a sandbox forbids them: one datagram at a time then.
    is_single: bool,
}

/// Has the socket tell which address each datagram was sent to.
pub(crate) fn tell_asked(socket: &UdpSocket) -> io::Result<()> {
    let (level, option) = match socket.local_addr()? {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    set(socket, level, option, 1)
}

/// Whether routers may take the socket's datagrams apart. Those that nobody may need no number by
/// which they would be put together again, and to draw that number is the dearest part of sending
/// over IPv4 (15 % of a request's time when every answer has another destination). IPv6 draws none.
pub(crate) fn allow_fragments(socket: &impl AsFd, are_allowed: bool) -> io::Result<()> {
    let mode = if are_allowed {
        libc::IP_PMTUDISC_DONT
    } else {
        libc::IP_PMTUDISC_PROBE
    };
    set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, mode)
}

fn set(
    socket: &impl AsFd,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let fd = socket.as_fd().as_raw_fd();
    let bytes = mem::size_of_val(&value) as libc::socklen_t;
    // SAFETY: the descriptor is open, and the value is an int of the length that is told.
    let result =
        unsafe { libc::setsockopt(fd, level, option, ptr::from_ref(&value).cast(), bytes) };
    check(result as isize).map(drop)
}

impl System {
    pub(crate) fn new() -> Self {
        // SAFETY: both are plain C structures, for which zeroes are null pointers and no lengths.
        let (part, header): (libc::iovec, libc::mmsghdr) = unsafe { mem::zeroed() };
        Self {
            names: vec![Name::default(); BATCH].into_boxed_slice(),
            controls: vec![Control::default(); BATCH].into_boxed_slice(),
            parts: vec![part; BATCH].into_boxed_slice(),
            headers: vec![header; BATCH].into_boxed_slice(),
            is_single: false,
        }
    }

    /// Takes what has come, a batch at most, without waiting.
    pub(crate) fn receive(&mut self, socket: &Socket, inbox: &mut Inbox) -> io::Result<()> {
        inbox.envelopes.clear();
        self.prepare_receive(inbox);
        let count = self.call(socket, BATCH, receive_many, receive_one)?;
        for index in 0..count {
            let header = &self.headers[index];
            let source = self.names[index].address();
            // Something else than an IP address cannot come through an IP socket.
            let source = source.unwrap_or_else(|| SocketAddr::from(([0; 4], 0)));
            inbox.envelopes.push(Envelope {
                bytes: header.msg_len as usize,
                source,
                asked: self.controls[index].asked(),
            });
        }
        Ok(())
    }

    /// Sends all letters without waiting, and tells how many the system did not take: when it has no
    /// room now, the client's own repetition serves it better than a late answer.
    pub(crate) fn send(&mut self, socket: &Socket, outbox: &Outbox) -> usize {
        let count = outbox.letters.len().min(BATCH);
        self.prepare_send(outbox);
        let mut done = 0;
        let mut unsent = outbox.letters.len() - count;
        while done < count {
            let step = match self.call(socket, count - done, send_many, send_one) {
                Ok(sent) => sent.max(1),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return unsent + count - done;
                }
                Err(error) => {
                    tracing::debug!(%error, "answer not sent");
                    unsent += 1;
                    1
                }
            };
            done += step;
            if done < count {
                // The rest moves to the beginning.
                self.headers.rotate_left(step);
            }
        }
        unsent
    }

    fn prepare_receive(&mut self, inbox: &mut Inbox) {
        let Self {
            names,
            controls,
            parts,
            headers,
            ..
        } = self;
        for index in 0..BATCH {
            let bytes = &mut inbox.bytes[index];
            parts[index].iov_base = bytes.as_mut_ptr().cast();
            parts[index].iov_len = bytes.len();
            let header = &mut headers[index].msg_hdr;
            header.msg_name = names[index].bytes.as_mut_ptr().cast();
            header.msg_namelen = names[index].bytes.len() as _;
            header.msg_iov = &raw mut parts[index];
            header.msg_iovlen = 1;
            header.msg_control = controls[index].bytes.as_mut_ptr().cast();
            header.msg_controllen = controls[index].clear() as _;
        }
    }

    fn prepare_send(&mut self, outbox: &Outbox) {
        let Self {
            names,
            controls,
            parts,
            headers,
            ..
        } = self;
        for (index, letter) in outbox.letters.iter().take(BATCH).enumerate() {
            let bytes = outbox.content(letter);
            // The kernel only reads it; the type has no room for that promise.
            parts[index].iov_base = bytes.as_ptr().cast_mut().cast();
            parts[index].iov_len = bytes.len();
            let name_bytes = names[index].set(letter.to);
            let control_bytes = letter.from.map_or(0, |from| controls[index].set_from(from));
            let header = &mut headers[index].msg_hdr;
            header.msg_name = names[index].bytes.as_mut_ptr().cast();
            header.msg_namelen = name_bytes as _;
            header.msg_iov = &raw mut parts[index];
            header.msg_iovlen = 1;
            header.msg_control = match control_bytes {
                0 => ptr::null_mut(),
                _ => controls[index].bytes.as_mut_ptr().cast(),
            };
            header.msg_controllen = control_bytes as _;
        }
    }

    /// Makes the call for the first headers: for all at once, or for one where that is not possible.
    fn call(
        &mut self,
        socket: &Socket,
        count: usize,
        many: fn(libc::c_int, &mut [libc::mmsghdr]) -> io::Result<usize>,
        one: fn(libc::c_int, &mut libc::mmsghdr) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let fd = socket.as_raw_fd();
        loop {
            let result = if self.is_single {
                one(fd, &mut self.headers[0])
            } else {
                many(fd, &mut self.headers[..count])
            };
            match result {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOSYS) && !self.is_single => {
                    tracing::info!("the system has no recvmmsg: one datagram at a time");
                    self.is_single = true;
                }
                done => return done,
            }
        }
    }
}

fn receive_many(fd: libc::c_int, headers: &mut [libc::mmsghdr]) -> io::Result<usize> {
    // SAFETY: the headers were prepared by `prepare_receive` in the same call of `receive`: each
    // points to memory of the told length that lives until after it.
    let result = unsafe {
        libc::recvmmsg(
            fd,
            headers.as_mut_ptr(),
            headers.len() as libc::c_uint,
            libc::MSG_DONTWAIT as _,
            ptr::null_mut(),
        )
    };
    check(result as isize)
}

fn receive_one(fd: libc::c_int, header: &mut libc::mmsghdr) -> io::Result<usize> {
    // SAFETY: as for `receive_many`.
    let result = unsafe { libc::recvmsg(fd, &raw mut header.msg_hdr, libc::MSG_DONTWAIT) };
    header.msg_len = check(result)? as libc::c_uint;
    Ok(1)
}

fn send_many(fd: libc::c_int, headers: &mut [libc::mmsghdr]) -> io::Result<usize> {
    // SAFETY: the headers were prepared by `prepare_send` in the same call of `send`: each points to
    // memory of the told length that lives until after it.
    let result = unsafe {
        libc::sendmmsg(
            fd,
            headers.as_mut_ptr(),
            headers.len() as libc::c_uint,
            libc::MSG_DONTWAIT as _,
        )
    };
    check(result as isize)
}

fn send_one(fd: libc::c_int, header: &mut libc::mmsghdr) -> io::Result<usize> {
    // SAFETY: as for `send_many`.
    let result = unsafe { libc::sendmsg(fd, &raw const header.msg_hdr, libc::MSG_DONTWAIT) };
    check(result).map(|_| 1)
}

/// The count that a call gives back, or the error that it stands for.
fn check(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
