//! Two network namespaces and a wire of ours between them.
//!
//! The kernel's own emulation (netem) is not in every kernel. So each side has a TUN device, and
//! threads carry the packets between them, late or not at all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sched::{CloneFlags, unshare};
use tun_rs::{DeviceBuilder, SyncDevice};

use super::path::{Path, Shape};

/// Links of one machine at a time: the numbers of the third byte of 10.98.0.0/16.
const LINKS_MAX: u8 = 255;

/// Packets on the way in one direction; 50 ms at 1 Gbit/s are 4,200.
const UNDER_WAY_MAX: usize = 65_536;

/// Of a packet. The internet's usual 1,500.
const MTU: u16 = 1_500;

/// A wait that nothing ends.
const IDLE: Duration = Duration::from_secs(3_600);

/// Starts a command inside the namespace.
type Job = (Command, mpsc::Sender<std::io::Result<Child>>);

/// A namespace that is reached over an adverse network, as long as this value lives.
#[derive(Debug)]
pub(crate) struct Link {
    number: u8,
    jobs: mpsc::Sender<Job>,
}

impl Link {
    /// Makes the namespace and begins to relay.
    pub(crate) fn start(shape: Shape) -> Result<Self> {
        let (number, outer) = first_free()?;
        let (jobs, inbox) = mpsc::channel();
        let (reply, inner) = mpsc::channel();
        thread::Builder::new()
            .name("namespace".to_owned())
            .spawn(move || live_inside(number, &reply, &inbox))?;
        let inner = inner.recv().context("the namespace's thread has ended")??;
        let (outer, inner) = (Arc::new(outer), Arc::new(inner));
        carry(&outer, &inner, Path::new(shape, 1))?;
        carry(&inner, &outer, Path::new(shape, 2))?;
        Ok(Self { number, jobs })
    }

    /// Our address as seen from inside.
    pub(crate) fn outside(&self) -> IpAddr {
        address(self.number, 1).into()
    }

    /// The namespace's address.
    pub(crate) fn inside(&self) -> IpAddr {
        address(self.number, 2).into()
    }

    /// Starts a command inside the namespace.
    pub(crate) fn spawn(&self, command: Command) -> Result<Child> {
        let told = format!("{command:?}");
        let (reply, child) = mpsc::channel();
        self.jobs
            .send((command, reply))
            .ok()
            .context("the namespace has ended")?;
        let child = child.recv().context("the namespace has ended")?;
        child.with_context(|| format!("cannot run {told}"))
    }
}

fn address(number: u8, end: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 98, number, end)
}

/// The first number whose device nobody has.
fn first_free() -> Result<(u8, SyncDevice)> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "a relay makes network namespaces and devices: run it as root"
    );
    for number in 0..LINKS_MAX {
        match device(number, 1) {
            Ok(device) => return Ok((number, device)),
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(error),
        }
    }
    bail!("all {LINKS_MAX} relays of this machine are taken")
}

fn is_taken(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.raw_os_error() == Some(nix::errno::Errno::EBUSY as i32))
}

/// A TUN device of the thread's namespace, with the address of this end. It goes with its value.
fn device(number: u8, end: u8) -> Result<SyncDevice> {
    let name = format!("adverse{number}");
    let device = DeviceBuilder::new()
        .name(&name)
        .enable(false)
        .build_sync()?;
    let address = format!("{}/24", address(number, end));
    ip(&["address", "add", &address, "dev", &name])?;
    ip(&[
        "link",
        "set",
        &name,
        "up",
        "mtu",
        &MTU.to_string(),
        "txqueuelen",
        "1000",
    ])?;
    Ok(device)
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .context("cannot run ip (package iproute2)")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "ip {}: {error}",
        arguments.join(" ")
    );
    Ok(())
}

/// What the namespace's thread does: whoever it starts is inside.
fn live_inside(number: u8, reply: &mpsc::Sender<Result<SyncDevice>>, jobs: &Receiver<Job>) {
    let made = enter().and_then(|()| {
        let device = device(number, 2)?;
        // Also for multicast, without which mDNS cannot start.
        ip(&["route", "add", "default", "dev", &device.name()?])?;
        Ok(device)
    });
    // Whoever started us waits for it.
    let _ = reply.send(made);
    while let Ok((mut command, reply)) = jobs.recv() {
        let _ = reply.send(command.spawn());
    }
}

fn enter() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("cannot make a network namespace")?;
    ip(&["link", "set", "lo", "up"])
}

/// Carries packets in one direction until the process ends.
fn carry(from: &Arc<SyncDevice>, to: &Arc<SyncDevice>, path: Path) -> Result<()> {
    let (sender, receiver) = mpsc::sync_channel(UNDER_WAY_MAX);
    let (from, to) = (Arc::clone(from), Arc::clone(to));
    let named = |name: &str| thread::Builder::new().name(name.to_owned());
    named("relay-in").spawn(move || take(&from, path, &sender))?;
    named("relay-out").spawn(move || give(&to, &receiver))?;
    Ok(())
}

/// A packet that arrives then. The number keeps the order of those that arrive together.
type Packet = (Instant, u64, Vec<u8>);

fn take(from: &SyncDevice, mut path: Path, sender: &SyncSender<Packet>) {
    let mut buffer = vec![0; usize::from(MTU)];
    for number in 0.. {
        let Ok(bytes) = from.recv(&mut buffer) else {
            return;
        };
        if let Some(at) = path.pass(Instant::now(), bytes) {
            // Full: as a router, drop it.
            let _ = sender.try_send((at, number, buffer[..bytes].to_vec()));
        }
    }
}

fn give(to: &SyncDevice, receiver: &Receiver<Packet>) {
    let mut waiting: BinaryHeap<Reverse<Packet>> = BinaryHeap::new();
    loop {
        let now = Instant::now();
        while let Some(Reverse((at, _, packet))) = waiting.peek()
            && *at <= now
        {
            // A device that is down loses packets, as networks do.
            let _ = to.send(packet);
            waiting.pop();
        }
        let wait = waiting.peek().map_or(IDLE, |Reverse((at, _, _))| {
            at.saturating_duration_since(Instant::now())
        });
        match receiver.recv_timeout(wait) {
            Ok(packet) => waiting.push(Reverse(packet)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
