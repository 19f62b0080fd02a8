//! Scrapes of swarms that live on several workers: each is asked, one reply goes out.

use std::collections::HashMap;

use beekeepr_model::{InfoHash, Time};
use beekeepr_swarm::ConnKey;
use beekeepr_tracker_proto::ScrapeRequest;

use super::Hub;
use crate::directory::WorkerId;
use crate::outbox::Context;
use crate::post::{Mail, SwarmSize};
use crate::signalling::{About, Asked, Scrape};

/// How long the other workers may take, in milliseconds: a worker that is busy for longer has more mail
/// than it may have. Then the reply goes out without its swarms.
const WAIT_MS_MAX: u64 = 1_000;

/// Scrapes that wait for other workers at a time. The largest holds some 60 KB, most hold 200 bytes.
const WAITING_MAX: usize = 1_024;

/// The scrapes of this worker's connections that wait for other workers.
#[derive(Debug, Default)]
pub(super) struct Scrapes {
    waiting: HashMap<u64, Waiting>,
    begun: u64,
}

#[derive(Debug)]
struct Waiting {
    scrape: Scrape,
    /// How many workers have not answered.
    missing: usize,
    since: Time,
}

impl Scrapes {
    fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    /// The number under which the answers will come.
    fn begin(&mut self, now: Time, scrape: Scrape, missing: usize) -> u64 {
        self.begun += 1;
        let waiting = Waiting {
            scrape,
            missing,
            since: now,
        };
        self.waiting.insert(self.begun, waiting);
        self.begun
    }

    fn abandon(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// Takes a worker's answer; gives the scrape once that was the last one.
    fn answered(&mut self, number: u64, sizes: Vec<SwarmSize>) -> Option<Scrape> {
        let waiting = self.waiting.get_mut(&number)?;
        waiting.scrape.sizes.extend(sizes);
        waiting.missing = waiting.missing.saturating_sub(1);
        if waiting.missing > 0 {
            return None;
        }
        self.waiting.remove(&number).map(|it| it.scrape)
    }

    /// The scrapes that have waited for long enough.
    fn overdue(&mut self, now: Time) -> Vec<Scrape> {
        let overdue = self
            .waiting
            .extract_if(|_, it| now.since_ms(it.since) >= WAIT_MS_MAX);
        overdue.map(|(_, it)| it.scrape).collect()
    }

    /// Whether an answer for this connection is on its way.
    pub(super) fn wait_for(&self, key: ConnKey) -> bool {
        self.waiting.values().any(|it| it.scrape.from.key == key)
    }
}

impl Hub {
    /// Answers a scrape, now or when the other workers that have its swarms have answered. False when
    /// too much is going on already.
    pub(super) fn scrape(
        &mut self,
        now: Time,
        from: &Context,
        request: &ScrapeRequest<'_>,
    ) -> bool {
        let mut scrape = self.signalling.begin_scrape(from, request);
        let (here, elsewhere) = self.asks(&scrape);
        scrape.sizes = self.signalling.count(&here);
        if elsewhere.is_empty() {
            self.signalling.end_scrape(scrape, &mut self.connections);
            return true;
        }
        if self.scrapes.is_full() {
            return false;
        }
        let number = self.scrapes.begin(now, scrape, elsewhere.len());
        for (worker, asked) in elsewhere {
            let mail = Mail::Count {
                asked,
                number,
                back: self.here,
            };
            if !self.shared.post.send(worker, mail) {
                self.shared.metrics.mail_lost.inc();
                self.scrapes.abandon(number);
                return false;
            }
        }
        self.shared.metrics.forwarded.inc();
        true
    }

    /// Another worker asks.
    pub(super) fn count(&self, asked: &Asked, number: u64, back: WorkerId) {
        let sizes = self.signalling.count(asked);
        if !self.shared.post.send(back, Mail::Counted { number, sizes }) {
            self.shared.metrics.mail_lost.inc();
        }
    }

