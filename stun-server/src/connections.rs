//! How many TCP and TLS connections there are, and of whom.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections. Taken at the beginning and the end of each, never for a message.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max: usize,
    per_source_max: usize,
    counts: Mutex<Counts>,
}

/// Never more sources than connections.
#[derive(Debug, Default)]
struct Counts {
    total: usize,
    sources: HashMap<IpAddr, usize>,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    source: IpAddr,
    shared: Arc<Shared>,
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many in all.
    Total,
    /// Too many of this source.
    Source,
}

impl Refusal {
    pub(crate) const ALL: [Self; 2] = [Self::Total, Self::Source];

    /// For metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Source => "source",
        }
    }
}

impl Connections {
    pub(crate) fn new(max: usize, per_source_max: usize) -> Self {
        Self(Arc::new(Shared {
            max,
            per_source_max,
            counts: Mutex::default(),
        }))
    }

    /// A place for a connection from this address.
    pub(crate) fn seat(&self, ip: IpAddr) -> Result<Seat, Refusal> {
        let source = network(ip);
        self.0.with(|counts| {
            if counts.total >= self.0.max {
                return Err(Refusal::Total);
            }
            let count = counts.sources.entry(source).or_default();
            if *count >= self.0.per_source_max {
                return Err(Refusal::Source);
            }
            *count += 1;
            counts.total += 1;
            Ok(())
        })?;
        let shared = Arc::clone(&self.0);
        Ok(Seat { source, shared })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.with(|counts| counts.total)
    }
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        // Nothing that is done under it can panic half-way.
        act(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.with(|counts| {
            counts.total -= 1;
            if let Entry::Occupied(mut entry) = counts.sources.entry(self.source) {
                *entry.get_mut() -= 1;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        });
    }
}

/// What counts as one source: an IPv4 address, an IPv6 /64.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_has_so_many_and_no_more_until_one_ends() {
        let connections = Connections::new(10, 2);
        let first = connections.seat(ip("2001:db8::1")).unwrap();
        let _second = connections.seat(ip("2001:db8::2")).unwrap();
        assert_eq!(
            connections.seat(ip("2001:db8::3")).unwrap_err(),
            Refusal::Source
        );
        assert!(connections.seat(ip("2001:db8:0:1::3")).is_ok());
        drop(first);
        assert!(connections.seat(ip("2001:db8::3")).is_ok());
    }

    #[test]
    fn all_together_have_so_many_and_nothing_is_left_of_those_that_ended() {
        let connections = Connections::new(3, 2);
        let seats: Vec<_> = (0..3)
            .map(|last| connections.seat([192, 0, 2, last].into()))
            .collect();
        assert!(seats.iter().all(Result::is_ok));
        assert_eq!(
            connections.seat(ip("192.0.2.9")).unwrap_err(),
            Refusal::Total
        );
        drop(seats);
        assert_eq!(connections.count(), 0);
        assert!(connections.0.with(|counts| counts.sources.is_empty()));
    }
}
