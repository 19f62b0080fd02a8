//! Finding a path to the peer and keeping it (RFC 8445), for one component over UDP.
//!
//! Two of the four roles that ICE knows are played. When we answer we are *lite*: the browser makes
//! the checks, we answer them and talk where it tells us to. When we offer we are *controlling*: we
//! check every address of the peer's description, and every address from which it checks us, and
//! take the first path that works. Should both ends think to lead, the tie-breaker settles it.
//!
//! Nothing here knows a socket: checks, answers and the time come in, datagrams go to the outbox.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::stun::{Check, Role, Signer, Transaction};
use rtc_crypto::RTCCryptoProvider;

/// Between the checks of a path that is being tried, and how many are sent before it is given up:
/// 1.5 s. RFC 8445, 14.2 recommends 50 ms and forbids less than 5 ms.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
const CHECKS_MAX: u32 = 75;

/// Between our own checks of a path that works (RFC 8445, 11 asks for at most 15 s).
const KEEPALIVE: Duration = Duration::from_secs(2);

/// Without a sign of life on the chosen path, until another one that works is taken instead: the
/// time of two checks of ours and of Chromium's (2.5 s) unanswered.
const STALE_AFTER: Duration = Duration::from_secs(5);

/// Paths of one peer. As many as addresses that the mux lets it own.
const PATHS_MAX: usize = 16;

/// Set in the number of a check that nominates, so that its answer is known from the others.
const NOMINATES: u32 = 1 << 31;

/// One end's name and password.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) ufrag: String,
    pub(super) password: String,
}

/// What an end needs to begin.
pub(super) struct Start {
    pub(super) local: Credentials,
    pub(super) remote: Credentials,
    /// Whether we make no checks of our own.
    pub(super) is_lite: bool,
    pub(super) tie_breaker: u64,
    /// Begins the names of our checks: what nobody can guess about them.
    pub(super) prefix: [u8; 8],
    /// The peer's addresses that may be tried.
    pub(super) candidates: Vec<SocketAddr>,
}

#[derive(Debug)]
struct Path {
    to: SocketAddr,
    /// Whether a check of ours was answered there.
    is_valid: bool,
    /// Whether the peer, which leads, has chosen it.
    is_nominated: bool,
    sent: u32,
    next: Option<Instant>,
    heard: Instant,
}

/// One end's view of the paths to its peer.
pub(super) struct Ice {
    local: Credentials,
    remote: Credentials,
    is_lite: bool,
    role: Role,
    prefix: [u8; 8],
    number: u32,
    paths: Vec<Path>,
    /// The path in use, by its place in `paths`.
    selected: Option<usize>,
    /// Whether we, who lead, still have to tell the peer which path it is.
    is_nominating: bool,
    /// Where the peer's latest signed check came from.
    latest: Option<SocketAddr>,
    outbox: Vec<(SocketAddr, Vec<u8>)>,
}

impl Ice {
    pub(super) fn new(now: Instant, start: Start) -> Self {
        let mut ice = Self {
            local: start.local,
            remote: start.remote,
            is_lite: start.is_lite,
            role: Role {
                is_controlling: !start.is_lite,
                tie_breaker: start.tie_breaker,
            },
            prefix: start.prefix,
            number: 0,
            paths: Vec::new(),
            selected: None,
            is_nominating: false,
            latest: None,
            outbox: Vec::new(),
        };
        if !ice.is_lite {
            for to in start.candidates {
                ice.path_to(now, to);
            }
        }
        ice
    }

    /// The password that the peer's checks are signed with.
    pub(super) fn password(&self) -> &str {
        &self.local.password
    }