    /// Another worker answers.
    pub(super) fn counted(&mut self, number: u64, sizes: Vec<SwarmSize>) {
        if let Some(scrape) = self.scrapes.answered(number, sizes) {
            self.signalling.end_scrape(scrape, &mut self.connections);
        }
    }

    /// Replies to those who have waited for long enough.
    pub(super) fn end_overdue_scrapes(&mut self, now: Time) {
        for scrape in self.scrapes.overdue(now) {
            self.signalling.end_scrape(scrape, &mut self.connections);
        }
    }

    /// What is to be counted here, and what each of the others has to be asked.
    fn asks(&self, scrape: &Scrape) -> (Asked, Vec<(WorkerId, Asked)>) {
        let key = scrape.from.key;
        match &scrape.about {
            About::Named(named) => {
                let mut here = Vec::new();
                let mut elsewhere: HashMap<WorkerId, Vec<InfoHash>> = HashMap::new();
                for &(_, hash) in named {
                    match self.elsewhere(hash) {
                        Some(owner) => elsewhere.entry(owner).or_default().push(hash),
                        None => here.push(hash),
                    }
                }
                let named = |(worker, hashes)| (worker, Asked::Named(hashes));
                (
                    Asked::Named(here),
                    elsewhere.into_iter().map(named).collect(),
                )
            }
            About::Own => {
                let known_at = self.connections.get(key).map(|it| it.known_at.clone());
                let others = known_at.unwrap_or_default().into_iter();
                (
                    Asked::Of(key),
                    others.map(|worker| (worker, Asked::Of(key))).collect(),
                )
            }
            About::All => {
                let all = (0..self.shared.directory.workers()).map(|it| it as WorkerId);
                let others = all.filter(|it| *it != self.here);
                (
                    Asked::Largest,
                    others.map(|worker| (worker, Asked::Largest)).collect(),
                )
            }
        }
    }

    /// The other worker that has a swarm, if one has.
    fn elsewhere(&self, info_hash: InfoHash) -> Option<WorkerId> {
        if self.signalling.has_swarm(info_hash) {
            return None;
        }
        let owner = self.shared.directory.owner(info_hash);
        owner.filter(|owner| *owner != self.here)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::Session;

    const NOW: Time = Time::from_ms(1_000);

    fn scrape() -> Scrape {
        Scrape {
            from: Context {
                key: ConnKey(7),
                session: Arc::new(Session::refused("")),
            },
            about: About::Own,
            sizes: Vec::new(),
        }
    }

    fn size(byte: u8) -> SwarmSize {
        SwarmSize {
            info_hash: InfoHash([byte; 20]),
            complete: 0,
            incomplete: 1,
        }
    }

    #[test]
    fn the_last_answer_ends_a_scrape() {
        let mut scrapes = Scrapes::default();
        let number = scrapes.begin(NOW, scrape(), 2);
        assert!(scrapes.answered(number, vec![size(1)]).is_none());
        assert!(scrapes.wait_for(ConnKey(7)));
        let ended = scrapes.answered(number, vec![size(2)]).unwrap();
        assert_eq!(ended.sizes, [size(1), size(2)]);
        assert!(scrapes.answered(number, vec![size(3)]).is_none());
        assert!(!scrapes.wait_for(ConnKey(7)));
    }

    #[test]
    fn a_worker_that_says_nothing_is_not_waited_for_any_longer() {
        let mut scrapes = Scrapes::default();
        let number = scrapes.begin(NOW, scrape(), 2);
        scrapes.answered(number, vec![size(1)]);
        assert!(scrapes.overdue(Time::from_ms(1_999)).is_empty());
        let ended = scrapes.overdue(Time::from_ms(2_000));
        assert_eq!(ended[0].sizes, [size(1)]);
        assert!(scrapes.answered(number, vec![size(2)]).is_none());
    }

    #[test]
    fn only_so_many_wait() {
        let mut scrapes = Scrapes::default();
        for _ in 0..WAITING_MAX {
            assert!(!scrapes.is_full());
            scrapes.begin(NOW, scrape(), 1);
        }
        assert!(scrapes.is_full());
    }
}
