//! The same requests to our server, coturn and a bare echo, turn by turn, in a network of their own.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::requests::{self, Load, Report};
use crate::process::{self, Server};
use crate::report::median;

/// coturn sets up its relay ports for 5 to 7 s before it answers (4.6.1, measured).
const START_TIME_MAX: Duration = Duration::from_secs(20);

/// Tells the process within the new network namespace that it is there.
const INSIDE: &str = "BEEKEEPR_LOAD_INSIDE";

const PORT: u16 = 3478;

#[derive(Clone, Copy)]
enum Rival {
    Beekeepr,
    Coturn,
    Echo,
}

const RIVALS: [Rival; 3] = [Rival::Beekeepr, Rival::Coturn, Rival::Echo];

/// Runs the comparison with new addresses and with 64. `options` go to our server.
pub(crate) fn servers(
    beekeepr: &Path,
    options: &[String],
    rounds: usize,
    core: usize,
    load: &Load,
) -> Result<()> {
    if std::env::var_os(INSIDE).is_none() {
        return enter_own_network();
    }
    ensure!(
        beekeepr.exists(),
        "{} is not there; build it with: cargo build --release -p beekeepr",
        beekeepr.display()
    );
    process::stay_off(core)?;
    for sources in [None, Some(64)] {
        let load = Load {
            sources,
            ..load.clone()
        };
        compare(beekeepr, options, rounds, core, &load)?;
    }
    Ok(())
}

/// Nobody's firewall rules and connection tracking: they cost more than a STUN server.
fn enter_own_network() -> Result<()> {
    let own = std::env::current_exe()?;
    let error = Command::new("unshare")
        .args([
            "--net",
            "--map-root-user",
            "sh",
            "-c",
            "ip link set lo up && exec \"$@\"",
            "sh",
        ])
        .arg(own)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    bail!("cannot run unshare (package util-linux): {error}")
}

fn compare(
    beekeepr: &Path,
    options: &[String],
    rounds: usize,
    core: usize,
    load: &Load,
) -> Result<()> {
    let what = load
        .sources
        .map_or("each from a new address".to_owned(), |it| {
            format!("{it} addresses")
        });
    eprintln!(
        "requests: {what}\nserver        answers/CPU-s  answers/s    lost  reply bytes  rss MiB"
    );
    let mut per_cpu_second = RIVALS.map(|_| Vec::new());
    for _ in 0..rounds {
        for (rival, figures) in RIVALS.iter().zip(&mut per_cpu_second) {
            let report = rival.run(beekeepr, options, core, load)?;
            eprintln!("{}", line(rival.name(), &report));
            figures.push(report.per_cpu_second);
        }
    }
    let [own, coturn, echo] = per_cpu_second.map(median);
    eprintln!(
        "medians: {own:.0} answers for a CPU second, {:.2} times coturn's, {:.2} times the echo's\n",
        own / coturn,
        own / echo
    );
    Ok(())
}

fn line(name: &str, report: &Report) -> String {
    format!(
        "{name:<12} {:>14.0} {:>10.0} {:>7} {:>12} {:>8.1}",
        report.per_cpu_second,
        report.per_second,
        report.lost,
        report.reply_bytes,
        report.rss_kib as f64 / 1024.0
    )
}

impl Rival {
    const fn name(self) -> &'static str {
        match self {
            Self::Beekeepr => "beekeepr",
            Self::Coturn => "coturn",
            Self::Echo => "echo",
        }
    }

    fn run(self, beekeepr: &Path, options: &[String], core: usize, load: &Load) -> Result<Report> {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT);
        let mut command = match self {
            Self::Beekeepr => {
                let mut command = process::pinned(core, &beekeepr.display().to_string());
                command.args(["stun", "--workers", "1", "--admin-listen", "127.0.0.1:0"]);
                command
                    .args(["--listen", &address.to_string()])
                    .args(options);
                command
            }
            Self::Coturn => {
                let mut command = process::pinned(core, "turnserver");
                command.args(["-S", "-m", "1", "-L", "127.0.0.1", "-p", &PORT.to_string()]);
                command.args(["--no-tcp", "--no-tls", "--no-dtls", "--no-cli"]);
                command.args([
                    "--min-port",
                    "49152",
                    "--max-port",
                    "49160",
                    "--log-file",
                    "stdout",
                ]);
                command
            }
            Self::Echo => {
                let own = std::env::current_exe()?;
                let mut command = process::pinned(core, &own.display().to_string());
                command.args(["stun-echo", "--listen", &address.to_string()]);
                command
            }
        };
        let server = start(&mut command, address)?;
        let load = Load {
            echo: matches!(self, Self::Echo),
            ..load.clone()
        };
        requests::run(address, server.0.id(), &load).context(self.name())
    }
}

/// Starts a server and waits until it answers.
fn start(command: &mut Command, address: SocketAddrV4) -> Result<Server> {
    let child = command.stdout(Stdio::null()).spawn();
    let mut server = Server(child.with_context(|| format!("cannot run {command:?}"))?);
    let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    probe.set_read_timeout(Some(Duration::from_millis(50)))?;
    probe.connect(address)?;
    let deadline = Instant::now() + START_TIME_MAX;
    let mut reply = [0; 256];
    loop {
        // Refused as long as nobody listens.
        let asked = probe.send(b"\x00\x01\x00\x00\x21\x12\xa4\x42probe_______");
        if asked.is_ok() && probe.recv(&mut reply).is_ok() {
            return Ok(server);
        }
        ensure!(server.0.try_wait()?.is_none(), "{command:?} has ended");
        ensure!(Instant::now() < deadline, "{command:?} does not answer");
    }
}
