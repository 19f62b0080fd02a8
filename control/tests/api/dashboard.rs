//! The dashboard's own part of the API, and its page.

use std::pin::Pin;
use std::sync::Arc;

use beekeepr_control::documents::Channel;
use beekeepr_control::{Check, CheckReport, Checked, EmbedSource};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::Server;

/// Says which manifest and header it was asked to look at.
struct Echo;

impl Check for Echo {
    fn check(
        &self,
        name: String,
        channel: Channel,
    ) -> Pin<Box<dyn Future<Output = Checked> + Send + '_>> {
        let header = channel.headers.get("x-key").cloned().unwrap_or_default();
        Box::pin(std::future::ready(Ok(CheckReport {
            is_readable: true,
            summary: format!("{name} {} {header}", channel.manifest),
            problems: Vec::new(),
            notes: Vec::new(),
        })))
    }
}

async fn server() -> Server {
    Server::start_with(|config| {
        config.sources.checker = Some(Arc::new(Echo));
        config.sources.embed = Some(EmbedSource::new(|name| {
            (name == "tv" || name == "demo").then(|| format!("<video> {name}"))
        }));
    })
    .await
}

async fn check(server: &Server, name: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/v1/channels/{name}/check");
    let request = server.ask(Method::POST, &path, &server.owner).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_channel_is_looked_at_before_and_after_it_is_made() {
    let server = server().await;
    let wanted =
        json!({"manifest": "https://a.example/tv.m3u8?t=1", "headers": {"x-key": "sesame"}});
    let (status, report) = check(&server, "tv", json!({ "config": wanted })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(report["summary"], "tv https://a.example/tv.m3u8?t=1 sesame");
    let (status, _) = check(&server, "tv", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.put("/v1/channels/tv", wanted).await;
    let (_, report) = check(&server, "tv", json!({})).await;
    assert_eq!(report["summary"], "tv https://a.example/tv.m3u8?t=1 sesame");
    let hidden =
        json!({"manifest": "https://a.example/tv.m3u8?(hidden)", "headers": {"x-key": "(hidden)"}});
    let (_, report) = check(&server, "tv", json!({ "config": hidden })).await;
    assert_eq!(report["summary"], "tv https://a.example/tv.m3u8?t=1 sesame");
}

#[tokio::test]
async fn settings_that_cannot_be_are_not_looked_at() {
    let server = server().await;
    let (status, problem) = check(&server, "tv", json!({"config": {"manifest": "ftp://x"}})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("manifest"));
}

#[tokio::test]
async fn a_tenant_sees_what_plays_its_own_channels_alone() {
    let server = server().await;
    server.tenant("shop").await;
    let key = server.key("operator", Some("shop")).await;
    server
        .put(
            "/v1/channels/tv?tenant=shop",
            json!({"manifest": "https://a.example/tv.m3u8"}),
        )
        .await;
    let ask = async |path: &str, key: &str| {
        let answer = server.ask(Method::GET, path, key).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let own = ask("/v1/channels/tv/embed", &key).await;
    assert_eq!(own, (StatusCode::OK, "<video> tv".to_owned()));
    assert_eq!(
        ask("/v1/channels/demo/embed", &key).await.0,
        StatusCode::NOT_FOUND
    );
    let operators = ask("/v1/channels/demo/embed", &server.owner).await;
    assert_eq!(operators, (StatusCode::OK, "<video> demo".to_owned()));
}

#[tokio::test]
async fn the_page_may_use_nothing_but_its_own_server() {
    let server = server().await;
    // Whether or not it was built.
    let answer = server.ask(Method::GET, "/", "").send().await.unwrap();
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"));
    assert!(policy.contains("frame-ancestors 'none'"));
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers()["x-frame-options"], "DENY");
    let answer = server
        .ask(Method::GET, "/assets/none.js", "")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}
