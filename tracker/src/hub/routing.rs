//! Which worker a message is for.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

use beekeepr_model::{InfoHash, Time};
use beekeepr_swarm::ConnKey;
use beekeepr_tracker_proto::{
    Action, ClientMessage, Event, Refused, TokenIn, read_client_message, reply,
};
use beekeepr_websocket::write;

use super::{Hub, Then};
use crate::directory::WorkerId;
use crate::outbox::{Context, Outbox};
use crate::post::Mail;

/// How often content is looked for that nobody is left in.
const CLAIMS_INTERVAL_MS: u64 = 5_000;

const TOO_BUSY: &str = "the tracker is too busy; try again later";

/// The content that this worker was given by the directory.
#[derive(Debug, Default)]
pub(super) struct Claims {
    hashes: HashSet<InfoHash>,
    looked: Time,
}

/// Where a message goes.
enum Route {
    Here,
    Move(WorkerId),
    Forward(WorkerId),
}

impl Hub {
    /// Takes a message from a connection of this worker.
    pub(super) fn message(&mut self, now: Time, key: ConnKey, text: &[u8]) -> Then {
        self.shared.metrics.messages.inc();
        let message = read_client_message(text);
        if let Err(reason) = self.charge(now, key, &message) {
            self.refuse(key, &message, &reason);
            self.count_refusal(key);
            return Then::Stay;
        }
        let about = match &message {
            Ok(ClientMessage::Announce(announce)) => {
                if let Some(TokenIn(token)) = announce.token
                    && let Err(reason) = self.renew(now, key, token)
                {
                    self.refuse(key, &message, &reason);
                    return Then::Stay;
                }
                Some((announce.info_hash, announce.event != Event::Stopped))
            }
            Ok(ClientMessage::Answer(answer)) => Some((answer.info_hash, false)),
            Ok(ClientMessage::Scrape(_)) | Err(_) => None,
        };
        let route = match about {
            Some((info_hash, joins)) => self.route(key, info_hash.id, joins),
            None => Route::Here,
        };
        let Some(from) = self.context(key) else {
            return Then::Stay;
        };
        if let Ok(ClientMessage::Scrape(scrape)) = &message
            && from.session.refusal(now).is_none()
        {
            if !self.scrape(now, &from, scrape) {
                self.refuse(key, &message, &TOO_BUSY);
            }
            return Then::Stay;
        }
        match route {
            Route::Here => self
                .signalling
                .message(now, &from, message, &mut self.connections),
            Route::Move(to) => {
                let text = text.to_vec();
                return Then::Move { to, text };
            }
            Route::Forward(to) => {
                let text = text.to_vec();
                if self.forward(to, from, text) {
                    return Then::Stay;
                }
                self.refuse(key, &message, &TOO_BUSY);
            }
        }
        Then::Stay
    }

    /// Takes a message from a connection of another worker, which found its content to be here.
    pub(super) fn foreign_message(&mut self, now: Time, from: &Context, text: &[u8]) {
        let message = read_client_message(text);
        if let Ok(ClientMessage::Announce(announce)) = &message {
            let info_hash = announce.info_hash.id;
            if self.shared.directory.claim(info_hash, self.here) != self.here {
                // Everybody left the swarm while the message was on its way, and somebody else
                // brought it back elsewhere.
                self.refuse(from.key, &message, &TOO_BUSY);
                return;
            }
            self.claims.hashes.insert(info_hash);
        }
        self.signalling
            .message(now, from, message, &mut self.connections);
    }

    /// Gives up content that nobody is left in, now and then.
    pub(super) fn give_up_claims(&mut self, now: Time) {
        if now.since_ms(self.claims.looked) < CLAIMS_INTERVAL_MS {
            return;
        }
        self.claims.looked = now;
        let (signalling, directory, here) = (&self.signalling, &self.shared.directory, self.here);
        self.claims.hashes.retain(|&info_hash| {
            let is_kept = signalling.has_swarm(info_hash);
            if !is_kept {
                directory.release(info_hash, here);
            }
            is_kept
        });
    }

