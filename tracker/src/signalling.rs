//! What the tracker does with a message.

use std::fmt::Display;
use std::mem;

use beekeepr_model::Time;
use beekeepr_swarm::{Announce, Answer, ConnKey, Counts, Refusal};
use beekeepr_tracker_proto::{
    Action, AnnounceRequest, AnswerRequest, ClientMessage, Event, ScrapeRequest,
    read_client_message, reply,
};
use beekeepr_websocket::write;

use crate::hub::Hub;

impl Hub {
    /// Takes a message from a connection. Whatever is wrong with it is told to the client; the
    /// connection goes on, for it may carry other swarms.
    pub(crate) fn message(&mut self, now: Time, from: ConnKey, text: &[u8]) {
        match read_client_message(text) {
            Ok(ClientMessage::Announce(announce)) => self.announce(now, from, &announce),
            Ok(ClientMessage::Answer(answer)) => self.answer(now, from, &answer),
            Ok(ClientMessage::Scrape(scrape)) => self.scrape(from, &scrape),
            Err(refused) => self.fail(from, refused.action, refused.info_hash, &refused.error),
        }
    }

    fn announce(&mut self, now: Time, from: ConnKey, announce: &AnnounceRequest<'_>) {
        self.metrics.announces.inc();
        let mut targets = mem::take(&mut self.targets);
        targets.clear();
        match self.enter(now, from, announce, &mut targets) {
            Ok(counts) => {
                self.reply_announced(from, announce.info_hash.raw, counts);
                self.relay_offers(announce, &targets);
            }
            Err(refusal) => self.refuse(now, from, announce.info_hash.raw, refusal),
        }
        self.targets = targets;
    }

    /// Tells the swarms; `targets` gets who is handed the offers.
    fn enter(
        &mut self,
        now: Time,
        from: ConnKey,
        announce: &AnnounceRequest<'_>,
        targets: &mut Vec<ConnKey>,
    ) -> Result<Counts, Refusal> {
        let (info_hash, peer_id) = (announce.info_hash.id, announce.peer_id.id);
        if announce.event == Event::Stopped {
            return self.swarms.leave(from, info_hash, peer_id);
        }
        let wanted = offers_wanted(announce);
        self.offer_ids.clear();
        self.offer_ids.extend(
            announce
                .offers
                .iter()
                .take(wanted)
                .map(|offer| offer.offer_id.id),
        );
        let announce = Announce {
            info_hash,
            peer_id,
            has_all: announce.has_all || announce.event == Event::Completed,
            offers: &self.offer_ids,
        };
        self.swarms.announce(now, from, &announce, targets)
    }

    fn reply_announced(&mut self, to: ConnKey, info_hash_raw: &str, counts: Counts) {
        let interval_s = self.config.announce_interval_s;
        let Counts {
            complete,
            incomplete,
        } = counts;
        self.send(to, |out| {
            write::text(out, |out| {
                reply::announced(out, info_hash_raw, interval_s, complete, incomplete);
            });
        });
    }

    fn relay_offers(&mut self, announce: &AnnounceRequest<'_>, targets: &[ConnKey]) {
        let (info_hash, peer_id) = (announce.info_hash.raw, announce.peer_id.raw);
        for (&target, offer) in targets.iter().zip(&announce.offers) {
            self.send(target, |out| {
                write::text(out, |out| reply::offer(out, info_hash, peer_id, offer));
            });
        }
        self.metrics.offers.inc_by(targets.len() as u64);
    }

    /// An answer gets no reply, as with bittorrent-tracker and wt-tracker: aquatic_ws replies, which
    /// made six times the traffic.
    fn answer(&mut self, now: Time, from: ConnKey, answer: &AnswerRequest<'_>) {
        let core = Answer {
            info_hash: answer.info_hash.id,
            peer_id: answer.peer_id.id,
            to_peer_id: answer.to_peer_id,
            offer_id: answer.offer_id.id,
        };
        match self.swarms.answer(now, from, &core) {
            Ok(target) => {
                self.metrics.answers.inc();
                self.send(target, |out| {
                    write::text(out, |out| reply::answer(out, answer));
                });
            }
            Err(refusal) => self.refuse(now, from, answer.info_hash.raw, refusal),
        }
    }

    /// Who names no swarm hears about its own ones only: the list of all would give away what else
    /// is streamed here, and an info_hash is all it takes to join.
    fn scrape(&mut self, from: ConnKey, scrape: &ScrapeRequest<'_>) {
        self.metrics.scrapes.inc();
        let own: Vec<(String, Counts)>;
        let named: Vec<(&str, Counts)> = match &scrape.info_hashes {
            Some(list) => list
                .iter()
                .map(|hash| (hash.raw, self.swarms.counts(hash.id)))
                .collect(),
            None => {
                let peers = self.swarms.peers_of(from).iter();
                own = peers
                    .map(|(hash, _)| (reply::id_text(hash.chars()), self.swarms.counts(*hash)))
                    .collect();
                own.iter()
                    .map(|(raw, counts)| (raw.as_str(), *counts))
                    .collect()
            }
        };
        let files = named
            .into_iter()
            .map(|(raw, c)| (raw, c.complete, c.incomplete));
        self.send(from, |out| {
            write::text(out, |out| reply::scraped(out, files));
        });
    }

    fn refuse(&mut self, now: Time, from: ConnKey, info_hash_raw: &str, refusal: Refusal) {
        if let Refusal::PeerIdTaken { holder } = refusal {
            // A client that changed its network comes back while its old connection looks alive.
            // Should that be dead, the ping brings it out long before the next one would.
            self.ping(now, holder);
        }
        self.fail(from, Action::Announce, Some(info_hash_raw), &refusal);
    }

    fn fail(
        &mut self,
        to: ConnKey,
        action: Action,
        info_hash_raw: Option<&str>,
        reason: &impl Display,
    ) {
        self.metrics.failures.inc();
        self.send(to, |out| {
            write::text(out, |out| {
                reply::failure(out, action, info_hash_raw, reason);
            });
        });
    }
}

/// How many offers to relay. Some clients send offers without numwant, or with 0, and want them
/// relayed all the same; bittorrent-tracker and aquatic_ws do that.
fn offers_wanted(announce: &AnnounceRequest<'_>) -> usize {
    match announce.numwant {
        None | Some(0) => announce.offers.len(),
        Some(wanted) => usize::try_from(wanted).unwrap_or(usize::MAX),
    }
}
