//! What good tokens say, and what that is worth.

use beekeepr_model::InfoHash;
use beekeepr_trust::{Claims, Grant, Policy, Privacy, Role, TokenError};

use crate::util::{Issuer, NOW_S, grant, grant_at, minute};

fn with(claims: &Claims, policy: &Policy) -> Result<Grant, TokenError> {
    let issuer = Issuer::new(Some("a"), 1);
    grant(&issuer.token(claims), &[issuer.key()], policy)
}

fn plain(claims: &Claims) -> Result<Grant, TokenError> {
    with(claims, &Policy::default())
}

#[test]
fn every_claim_survives_the_way_through_a_token() {
    let claims = Claims {
        exp: Some(NOW_S + 60),
        nbf: Some(NOW_S - 1),
        iat: Some(NOW_S - 2),
        iss: Some("https://id.example/\"é\"".to_owned()),
        aud: vec!["one".to_owned(), "two".to_owned()],
        sub: Some("viewer 7".to_owned()),
        jti: Some("t-1".to_owned()),
        swarms: Some(vec!["hpw5DN1BrHoy/nDyIVbD".to_owned()]),
        role: Role::SuperPeer,
        is_leech: true,
        max_up_kbps: Some(5_000),
        privacy: Some(Privacy::SuperPeerOnly),
    };
    let policy = Policy {
        audiences: vec!["two".to_owned()],
        ..Policy::default()
    };
    let grant = with(&claims, &policy).unwrap();
    assert_eq!(grant.subject.as_deref(), Some("viewer 7"));
    assert_eq!((grant.role, grant.is_leech), (Role::SuperPeer, true));
    assert_eq!(grant.max_up_kbps, Some(5_000));
    assert_eq!(grant.privacy, Some(Privacy::SuperPeerOnly));
    assert_eq!(grant.expires_s, NOW_S + 60);
    assert!(grant.scope.opens(&InfoHash(*b"hpw5DN1BrHoy/nDyIVbD"), None));
    assert!(!grant.scope.opens(&InfoHash(*b"dWzShRMpT2iw023W5NAw"), None));
}

#[test]
fn a_plain_token_is_a_viewers_for_all_swarms() {
    let grant = plain(&minute()).unwrap();
    assert_eq!(
        (grant.role, grant.is_leech, grant.privacy),
        (Role::Viewer, false, None)
    );
    assert!(grant.scope.opens(&InfoHash([0; 20]), None));
}

#[test]
fn tokens_count_from_nbf_to_exp() {
    let issuer = Issuer::new(None, 1);
    let mut claims = minute();
    claims.nbf = Some(NOW_S);
    let token = issuer.token(&claims);
    let policy = Policy {
        clock_skew_s: 30,
        ..Policy::default()
    };
    let at = |now_s| grant_at(now_s, &token, &[issuer.key()], &policy).map(drop);
    assert_eq!(at(NOW_S - 31), Err(TokenError::NotYet(31)));
    assert_eq!(at(NOW_S - 30), Ok(()));
    assert_eq!(at(NOW_S + 59), Ok(()));
    assert_eq!(
        at(NOW_S + 60),
        Err(TokenError::Expired(0)),
        "no token lives longer for a skew"
    );
    assert_eq!(at(NOW_S + 75), Err(TokenError::Expired(15)));
}

#[test]
fn a_token_without_an_end_is_refused() {
    assert_eq!(
        plain(&Claims::default()).unwrap_err(),
        TokenError::Missing("exp")
    );
}

#[test]
fn a_token_from_the_future_is_refused() {
    let mut claims = minute();
    claims.iat = Some(NOW_S + 10);
    assert_eq!(plain(&claims).unwrap_err(), TokenError::NotYet(10));
}

#[test]
fn tokens_may_be_required_to_be_short_lived() {
    let policy = Policy {
        lifetime_s_max: 600,
        ..Policy::default()
    };
    let mut claims = minute();
    assert!(with(&claims, &policy).is_ok());
    claims.exp = Some(NOW_S + 601);
    assert_eq!(
        with(&claims, &policy).unwrap_err(),
        TokenError::LivesTooLong(601, 600)
    );
}

#[test]
fn issuers_and_audiences_are_expected_ones() {
    let policy = Policy {
        issuers: vec!["us".to_owned()],
        audiences: vec!["tracker".to_owned()],
        ..Policy::default()
    };
    let mut claims = minute();
    assert_eq!(with(&claims, &policy).unwrap_err(), TokenError::Issuer);
    claims.iss = Some("us".to_owned());
    assert_eq!(with(&claims, &policy).unwrap_err(), TokenError::Audience);
    claims.aud = vec!["other".to_owned()];
    assert_eq!(with(&claims, &policy).unwrap_err(), TokenError::Audience);
    assert_eq!(
        plain(&claims).unwrap_err(),
        TokenError::Audience,
        "it is meant for others"
    );
    claims.aud.push("tracker".to_owned());
    assert!(with(&claims, &policy).is_ok());
}

#[test]
fn only_listed_keys_make_super_peers() {
    let policy = Policy {
        super_peer_kids: vec!["b".to_owned()],
        ..Policy::default()
    };
    let claims = Claims {
        role: Role::SuperPeer,
        ..minute()
    };
    let (a, b) = (Issuer::new(Some("a"), 1), Issuer::new(Some("b"), 2));
    let keys = [a.key(), b.key()];
    let role = |it: &Issuer| grant(&it.token(&claims), &keys, &policy).map(|it| it.role);
    assert_eq!(role(&a), Err(TokenError::Role));
    assert_eq!(role(&b), Ok(Role::SuperPeer));
}

#[test]
fn wrong_types_are_refused_and_unknown_claims_are_not() {
    let read = |text: &str| Claims::read(text.as_bytes());
    for wrong in [
        r#"{"exp":"soon"}"#,
        r#"{"role":"king"}"#,
        r#"{"leech":1}"#,
        r#"{"privacy":true}"#,
        r#"{"swarms":[1]}"#,
        r#"{"sub":{}}"#,
        "[]",
        "null",
    ] {
        assert!(matches!(read(wrong), Err(TokenError::Json(_))), "{wrong}");
    }
    let claims = read(r#"{"exp":1.9e9,"aud":"one","more":{"x":[1]}}"#).unwrap();
    assert_eq!(
        (claims.exp, claims.aud),
        (Some(1_900_000_000), vec!["one".to_owned()])
    );
}

#[test]
fn lists_are_bounded() {
    let many = vec!["\"x\""; 257].join(",");
    assert!(Claims::read(format!(r#"{{"swarms":[{many}]}}"#).as_bytes()).is_err());
}
