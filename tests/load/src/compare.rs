//! The same load on several trackers, turn by turn.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::Load;
use crate::process::{self, Server};
use crate::report::{self, announces_per_second, us_per_announce};
use crate::tracker::{self, Report};

/// Longest time a server may take until it listens.
const START_TIME_MAX: Duration = Duration::from_secs(10);

/// The npm tracker, started by a script beside its packages.
const BITTORRENT_TRACKER: &str = "tests/interop/servers/bittorrent-tracker.mjs";

pub(crate) fn trackers(beekeepr: &Path, rounds: usize, core: usize, load: &Load) -> Result<()> {
    ensure!(
        beekeepr.exists(),
        "{} is not there; build it with: cargo build --release -p beekeepr",
        beekeepr.display()
    );
    process::stay_off(core)?;
    let mut runs = Vec::new();
    for round in 1..=rounds {
        for rival in [Rival::Beekeepr, Rival::BittorrentTracker] {
            let report = rival.run(beekeepr, core, load)?;
            runs.push((format!("{} {round}", rival.name()), report));
        }
    }
    report::print(&runs);
    let middle = |rival: Rival, figure: fn(&Report) -> f64| {
        let of = runs
            .iter()
            .filter(|(name, _)| name.starts_with(rival.name()));
        report::median(of.map(|(_, report)| figure(report)).collect())
    };
    let ratio = |figure| middle(Rival::Beekeepr, figure) / middle(Rival::BittorrentTracker, figure);
    eprintln!(
        "medians: announces/s {:.2} times bittorrent-tracker's, CPU per announce {:.2} times",
        ratio(announces_per_second),
        ratio(us_per_announce),
    );
    Ok(())
}

#[derive(Clone, Copy)]
enum Rival {
    Beekeepr,
    BittorrentTracker,
}

impl Rival {
    const fn name(self) -> &'static str {
        match self {
            Self::Beekeepr => "beekeepr",
            Self::BittorrentTracker => "bittorrent-tracker",
        }
    }

    fn run(self, beekeepr: &Path, core: usize, load: &Load) -> Result<Report> {
        let address = free_address()?;
        let mut command = match self {
            Self::Beekeepr => {
                let mut command = process::pinned(core, &beekeepr.display().to_string());
                command.args([
                    "tracker",
                    "--workers",
                    "1",
                    "--listen",
                    &address.to_string(),
                ]);
                command.args(["--admin-listen", "127.0.0.1:0"]);
                command
            }
            Self::BittorrentTracker => {
                let mut command = process::pinned(core, "node");
                command.args([BITTORRENT_TRACKER, &address.port().to_string()]);
                command
            }
        };
        let server = start(&mut command, address)?;
        tracker::run(address, Some(server.0.id()), load)
    }
}

fn start(command: &mut Command, address: SocketAddr) -> Result<Server> {
    let child = command
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let mut server = Server(child);
    let deadline = Instant::now() + START_TIME_MAX;
    while TcpStream::connect(address).is_err() {
        ensure!(server.0.try_wait()?.is_none(), "{command:?} has ended");
        ensure!(Instant::now() < deadline, "{command:?} does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

/// An address that nobody else listens on right now.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
