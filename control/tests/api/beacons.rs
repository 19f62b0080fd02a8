use beekeepr_control::store::{Span, Sql, Store as _};
use reqwest::StatusCode;

use crate::server::Server;

fn beacon(swarm: &str, session: &str) -> String {
    format!(
        r#"{{"v":1,"c":"{swarm}","s":"session-{session}","n":0,"t":10000,"h":1000,"p":3000,"f":400,"l":720}}"#
    )
}

async fn post(server: &Server, body: String) -> StatusCode {
    server
        .client
        .post(&server.beacons)
        .body(body)
        .send()
        .await
        .unwrap()
        .status()
}

#[tokio::test]
async fn reports_are_figures_when_control_has_ended() {
    let server = Server::start().await;
    server.channel("news", &server.owner).await;
    let swarm = "https://cdn.example/news.m3u8";
    // The channel is known a moment after it was made.
    let mut status = StatusCode::BAD_REQUEST;
    while status == StatusCode::BAD_REQUEST {
        status = post(&server, beacon(swarm, "one")).await;
    }
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(
        post(&server, beacon(swarm, "two")).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        post(&server, beacon("other", "one")).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post(&server, "nonsense".into()).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post(&server, " ".repeat(10_000)).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let folder = server.stop().await;
    let path = folder.path().join("c.db");
    let store = Sql::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let span = Span {
        step_s: 86_400,
        from_s: 0,
        to_s: i64::MAX,
        channel: Some("news".into()),
        tenant: None,
        by_channel: true,
        limit: 10,
    };
    let mut sum = beekeepr_control::store::Counters::default();
    store
        .samples(span)
        .await
        .unwrap()
        .iter()
        .for_each(|it| sum.add(&it.counters));
    assert_eq!(
        (sum.http_bytes, sum.peer_bytes, sum.viewer_s),
        (2_000, 6_000, 20)
    );
    assert_eq!(
        (sum.starts, sum.starts_500, sum.lines_800_s, sum.beacons),
        (2, 2, 20, 2)
    );
}

#[tokio::test]
async fn pages_elsewhere_may_report_and_are_told_nothing() {
    let server = Server::start().await;
    let request = server
        .client
        .request(reqwest::Method::OPTIONS, &server.beacons);
    let answer = request
        .header("origin", "https://shop.example")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let get = server.client.get(&server.beacons).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn one_address_may_not_report_without_end() {
    let server = Server::start_with(|config| config.beacons.per_address_per_s = 1).await;
    let mut last = StatusCode::OK;
    for number in 0..20 {
        last = post(&server, beacon("none", &number.to_string())).await;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}
