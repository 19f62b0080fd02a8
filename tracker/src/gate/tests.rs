//! Who is let in, and who is not.

use super::*;
use crate::Limits;

fn gate(limits: Limits) -> Arc<Gate> {
    Gate::new(Config {
        limits,
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..Config::default()
    })
}

fn enter(gate: &Arc<Gate>, address: &str) -> Result<Pass, Closed> {
    gate.enter(Time::ZERO, address.parse().unwrap())
}

#[test]
fn addresses_have_their_own_limits() {
    let gate = gate(Limits {
        connections_per_ip_max: 1,
        ..Limits::default()
    });
    let first = enter(&gate, "192.0.2.1").unwrap();
    assert_eq!(enter(&gate, "192.0.2.1").unwrap_err(), Closed::AddressFull);
    assert_eq!(
        enter(&gate, "::ffff:192.0.2.1").unwrap_err(),
        Closed::AddressFull
    );
    let _other = enter(&gate, "192.0.2.2").unwrap();
    drop(first);
    assert!(enter(&gate, "192.0.2.1").is_ok());
    assert_eq!(gate.connections(), 1);
}

#[test]
fn a_network_of_ipv6_counts_as_one_address() {
    let gate = gate(Limits {
        connections_per_ip_max: 1,
        ..Limits::default()
    });
    let _first = enter(&gate, "2001:db8::1").unwrap();
    assert_eq!(
        enter(&gate, "2001:db8::2").unwrap_err(),
        Closed::AddressFull
    );
    assert!(enter(&gate, "2001:db8:0:1::1").is_ok());
}

#[test]
fn new_connections_may_come_only_so_fast() {
    let gate = gate(Limits {
        handshakes_per_ip_per_s: 2,
        ..Limits::default()
    });
    for _ in 0..10 {
        assert!(enter(&gate, "192.0.2.1").is_ok());
    }
    assert_eq!(enter(&gate, "192.0.2.1").unwrap_err(), Closed::TooFast);
    assert!(
        enter(&gate, "127.0.0.1").is_ok(),
        "this machine has no limits"
    );
    let later = gate.enter(Time::from_ms(500), "192.0.2.1".parse().unwrap());
    assert!(later.is_ok());
}

#[test]
fn behind_a_proxy_the_client_counts() {
    let gate = gate(Limits {
        connections_per_ip_max: 1,
        ..Limits::default()
    });
    let client = "192.0.2.1".parse().unwrap();
    let (mut one, mut two) = (
        enter(&gate, "10.0.0.1").unwrap(),
        enter(&gate, "10.0.0.1").unwrap(),
    );
    assert_eq!(one.speaks_for(Time::ZERO, client), Ok(()));
    assert_eq!(two.speaks_for(Time::ZERO, client), Err(Closed::AddressFull));
    drop(one);
    assert_eq!(two.speaks_for(Time::ZERO, client), Ok(()));
}

#[test]
fn a_token_counts_wherever_it_comes_from() {
    let gate = gate(Limits {
        connections_per_token_max: 1,
        ..Limits::default()
    });
    let mut one = enter(&gate, "192.0.2.1").unwrap();
    let mut two = enter(&gate, "192.0.2.2").unwrap();
    assert_eq!(one.holds(Time::ZERO, Holder(7)), Ok(()));
    assert_eq!(two.holds(Time::ZERO, Holder(7)), Err(Closed::TokenFull));
    assert_eq!(two.holds(Time::ZERO, Holder(8)), Ok(()));
    drop(one);
    let mut three = enter(&gate, "192.0.2.3").unwrap();
    assert_eq!(three.holds(Time::ZERO, Holder(7)), Ok(()));
}

#[test]
fn a_full_tracker_lets_nobody_in() {
    let gate = gate(Limits {
        connections_max: 1,
        ..Limits::default()
    });
    let first = enter(&gate, "192.0.2.1").unwrap();
    assert_eq!(enter(&gate, "192.0.2.2").unwrap_err(), Closed::Full);
    drop(first);
    assert_eq!(gate.connections(), 0);
    assert!(enter(&gate, "192.0.2.2").is_ok());
}
