//! Against a real HTTP server on a free port.

use axum::Router;
use axum::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::*;

/// What is found of a channel whose playlist lists segments of these lengths. A good server knows ranges and pages.
async fn found(playlist: String, is_good: bool) -> Report {
    let serve = move |uri: Uri, headers: HeaderMap| {
        let playlist = playlist.clone();
        async move { answer(&uri, &headers, playlist, is_good) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(serve);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let manifest = format!("http://{address}/tv.m3u8").parse().unwrap();
    let config = Config {
        channels: vec![Channel::new("tv".into(), manifest)],
        allow_private_origins: true,
        ..Config::default()
    };
    channels(&config).await.unwrap().remove(0)
}

fn answer(uri: &Uri, headers: &HeaderMap, playlist: String, is_good: bool) -> Response {
    let body = match uri.path() {
        "/tv.m3u8" => playlist,
        "/good.m3u8" => live(6, "5"),
        "/gone.m3u8" => return StatusCode::NOT_FOUND.into_response(),
        _ => "x".to_owned(),
    };
    if !is_good {
        return body.into_response();
    }
    let status = if headers.contains_key("range") {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    (status, [(ACCESS_CONTROL_ALLOW_ORIGIN, "*")], body).into_response()
}

fn live(count: u32, seconds: &str) -> String {
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n".to_owned();
    for number in 0..count {
        text.push_str(&format!("#EXTINF:{seconds},\n{number}.ts\n"));
    }
    text
}

#[tokio::test]
async fn a_suitable_channel_has_no_problems() {
    let report = found(live(6, "5"), true).await;
    assert!(report.is_readable);
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(
        report.summary,
        "HLS, live, streams to seed: 1, segments in the first: 6"
    );
}

#[tokio::test]
async fn what_is_unsuitable_is_named() {
    let report = found(live(1, "12"), false).await;
    assert!(report.is_readable);
    let expected = [
        "a segment lasts 12.000 s",
        "the live window has 12.000 s",
        "the manifest has no Access-Control-Allow-Origin",
        "segments cannot be had in parts",
        "a segment has no Access-Control-Allow-Origin",
    ];
    assert_eq!(
        report.problems.len(),
        expected.len(),
        "{:?}",
        report.problems
    );
    for (problem, expected) in report.problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[tokio::test]
async fn what_is_good_to_know_is_no_problem() {
    let playlist = live(6, "5").replace(
        "#EXTM3U\n",
        "#EXTM3U\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0\n#EXT-X-PART-INF:PART-TARGET=1\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n",
    );
    let report = found(playlist, true).await;
    assert_eq!(report.problems, Vec::<String>::new());
    for note in [
        "low-latency HLS",
        "the server holds its answer",
        "segments are encrypted",
        "there is no EXT-X-PROGRAM",
    ] {
        assert!(
            report.notes.iter().any(|it| it.starts_with(note)),
            "{note}: {:?}",
            report.notes
        );
    }
}

#[tokio::test]
async fn players_that_stay_at_the_edge_are_told_of() {
    let playlist = live(20, "2").replace("TARGETDURATION:5", "TARGETDURATION:2");
    let report = found(playlist, true).await;
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert!(report.problems[0].starts_with("players stay 6.000 s behind the edge"));
}

#[tokio::test]
async fn segments_without_a_duration_are_counted() {
    let report = found(live(6, "5").replacen("EXTINF:5", "EXTINF:0", 2), true).await;
    assert!(
        report
            .problems
            .iter()
            .any(|it| it.starts_with("2 segments have no duration")),
        "{:?}",
        report.problems
    );
}

#[test]
fn plain_segments_of_a_secure_manifest_are_named() {
    let text = live(6, "5").replace("0.ts", "http://cdn.example/0.ts?token=1");
    let manifest = "https://cdn.example/tv.m3u8";
    let Ok(Manifest::Media(media)) = read_with(text.as_bytes(), manifest, Context::default())
    else {
        panic!("expected a media playlist");
    };
    let problems = Listed::of_hls(media).problems(&manifest.parse().unwrap());
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("the segment http://cdn.example/0.ts over http"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn every_playlist_of_a_channel_is_read() {
    let variants = ["good", "gone", "page"]
        .map(|name| format!("#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.{name}\"\n{name}.m3u8\n"));
    let report = found(format!("#EXTM3U\n{}", variants.concat()), true).await;
    assert!(report.is_readable);
    let [gone, page] = report.problems.as_slice() else {
        panic!("expected two problems: {:?}", report.problems);
    };
    assert!(
        gone.contains("/gone.m3u8: ") && gone.contains("404"),
        "{gone}"
    );
    assert!(page.contains("/page.m3u8: not a manifest"), "{page}");
}

#[tokio::test]
async fn short_segments_are_named() {
    let report = found(live(60, "0.4"), true).await;
    assert_eq!(report.problems.len(), 1);
    assert!(report.problems[0].starts_with("a segment lasts 0.400 s"));
}

#[tokio::test]
async fn what_is_no_manifest_is_said_to_be_none() {
    let report = found("<html>".into(), true).await;
    assert!(!report.is_readable);
    assert!(
        report.summary.starts_with("not a manifest"),
        "{}",
        report.summary
    );
}

#[test]
fn names_that_change_are_found_and_tokens_are_none() {
    let read = |text: String| {
        let manifest = read_with(
            text.as_bytes(),
            "http://o.example/a.m3u8",
            Context::default(),
        );
        let Ok(Manifest::Media(media)) = manifest else {
            panic!("expected a media playlist");
        };
        media.segments
    };
    let first = read(live(3, "4"));
    assert_eq!(
        unstable(&first, &read(live(3, "4").replace(".ts", ".ts?t=2"))),
        None
    );
    let renamed = unstable(&first, &read(live(3, "4").replace(".ts", "-x.ts")));
    assert!(
        renamed
            .unwrap()
            .starts_with("segment 0 has another file name")
    );
}
