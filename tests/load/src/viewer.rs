//! One viewer's connection.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{self, Duration};

use crate::Load;
use crate::message::{self, Peer, Said};

/// Lost connections that are told one by one; of the others the number.
const ERRORS_SHOWN_MAX: u64 = 3;

/// How long a lost connection waits before the next attempt.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// What all viewers of a run share.
pub(crate) struct Run {
    pub(crate) load: Load,
    pub(crate) server: SocketAddr,
    pub(crate) started: Instant,
    pub(crate) counts: RefCell<Counts>,
    /// One buffer to read into for all: what is left of a frame stays with its connection.
    pub(crate) buffer: RefCell<Vec<u8>>,
}

/// What happened while it was counted. Latencies are in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) connections: usize,
    pub(crate) connected: u64,
    pub(crate) announces: u64,
    pub(crate) offers: u64,
    pub(crate) answers: u64,
    pub(crate) failures: u64,
    pub(crate) lost: u64,
    pub(crate) announce_us: Vec<u32>,
    pub(crate) offer_us: Vec<u32>,
    pub(crate) answer_us: Vec<u32>,
}

impl Run {
    fn now_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    fn since_us(&self, made_us: u64) -> u32 {
        u32::try_from(self.now_us().saturating_sub(made_us)).unwrap_or(u32::MAX)
    }
}

/// Keeps connection number `number` busy until the run is dropped.
pub(crate) async fn live(run: &Run, number: usize) {
    loop {
        if let Err(error) = Viewer::connect_and_talk(run, number).await {
            run.counts.borrow_mut().lost += 1;
            if run.counts.borrow().lost <= ERRORS_SHOWN_MAX {
                eprintln!("connection {number}: {error:#}");
            }
            time::sleep(RECONNECT_AFTER).await;
        }
    }
}

struct Viewer<'a> {
    run: &'a Run,
    number: usize,
    stream: TcpStream,
    peers: Vec<Peer>,
    /// When the announce of each peer went out, until it is answered.
    waiting: Vec<Option<u64>>,
    /// The beginning of a frame whose rest has not come.
    rest: Vec<u8>,
    output: Vec<u8>,
    /// Which peer announces next when the rate is given.
    turn: usize,
    finished: bool,
}

impl<'a> Viewer<'a> {
    async fn connect_and_talk(run: &'a Run, number: usize) -> Result<()> {
        let mut viewer = Self::connect(run, number).await?;
        run.counts.borrow_mut().connections += 1;
        let end = viewer.talk().await;
        run.counts.borrow_mut().connections -= 1;
        end
    }

    async fn connect(run: &'a Run, number: usize) -> Result<Self> {
        let mut stream = TcpStream::connect(run.server)
            .await
            .context("cannot connect")?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            run.server
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        let end = loop {
            if stream.read_buf(&mut head).await? == 0 {
                bail!("closed during the handshake");
            }
            if let Some(end) = memmem::find(&head, b"\r\n\r\n") {
                break end + 4;
            }
        };
        if !head.starts_with(b"HTTP/1.1 101") {
            bail!("refused: {}", String::from_utf8_lossy(&head[..end]));
        }
        run.counts.borrow_mut().connected += 1;
        let load = &run.load;
        let swarms = (0..load.swarms_per_connection)
            .map(|it| (number * load.swarms_per_connection + it) % load.swarms);
        let peers: Vec<Peer> = swarms.map(|swarm| Peer::new(load, swarm, number)).collect();
        Ok(Self {
            run,
            number,
            stream,
            waiting: vec![None; peers.len()],
            peers,
            rest: head.split_off(end),
            output: Vec::new(),
            turn: 0,
            finished: false,
        })
    }

    async fn talk(&mut self) -> Result<()> {
        let load = &self.run.load;
        let period = load
            .rate
            .map(|rate| Duration::from_secs_f64(load.connections as f64 / rate));
        match period {
            // Spread over the period, so that the rate is even.
            Some(period) => {
                let place = self.number as f64 / load.connections as f64;
                time::sleep(period.mul_f64(place)).await;
            }
            None => (0..self.peers.len()).for_each(|peer| self.announce(peer)),
        }
        let mut next = time::Instant::now();
        while !self.finished {
            self.flush().await?;
            match period {
                None => self.receive().await?,
                Some(period) => tokio::select! {
                    received = self.stream.readable() => { received?; self.receive().await? }
                    () = time::sleep_until(next) => {
                        self.announce(self.turn);
                        self.turn = (self.turn + 1) % self.peers.len();
                        next += period;
                    }
                },
            }
        }
        Ok(())
    }

    fn announce(&mut self, peer: usize) {
        let now_us = self.run.now_us();
        self.output
            .extend(self.peers[peer].announce(now_us, self.number));
        self.waiting[peer] = Some(now_us);
    }

    async fn flush(&mut self) -> Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.output.clear();
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<()> {
        self.stream.readable().await?;
        let run = self.run;
        let mut buffer = run.buffer.borrow_mut();
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let read = match self.stream.try_read(&mut buffer[kept..]) {
            Ok(0) => bail!("closed by the server"),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = &buffer[..kept + read];
        while let Some((opcode, payload, after)) = frame(bytes) {
            match opcode {
                1 => self.hear(payload),
                8 => bail!("closed by the server: {}", String::from_utf8_lossy(payload)),
                9 => self.output.extend([0x8a, 0x80, 0, 0, 0, 0]),
                _ => {}
            }
            bytes = after;
        }
        self.rest.clear();
        self.rest.extend(bytes);
        Ok(())
    }

    fn hear(&mut self, text: &[u8]) {
        let run = self.run;
        let mut counts = run.counts.borrow_mut();
        match message::read(text) {
            Said::Offer {
                info_hash,
                peer_id,
                offer_id,
            } => {
                counts.offers += 1;
                counts
                    .offer_us
                    .extend(message::made_us(offer_id).map(|made| run.since_us(made)));
                let own = self
                    .peers
                    .iter_mut()
                    .find(|peer| peer.info_hash == info_hash);
                if let Some(own) = own.filter(|_| !run.load.silent) {
                    self.output.extend(own.answer(peer_id, offer_id));
                }
            }
            Said::Answer { offer_id } => {
                counts.answers += 1;
                counts
                    .answer_us
                    .extend(message::made_us(offer_id).map(|made| run.since_us(made)));
            }
            Said::Reply => {
                counts.announces += 1;
                drop(counts);
                self.answered(text);
            }
            Said::Failure => {
                counts.failures += 1;
                drop(counts);
                self.answered(text);
            }
        }
    }

    /// An announce was answered: of the peer that the reply names, else of the first that waits.
    fn answered(&mut self, text: &[u8]) {
        let named = self
            .peers
            .iter()
            .position(|peer| memmem::find(text, &peer.info_hash).is_some());
        let Some(peer) = named.or_else(|| self.waiting.iter().position(Option::is_some)) else {
            return;
        };
        if let Some(sent_us) = self.waiting[peer].take() {
            let latency_us = self.run.since_us(sent_us);
            self.run.counts.borrow_mut().announce_us.push(latency_us);
        }
        let load = &self.run.load;
        if load.reconnect {
            self.finished = true;
        } else if load.rate.is_none() && !load.idle {
            self.announce(peer);
        }
    }
}

/// The first whole frame: opcode, payload and what follows. Servers do not mask.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match second {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        length => (usize::from(length), rest),
    };
    let (payload, after) = rest.split_at_checked(length)?;
    Some((first & 0xf, payload, after))
}
