use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, problem};

/// The cookie to send, the line that sets it, and the token.
async fn open(server: &Server) -> (String, String, String) {
    let request = server
        .ask(Method::POST, "/v1/session", "")
        .json(&json!({"key": server.owner}));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let line = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    let cookie = line.split(';').next().unwrap().to_owned();
    (cookie, line, body["csrf"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_cookie_is_for_this_host_over_https_and_for_no_script() {
    let server = Server::start().await;
    let (cookie, line, _) = open(&server).await;
    assert!(cookie.starts_with("__Host-beekeepr=") && !line.contains("Domain"));
    for part in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains(&server.owner));
}

#[tokio::test]
async fn a_session_sees_and_changes_nothing_without_its_token() {
    let server = Server::start().await;
    let (cookie, _, token) = open(&server).await;
    let ask = |method: Method, path: &str| server.ask(method, path, "").header(COOKIE, &cookie);
    let seen = ask(Method::GET, "/v1/session").send().await.unwrap();
    assert_eq!(seen.json::<Value>().await.unwrap()["csrf"], *token);
    let put = || ask(Method::PUT, "/v1/tenants/a").json(&json!({}));
    for forged in [
        put(),
        put().header("x-csrf-token", "0".repeat(64)),
        put().header("x-csrf-token", ""),
    ] {
        assert_eq!(problem(forged.send().await.unwrap()).await.0, 403);
    }
    let other_site = put()
        .header("x-csrf-token", &token)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(problem(other_site.send().await.unwrap()).await.0, 403);
    let done = put()
        .header("x-csrf-token", &token)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(done.send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_session_ends_when_it_is_closed_and_with_its_key() {
    let server = Server::start().await;
    let (cookie, _, token) = open(&server).await;
    let close = server
        .ask(Method::DELETE, "/v1/session", "")
        .header(COOKIE, &cookie);
    let closed = close.header("x-csrf-token", token).send().await.unwrap();
    assert_eq!(closed.status(), StatusCode::NO_CONTENT);
    let seen = server
        .ask(Method::GET, "/v1/session", "")
        .header(COOKIE, &cookie);
    assert_eq!(
        seen.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );

    let viewer = server.key("viewer", None).await;
    let request = server
        .ask(Method::POST, "/v1/session", "")
        .json(&json!({"key": viewer}));
    let line = request.send().await.unwrap().headers()[SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    let cookie = line.split(';').next().unwrap().to_owned();
    let name = viewer.split('_').nth(1).unwrap();
    let path = format!("/v1/keys/{name}");
    let gone = server
        .ask(Method::DELETE, &path, &server.owner)
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    let seen = server
        .ask(Method::GET, "/v1/session", "")
        .header(COOKIE, &cookie);
    assert_eq!(
        seen.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn who_tries_keys_must_wait_and_keeps_nobody_else_out() {
    let server = Server::start().await;
    let mut statuses = Vec::new();
    for number in 0..30 {
        let wrong = format!("bk_abc{number}_{}", "x".repeat(43));
        let answer = server
            .ask(Method::GET, "/v1/channels", &wrong)
            .send()
            .await
            .unwrap();
        statuses.push(problem(answer).await.0);
    }
    assert_eq!((statuses[0], statuses[29]), (401, 429));
    // Behind a proxy everybody has one address.
    server.get("/v1/channels").await;
}

#[tokio::test]
async fn the_first_key_is_made_once() {
    let server = Server::start().await;
    let owner = server.owner.clone();
    assert!(owner.starts_with("bk_"));
    let (running, _trigger, folder) = server.restart().await;
    assert!(running.first_key.is_none());
    let database = std::fs::read(folder.path().join("c.db")).unwrap();
    let secret = owner.rsplit_once('_').unwrap().1.as_bytes();
    assert!(!database.windows(secret.len()).any(|part| part == secret));
}

#[tokio::test]
async fn another_secret_than_the_databases_is_refused_at_the_start() {
    let folder = Server::start().await.stop().await;
    std::fs::write(folder.path().join("secret"), "0".repeat(64)).unwrap();
    let config = beekeepr_control::Config {
        database: Some(beekeepr_control::DatabaseUrl(format!(
            "sqlite:{}",
            folder.path().join("c.db").display()
        ))),
        secret_file: Some(folder.path().join("secret")),
        ..Default::default()
    };
    let (_trigger, shutdown) = beekeepr_service::Shutdown::new();
    let registry = prometheus::Registry::new();
    let error = beekeepr_control::start(config, &registry, shutdown)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("secret_file"), "{error}");
}
