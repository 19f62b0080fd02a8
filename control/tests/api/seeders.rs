use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::server::Server;

#[tokio::test]
async fn a_seeder_gets_the_channels_with_their_secrets_and_hears_of_changes_at_once() {
    let server = Server::start().await;
    server.channel("news", &server.owner).await;
    let key = server.key("seeder", None).await;
    let ask = || server.ask(Method::GET, "/v1/seeder/channels", &key);
    let first = ask().send().await.unwrap();
    let tag = first.headers()[ETAG].clone();
    let list: Value = first.json().await.unwrap();
    assert_eq!(list["version"], 1);
    assert_eq!(list["channels"][0]["name"], "news");
    assert_eq!(
        list["channels"][0]["manifest"],
        "https://cdn.example/news.m3u8?token=sesame"
    );

    let at_once = ask()
        .header(IF_NONE_MATCH, tag.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(
        (at_once.status(), &at_once.headers()[ETAG]),
        (StatusCode::NOT_MODIFIED, &tag)
    );

    let held = ask()
        .header(IF_NONE_MATCH, tag.clone())
        .header("prefer", "wait=30");
    let held = tokio::spawn(held.send());
    server.channel("sport", &server.owner).await;
    let answer = held.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let tag = answer.headers()[ETAG].clone();
    assert_eq!(
        answer.json::<Value>().await.unwrap()["channels"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let held = ask()
        .header(IF_NONE_MATCH, tag)
        .header("prefer", "respond-async, wait=30");
    let held = tokio::spawn(held.send());
    server
        .ask(Method::DELETE, "/v1/channels/news", &server.owner)
        .send()
        .await
        .unwrap();
    let answer: Value = held.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["channels"][0]["name"], "sport");
}

#[tokio::test]
async fn a_tenants_seeder_gets_the_tenants_channels() {
    let server = Server::start().await;
    server.tenant("shop").await;
    let owner = server.key("owner", Some("shop")).await;
    server.channel("news", &server.owner).await;
    server.channel("sale", &owner).await;
    let key = server.key("seeder", Some("shop")).await;
    let answer = server
        .ask(Method::GET, "/v1/seeder/channels", &key)
        .send()
        .await
        .unwrap();
    let list: Value = answer.json().await.unwrap();
    assert_eq!(list["channels"].as_array().unwrap().len(), 1);
    assert_eq!(list["channels"][0]["name"], "sale");
}
