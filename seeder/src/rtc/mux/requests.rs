//! What clients ask of the hub.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use bytes::Bytes;

use super::super::client::{Command, HubEvent, Outlet, Request};
use super::super::connection::{Connection, Ends, Owner};
use super::super::hub::HubError;
use super::super::random::{bytes, hex_string, ice_string};
use super::super::sdp::{Description, SdpError, Setup};
use super::super::socket::Socket;
use super::{Caller, Key, Mux, Name, Offer, Peer};

/// Characters of our credentials: 96 and 192 random bits. RFC 8445, 5.3 asks for 24 and 128.
const UFRAG_LEN: usize = 16;
const PASSWORD_LEN: usize = 32;

/// What p2p-media-loader names its channels: 20 random bytes in hexadecimal.
const LABEL_LEN: usize = 40;

/// Why a connection does not come about.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the connection's number is taken or unknown")]
    Number,
    #[error("{0} at their limit of {1}")]
    Full(&'static str, usize),
    #[error(transparent)]
    Sdp(#[from] SdpError),
    #[error(transparent)]
    Random(#[from] HubError),
    #[error("the WebRTC stack refused the descriptions: {0}")]
    Stack(String),
    #[error("the WebRTC stack panicked on the descriptions")]
    Panic,
}

impl Mux {
    /// Does what a client asks.
    pub(in super::super) fn request(
        &mut self,
        now: Instant,
        request: Request,
        socket: &mut Socket,
    ) {
        let (client, command) = request;
        let name = |number| Name { client, number };
        match command {
            Command::Join(outlet) => self.join(client, outlet),
            Command::Offer(number) => {
                let made = self.make_offer(now, name(number));
                self.report(name(number), made);
            }
            Command::AcceptOffer(number, sdp) => {
                let made = self.accept_offer(now, name(number), &sdp);
                self.report(name(number), made);
            }
            Command::AcceptAnswer(number, sdp) => {
                let made = self.accept_answer(now, name(number), &sdp);
                self.report(name(number), made);
            }
            Command::Send(number, message) => self.send(name(number), message),
            Command::Close(number) => {
                if let Some(key) = self.key(name(number)) {
                    self.end(now, key, socket);
                }
            }
            Command::Resume => self.touch_all(client),
            Command::Leave => self.leave(now, client, socket),
        }
    }

    /// Ends every connection.
    pub(in super::super) fn close_all(&mut self, now: Instant, socket: &mut Socket) {
        let clients: Vec<u32> = self.callers.keys().copied().collect();
        for client in clients {
            self.leave(now, client, socket);
        }
    }

    fn join(&mut self, client: u32, outlet: Outlet) {
        let keys = HashMap::new();
        self.callers.insert(client, Caller { outlet, keys });
    }

    fn leave(&mut self, now: Instant, client: u32, socket: &mut Socket) {
        let keys: Vec<Key> = self
            .callers
            .get(&client)
            .map(|caller| caller.keys.values().copied().collect())
            .unwrap_or_default();
        for key in keys {
            self.end(now, key, socket);
        }
        self.callers.remove(&client);
    }

    /// A connection that does not come about is over. A mistaken number names no connection, or one
    /// that lives.
    fn report(&self, name: Name, made: Result<(), Refusal>) {
        match made {
            Ok(()) => {}
            Err(Refusal::Number) => {
                tracing::debug!(conn = name.number, "{}", Refusal::Number);
            }
            Err(refusal) => {
                tracing::debug!(conn = name.number, %refusal, "no connection");
                self.emit(name, HubEvent::Closed { conn: name.number });
            }
        }
    }

    fn make_offer(&mut self, now: Instant, name: Name) -> Result<(), Refusal> {
        self.check_new(name)?;
        if self.offers.len() >= self.config.offers_max {
            return Err(Refusal::Full("offers", self.config.offers_max));
        }
        let local = self.description()?;
        let sdp = local.to_string();
        let due = now + self.config.offer_timeout;
        let key = self.take_key(name);
        self.due.insert((due, key));
        self.offers.insert(key, Offer { name, local, due });
        let conn = name.number;
        self.emit(name, HubEvent::OfferReady { conn, sdp });
        Ok(())
    }

    fn accept_offer(&mut self, now: Instant, name: Name, sdp: &str) -> Result<(), Refusal> {
        self.check_new(name)?;
        let remote = Description::read(sdp)?;
        let mut local = self.description()?;
        // A lite end makes no checks of its own: the browser, which leads, makes them. Somebody has
        // to, so to a peer that is lite itself we are not.
        local.lite = !remote.lite;
        local.mid.clone_from(&remote.mid);
        local.setup = match remote.setup {
            Setup::Active => Setup::Passive,
            Setup::ActPass | Setup::Passive => Setup::Active,
        };
        let connection = self.connect(now, name, &local, remote, None)?;
        let sdp = local.to_string();
        let key = self.take_key(name);
        self.add_peer(key, name, local.ufrag, now, connection);
        let conn = name.number;
        self.emit(name, HubEvent::AnswerReady { conn, sdp });
        Ok(())
    }

    fn accept_answer(&mut self, now: Instant, name: Name, sdp: &str) -> Result<(), Refusal> {
        let key = self.key(name).ok_or(Refusal::Number)?;
        let offer = self.offers.remove(&key).ok_or(Refusal::Number)?;
        self.due.remove(&(offer.due, key));
        match self.answered(now, &offer, sdp) {
            Ok(connection) => self.add_peer(key, name, offer.local.ufrag, now, connection),
            Err(refusal) => {
                self.forget(name);
                return Err(refusal);
            }
        }
        Ok(())
    }

    fn answered(&self, now: Instant, offer: &Offer, sdp: &str) -> Result<Connection, Refusal> {
        let remote = Description::read(sdp)?;
        let label = hex_string(self.identity.crypto.as_ref(), LABEL_LEN)?;
        self.connect(now, offer.name, &offer.local, remote, Some(label))
    }

    fn connect(
        &self,
        now: Instant,
        name: Name,
        local: &Description,
        mut remote: Description,
        label: Option<String>,
    ) -> Result<Connection, Refusal> {
        if self.peers.len() >= self.config.peers_max {
            return Err(Refusal::Full("peers", self.config.peers_max));
        }
        let caller = self.callers.get(&name.client).ok_or(Refusal::Number)?;
        remote.candidates = self.reach.choose(&remote.candidates);
        let ends = Ends {
            local,
            remote: &remote,
            label,
            random: bytes(self.identity.crypto.as_ref())?,
        };
        let owner = Owner {
            number: name.number,
            outlet: caller.outlet.clone(),
            drained_bytes: self.config.send_buffer_low,
            give_up: now + self.config.connect_timeout,
        };
        catch_unwind(AssertUnwindSafe(|| {
            Connection::new(now, &self.identity, ends, owner)
        }))
        .map_err(|_| Refusal::Panic)?
        .map_err(Refusal::Stack)
    }

    /// What we say to the next peer.
    fn description(&self) -> Result<Description, HubError> {
        let crypto = self.identity.crypto.as_ref();
        let mut local = Description::local(
            ice_string(crypto, UFRAG_LEN)?,
            ice_string(crypto, PASSWORD_LEN)?,
            self.identity.fingerprint.clone(),
        );
        local.candidates.clone_from(&self.advertised);
        Ok(local)
    }

    fn add_peer(
        &mut self,
        key: Key,
        name: Name,
        ufrag: String,
        now: Instant,
        connection: Connection,
    ) {
        self.routes.add(ufrag.clone(), key);
        let peer = Peer {
            name,
            ufrag,
            due: now,
            connection: Box::new(connection),
            has_crashed: false,
            is_touched: false,
        };
        self.peers.insert(key, peer);
        self.touch(key);
    }

    fn send(&mut self, name: Name, message: Bytes) {
        if let Some(key) = self.key(name) {
            self.guarded(key, |peer| peer.send(message));
        }
    }

    fn touch_all(&mut self, client: u32) {
        let keys: Vec<Key> = self
            .callers
            .get(&client)
            .map(|caller| caller.keys.values().copied().collect())
            .unwrap_or_default();
        keys.into_iter().for_each(|key| self.touch(key));
    }

    fn check_new(&self, name: Name) -> Result<(), Refusal> {
        match self.key(name) {
            Some(_) => Err(Refusal::Number),
            None => Ok(()),
        }
    }

    fn take_key(&mut self, name: Name) -> Key {
        let key = self.next_key;
        self.next_key += 1;
        if let Some(caller) = self.callers.get_mut(&name.client) {
            caller.keys.insert(name.number, key);
        }
        key
    }
}
