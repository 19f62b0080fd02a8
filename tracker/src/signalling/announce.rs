//! What the tracker does with an announce.

use std::mem;

use beekeepr_model::Time;
use beekeepr_swarm::{Announce, ConnKey, Counts, Refusal};
use beekeepr_tracker_proto::{
    Action, AnnounceRequest, Event, SdpFault, check_sdp,
    reply::{self, Announced},
};
use beekeepr_websocket::write;

use super::Signalling;
use crate::outbox::{Context, Outbox};

impl Signalling {
    pub(super) fn announce(
        &mut self,
        now: Time,
        from: &Context,
        announce: &AnnounceRequest<'_>,
        outbox: &mut impl Outbox,
    ) {
        self.metrics.announces.inc();
        let info_hash = announce.info_hash;
        if let Err(reason) = self.access.opens(&from.session, &info_hash.id) {
            let raw = Some(info_hash.raw);
            return self.fail(from.key, Action::Announce, raw, &reason, outbox);
        }
        let fault = self.pick_offers(from, announce);
        let mut targets = mem::take(&mut self.targets);
        targets.clear();
        match self.enter(now, from, announce, &mut targets) {
            Ok(counts) => {
                self.reply_announced(from.key, info_hash.raw, counts, fault, outbox);
                self.relay_offers(announce, &targets, outbox);
            }
            Err(refusal) => self.refuse(from.key, info_hash.raw, refusal, outbox),
        }
        self.targets = targets;
    }

    /// Notes the offers that are to be relayed; gives what is wrong with the first that is not.
    fn pick_offers(&mut self, from: &Context, announce: &AnnounceRequest<'_>) -> Option<SdpFault> {
        self.offer_ids.clear();
        self.offer_places.clear();
        if announce.event == Event::Stopped || from.session.is_off() {
            return None;
        }
        let mut fault = None;
        let wanted = offers_wanted(announce);
        for (place, offer) in announce.offers.iter().enumerate().take(wanted) {
            match check_sdp(offer.sdp, from.session.sdp()) {
                Ok(()) => {
                    self.offer_ids.push(offer.offer_id.id);
                    self.offer_places.push(place);
                }
                Err(error) => {
                    self.metrics.description_refused(error);
                    fault = fault.or(Some(error));
                }
            }
        }
        fault
    }

    /// Tells the swarms; `targets` gets who is handed the offers.
    fn enter(
        &mut self,
        now: Time,
        from: &Context,
        announce: &AnnounceRequest<'_>,
        targets: &mut Vec<ConnKey>,
    ) -> Result<Counts, Refusal> {
        let (info_hash, peer_id) = (announce.info_hash.id, announce.peer_id.id);
        if announce.event == Event::Stopped {
            return self.swarms.leave(now, from.key, info_hash, peer_id);
        }
        if from.session.is_off() {
            return Ok(self.swarms.counts(info_hash));
        }
        let is_seeder = peer_id.is_seeder();
        let announce = Announce {
            info_hash,
            peer_id,
            has_all: announce.has_all || announce.event == Event::Completed,
            standing: self.access.standing(&from.session, &info_hash, is_seeder),
            offers: &self.offer_ids,
        };
        self.swarms.announce(now, from.key, &announce, targets)
    }

    fn reply_announced(
        &self,
        to: ConnKey,
        info_hash_raw: &str,
        counts: Counts,
        fault: Option<SdpFault>,
        outbox: &mut impl Outbox,
    ) {
        let warning = fault.map(|fault| format!("an offer is not relayed: {fault}"));
        let announced = Announced {
            interval_s: self.announce_interval_s,
            complete: counts.complete,
            incomplete: counts.incomplete,
            warning: warning.as_deref(),
        };
        outbox.send(to, |out| {
            write::text(out, |out| reply::announced(out, info_hash_raw, &announced));
        });
    }

    fn relay_offers(
        &self,
        announce: &AnnounceRequest<'_>,
        targets: &[ConnKey],
        outbox: &mut impl Outbox,
    ) {
        let (info_hash, peer_id) = (announce.info_hash.raw, announce.peer_id.raw);
        for (&target, &place) in targets.iter().zip(&self.offer_places) {
            if let Some(offer) = announce.offers.get(place) {
                outbox.send(target, |out| {
                    write::text(out, |out| reply::offer(out, info_hash, peer_id, offer));
                });
            }
        }
        self.metrics.offers.inc_by(targets.len() as u64);
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
