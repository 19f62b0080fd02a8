//! Who may do what: every operation, role by role.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::Server;

/// Roles, in the order of the letters of a row: nobody, seeder, viewer, operator, owner, and the last three again with keys of
/// a tenant.
const WHO: [&str; 8] = [
    "nobody",
    "seeder",
    "viewer",
    "operator",
    "owner",
    "t-viewer",
    "t-operator",
    "t-owner",
];

/// `y` for those who may (whatever comes of it), `-` for those who may not.
const TABLE: &[(&str, &str, &str)] = &[
    ("GET", "/v1/session", "-yyyyyyy"),
    ("POST", "/v1/session", "yyyyyyyy"),
    ("DELETE", "/v1/session", "-yyyyyyy"),
    ("GET", "/v1/tenants", "----y---"),
    ("GET", "/v1/tenants/{name}", "----y---"),
    ("PUT", "/v1/tenants/{name}", "----y---"),
    ("DELETE", "/v1/tenants/{name}", "----y---"),
    ("GET", "/v1/keys", "----y--y"),
    ("POST", "/v1/keys", "----y--y"),
    ("GET", "/v1/keys/{name}", "----y--y"),
    ("DELETE", "/v1/keys/{name}", "----y--y"),
    ("GET", "/v1/channels", "---yy-yy"),
    ("GET", "/v1/channels/{name}", "---yy-yy"),
    ("PUT", "/v1/channels/{name}", "---yy-yy"),
    ("DELETE", "/v1/channels/{name}", "---yy-yy"),
    ("POST", "/v1/channels/{name}/check", "---yy-yy"),
    ("GET", "/v1/channels/{name}/embed", "---yy-yy"),
    ("GET", "/v1/seeder/channels", "-y------"),
    ("GET", "/v1/signing-keys", "---yy---"),
    ("POST", "/v1/signing-keys", "----y---"),
    ("DELETE", "/v1/signing-keys/{name}", "----y---"),
    ("GET", "/v1/jwks.json", "yyyyyyyy"),
    ("POST", "/v1/tokens", "---yy-yy"),
    ("GET", "/v1/revocations", "---yy-yy"),
    ("PUT", "/v1/revocations/{name}", "---yy-yy"),
    ("DELETE", "/v1/revocations/{name}", "---yy-yy"),
    ("GET", "/v1/groups", "---yy---"),
    ("GET", "/v1/groups/{name}", "---yy---"),
    ("PUT", "/v1/groups/{name}", "---yy---"),
    ("DELETE", "/v1/groups/{name}", "---yy---"),
    ("GET", "/v1/groups-file", "---yy---"),
    ("PUT", "/v1/groups-file", "---yy---"),
    ("GET", "/v1/settings", "--yyyyyy"),
    ("PUT", "/v1/settings", "----y---"),
    ("GET", "/v1/audit", "---yy-yy"),
    ("GET", "/v1/statistics", "--yyyyyy"),
    ("GET", "/v1/summary", "--yyyyyy"),
    ("GET", "/v1/live", "--yyyyyy"),
    ("GET", "/v1/swarms", "---yy---"),
    ("GET", "/v1/super-peers", "---yy---"),
    ("GET", "/v1/health", "---yy---"),
    ("GET", "/v1/events", "--yyyyyy"),
    ("GET", "/v1/backup", "----y---"),
];

/// A body that is all right, so that only the key decides.
fn body(path: &str, key: &str) -> Value {
    match path {
        "/v1/session" => json!({"key": key}),
        "/v1/keys" => json!({"role": "viewer"}),
        "/v1/channels/{name}" => json!({"manifest": "https://cdn.example/a.m3u8"}),
        _ => json!({}),
    }
}

#[tokio::test]
async fn every_operation_is_for_those_it_is_for() {
    let server = Server::start().await;
    server.tenant("shop").await;
    let mut keys = vec![String::new()];
    for role in ["seeder", "viewer", "operator"] {
        keys.push(server.key(role, None).await);
    }
    keys.push(server.owner.clone());
    for role in ["viewer", "operator", "owner"] {
        keys.push(server.key(role, Some("shop")).await);
    }
    for (method, path, row) in TABLE {
        for ((who, key), may) in WHO.iter().zip(&keys).zip(row.chars()) {
            let method: Method = method.parse().unwrap();
            let url = path.replace("{name}", &format!("x-{who}"));
            let request = server.ask(method.clone(), &url, key).json(&body(path, key));
            let status = request.send().await.unwrap().status();
            let is_refused = status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN;
            let expected = may == 'y' || (*path == "/v1/session" && method == Method::POST);
            if *path == "/v1/session" && method == Method::POST {
                // The key is in the body.
                assert_eq!(
                    status == StatusCode::CREATED,
                    !["nobody", "seeder"].contains(who),
                    "{who}"
                );
            } else {
                assert_eq!(!is_refused, expected, "{method} {path} by {who}: {status}");
            }
            assert!(
                !status.is_server_error(),
                "{method} {path} by {who}: {status}"
            );
            if key.is_empty() && is_refused {
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn the_table_has_every_operation_of_the_document() {
    let server = Server::start().await;
    let document = server
        .client
        .get(format!("{}/v1/openapi.json", server.url))
        .send()
        .await
        .unwrap();
    let document: Value = document.json().await.unwrap();
    let mut described: Vec<(String, String)> = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let operation = operation.as_object().unwrap();
            assert!(operation.contains_key("summary") || operation.contains_key("description"));
            described.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut known: Vec<_> = TABLE
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    known.sort();
    described.sort();
    assert_eq!(described, known);
}