    fn context(&self, key: ConnKey) -> Option<Context> {
        let connection = self.connections.get(key)?;
        Some(Context {
            key,
            session: Arc::clone(connection.session.as_ref()?),
        })
    }

    /// The way of a message about one swarm. `joins` says that the swarm comes into being by it.
    fn route(&mut self, key: ConnKey, info_hash: InfoHash, joins: bool) -> Route {
        if self.shared.directory.workers() == 1 {
            return Route::Here;
        }
        if !self.signalling.has_swarm(info_hash) {
            return self.route_foreign(key, info_hash, joins);
        }
        if joins {
            self.settle_down(key, self.here);
        }
        Route::Here
    }

    /// The way of a message about a swarm that is not here, or that nobody is in.
    fn route_foreign(&mut self, key: ConnKey, info_hash: InfoHash, joins: bool) -> Route {
        let directory = Arc::clone(&self.shared.directory);
        let owner = match (directory.owner(info_hash), joins) {
            (Some(owner), _) => owner,
            (None, false) => return Route::Here,
            (None, true) => directory.claim(info_hash, self.preferred(key)),
        };
        let is_placed = self
            .connections
            .get(key)
            .is_some_and(|it| it.place.is_some());
        if owner == self.here {
            if joins {
                self.claims.hashes.insert(info_hash);
                self.settle_down(key, owner);
            }
            Route::Here
        } else if joins && !is_placed && !self.scrapes.wait_for(key) {
            self.settle_down(key, owner);
            Route::Move(owner)
        } else {
            if joins {
                // Who waits for a scrape stays: the reply would not find it elsewhere.
                self.settle_down(key, self.here);
            }
            Route::Forward(owner)
        }
    }

    /// The worker for content that this connection is the first to bring.
    fn preferred(&mut self, key: ConnKey) -> WorkerId {
        let Some(connection) = self.connections.get_mut(key) else {
            return self.here;
        };
        let brought = connection.swarms_brought;
        connection.swarms_brought += 1;
        if connection.place.is_none() {
            self.shared.directory.least_loaded(self.here)
        } else {
            self.shared.directory.next_for(self.here, brought)
        }
    }

    /// Gives a connection its place, if it has none.
    fn settle_down(&mut self, key: ConnKey, worker: WorkerId) {
        let directory = &self.shared.directory;
        if let Some(connection) = self.connections.get_mut(key)
            && connection.place.is_none()
        {
            connection.place = Some(directory.place(worker));
        }
    }

    fn forward(&mut self, to: WorkerId, from: Context, text: Vec<u8>) -> bool {
        let key = from.key;
        if !self.shared.post.send(to, Mail::Message { from, text }) {
            self.shared.metrics.mail_lost.inc();
            return false;
        }
        self.shared.metrics.forwarded.inc();
        if let Some(connection) = self.connections.get_mut(key)
            && !connection.known_at.contains(&to)
        {
            connection.known_at.push(to);
        }
        true
    }

    /// Tells a client that its message was not taken, in words that it can show.
    fn refuse(
        &mut self,
        to: ConnKey,
        message: &Result<ClientMessage<'_>, Refused<'_>>,
        reason: &impl Display,
    ) {
        let (action, info_hash) = match message {
            Ok(ClientMessage::Announce(it)) => (Action::Announce, Some(it.info_hash.raw)),
            Ok(ClientMessage::Answer(it)) => (Action::Announce, Some(it.info_hash.raw)),
            Ok(ClientMessage::Scrape(_)) => (Action::Scrape, None),
            Err(refused) => (refused.action, refused.info_hash),
        };
        self.shared.metrics.failures.inc();
        self.connections.send(to, |out| {
            write::text(out, |out| reply::failure(out, action, info_hash, reason));
        });
    }
}