    /// Where to send: the chosen path; before there is one, wherever the peer has shown itself, for
    /// it may begin the handshake on a path that works for it while the choice is on its way.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        self.selected
            .and_then(|index| self.paths.get(index))
            .map(|path| path.to)
            .or_else(|| {
                let valid = self.paths.iter().find(|path| path.is_valid);
                valid.map(|path| path.to)
            })
            .or(self.latest)
    }

    /// Whether a path was chosen.
    pub(super) fn is_connected(&self) -> bool {
        self.selected.is_some()
    }

    /// Datagrams to send.
    pub(super) fn take_outbox(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.outbox)
    }

    /// Takes a check of the peer whose signature was found good.
    pub(super) fn request(
        &mut self,
        now: Instant,
        from: SocketAddr,
        check: &Check,
        crypto: &dyn RTCCryptoProvider,
    ) {
        let is_refused = self.loses_role(check);
        let answers = Signer {
            crypto,
            password: &self.local.password,
        };
        if is_refused {
            let refusal = answers.role_conflict(check.transaction());
            self.outbox.extend(refusal.map(|datagram| (from, datagram)));
            return;
        }
        let answer = answers.success(check.transaction(), from);
        self.outbox.extend(answer.map(|datagram| (from, datagram)));
        self.latest = Some(from);
        let Some(index) = self.path_to(now, from) else {
            return;
        };
        let path = &mut self.paths[index];
        path.heard = now;
        let is_chosen = check.nominates() && !self.role.is_controlling;
        path.is_nominated |= is_chosen;
        if is_chosen && (self.is_lite || path.is_valid) {
            self.selected = Some(index);
        } else if !path.is_valid && !self.is_lite {
            // A check that comes says that ours may get through now (RFC 8445, 7.3.1.4).
            path.sent = path.sent.min(CHECKS_MAX - 1);
            path.next = Some(now);
        } else if path.is_valid && self.is_stale(now) {
            self.choose(now, index);
        }
    }

    /// Whether the peer thinks to lead although we do, and has to give in. Gives in ourselves when
    /// it is the other way round.
    fn loses_role(&mut self, check: &Check) -> bool {
        match check.role() {
            Some(theirs) if theirs.is_controlling && self.role.is_controlling => {
                if self.role.tie_breaker >= theirs.tie_breaker {
                    return true;
                }
                self.role.is_controlling = false;
                self.is_nominating = false;
                false
            }
            _ => false,
        }
    }

    /// Takes the answer to a check of ours. Returns whether it was one, made by the peer.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        from: SocketAddr,
        check: &mut Check,
        crypto: &dyn RTCCryptoProvider,
    ) -> bool {
        let Some(number) = self.own_number(check.transaction()) else {
            return false;
        };
        // What comes from elsewhere than the check went to went through a NAT that maps every
        // address to another port: that path works in one direction only (RFC 8445, 7.2.5.2.1).
        let Some(index) = self.paths.iter().position(|path| path.to == from) else {
            return false;
        };
        if !check.is_signed_with(&self.remote.password, crypto) {
            return false;
        }
        if check.is_role_conflict() {
            self.role.is_controlling = !self.role.is_controlling;
            self.is_nominating &= self.role.is_controlling;
            self.paths[index].next = Some(now);
        } else if check.is_success() {
            self.works(now, index, number & NOMINATES != 0);
        }
        true
    }

    fn works(&mut self, now: Instant, index: usize, is_nomination: bool) {
        let path = &mut self.paths[index];
        path.heard = now;
        path.is_valid = true;
        let is_nominated = path.is_nominated;
        if self.role.is_controlling {
            if self.selected.is_none() || (self.selected != Some(index) && self.is_stale(now)) {
                self.choose(now, index);
            } else if is_nomination && self.selected == Some(index) {
                self.is_nominating = false;
            }
        } else if is_nominated {
            self.selected = Some(index);
        }
        if self.selected != Some(index) {
            self.paths[index].next = None;
        } else if !self.is_nominating {
            self.paths[index].next = Some(now + KEEPALIVE);
        }
    }

    /// Takes a path for good and says so to the peer at once.
    fn choose(&mut self, now: Instant, index: usize) {
        self.selected = Some(index);
        self.is_nominating = self.role.is_controlling;
        let path = &mut self.paths[index];
        path.sent = 0;
        path.next = Some(now);
    }

    fn is_stale(&self, now: Instant) -> bool {
        let selected = self.selected.and_then(|index| self.paths.get(index));
        self.role.is_controlling && selected.is_some_and(|path| path.heard + STALE_AFTER <= now)
    }

    /// Something that only the peer can have made came from there.
    pub(super) fn heard(&mut self, now: Instant, from: SocketAddr) {
        if let Some(path) = self.paths.iter_mut().find(|path| path.to == from) {
            path.heard = now;
        }
    }

    /// Sends what is due.
    pub(super) fn timeout(&mut self, now: Instant, crypto: &dyn RTCCryptoProvider) {
        for index in 0..self.paths.len() {
            if self.paths[index].next.is_some_and(|next| next <= now) {
                self.check(now, index, crypto);
            }
        }
    }

    /// When [`Self::timeout`] has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.paths.iter().filter_map(|path| path.next).min()
    }

    fn check(&mut self, now: Instant, index: usize, crypto: &dyn RTCCryptoProvider) {
        let is_selected = self.selected == Some(index);
        let nominates = is_selected && self.is_nominating;
        let is_keepalive = is_selected && !nominates;
        let path = &mut self.paths[index];
        path.sent += 1;
        path.next = if is_keepalive {
            Some(now + KEEPALIVE)
        } else if self.selected.is_some() && !is_selected && !path.is_nominated {
            // Another path is in use: this one was tried because the peer asked.
            None
        } else {
            (path.sent < CHECKS_MAX).then(|| now + CHECK_INTERVAL)
        };
        let to = path.to;
        let name = format!("{}:{}", self.remote.ufrag, self.local.ufrag);
        let id = self.next_transaction(nominates);
        let signer = Signer {
            crypto,
            password: &self.remote.password,
        };
        let datagram = signer.request(id, &name, self.role, nominates);
        self.outbox.extend(datagram.map(|datagram| (to, datagram)));
    }

    fn next_transaction(&mut self, nominates: bool) -> Transaction {
        self.number = (self.number + 1) & !NOMINATES;
        let number = self.number | if nominates { NOMINATES } else { 0 };
        let mut id = [0; 12];
        id[..8].copy_from_slice(&self.prefix);
        id[8..].copy_from_slice(&number.to_be_bytes());
        id
    }

    /// The number of a check that was really sent.
    fn own_number(&self, id: Transaction) -> Option<u32> {
        let [.., a, b, c, d] = id;
        let number = u32::from_be_bytes([a, b, c, d]);
        let is_own = id[..8] == self.prefix && (number & !NOMINATES) <= self.number;
        is_own.then_some(number)
    }

    /// The path to an address, made when there is none; `None` when there are too many.
    fn path_to(&mut self, now: Instant, to: SocketAddr) -> Option<usize> {
        if let Some(index) = self.paths.iter().position(|path| path.to == to) {
            return Some(index);
        }
        if self.paths.len() >= PATHS_MAX {
            return None;
        }
        self.paths.push(Path {
            to,
            is_valid: false,
            is_nominated: false,
            sent: 0,
            next: (!self.is_lite).then_some(now),
            heard: now,
        });
        Some(self.paths.len() - 1)
    }
}

#[cfg(test)]
mod tests;
