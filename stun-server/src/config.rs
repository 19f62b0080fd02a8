//! The server's section of the configuration.

use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::thread;

use beekeepr_service::tls;
use serde::{Deserialize, Serialize};

use crate::advertised::Advertised;

/// Workers at most. More sockets on an address than cores gain nothing, and larger machines than
/// this do not stand in front of viewers.
const WORKERS_MAX: usize = 256;

/// Addresses of one kind at most: a handful are in use anywhere, and every datagram's source is
/// compared with all of them.
const ADDRESSES_MAX: usize = 16;

/// STUN's port (RFC 8489 section 18.6).
const PORT: u16 = 3478;

/// Settings of the STUN server; the section `[stun]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// UDP addresses to answer on, IP:PORT; port 0 takes a free one. `0.0.0.0` and `[::]` stand for
    /// all addresses of one family; replies come from the address that was asked.
    pub listen: Vec<SocketAddr>,
    /// TCP addresses to answer on; none by default, for browsers use UDP alone.
    pub tcp_listen: Vec<SocketAddr>,
    /// TCP addresses to answer on over TLS (`stuns:`, usually port 5349); they need `stun.tls`.
    pub tls_listen: Vec<SocketAddr>,
    /// Second addresses for RFC 5780, by which clients find out how their NAT behaves: one for each
    /// address family at most. It goes with the first address of its family in `stun.listen`, and
    /// neither may be `0.0.0.0` or `[::]`. Both ports are opened on both addresses; when they are the
    /// same, the second is the next higher one. Answers grow from 32 to 68 bytes.
    pub alternate: Vec<SocketAddr>,
    /// Public addresses of local ones, LOCAL_IP=PUBLIC_IP each, where a cloud translates one to the
    /// other; RFC 5780 tells clients the public ones.
    pub advertised: Vec<Advertised>,
    /// Threads, each with a socket of its own for each UDP address: 1 to 256, or 0 for one for each
    /// core that the process may use. One answers some 200,000 requests a second.
    pub workers: usize,
    /// Seconds for which requests are still answered after the process was asked to end, 0 to 300;
    /// for load balancers that need some time to notice.
    pub drain_s: u32,
    /// How much one server gives.
    pub limits: Limits,
    /// Certificate and key for `stun.tls_listen`; new files are taken without a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<tls::Config>,
}

/// The section `[stun.limits]`. Who exceeds one gets no answer until there is room again; nobody is
/// banned, for behind one address may be a whole carrier.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Answers in a second, in the long run, to one source: an IPv4 address or an IPv6 /64. Reckon
    /// with one a second for each viewer behind it. Each worker counts for itself.
    pub source_rate_per_s: u32,
    /// Answers at once to one source that was quiet before.
    pub source_burst: u32,
    /// Answers in a second to all sources together; the workers share it equally. A plain one has at
    /// most 480 bits on an IPv4 link.
    pub rate_per_s: u32,
    /// Sources remembered by all workers together; 16 bytes each, taken at the start.
    pub sources: usize,
    /// TCP and TLS connections at a time; each takes one of the process's open files.
    pub connections_max: usize,
    /// TCP and TLS connections of one source at a time.
    pub connections_per_source_max: usize,
    /// A connection that has sent nothing for so many seconds is closed.
    pub idle_timeout_s: u32,
    /// A connection whose TLS handshake or request is not complete after so many seconds is closed,
    /// and one that does not take its answer.
    pub message_timeout_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![
                (Ipv4Addr::LOCALHOST, PORT).into(),
                (Ipv6Addr::LOCALHOST, PORT).into(),
            ],
            tcp_listen: Vec::new(),
            tls_listen: Vec::new(),
            alternate: Vec::new(),
            advertised: Vec::new(),
            workers: 0,
            drain_s: 0,
            limits: Limits::default(),
            tls: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // 2.4 Mbit/s is the most that can be made to reach a victim whose address is forged, with
            // four fifths as much sent by the attacker.
            source_rate_per_s: 5000,
            // A carrier's address with thousands of viewers at the start of a match.
            source_burst: 50_000,
            // A gigabit; twice what a small machine can answer.
            rate_per_s: 2_000_000,
            // 256 KiB: what the second-level cache of one core holds.
            sources: 16_384,
            connections_max: 1000,
            connections_per_source_max: 100,
            idle_timeout_s: 60,
            message_timeout_s: 10,
        }
    }
}

