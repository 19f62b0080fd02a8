//! As much of HTTP as it takes to ask a server of ours.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Posts a text; the response's text.
pub(crate) async fn post(server: SocketAddr, path: &str, body: &str) -> Result<String> {
    exchange(server, "POST", path, body).await
}

/// Gets a text.
pub(crate) async fn get(server: SocketAddr, path: &str) -> Result<String> {
    exchange(server, "GET", path, "").await
}

async fn exchange(server: SocketAddr, method: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(server)
        .await
        .with_context(|| format!("cannot connect to {server}"))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    let end = memmem::find(&response, b"\r\n\r\n").context("no HTTP response")?;
    let (head, body) = (
        String::from_utf8_lossy(&response[..end]),
        &response[end + 4..],
    );
    let text = String::from_utf8_lossy(body).into_owned();
    ensure!(
        head.starts_with("HTTP/1.1 200"),
        "{server}{path}: {} {text}",
        head.lines().next().unwrap_or_default()
    );
    Ok(text)
}
