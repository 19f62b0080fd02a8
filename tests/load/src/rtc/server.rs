//! A server of one WebRTC stack, a process of its own so that its CPU time and memory can be told.
//!
//! `POST /connect` takes an offer and gives the answer. A peer that then says `flood BYTES` on its
//! channel gets messages of so many bytes until it closes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;

use super::{ServerArgs, Stack, ours, rival};

/// Messages are cut out of this; larger ones no receiver takes.
pub(super) const MESSAGE_BYTES_MAX: usize = 256 * 1024;

#[derive(Clone)]
enum Side {
    Ours(ours::Server),
    Rival(Arc<rival::Server>),
}

/// Serves until the process is ended. Says `ready ADDRESS` on standard output.
pub(crate) fn run(args: &ServerArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(args))
}

async fn serve(args: &ServerArgs) -> Result<()> {
    let side = start(args.stack, args.ip, args.window)?;
    let listener = TcpListener::bind(SocketAddr::new(args.ip, 0)).await?;
    crate::say(&format!("ready {}", listener.local_addr()?))?;
    let router = Router::new()
        .route("/connect", post(connect))
        .with_state(side);
    axum::serve(listener, router).await?;
    Ok(())
}

fn start(stack: Stack, ip: IpAddr, window: usize) -> Result<Side> {
    Ok(match stack {
        Stack::Ours => Side::Ours(ours::Server::start(ip, window)?),
        Stack::Webrtc => Side::Rival(Arc::new(rival::Server::new(ip, window))),
    })
}

async fn connect(State(side): State<Side>, offer: String) -> Result<String, (StatusCode, String)> {
    let answer = match side {
        Side::Ours(server) => server.connect(offer).await,
        Side::Rival(server) => server.connect(offer).await,
    };
    answer.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")))
}

/// How large the messages shall be that a peer asks for.
pub(super) fn asked_for(message: &[u8]) -> Option<usize> {
    let number = std::str::from_utf8(message.strip_prefix(b"flood ")?).ok()?;
    number
        .parse()
        .ok()
        .filter(|bytes| (1..=MESSAGE_BYTES_MAX).contains(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_asks_for_messages_of_a_size_that_there_is() {
        assert_eq!(asked_for(b"flood 16384"), Some(16_384));
        for wrong in [&b"flood 0"[..], b"flood 262145", b"flood x", b"16384", b""] {
            assert_eq!(asked_for(wrong), None);
        }
    }
}