impl Config {
    /// All values that cannot work, each with its key, or nothing.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Faults(Vec::new());
        self.check_addresses(&mut faults);
        for (index, alternate) in self.alternate.iter().enumerate() {
            if let Err(text) = self.primary_of(index) {
                faults.add("alternate", alternate, &text);
            }
        }
        self.check_tls(&mut faults);
        faults.range("workers", self.workers, 0..=WORKERS_MAX);
        faults.range("drain_s", self.drain_s, 0..=300);
        let Limits {
            source_rate_per_s,
            source_burst,
            rate_per_s,
            sources,
            connections_max,
            connections_per_source_max,
            idle_timeout_s,
            message_timeout_s,
        } = self.limits;
        // What asks for RFC 5780 counts as many answers at once.
        let cost = beekeepr_stun_core::BEHAVIOUR_COST;
        faults.range(
            "limits.source_rate_per_s",
            source_rate_per_s,
            1..=1_000_000_000,
        );
        faults.range("limits.source_burst", source_burst, cost..=1_000_000_000);
        faults.range("limits.rate_per_s", rate_per_s, 1000..=1_000_000_000);
        faults.range("limits.sources", sources, 1024..=16_777_216);
        faults.range("limits.connections_max", connections_max, 1..=1_000_000);
        let per_source = 1..=connections_max.max(1);
        faults.range(
            "limits.connections_per_source_max",
            connections_per_source_max,
            per_source,
        );
        faults.range("limits.idle_timeout_s", idle_timeout_s, 1..=3600);
        faults.range("limits.message_timeout_s", message_timeout_s, 1..=300);
        faults.0
    }

    fn check_addresses(&self, faults: &mut Faults) {
        if self.listen.is_empty() && self.tcp_listen.is_empty() && self.tls_listen.is_empty() {
            faults.add(
                "listen",
                "[]",
                "expected at least one address, such as 0.0.0.0:3478",
            );
        }
        for (key, list) in [
            ("listen", &self.listen),
            ("tcp_listen", &self.tcp_listen),
            ("tls_listen", &self.tls_listen),
        ] {
            if list.len() > ADDRESSES_MAX {
                let seen = format!("{} addresses", list.len());
                faults.add(key, seen, &format!("expected at most {ADDRESSES_MAX}"));
            }
        }
    }

    fn check_tls(&self, faults: &mut Faults) {
        match (&self.tls, self.tls_listen.first()) {
            (None, Some(address)) => {
                let text = "needs `stun.tls.certificate` and `stun.tls.key`, paths of PEM files";
                faults.add("tls_listen", address, text);
            }
            (Some(_), None) => {
                let text = "nothing listens with it; add `stun.tls_listen`, such as 0.0.0.0:5349";
                faults.add("tls", "a certificate", text);
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if let Some(both) = self
            .tls_listen
            .iter()
            .find(|it| self.tcp_listen.contains(it) && it.port() != 0)
        {
            faults.add(
                "tls_listen",
                both,
                "the same as in `stun.tcp_listen`; expected another port",
            );
        }
    }

    /// Which of `listen` an alternate address goes with.
    pub(crate) fn primary_of(&self, alternate: usize) -> Result<usize, String> {
        let address = self.alternate[alternate];
        let is_same_family = |other: &SocketAddr| other.is_ipv4() == address.is_ipv4();
        let primary = self.listen.iter().position(is_same_family);
        let Some(primary) = primary else {
            return Err("`stun.listen` has no address of its family to go with it".to_owned());
        };
        let first = self.listen[primary];
        if self.alternate[..alternate].iter().any(is_same_family) {
            Err("expected one address for each family".to_owned())
        } else if address.ip().is_unspecified() {
            Err("expected one address of this machine".to_owned())
        } else if first.ip().is_unspecified() {
            Err(format!(
                "`stun.listen` has {first}; expected the one address that it goes with"
            ))
        } else if first.ip() == address.ip() {
            Err(
                "`stun.listen` has the same IP address; expected a second one of this machine"
                    .to_owned(),
            )
        } else if first.port() == address.port() && first.port() == u16::MAX {
            Err("there is no next higher port for the second one; choose two ports".to_owned())
        } else {
            Ok(primary)
        }
    }

    /// As clients outside know a local address.
    pub(crate) fn told(&self, local: SocketAddr) -> SocketAddr {
        let found = self.advertised.iter().find(|it| it.local == local.ip());
        SocketAddr::new(found.map_or(local.ip(), |it| it.public), local.port())
    }

    /// How many threads there are to be.
    pub(crate) fn worker_count(&self) -> usize {
        match self.workers {
            0 => thread::available_parallelism()
                .map_or(1, NonZeroUsize::get)
                .min(WORKERS_MAX),
            given => given,
        }
    }
}

impl Limits {
    /// The share of one worker.
    pub(crate) fn of_worker(&self, workers: usize) -> beekeepr_stun_core::Limits {
        let rate = usize::try_from(self.rate_per_s).unwrap_or(usize::MAX) / workers;
        beekeepr_stun_core::Limits {
            source_rate_per_s: self.source_rate_per_s,
            source_burst: self.source_burst,
            rate_per_s: u32::try_from(rate).unwrap_or(u32::MAX).max(1),
            sources: self.sources / workers,
        }
    }
}

/// What cannot work, so far.
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, key: &str, seen: impl Display, text: &str) {
        self.0.push(format!("stun.{key} is {seen}: {text}"));
    }

    fn range<T: Copy + PartialOrd + Display>(
        &mut self,
        key: &str,
        value: T,
        range: RangeInclusive<T>,
    ) {
        if !range.contains(&value) {
            let (from, to) = range.into_inner();
            self.0
                .push(format!("stun.{key} is {value}: expected {from} to {to}"));
        }
    }
}

#[cfg(test)]
mod tests;
