use beekeepr_trust::{Key, KeySet, Material, Policy, Role, Unverified, Verify};
use reqwest::{Method, StatusCode};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::server::{Server, problem};

struct Ring;

impl Verify for Ring {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        let Material::Ed25519(public) = &key.material else {
            return false;
        };
        UnparsedPublicKey::new(&ED25519, public)
            .verify(message, signature)
            .is_ok()
    }
}

async fn issue(server: &Server, body: Value) -> Value {
    let answer = server.post("/v1/tokens", body).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_tracker_with_the_published_keys_takes_issued_tokens() {
    let server = Server::start_with(|config| {
        config.tokens.issuer = Some("beekeepr".into());
        config.tokens.audience = Some("tracker".into());
    })
    .await;
    let made = issue(
        &server,
        json!({"subject": "anna", "role": "superpeer", "lifetime_s": 60}),
    )
    .await;
    let keys = server.get("/v1/jwks.json").await.to_string();
    let keys = KeySet::read(keys.as_bytes()).unwrap();
    let token = Unverified::read(made["token"].as_str().unwrap()).unwrap();
    let verified = token.verified(&keys, &Ring).unwrap();
    assert_eq!(verified.claims.jti.as_deref(), made["id"].as_str());
    let expires_s = made["expires_s"].as_u64().unwrap();
    let policy = Policy {
        issuers: vec!["beekeepr".into()],
        audiences: vec!["tracker".into()],
        ..Policy::default()
    };
    let grant = policy.grant(verified, expires_s - 1).unwrap();
    assert_eq!(
        (grant.role, grant.subject.as_deref()),
        (Role::SuperPeer, Some("anna"))
    );
}

#[tokio::test]
async fn after_a_rotation_both_keys_count_and_the_old_one_signs_until_trackers_know_the_new() {
    let server = Server::start().await;
    let before = issue(&server, json!({})).await;
    let rotated = server.post("/v1/signing-keys", json!({})).await;
    assert_eq!(rotated.status(), StatusCode::CREATED);
    let after = issue(&server, json!({})).await;
    assert_eq!(before["kid"], after["kid"]);
    let keys = server.get("/v1/signing-keys").await;
    let items = keys["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[1]["name"]), (2, &before["kid"]));
    assert_eq!(
        (&items[0]["config"]["signs"], &items[1]["config"]["signs"]),
        (&json!(false), &json!(true))
    );
    assert!(items[1]["expires_ms"].is_u64() && items[0]["expires_ms"].is_null());
    assert!(!keys.to_string().contains("private"));
    let path = format!("/v1/signing-keys/{}", before["kid"].as_str().unwrap());
    server
        .ask(Method::DELETE, &path, &server.owner)
        .send()
        .await
        .unwrap();
    let set = server.get("/v1/jwks.json").await;
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_key_signs_at_once_where_trackers_need_no_time() {
    let server = Server::start_with(|config| config.tokens.overlap_s = 0).await;
    let before = issue(&server, json!({})).await;
    server.post("/v1/signing-keys", json!({})).await;
    assert_ne!(issue(&server, json!({})).await["kid"], before["kid"]);
}

#[tokio::test]
async fn a_tenants_key_opens_its_own_swarms_alone() {
    let server = Server::start().await;
    server.tenant("shop").await;
    let key = server.key("operator", Some("shop")).await;
    server.channel("sale", &key).await;
    server.channel("news", &server.owner).await;
    let issue = |body: Value| {
        server
            .ask(Method::POST, "/v1/tokens", &key)
            .json(&body)
            .send()
    };
    let made: Value = issue(json!({})).await.unwrap().json().await.unwrap();
    let payload = made["token"].as_str().unwrap().split('.').nth(1).unwrap();
    let payload = data_encoding::BASE64URL_NOPAD
        .decode(payload.as_bytes())
        .unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["swarms"], json!(["https://cdn.example/sale.m3u8"]));
    for body in [
        json!({"swarms": ["https://cdn.example/news.m3u8"]}),
        json!({"swarms": ["*"]}),
        json!({"role": "superpeer"}),
    ] {
        assert_eq!(problem(issue(body).await.unwrap()).await.0, 403);
    }
}

#[tokio::test]
async fn revoked_tokens_and_keys_are_written_for_the_tracker() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let server = Server::start_with(|config| {
        config.tokens.keys_file = Some(file("keys.json"));
        config.tokens.revoked_file = Some(file("revoked"));
    })
    .await;
    let made = issue(&server, json!({})).await;
    let keys = std::fs::read(file("keys.json")).unwrap();
    assert_eq!(KeySet::read(&keys).unwrap().len(), 1);
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/revocations/{id}");
    let revoked = server.put(&path, json!({"reason": "shared"})).await;
    assert_eq!(revoked.status(), StatusCode::CREATED);
    assert_eq!(
        std::fs::read_to_string(file("revoked")).unwrap(),
        format!("{id}\n")
    );
    server
        .ask(Method::DELETE, &path, &server.owner)
        .send()
        .await
        .unwrap();
    assert_eq!(std::fs::read_to_string(file("revoked")).unwrap(), "");
}

#[tokio::test]
async fn a_token_that_cannot_be_is_refused() {
    let server = Server::start().await;
    for body in [
        json!({"lifetime_s": 0}),
        json!({"lifetime_s": 1_000_000}),
        json!({"subject": "x".repeat(300)}),
        json!({"swarms": vec!["y".repeat(100); 60]}),
        json!({"swarms": vec!["y"; 100]}),
    ] {
        assert_eq!(problem(server.post("/v1/tokens", body).await).await.0, 422);
    }
}
