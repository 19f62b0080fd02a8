//! What the tracker does with a message.

mod announce;
mod scrape;

use std::fmt::Display;
use std::sync::Arc;

use beekeepr_model::{InfoHash, OfferId, Time};
use beekeepr_swarm::{Answer, ConnKey, Counts, Refusal, Swarms};
use beekeepr_tracker_proto::{Action, AnswerRequest, ClientMessage, Refused, check_sdp, reply};
use beekeepr_websocket::write;

pub(crate) use scrape::{About, Asked, Scrape};

use crate::Config;
use crate::access::Access;
use crate::metrics::Metrics;
use crate::outbox::{Context, Outbox};
use crate::post::SwarmSize;

/// The swarms of one worker, and how to talk about them.
#[derive(Debug)]
pub(crate) struct Signalling {
    announce_interval_s: u32,
    scrape_all: bool,
    access: Arc<Access>,
    metrics: Metrics,
    swarms: Swarms,
    /// Kept only for their memory.
    targets: Vec<ConnKey>,
    offer_ids: Vec<OfferId>,
    /// Which of an announce's offers these are.
    offer_places: Vec<usize>,
}

impl Signalling {
    pub(crate) fn new(
        config: &Config,
        access: Arc<Access>,
        metrics: Metrics,
        seed: u64,
        now: Time,
    ) -> Self {
        Self {
            announce_interval_s: config.announce_interval_s,
            scrape_all: config.scrape_all,
            access,
            metrics,
            swarms: Swarms::new(config.swarm(), seed, now),
            targets: Vec::new(),
            offer_ids: Vec::new(),
            offer_places: Vec::new(),
        }
    }

    /// Whether anybody is in a swarm.
    pub(crate) fn has_swarm(&self, info_hash: InfoHash) -> bool {
        self.swarms.counts(info_hash) != Counts::default()
    }

    /// A connection is gone.
    pub(crate) fn gone(&mut self, key: ConnKey) {
        self.swarms.close(key);
    }

    /// Does what is due by the clock.
    pub(crate) fn tick(&mut self, now: Time) {
        if now >= self.swarms.deadline() {
            self.metrics.expired.inc_by(self.swarms.expire(now) as u64);
        }
    }

    /// Swarms, peers and offers that wait, for the gauges.
    pub(crate) fn sizes(&self) -> [usize; 3] {
        [
            self.swarms.swarms(),
            self.swarms.peers(),
            self.swarms.offers_pending(),
        ]
    }

    /// The largest swarms, the largest first.
    pub(crate) fn largest(&self, swarms: usize) -> Vec<SwarmSize> {
        let size = |it: beekeepr_swarm::Summary| SwarmSize {
            info_hash: it.info_hash,
            complete: it.counts.complete,
            incomplete: it.counts.incomplete,
        };
        let mut all: Vec<SwarmSize> = self.swarms.summaries().map(size).collect();
        all.sort_unstable_by_key(|it| std::cmp::Reverse((it.peers(), it.info_hash)));
        all.truncate(swarms);
        all
    }

    /// Takes a message from a connection. Whatever is wrong with it is told to the client; the
    /// connection goes on, for it may carry other swarms. Only who may do nothing at all has to go.
    pub(crate) fn message(
        &mut self,
        now: Time,
        from: &Context,
        message: Result<ClientMessage<'_>, Refused<'_>>,
        outbox: &mut impl Outbox,
    ) {
        if let Some(reason) = from.session.refusal(now) {
            let (action, info_hash) = about(&message);
            self.fail(from.key, action, info_hash, &reason, outbox);
            self.gone(from.key);
            outbox.close(from.key, write::CLOSE_POLICY);
            return;
        }
        match message {
            Ok(ClientMessage::Announce(announce)) => self.announce(now, from, &announce, outbox),
            Ok(ClientMessage::Answer(answer)) => self.answer(now, from, &answer, outbox),
            Ok(ClientMessage::Scrape(scrape)) => self.scrape(from, &scrape, outbox),
            Err(refused) => {
                let (action, info_hash) = (refused.action, refused.info_hash);
                self.fail(from.key, action, info_hash, &refused.error, outbox);
            }
        }
    }

    /// An answer gets no reply, as with bittorrent-tracker and wt-tracker: aquatic_ws replies, which
    /// made six times the traffic.
    fn answer(
        &mut self,
        now: Time,
        from: &Context,
        answer: &AnswerRequest<'_>,
        outbox: &mut impl Outbox,
    ) {
        if let Err(fault) = check_sdp(answer.sdp, from.session.sdp()) {
            self.metrics.description_refused(fault);
            let reason = format!("the answer is not relayed: {fault}");
            let info_hash = Some(answer.info_hash.raw);
            self.fail(from.key, Action::Announce, info_hash, &reason, outbox);
            return;
        }
        let core = Answer {
            info_hash: answer.info_hash.id,
            peer_id: answer.peer_id.id,
            to_peer_id: answer.to_peer_id,
            offer_id: answer.offer_id.id,
        };
        match self.swarms.answer(now, from.key, &core) {
            Ok(target) => {
                self.metrics.answers.inc();
                outbox.send(target, |out| {
                    write::text(out, |out| reply::answer(out, answer));
                });
            }
            Err(refusal) => self.refuse(from.key, answer.info_hash.raw, refusal, outbox),
        }
    }

    fn refuse(&self, to: ConnKey, info_hash_raw: &str, refusal: Refusal, outbox: &mut impl Outbox) {
        if let Refusal::PeerIdTaken { probe: Some(other) } = refusal {
            outbox.probe(other);
        }
        self.fail(to, Action::Announce, Some(info_hash_raw), &refusal, outbox);
    }

    fn fail(
        &self,
        to: ConnKey,
        action: Action,
        info_hash_raw: Option<&str>,
        reason: &impl Display,
        outbox: &mut impl Outbox,
    ) {
        self.metrics.failures.inc();
        outbox.send(to, |out| {
            write::text(out, |out| {
                reply::failure(out, action, info_hash_raw, reason);
            });
        });
    }
}

/// What the reply to a message has to name, so that the client takes it for its own.
fn about<'a>(message: &Result<ClientMessage<'a>, Refused<'a>>) -> (Action, Option<&'a str>) {
    match message {
        Ok(ClientMessage::Announce(it)) => (Action::Announce, Some(it.info_hash.raw)),
        Ok(ClientMessage::Answer(it)) => (Action::Announce, Some(it.info_hash.raw)),
        Ok(ClientMessage::Scrape(_)) => (Action::Scrape, None),
        Err(refused) => (refused.action, refused.info_hash),
    }
}

#[cfg(test)]
mod tests;
