//! Who comes in, and as what.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use beekeepr_swarm::Privacy;
use beekeepr_trust::{Algorithm, Claims, Role as TokenRole, signing_input, with_signature};
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use tempfile::TempDir;

use super::*;
use crate::Config;

const SECRET: [u8; 32] = [7; 32];
const HASH: InfoHash = InfoHash(*b"hpw5DN1BrHoy/nDyIVbD");
const OTHER_HASH: InfoHash = InfoHash(*b"dWzShRMpT2iw023W5NAw");
const NOW: Time = Time::from_ms(1_000);

/// A key set with one secret, and the configuration that names it.
fn token_config(folder: &TempDir) -> Config {
    let file = folder.path().join("keys.json");
    let k = BASE64URL_NOPAD.encode(&SECRET);
    fs::write(
        &file,
        format!(r#"{{"keys":[{{"kty":"oct","kid":"a","k":"{k}"}}]}}"#),
    )
    .unwrap();
    Config {
        tokens: Tokens {
            keys: Some(file),
            ..Tokens::default()
        },
        ..Config::default()
    }
}

/// A token that counts for a minute.
fn token(claims: Claims) -> String {
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = Claims {
        exp: Some(now_s + 60),
        ..claims
    };
    let input = signing_input(Algorithm::Hs256, Some("a"), &claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    with_signature(&input, hmac::sign(&key, input.as_bytes()).as_ref())
}

fn arrive(access: &Access, ip: &str, target: &str, protocols: &[&'static str]) -> Session {
    let arrival = Arrival {
        now: NOW,
        ip: ip.parse().unwrap(),
        target,
        protocols: protocols.to_vec(),
    };
    access.admit(&arrival).0
}

fn access(config: &Config) -> Arc<Access> {
    Access::new(config).unwrap()
}

#[test]
fn without_keys_everybody_comes_in_and_a_prefix_makes_a_super_peer() {
    let access = access(&Config::default());
    let session = arrive(&access, "192.0.2.1", "/?jwt=nonsense", &[]);
    assert_eq!((session.refusal(NOW), session.expires()), (None, None));
    assert_eq!(access.standing(&session, &HASH, false).role, Role::Viewer);
    assert_eq!(access.standing(&session, &HASH, true).role, Role::SuperPeer);
}

#[test]
fn a_token_comes_in_the_url_or_as_a_subprotocol() {
    let folder = TempDir::new().unwrap();
    let access = access(&token_config(&folder));
    let token = token(Claims::default());
    let target = format!("/announce?x=1&jwt={token}&y=2");
    assert_eq!(
        arrive(&access, "192.0.2.1", &target, &[]).refusal(NOW),
        None
    );
    let list = format!("jwt, {token}");
    for protocols in [vec![list.as_str()], vec!["jwt", &token]] {
        let (session, protocol) = access.admit(&Arrival {
            now: NOW,
            ip: "192.0.2.1".parse().unwrap(),
            target: "/",
            protocols,
        });
        assert_eq!((session.refusal(NOW), protocol), (None, Some("jwt")));
    }
}

#[test]
fn who_has_no_good_token_is_told_why() {
    let folder = TempDir::new().unwrap();
    let config = token_config(&folder);
    let refusal = |config: &Config, target: &str| {
        let session = arrive(&access(config), "192.0.2.1", target, &[]);
        session.refusal(NOW).map(std::borrow::Cow::into_owned)
    };
    assert!(refusal(&config, "/").is_some_and(|it| it.contains("needs a token")));
    assert!(refusal(&config, "/?jwt=x").is_some_and(|it| it.contains("malformed")));
    let loose = Config {
        tokens: Tokens {
            required: false,
            ..config.tokens
        },
        ..config
    };
    assert_eq!(refusal(&loose, "/"), None);
    assert!(
        refusal(&loose, "/?jwt=x").is_some(),
        "a bad one is worse than none"
    );
}

#[test]
fn a_token_says_what_its_holder_is() {
    let folder = TempDir::new().unwrap();
    let access = access(&token_config(&folder));
    let session = |claims| {
        let target = format!("/?jwt={}", token(claims));
        arrive(&access, "192.0.2.1", &target, &[])
    };
    let claims = Claims {
        sub: Some("viewer".to_owned()),
        is_leech: true,
        swarms: Some(vec!["hpw5DN1BrHoy/nDyIVbD".to_owned()]),
        privacy: Some(beekeepr_trust::Privacy::SuperPeerOnly),
        ..Claims::default()
    };
    let (one, two) = (session(claims.clone()), session(claims));
    let standing = access.standing(&one, &HASH, true);
    assert_eq!(
        standing.role,
        Role::Viewer,
        "with tokens a prefix is worth nothing"
    );
    assert!(standing.is_leech && standing.holder.is_some());
    assert_eq!(standing.privacy, Privacy::SuperPeerOnly);
    assert_eq!(
        one.standing.holder, two.standing.holder,
        "one subject, one holder"
    );
    assert!(access.opens(&one, &HASH).is_ok() && access.opens(&one, &OTHER_HASH).is_err());
    let expires = one.expires().unwrap();
    assert!(expires.since_ms(NOW) <= 60_000 && expires.since_ms(NOW) >= 58_000);
    assert!(
        one.refusal(expires)
            .is_some_and(|it| it.contains("has expired"))
    );
    let seeder = session(Claims {
        role: TokenRole::SuperPeer,
        ..Claims::default()
    });
    let standing = access.standing(&seeder, &HASH, false);
    assert_eq!((standing.role, standing.holder), (Role::SuperPeer, None));
}

#[test]
fn swarm_ids_open_the_swarms_that_the_configuration_lists() {
    let folder = TempDir::new().unwrap();
    let mut config = token_config(&folder);
    let hashes = vec!["hpw5DN1BrHoy/nDyIVbD".to_owned()];
    config
        .tokens
        .swarm_ids
        .insert("https://cdn.example/one".to_owned(), hashes);
    let access = access(&config);
    let claims = Claims {
        swarms: Some(vec!["https://cdn.example/*".to_owned()]),
        ..Claims::default()
    };
    let session = arrive(
        &access,
        "192.0.2.1",
        &format!("/?jwt={}", token(claims)),
        &[],
    );
    assert!(access.opens(&session, &HASH).is_ok());
    assert!(access.opens(&session, &OTHER_HASH).is_err());
}

#[test]
fn groups_are_found_by_network_and_the_first_counts() {
    let group = |name: &str, network: &str, mode| Group {
        name: name.to_owned(),
        networks: vec![network.parse().unwrap()],
        mode,
        ..Group::default()
    };
    let config = Config {
        matching: Matching {
            groups: vec![
                group("guests", "10.9.0.0/16", GroupMode::Off),
                group("phones", "10.8.0.0/16", GroupMode::Leech),
                group("office", "10.0.0.0/8", GroupMode::On),
            ],
            ..Matching::default()
        },
        ..Config::default()
    };
    let access = access(&config);
    let at = |ip| {
        let session = arrive(&access, ip, "/", &[]);
        (
            session.standing.place.group,
            session.is_off(),
            session.standing.is_leech,
        )
    };
    assert_eq!(at("10.9.1.1"), (Some(0), true, false));
    assert_eq!(at("10.8.1.1"), (Some(1), false, true));
    assert_eq!(at("10.1.1.1"), (Some(2), false, false));
    assert_eq!(at("192.0.2.1"), (None, false, false));
}

#[test]
fn groups_are_found_by_system_and_country() {
    let groups = Groups::new(&[
        Group {
            asns: vec![64_500],
            ..Group::default()
        },
        Group {
            countries: vec!["de".to_owned()],
            ..Group::default()
        },
    ]);
    let ip = "192.0.2.1".parse().unwrap();
    assert_eq!(groups.of(ip, Some(64_500), Some(*b"DE")), Some(0));
    assert_eq!(groups.of(ip, Some(64_501), Some(*b"DE")), Some(1));
    assert_eq!(groups.of(ip, None, None), None);
}

#[test]
fn only_listed_swarms_are_served() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("hashes");
    fs::write(
        &file,
        "# two\n\n 6457 \n".replace(" 6457 ", "  dWzShRMpT2iw023W5NAw  "),
    )
    .unwrap();
    let config = Config {
        info_hashes: vec!["68707735444E314272486F792F6E447949566244".to_owned()],
        info_hashes_file: Some(file),
        ..Config::default()
    };
    let access = access(&config);
    let session = arrive(&access, "192.0.2.1", "/", &[]);
    assert!(access.opens(&session, &HASH).is_ok());
    assert!(access.opens(&session, &OTHER_HASH).is_ok());
    assert!(access.opens(&session, &InfoHash([0; 20])).is_err());
}

#[test]
fn privacy_is_set_for_all_or_for_some_swarms() {
    let some = Config {
        privacy_superpeer_only: vec!["hpw5DN1BrHoy/nDyIVbD".to_owned()],
        ..Config::default()
    };
    let all = Config {
        privacy: PrivacyMode::SuperpeerOnly,
        ..Config::default()
    };
    for (config, expected) in [
        (some, [Privacy::SuperPeerOnly, Privacy::Mesh]),
        (all, [Privacy::SuperPeerOnly; 2]),
    ] {
        let access = access(&config);
        let session = arrive(&access, "192.0.2.1", "/", &[]);
        let seen = [HASH, OTHER_HASH].map(|it| access.standing(&session, &it, false).privacy);
        assert_eq!(seen, expected);
    }
}

#[test]
fn foreign_private_candidates_can_be_refused() {
    let config = Config {
        listen: "0.0.0.0:0".parse().unwrap(),
        sdp: SdpLimits {
            private_candidates: false,
            ..SdpLimits::default()
        },
        ..Config::default()
    };
    let access = access(&config);
    let rules = |ip| *arrive(&access, ip, "/", &[]).sdp();
    assert!(!rules("192.0.2.1").allows_private && !rules("192.0.2.1").allows_loopback);
    assert!(
        rules("10.0.0.1").allows_private,
        "it is in a private network, as the tracker is"
    );
    let local = Access::new(&Config::default()).unwrap();
    assert!(arrive(&local, "127.0.0.1", "/", &[]).sdp().allows_loopback);
}

#[test]
fn faults_name_their_keys_all_at_once() {
    let config = Config {
        info_hashes: vec!["short".to_owned()],
        info_hashes_file: Some(PathBuf::from("/nowhere/hashes")),
        privacy_superpeer_only: vec!["x".to_owned()],
        tokens: Tokens {
            keys: Some(PathBuf::from("/nowhere/keys")),
            ..Tokens::default()
        },
        matching: Matching {
            asn_file: Some(PathBuf::from("/nowhere/asn")),
            ..Matching::default()
        },
        ..Config::default()
    };
    let faults = Access::new(&config).unwrap_err().join("\n");
    for key in [
        "tracker.info_hashes has \"short\"",
        "tracker.info_hashes_file is /nowhere/hashes",
        "tracker.privacy_superpeer_only has \"x\"",
        "tracker.tokens.keys is /nowhere/keys",
        "tracker.matching.asn_file is /nowhere/asn",
    ] {
        assert!(faults.contains(key), "{key} in {faults}");
    }
}
