//! Who a client is and what it may do: found out at the handshake, from its token, its address and the
//! configuration, and again when it sends another token.

mod config;
mod files;
mod groups;
mod places;
mod session;
mod tokens;
mod verify;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use beekeepr_model::{InfoHash, Time};
use beekeepr_swarm::{Network, Place, Privacy, Role, Standing};
use beekeepr_tracker_proto::{SdpRules, is_private};

pub use config::{Group, GroupMode, Matching, PrivacyMode, SdpLimits, Tokens};
pub(crate) use session::{Refusal, Session};

use crate::Config;
use groups::Groups;
use places::Places;
use session::Entry;
use tokens::Authority;

/// The subprotocol under which a token may come, for pages that must not show it in a URL:
/// `new WebSocket(url, ["jwt", token])`.
const PROTOCOL: &str = "jwt";

/// What a client's handshake says.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) now: Time,
    /// The client's address, as a trusted proxy tells it.
    pub(crate) ip: IpAddr,
    /// Path and query.
    pub(crate) target: &'a str,
    /// The values of `Sec-WebSocket-Protocol`.
    pub(crate) protocols: Vec<&'a str>,
}

/// What the configuration says about who may do what. One for the process.
#[derive(Debug)]
pub(crate) struct Access {
    authority: Option<Authority>,
    groups: Groups,
    places: Places,
    sdp: SdpRules,
    privacy: PrivacyMode,
    /// Swarms whose viewers meet super-peers only.
    private_hashes: HashSet<InfoHash>,
    /// The only swarms there may be; `None` allows all.
    allowed_hashes: Option<HashSet<InfoHash>>,
    /// The swarm ids that tokens may call swarms by.
    swarm_ids: HashMap<InfoHash, String>,
}

impl Access {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// All that is wrong, each with its key.
    pub(crate) fn new(config: &Config) -> Result<Arc<Self>, Vec<String>> {
        let mut faults = Vec::new();
        let access = Self {
            authority: files::note(&mut faults, Authority::new(&config.tokens)).flatten(),
            groups: Groups::new(&config.matching.groups),
            places: files::note(&mut faults, Places::new(&config.matching)).unwrap_or_default(),
            sdp: config.sdp.rules(config.listen.ip()),
            privacy: config.privacy,
            private_hashes: files::hashes(
                &mut faults,
                "privacy_superpeer_only",
                &config.privacy_superpeer_only,
            ),
            allowed_hashes: files::allow_list(&mut faults, config),
            swarm_ids: files::swarm_ids(&mut faults, &config.tokens.swarm_ids),
        };
        match faults.is_empty() {
            true => Ok(Arc::new(access)),
            false => Err(faults),
        }
    }

    /// What a client is from now on, and the subprotocol that it is told.
    ///
    /// A token that is no good does not end the handshake: browsers show no page why one failed, and
    /// clients try again and again. The session says why, and every message is answered with it.
    pub(crate) fn admit(&self, arrival: &Arrival<'_>) -> (Session, Option<&'static str>) {
        let (by_protocol, protocol) = match token_in_protocols(&arrival.protocols) {
            Some(token) => (Some(token), Some(PROTOCOL)),
            None => (None, None),
        };
        let token = by_protocol.or_else(|| token_in_target(arrival.target));
        let (entry, standing) = match &self.authority {
            Some(authority) => authority.entry(arrival.now, token),
            None => (Entry::Open, Standing::default()),
        };
        let mark = |authority: &Authority| token.map(|token| authority.mark(token));
        let standing = self.placed(standing, self.place(arrival.ip));
        let session = Session {
            entry,
            token: self.authority.as_ref().and_then(mark),
            standing,
            is_off: self.mode(&standing.place) == GroupMode::Off,
            trusts_prefix: self.authority.is_none(),
            sdp: SdpRules {
                allows_private: self.sdp.allows_private || is_private(arrival.ip),
                ..self.sdp
            },
        };
        (session, protocol)
    }

    /// Whether a token is another one than the session came with, and would count for something.
    pub(crate) fn is_news(&self, session: &Session, token: &str) -> bool {
        let authority = self.authority.as_ref();
        authority.is_some_and(|it| session.token != Some(it.mark(token)))
    }

    /// What a client is from now on that has sent another token over its open connection.
    ///
    /// # Errors
    /// The token does not count, or is somebody else's: a connection's peers stay one viewer's.
    pub(crate) fn renew(
        &self,
        now: Time,
        session: &Session,
        token: &str,
    ) -> Result<Session, Refusal> {
        let Some(authority) = &self.authority else {
            return Ok(session.clone());
        };
        let (entry, standing) = authority.entry(now, Some(token));
        if let Entry::Refused(refusal) = entry {
            return Err(refusal);
        }
        let is_same = match session.entry {
            Entry::Granted { .. } => session.holder() == standing.holder,
            Entry::Open | Entry::Refused(_) => true,
        };
        if !is_same {
            return Err(Refusal {
                kind: "another_subject",
                text: "the token is another subject's; connect again with it".to_owned(),
            });
        }
        Ok(Session {
            entry,
            token: Some(authority.mark(token)),
            standing: self.placed(standing, session.standing.place),
            ..session.clone()
        })
    }

    /// Whether a session may have to do with a swarm, or the text that says why not.
    pub(crate) fn opens(
        &self,
        session: &Session,
        info_hash: &InfoHash,
    ) -> Result<(), &'static str> {
        if self
            .allowed_hashes
            .as_ref()
            .is_some_and(|list| !list.contains(info_hash))
        {
            return Err(
                "this tracker does not serve this info_hash; expected one of its allow list",
            );
        }
        let swarm_id = self.swarm_ids.get(info_hash).map(String::as_str);
        if session.opens(info_hash, swarm_id) {
            Ok(())
        } else {
            Err("the token does not open this info_hash; get one whose swarms name it")
        }
    }

    /// What a session's peer is in a swarm.
    pub(crate) fn standing(
        &self,
        session: &Session,
        info_hash: &InfoHash,
        is_seeder: bool,
    ) -> Standing {
        let mut standing = session.standing;
        if session.trusts_prefix && is_seeder {
            standing.role = Role::SuperPeer;
        }
        if self.privacy == PrivacyMode::SuperpeerOnly || self.private_hashes.contains(info_hash) {
            standing.privacy = Privacy::SuperPeerOnly;
        }
        standing
    }

    fn placed(&self, standing: Standing, place: Place) -> Standing {
        Standing {
            place,
            is_leech: standing.is_leech || self.mode(&place) == GroupMode::Leech,
            ..standing
        }
    }

    fn mode(&self, place: &Place) -> GroupMode {
        place.group.map_or(GroupMode::On, |it| self.groups.mode(it))
    }

    fn place(&self, ip: IpAddr) -> Place {
        let (asn, country) = (self.places.asn(ip), self.places.country(ip));
        Place {
            network: Some(Network::of(ip)),
            group: self.groups.of(ip, asn, country),
            asn,
            country,
        }
    }
}

fn token_in_protocols<'a>(values: &[&'a str]) -> Option<&'a str> {
    let mut protocols = values
        .iter()
        .flat_map(|value| value.split(','))
        .map(str::trim);
    protocols.find(|it| *it == PROTOCOL)?;
    protocols.next()
}

/// The value of `jwt` in the query. A token has no characters that are escaped in one.
fn token_in_target(target: &str) -> Option<&str> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("jwt="))
}

#[cfg(test)]
mod tests;
