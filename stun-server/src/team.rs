//! All workers, made from one configuration.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use beekeepr_stun_core::{Key, Mappings, Server};
use socket2::SockRef;
use tokio::sync::mpsc;

use crate::bind::Endpoint;
use crate::config::Config;
use crate::connections::Connections;
use crate::counters::Counters;
use crate::error::StartError;
use crate::listener::WAITING_MAX;
use crate::metrics::Sources;
use crate::stream::Accepted;
use crate::thread::{self, End, Started};
use crate::worker::Worker;

/// What a UDP socket may hold while its worker is busy: 20 ms of requests at full speed. The kernel
/// cuts it to `net.core.rmem_max` (208 KiB by default).
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// What the workers have in common.
pub(crate) struct Team {
    own: Vec<SocketAddr>,
    counters: Vec<Arc<Counters>>,
    mappings: Option<Arc<Mappings>>,
    pub(crate) connections: Connections,
    started: Instant,
}

impl Team {
    pub(crate) fn new(config: &Config, endpoints: &[Endpoint], count: usize) -> Self {
        let local = endpoints.iter().map(|it| it.address);
        let mut own: Vec<_> = local
            .clone()
            .chain(local.map(|it| config.told(it)))
            .collect();
        own.sort_unstable();
        own.dedup();
        let has_alternate = endpoints.iter().any(|it| it.role.is_some());
        let limits = &config.limits;
        Self {
            own,
            counters: (0..count).map(|_| Arc::default()).collect(),
            mappings: has_alternate.then(|| Arc::new(Mappings::new(random_key()))),
            connections: Connections::new(
                limits.connections_max,
                limits.connections_per_source_max,
            ),
            started: Instant::now(),
        }
    }

    pub(crate) fn sources(&self) -> Sources {
        Sources {
            workers: self.counters.clone(),
            connections: self.connections.clone(),
            mappings: self.mappings.clone(),
            started: self.started,
        }
    }

    /// Starts a thread for each worker, with one socket of each endpoint.
    pub(crate) fn start(
        &self,
        config: &Config,
        endpoints: Vec<Endpoint>,
        sockets: Vec<Vec<UdpSocket>>,
        end: End,
    ) -> Result<(Vec<Started>, Vec<mpsc::Sender<Accepted>>), StartError> {
        let end = Arc::new(end);
        let endpoints: Arc<[Endpoint]> = endpoints.into();
        let mut rows: Vec<_> = sockets.into_iter().map(Vec::into_iter).collect();
        let mut started = Vec::new();
        let mut senders = Vec::new();
        for (number, counters) in self.counters.iter().enumerate() {
            let sockets: Vec<_> = rows.iter_mut().filter_map(Iterator::next).collect();
            for socket in &sockets {
                // As much as the system allows; it works with less.
                let _ = SockRef::from(socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
            }
            let limits = config.limits.of_worker(self.counters.len());
            let (own, counters) = (self.own.clone(), Arc::clone(counters));
            let (endpoints, mappings) = (Arc::clone(&endpoints), self.mappings.clone());
            let since = self.started;
            let make = move || {
                let server = Server::new(&own, limits, random_key());
                Worker::new(sockets, endpoints, server, counters, mappings, since)
            };
            let (sender, receiver) = mpsc::channel(WAITING_MAX);
            let worker = thread::start(number, make, receiver, Arc::clone(&end));
            started.push(worker.map_err(StartError::Thread)?);
            senders.push(sender);
        }
        Ok((started, senders))
    }
}

/// The standard library draws its hash keys from the system's randomness, and hands them on only in
/// hashes. Nothing secret depends on it but where sources lie in a table.
fn random_key() -> Key {
    [0, 1].map(|part: u64| RandomState::new().hash_one(part))
}
