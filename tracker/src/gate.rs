//! How many connections there are, in all, from each address and with each token, and how fast new ones
//! come.

mod holders;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beekeepr_model::Time;
use beekeepr_swarm::Holder;

use crate::Config;
use crate::rate::{Bucket, Rate};
use beekeepr_service::cidr::{any_contains, masked};
use holders::{Holders, Holding};

/// A subscriber of IPv6 has a network of at least this prefix (RFC 6177), and all its addresses.
const V6_PREFIX_BITS: u8 = 64;

/// Handshakes at once: pages that come back together after their carrier's network was gone.
const HANDSHAKES_BURST_S: u32 = 5;

/// Addresses that are remembered without being connected, before those that could be forgotten are.
const IDLE_VISITORS_MAX: usize = 10_000;

/// Lets connections in. One for the process.
#[derive(Debug)]
pub(crate) struct Gate {
    config: Config,
    connections: AtomicUsize,
    visitors: Mutex<HashMap<IpAddr, Visitor>>,
    holders: Arc<Holders>,
}

/// A connection that was let in; dropping it lets another one in.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    /// Absent for addresses without limits.
    visitor: Option<IpAddr>,
    /// Absent without a token.
    holding: Option<Holding>,
}

/// Why a connection was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// There are as many as can be.
    Full,
    /// There are as many from this address as may be.
    AddressFull,
    /// There are as many with tokens of this subject as may be.
    TokenFull,
    /// They come too fast from this address.
    TooFast,
}

#[derive(Debug)]
struct Visitor {
    connections: usize,
    handshakes: Bucket,
}

impl Gate {
    pub(crate) fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            holders: Holders::new(&config.limits),
            config,
            connections: AtomicUsize::new(0),
            visitors: Mutex::default(),
        })
    }

    /// Connections now.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Lets a connection from an address in. It has not said anything yet, so nothing costs less than
    /// to send it away now.
    pub(crate) fn enter(self: &Arc<Self>, now: Time, address: IpAddr) -> Result<Pass, Closed> {
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        // From here on dropping it takes it off the count.
        let mut pass = Pass {
            gate: Arc::clone(self),
            visitor: None,
            holding: None,
        };
        if before >= self.config.limits.connections_max {
            return Err(Closed::Full);
        }
        pass.visitor = self.visit(now, address)?;
        Ok(pass)
    }

    /// Counts a visit; nobody for addresses without limits.
    fn visit(&self, now: Time, address: IpAddr) -> Result<Option<IpAddr>, Closed> {
        let limits = &self.config.limits;
        let is_exempt = any_contains(&limits.exempt, address)
            || any_contains(&self.config.trusted_proxies, address);
        if is_exempt {
            return Ok(None);
        }
        let key = visitor_of(address);
        let rate = self.rate();
        let mut visitors = self.visitors();
        let visitor = visitors.entry(key).or_insert_with(|| Visitor {
            connections: 0,
            handshakes: Bucket::new(now, rate),
        });
        if visitor.connections >= limits.connections_per_ip_max {
            return Err(Closed::AddressFull);
        }
        if !visitor.handshakes.take(now, rate, 1000) {
            return Err(Closed::TooFast);
        }
        visitor.connections += 1;
        if visitors.len() > IDLE_VISITORS_MAX + self.connections() {
            visitors.retain(|_, it| it.connections > 0 || !it.handshakes.is_full(now, rate));
        }
        Ok(Some(key))
    }

    fn rate(&self) -> Rate {
        Rate {
            per_s: self.config.limits.handshakes_per_ip_per_s,
            burst_s: HANDSHAKES_BURST_S,
        }
    }

    fn visitors(&self) -> MutexGuard<'_, HashMap<IpAddr, Visitor>> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The connection turns out to come from another address, behind a proxy.
    pub(crate) fn speaks_for(&mut self, now: Time, address: IpAddr) -> Result<(), Closed> {
        self.leave();
        self.visitor = self.gate.visit(now, address)?;
        Ok(())
    }

    /// The connection turns out to have a token.
    pub(crate) fn holds(&mut self, now: Time, holder: Holder) -> Result<(), Closed> {
        if self.holding.as_ref().is_some_and(|it| it.is_of(holder)) {
            return Ok(());
        }
        self.holding = Some(self.gate.holders.enter(now, holder)?);
        Ok(())
    }

    /// Whether its token's subject may announce once more.
    pub(crate) fn may_announce(&self, now: Time) -> bool {
        self.holding.as_ref().is_none_or(|it| it.announces(now))
    }

    fn leave(&mut self) {
        let Some(key) = self.visitor.take() else {
            return;
        };
        if let Some(visitor) = self.gate.visitors().get_mut(&key) {
            visitor.connections -= 1;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.leave();
        self.gate.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Closed {
    /// What the client is told.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Full => "the tracker is full; try again later or use another one",
            Self::AddressFull => {
                "too many connections from this address; close some or try again later"
            }
            Self::TokenFull => {
                "too many connections with this token; close some or get another one"
            }
            Self::TooFast => "too many new connections from this address; try again later",
        }
    }
}

/// Whose limits count for an address.
fn visitor_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        four @ IpAddr::V4(_) => four,
        six @ IpAddr::V6(_) => masked(six, V6_PREFIX_BITS).unwrap_or(six),
    }
}

#[cfg(test)]
mod tests;
