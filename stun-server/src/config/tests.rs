//! What cannot work, and what follows from what can.

use super::*;

/// The defaults with some keys changed.
fn faults(change: impl FnOnce(&mut Config)) -> Vec<String> {
    let mut config = Config::default();
    change(&mut config);
    config.faults()
}

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_defaults_work() {
    assert_eq!(Config::default().faults(), Vec::<String>::new());
}

#[test]
fn every_fault_names_its_key_and_what_to_write() {
    let faults = faults(|config| {
        config.workers = 257;
        config.drain_s = 301;
        config.limits.source_rate_per_s = 0;
        config.limits.connections_per_source_max = 1001;
    });
    assert_eq!(
        faults,
        [
            "stun.workers is 257: expected 0 to 256",
            "stun.drain_s is 301: expected 0 to 300",
            "stun.limits.source_rate_per_s is 0: expected 1 to 1000000000",
            "stun.limits.connections_per_source_max is 1001: expected 1 to 1000",
        ]
    );
}

#[test]
fn some_address_is_needed_and_not_too_many() {
    let none = faults(|config| config.listen.clear());
    assert_eq!(
        none,
        ["stun.listen is []: expected at least one address, such as 0.0.0.0:3478"]
    );
    let many = faults(|config| config.tcp_listen = vec![config.listen[0]; 17]);
    assert_eq!(
        many,
        ["stun.tcp_listen is 17 addresses: expected at most 16"]
    );
}

#[test]
fn tls_needs_addresses_and_a_certificate() {
    let tls = || tls::Config {
        certificate: "a".into(),
        key: "b".into(),
    };
    let listen = || addresses(&["127.0.0.1:5349"]);
    let bare = faults(|config| config.tls_listen = listen());
    assert!(bare[0].starts_with("stun.tls_listen is 127.0.0.1:5349: needs `stun.tls."));
    let idle = faults(|config| config.tls = Some(tls()));
    assert!(idle[0].contains("add `stun.tls_listen`"), "{idle:?}");
    let twice = faults(|config| {
        config.tls = Some(tls());
        config.tls_listen = listen();
        config.tcp_listen = listen();
    });
    assert!(twice[0].contains("another port"), "{twice:?}");
}

#[test]
fn an_alternate_address_goes_with_one_of_another_ip() {
    let fault = |listen: &[&str], alternate: &[&str]| {
        faults(|config| {
            config.listen = addresses(listen);
            config.alternate = addresses(alternate);
        })
        .join("; ")
    };
    assert_eq!(fault(&["192.0.2.1:3478"], &["192.0.2.2:3479"]), "");
    assert_eq!(fault(&["192.0.2.1:0"], &["192.0.2.2:0"]), "");
    for (listen, alternate, part) in [
        (&["192.0.2.1:1"][..], &["192.0.2.1:2"][..], "a second one"),
        (
            &["0.0.0.0:1"],
            &["192.0.2.1:2"],
            "`stun.listen` has 0.0.0.0:1",
        ),
        (
            &["192.0.2.1:1"],
            &["0.0.0.0:2"],
            "one address of this machine",
        ),
        (&["192.0.2.1:1"], &["[2001:db8::1]:2"], "of its family"),
        (
            &["192.0.2.1:1"],
            &["192.0.2.2:2", "192.0.2.3:2"],
            "one address for each family",
        ),
        (
            &["192.0.2.1:65535"],
            &["192.0.2.2:65535"],
            "choose two ports",
        ),
    ] {
        let fault = fault(listen, alternate);
        assert!(fault.starts_with("stun.alternate is "), "{fault}");
        assert!(fault.contains(part), "{fault}");
    }
}

#[test]
fn clients_are_told_the_advertised_address() {
    let config = Config {
        advertised: vec!["10.0.0.5=203.0.113.5".to_owned().try_into().unwrap()],
        ..Config::default()
    };
    let told = |text: &str| config.told(text.parse().unwrap()).to_string();
    assert_eq!(told("10.0.0.5:3478"), "203.0.113.5:3478");
    assert_eq!(told("10.0.0.6:3478"), "10.0.0.6:3478");
}

#[test]
fn workers_share_what_all_get_together() {
    let limits = Limits::default();
    let share = limits.of_worker(4);
    assert_eq!(share.rate_per_s * 4, limits.rate_per_s);
    assert_eq!(share.sources * 4, limits.sources);
    assert_eq!(share.source_burst, limits.source_burst);
}
