//! The page over a real socket.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

async fn start() -> (beekeepr_service::Trigger, SocketAddr, JoinHandle<()>) {
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
    };
    let web = Web::bind(&config).unwrap();
    let address = web.address;
    let (trigger, shutdown) = Shutdown::new();
    let page = Page::new(vec!["ws://127.0.0.1:8000".to_owned()], vec![], vec![]);
    let task = web.serve(page.into(), shutdown);
    (trigger, address, task)
}

/// Head in lower case, and body.
async fn ask(address: SocketAddr, request: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("{request} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let border = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..border].to_vec())
        .unwrap()
        .to_lowercase();
    (head, bytes[border + 4..].to_vec())
}

async fn get(path: &str, headers: &str) -> (String, Vec<u8>) {
    let (_trigger, address, _task) = start().await;
    ask(address, &format!("GET {path}"), headers).await
}

fn has(head: &str, line: &str) {
    assert!(head.contains(line), "no `{line}` in {head}");
}

#[tokio::test]
async fn the_page_comes_with_a_policy_that_allows_webassembly_and_no_foreign_script() {
    let (head, body) = get("/", "").await;
    has(&head, "http/1.1 200");
    has(&head, "content-type: text/html; charset=utf-8");
    has(&head, "script-src 'self' 'wasm-unsafe-eval'");
    has(&head, "x-content-type-options: nosniff");
    assert!(String::from_utf8(body).unwrap().contains("<video"));
}

#[tokio::test]
async fn the_page_learns_its_servers() {
    let (head, body) = get("/config.json", "").await;
    has(&head, "content-type: application/json");
    let config: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(config["trackers"][0], "ws://127.0.0.1:8000");
    assert!(config["clientBuilt"].is_boolean());
}

#[tokio::test]
async fn the_live_playlists_segments_can_be_had_and_kept_while_it_is_short_lived() {
    let (_trigger, address, _task) = start().await;
    let (head, body) = ask(address, "GET /demo/live/360p/index.m3u8", "").await;
    has(&head, "content-type: application/vnd.apple.mpegurl");
    has(&head, "cache-control: public, max-age=1");
    has(&head, "access-control-allow-origin: *");
    let text = String::from_utf8(body).unwrap();
    let segment = text.lines().find(|line| line.ends_with(".ts")).unwrap();
    let (head, body) = ask(address, &format!("GET /demo/live/360p/{segment}"), "").await;
    has(&head, "http/1.1 200");
    has(&head, "content-type: video/mp2t");
    has(&head, "max-age=86400, immutable");
    assert_eq!(body.len() % 188, 0);
}

#[tokio::test]
async fn live_and_on_demand_have_one_master_playlist() {
    let (_, live) = get("/demo/live/master.m3u8", "").await;
    let (head, vod) = get("/demo/vod/master.m3u8", "").await;
    has(&head, "http/1.1 200");
    assert_eq!(live, vod);
}

#[tokio::test]
async fn segments_that_are_not_there_yet_and_other_nonsense_are_not_found() {
    for path in [
        "/demo/live/360p/99999999999.ts",
        "/demo/live/9p/index.m3u8",
        "/demo/live/360p/x",
        "/%00",
    ] {
        let (head, _) = get(path, "").await;
        has(&head, "http/1.1 404");
        has(&head, "cache-control: no-store");
    }
}

#[tokio::test]
async fn a_range_is_answered_with_its_bytes() {
    let (_, whole) = get("/demo/vod/240p/00.ts", "").await;
    let (head, part) = get("/demo/vod/240p/00.ts", "range: bytes=188-375\r\n").await;
    has(&head, "http/1.1 206");
    has(
        &head,
        &format!("content-range: bytes 188-375/{}", whole.len()),
    );
    assert_eq!(part, whole[188..376]);
}

#[tokio::test]
async fn what_the_browser_has_already_is_not_sent_again() {
    let (_trigger, address, _task) = start().await;
    let (head, _) = ask(address, "GET /", "").await;
    let tag = head
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let (head, body) = ask(address, "GET /", &format!("if-none-match: {tag}\r\n")).await;
    has(&head, "http/1.1 304");
    assert!(body.is_empty());
}

#[tokio::test]
async fn other_origins_may_ask_for_ranges() {
    let (_trigger, address, _task) = start().await;
    let (head, _) = ask(address, "OPTIONS /demo/vod/240p/00.ts", "").await;
    has(&head, "http/1.1 204");
    has(&head, "access-control-allow-headers: range");
    has(&head, "access-control-allow-origin: *");
}

#[tokio::test]
async fn the_server_ends_with_the_shutdown() {
    let (trigger, address, task) = start().await;
    trigger.request();
    task.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
