//! The channel's origin over HTTP.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use super::live::Live;

/// A server that runs.
#[derive(Clone)]
pub(crate) struct Origin {
    live: Live,
    sent: Arc<AtomicU64>,
}

impl Origin {
    /// Serves from now on; tells the playlist's URL.
    pub(crate) async fn start(ip: IpAddr, live: Live) -> Result<(Self, String)> {
        let listener = TcpListener::bind(SocketAddr::new(ip, 0)).await?;
        let url = format!("http://{}/live.m3u8", listener.local_addr()?);
        let origin = Self {
            live,
            sent: Arc::default(),
        };
        let router = Router::new()
            .route("/live.m3u8", get(playlist))
            .route("/segment/{name}", get(segment))
            .with_state(origin.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((origin, url))
    }

    /// Bytes of segments that it has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

async fn playlist(State(origin): State<Origin>) -> String {
    origin.live.playlist(Instant::now())
}

async fn segment(
    State(origin): State<Origin>,
    Path(name): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    let number = name.strip_suffix(".ts").and_then(|it| it.parse().ok());
    let number: u64 = number.ok_or(StatusCode::NOT_FOUND)?;
    if number >= origin.live.window(Instant::now()).end {
        return Err(StatusCode::NOT_FOUND);
    }
    let content = origin.live.content(number);
    origin
        .sent
        .fetch_add(content.len() as u64, Ordering::Relaxed);
    Ok(content)
}
