//! Two ends in virtual time.

use std::sync::Arc;

use rtc_crypto::default_provider;

use super::*;

/// Two ends and the datagrams between them; every end has addresses by which the other knows it.
struct World {
    crypto: Arc<dyn RTCCryptoProvider>,
    now: Instant,
    ends: [Ice; 2],
    /// Whether a datagram of an end, sent to this address, gets there.
    passes: fn(SocketAddr) -> bool,
}

fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], if end == 0 { 1_000 } else { 2_000 }))
}

fn nowhere() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 9))
}

fn own(end: usize) -> Credentials {
    Credentials {
        ufrag: format!("end{end}"),
        password: format!("password of end number {end}"),
    }
}

fn end(now: Instant, end: usize, is_lite: bool, candidates: &[SocketAddr]) -> Ice {
    let start = Start {
        local: own(end),
        remote: own(1 - end),
        is_lite,
        tie_breaker: end as u64,
        prefix: [7; 8],
        candidates: candidates.to_vec(),
    };
    Ice::new(now, start)
}

impl World {
    /// The first end leads; the second is lite unless it thinks to lead as well.
    fn new(first: &[SocketAddr], second: &[SocketAddr], is_second_lite: bool) -> Self {
        let now = Instant::now();
        Self {
            crypto: default_provider().unwrap(),
            now,
            ends: [
                end(now, 0, false, first),
                end(now, 1, is_second_lite, second),
            ],
            passes: |_| true,
        }
    }

    /// Lets both ends do what is due, and delivers until nothing is under way.
    fn step(&mut self, after: Duration) {
        self.now += after;
        let crypto = Arc::clone(&self.crypto);
        for _ in 0..10 {
            for sender in 0..2 {
                self.ends[sender].timeout(self.now, crypto.as_ref());
                for (to, datagram) in self.ends[sender].take_outbox() {
                    if (self.passes)(to) && to == address(1 - sender) {
                        self.deliver(sender, &datagram);
                    }
                }
            }
        }
    }

    fn deliver(&mut self, sender: usize, datagram: &[u8]) {
        let receiver = &mut self.ends[1 - sender];
        let mut check = Check::read(datagram).unwrap();
        let crypto = self.crypto.as_ref();
        if check.is_request() {
            assert!(check.is_signed_with(receiver.password(), crypto));
            receiver.request(self.now, address(sender), &check, crypto);
        } else {
            receiver.answer(self.now, address(sender), &mut check, crypto);
        }
    }

    fn is_connected(&self) -> bool {
        let targets = [0, 1].map(|end| self.ends[end].target());
        self.ends.iter().all(Ice::is_connected) && targets == [Some(address(1)), Some(address(0))]
    }
}

#[test]
fn a_lite_end_talks_where_the_leader_says() {
    let mut world = World::new(&[address(1)], &[], true);
    world.step(Duration::ZERO);
    assert!(world.is_connected());
}

#[test]
fn the_first_path_that_works_is_taken() {
    let mut world = World::new(&[nowhere(), address(1)], &[], true);
    world.step(Duration::ZERO);
    assert!(world.is_connected());
}

#[test]
fn a_leader_that_knows_no_address_answers_where_it_is_checked_from() {
    let mut world = World::new(&[], &[address(0)], false);
    world.ends[1].role.is_controlling = false;
    world.step(Duration::ZERO);
    assert!(world.is_connected());
}

#[test]
fn of_two_leaders_the_smaller_number_gives_in() {
    let mut world = World::new(&[address(1)], &[address(0)], false);
    world.step(Duration::ZERO);
    world.step(CHECK_INTERVAL);
    assert!(world.is_connected());
    assert!(world.ends[1].role.is_controlling && !world.ends[0].role.is_controlling);
}

#[test]
fn lost_checks_are_repeated_and_given_up() {
    let mut world = World::new(&[address(1)], &[], true);
    world.passes = |_| false;
    world.step(Duration::ZERO);
    world.step(CHECK_INTERVAL);
    world.passes = |_| true;
    world.step(CHECK_INTERVAL);
    assert!(world.is_connected());

    let mut alone = World::new(&[nowhere()], &[], true);
    for _ in 0..CHECKS_MAX {
        alone.step(CHECK_INTERVAL);
    }
    assert_eq!(alone.ends[0].due(), None, "no more checks");
    assert!(!alone.is_connected());
}

#[test]
fn a_path_in_use_is_kept_alive_by_the_leader_alone() {
    let mut world = World::new(&[address(1)], &[], true);
    world.step(Duration::ZERO);
    assert_eq!(world.ends[0].due(), Some(world.now + KEEPALIVE));
    assert_eq!(world.ends[1].due(), None);
    world.step(KEEPALIVE);
    assert_eq!(world.ends[1].paths[0].heard, world.now);
}

#[test]
fn a_peer_that_moves_is_followed_once_the_old_path_is_silent() {
    let mut world = World::new(&[address(1)], &[], true);
    world.step(Duration::ZERO);
    // What was the peer's address before the network changed is somebody else's now.
    world.ends[0].paths[0].to = nowhere();
    world.now += STALE_AFTER;
    let crypto = Arc::clone(&world.crypto);
    let peers = Signer {
        crypto: crypto.as_ref(),
        password: &own(0).password,
    };
    let role = world.ends[1].role;
    let moved = peers.request([9; 12], "end0:end1", role, false).unwrap();
    world.deliver(1, &moved);
    world.step(Duration::ZERO);
    assert!(world.is_connected());
}

#[test]
fn an_answer_that_nobody_asked_for_makes_no_path() {
    let mut world = World::new(&[address(1)], &[], true);
    let crypto = Arc::clone(&world.crypto);
    let forger = Signer {
        crypto: crypto.as_ref(),
        password: &own(1).password,
    };
    let unasked = forger.success([7; 12], address(0)).unwrap();
    world.deliver(1, &unasked);
    // The right name, but not signed by the peer.
    world.ends[0].timeout(world.now, crypto.as_ref());
    let (_, sent) = world.ends[0].take_outbox().remove(0);
    let id = Check::read(&sent).unwrap().transaction();
    let forger = Signer {
        crypto: crypto.as_ref(),
        password: "not the peer's",
    };
    world.deliver(1, &forger.success(id, address(0)).unwrap());
    assert!(!world.ends[0].paths[0].is_valid);
}

#[test]
fn addresses_beyond_the_limit_are_answered_and_forgotten() {
    let mut world = World::new(&[], &[], true);
    let crypto = Arc::clone(&world.crypto);
    let peers = Signer {
        crypto: crypto.as_ref(),
        password: &own(0).password,
    };
    let role = world.ends[1].role;
    let request = peers.request([9; 12], "end0:end1", role, false).unwrap();
    let check = Check::read(&request).unwrap();
    for port in 1..100 {
        let from = SocketAddr::from(([203, 0, 113, 1], port));
        world.ends[0].request(world.now, from, &check, crypto.as_ref());
    }
    assert_eq!(world.ends[0].paths.len(), PATHS_MAX);
    assert_eq!(world.ends[0].take_outbox().len(), 99);
}
