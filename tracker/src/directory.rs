//! Which worker has which content, and how much each has to do.
//!
//! A connection lives where the content of its first announce lives, and content that nobody has yet
//! goes to the worker of the connection that brings it. So viewers of one stream meet on one worker,
//! with all the renditions of that stream, and almost no message crosses from thread to thread.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beekeepr_model::InfoHash;

/// A worker's number, from 0.
pub(crate) type WorkerId = u8;

/// After so many swarms that it brought itself, a connection's next ones go to the next worker: a
/// seeder of many channels must not put all of them on one. A page has no more than a dozen renditions.
const SWARMS_IN_A_ROW: usize = 16;

/// The directory, shared by all workers.
#[derive(Debug)]
pub(crate) struct Directory {
    owners: Mutex<HashMap<InfoHash, WorkerId>>,
    /// Connections placed at each worker.
    loads: Vec<AtomicUsize>,
    swarms_max: usize,
}

/// A connection's place at a worker; dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct Place {
    directory: Arc<Directory>,
    pub(crate) worker: WorkerId,
}

impl Directory {
    pub(crate) fn new(workers: usize, swarms_max: usize) -> Arc<Self> {
        Arc::new(Self {
            owners: Mutex::default(),
            loads: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
            swarms_max,
        })
    }

    pub(crate) fn workers(&self) -> usize {
        self.loads.len()
    }

    /// Who has this content, if anybody.
    pub(crate) fn owner(&self, info_hash: InfoHash) -> Option<WorkerId> {
        self.owners().get(&info_hash).copied()
    }

    /// Who has this content; from now on `preferred` if nobody had it. With as many swarms as there
    /// may be nothing is noted: the worker's own limit refuses it.
    pub(crate) fn claim(&self, info_hash: InfoHash, preferred: WorkerId) -> WorkerId {
        let mut owners = self.owners();
        if let Some(&owner) = owners.get(&info_hash) {
            return owner;
        }
        if owners.len() < self.swarms_max {
            owners.insert(info_hash, preferred);
        }
        preferred
    }

    /// Nobody is in the swarm any more.
    pub(crate) fn release(&self, info_hash: InfoHash, owner: WorkerId) {
        let mut owners = self.owners();
        if owners.get(&info_hash) == Some(&owner) {
            owners.remove(&info_hash);
        }
    }

    /// The worker for a connection that brings new content: `here`, unless another one has less to do.
    pub(crate) fn least_loaded(&self, here: WorkerId) -> WorkerId {
        let load = |worker: &WorkerId| {
            let load = self.loads.get(usize::from(*worker));
            load.map_or(usize::MAX, |load| load.load(Ordering::Relaxed))
        };
        let others = (0..self.loads.len()).map(|worker| worker as WorkerId);
        std::iter::once(here)
            .chain(others)
            .min_by_key(load)
            .unwrap_or(here)
    }

    /// The worker for the next swarm of a connection that has brought so many already.
    pub(crate) fn next_for(&self, home: WorkerId, brought: usize) -> WorkerId {
        ((usize::from(home) + brought / SWARMS_IN_A_ROW) % self.loads.len().max(1)) as WorkerId
    }

    /// Gives a connection its place.
    pub(crate) fn place(self: &Arc<Self>, worker: WorkerId) -> Place {
        if let Some(load) = self.loads.get(usize::from(worker)) {
            load.fetch_add(1, Ordering::Relaxed);
        }
        Place {
            directory: Arc::clone(self),
            worker,
        }
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<InfoHash, WorkerId>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(load) = self.directory.loads.get(usize::from(self.worker)) {
            load.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash([7; 20]);

    #[test]
    fn content_belongs_to_who_brings_it_until_nobody_is_there() {
        let directory = Directory::new(2, 10);
        assert_eq!(directory.claim(HASH, 1), 1);
        assert_eq!(directory.claim(HASH, 0), 1);
        directory.release(HASH, 0);
        assert_eq!(directory.owner(HASH), Some(1), "only its owner gives it up");
        directory.release(HASH, 1);
        assert_eq!(directory.claim(HASH, 0), 0);
    }

    #[test]
    fn new_content_goes_to_the_worker_with_the_fewest_connections() {
        let directory = Directory::new(3, 10);
        assert_eq!(directory.least_loaded(2), 2, "here, when all have as many");
        let places = [directory.place(2), directory.place(0)];
        assert_eq!(directory.least_loaded(2), 1);
        drop(places);
        assert_eq!(directory.least_loaded(2), 2);
    }

    #[test]
    fn a_seeder_of_many_channels_spreads_them() {
        let directory = Directory::new(2, 10);
        assert_eq!(
            [0, 15, 16, 31, 32].map(|brought| directory.next_for(1, brought)),
            [1, 1, 0, 0, 1]
        );
    }

    #[test]
    fn the_directory_is_bounded() {
        let directory = Directory::new(2, 1);
        directory.claim(HASH, 0);
        assert_eq!(directory.claim(InfoHash([8; 20]), 1), 1);
        assert_eq!(directory.owner(InfoHash([8; 20])), None);
    }
}
