//! A closed loop of Binding requests, each reply checked.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo};
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmsg};

use super::{BATCH, DATAGRAM_BYTES_MAX};
use crate::process;

/// When no reply comes for so long, what is under way is taken for lost.
const LOST_AFTER: Duration = Duration::from_millis(50);

/// What the clients do.
#[derive(Args, Clone, Debug)]
pub(crate) struct Load {
    /// Addresses that requests come from, in turn; without it each request comes from a new one.
    #[arg(long)]
    pub(crate) sources: Option<u32>,
    /// Requests under way at a time.
    #[arg(long, default_value_t = 512)]
    pub(crate) window: usize,
    /// Seconds before counting begins.
    #[arg(long, default_value = "1", value_parser = crate::seconds)]
    pub(crate) warm_up: Duration,
    /// Seconds that are counted.
    #[arg(long, default_value = "3", value_parser = crate::seconds)]
    pub(crate) time: Duration,
    /// The server echoes instead of answering.
    #[arg(long)]
    pub(crate) echo: bool,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) per_second: f64,
    /// Answers for each second of the server's CPU time.
    pub(crate) per_cpu_second: f64,
    pub(crate) lost: u64,
    pub(crate) reply_bytes: usize,
    pub(crate) rss_kib: u64,
}

/// Sends requests until the time is over. The server must be on this machine, on 127.0.0.1.
pub(crate) fn run(server: SocketAddrV4, pid: u32, load: &Load) -> Result<Report> {
    ensure!(
        server.ip().is_loopback(),
        "{server}: sources are in 127.0.0.0/8, so the server must be too"
    );
    let mut client = Client::new(server, load)?;
    client.run_for(load.warm_up)?;
    client.answered = 0;
    client.lost = 0;
    let cpu = process::cpu_seconds(pid)?;
    let start = Instant::now();
    client.run_for(load.time)?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = process::cpu_seconds(pid)? - cpu;
    Ok(Report {
        per_second: client.answered as f64 / seconds,
        per_cpu_second: client.answered as f64 / cpu,
        lost: client.lost,
        reply_bytes: client.reply_bytes,
        rss_kib: process::rss_kib(pid)?,
    })
}

struct Client<'a> {
    load: &'a Load,
    server: SockaddrIn,
    socket: UdpSocket,
    port: u16,
    headers: MultiHeaders<SockaddrIn>,
    buffers: Vec<[u8; DATAGRAM_BYTES_MAX]>,
    sent: u32,
    under_way: usize,
    answered: u64,
    lost: u64,
    reply_bytes: usize,
}

impl<'a> Client<'a> {
    fn new(server: SocketAddrV4, load: &'a Load) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            load,
            server: SockaddrIn::from(server),
            port: socket.local_addr()?.port(),
            socket,
            headers: MultiHeaders::preallocate(BATCH, None),
            buffers: vec![[0; DATAGRAM_BYTES_MAX]; BATCH],
            sent: 0,
            under_way: 0,
            answered: 0,
            lost: 0,
            reply_bytes: 0,
        })
    }

    fn run_for(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        let mut last_reply = Instant::now();
        while Instant::now() < end {
            while self.under_way < self.load.window {
                self.send()?;
            }
            if self.receive()? > 0 {
                last_reply = Instant::now();
            } else if last_reply.elapsed() > LOST_AFTER {
                self.lost += self.under_way as u64;
                self.under_way = 0;
                last_reply = Instant::now();
            }
        }
        Ok(())
    }

    /// Sends a request from the next address, which the transaction id names.
    fn send(&mut self) -> Result<()> {
        let source = source(
            self.load
                .sources
                .map_or(self.sent, |sources| self.sent % sources),
        );
        let mut request = *b"\x00\x01\x00\x00\x21\x12\xa4\x42....beekeepr";
        request[8..12].copy_from_slice(&source.octets());
        let from = in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: in_addr {
                s_addr: u32::from_ne_bytes(source.octets()),
            },
            ipi_addr: in_addr { s_addr: 0 },
        };
        let sent = sendmsg(
            self.socket.as_raw_fd(),
            &[IoSlice::new(&request)],
            &[ControlMessage::Ipv4PacketInfo(&from)],
            MsgFlags::empty(),
            Some(&self.server),
        );
        match sent {
            Ok(_) => {
                self.sent = self.sent.wrapping_add(1);
                self.under_way += 1;
                Ok(())
            }
            Err(Errno::EAGAIN | Errno::ENOBUFS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The lengths of the datagrams that have come; they are in the first buffers.
    fn receive_batch(&mut self) -> Result<Vec<usize>> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> = self
            .buffers
            .iter_mut()
            .map(|it| [IoSliceMut::new(it)])
            .collect();
        let (fd, now) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        match recvmmsg(fd, &mut self.headers, slices.iter_mut(), now, None) {
            Ok(messages) => Ok(messages.map(|message| message.bytes).collect()),
            Err(Errno::EAGAIN) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn receive(&mut self) -> Result<usize> {
        let lengths = self.receive_batch()?;
        for (buffer, &length) in self.buffers.iter().zip(&lengths) {
            let reply = &buffer[..length];
            let is_right = if self.load.echo {
                length == 20
            } else {
                is_answer(reply, self.port)
            };
            ensure!(is_right, "wrong answer: {reply:02x?}");
            self.reply_bytes = length;
            self.under_way = self.under_way.saturating_sub(1);
            self.answered += 1;
        }
        Ok(lengths.len())
    }
}

/// Address number `number` of 127.1.0.0 and up; they repeat after eight million.
fn source(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x7f01_0000 + number % 0x7f_0000)
}

/// Whether the reply is a success with the address that its transaction id names (RFC 8489, 14.2).
fn is_answer(reply: &[u8], port: u16) -> bool {
    let Some(source) = reply.get(8..12) else {
        return false;
    };
    let mut address = vec![0, 0x20, 0, 8, 0, 1];
    address.extend((port ^ 0x2112).to_be_bytes());
    address.extend(
        source
            .iter()
            .zip(0x2112_a442_u32.to_be_bytes())
            .map(|(byte, key)| byte ^ key),
    );
    reply.starts_with(&[1, 1]) && reply.windows(address.len()).any(|it| it == address)
}
