//! HTTP with limits: on connections, on the time that a request may take to come, and on readers that do not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use beekeepr_service::Shutdown;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep};

/// How long a request's head may take, and how long a connection may wait for its next request: longer than a player waits
/// between two segments.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// The largest head of a request: a browser's with a long sealed address.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Who takes less than this in this time is sent away: 13 kbit/s, with which nobody plays.
const READ_TIME: Duration = Duration::from_secs(20);
const READ_BYTES_MIN: usize = 32 * 1024;
/// How long to wait when no connection can be accepted, for want of open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// What a shutdown waits for the responses that are under way: a segment at 10 Mbit/s.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until the shutdown.
pub(super) async fn always(
    listener: TcpListener,
    router: Router,
    connections_max: usize,
    shutdown: Shutdown,
) {
    let seats = Arc::new(Semaphore::new(connections_max));
    let accept = async {
        // Nobody closes the semaphore.
        while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (router, shutdown) = (router.clone(), shutdown.clone());
                    tokio::spawn(async move {
                        connection(stream, router, &shutdown).await;
                        drop(seat);
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot accept a connection to the shield");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = shutdown.requested() => {}
    }
    let all = seats.acquire_many(u32::try_from(connections_max).unwrap_or(u32::MAX));
    let _ = tokio::time::timeout(DRAIN, all).await;
}

async fn connection(stream: TcpStream, router: Router, shutdown: &Shutdown) {
    // Small answers at once; large ones fill packets anyway.
    let _ = stream.set_nodelay(true);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(
            TokioIo::new(Impatient::new(stream)),
            TowerToHyperService::new(router),
        );
    let mut served = std::pin::pin!(served);
    // Whatever goes wrong, the visitor knows.
    tokio::select! {
        _ = &mut served => {}
        () = shutdown.requested() => {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}

/// A stream that fails when nobody reads what is written.
struct Impatient<S> {
    stream: S,
    /// Runs while something waits to be written.
    timer: Pin<Box<Sleep>>,
    is_waiting: bool,
    /// Since the timer was set.
    written: usize,
}

impl<S> Impatient<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            timer: Box::pin(sleep(READ_TIME)),
            is_waiting: false,
            written: 0,
        }
    }

    fn begin(&mut self) {
        self.timer.as_mut().reset(Instant::now() + READ_TIME);
        self.written = 0;
    }

    /// After a write that could not be done at once.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if !std::mem::replace(&mut self.is_waiting, true) {
            self.begin();
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.written < READ_BYTES_MIN {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.begin();
        }
    }

    fn note(&mut self, wrote: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = wrote {
            self.written += bytes;
            if self.written >= READ_BYTES_MIN {
                self.is_waiting = false;
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(&wrote);
        match wrote {
            Poll::Pending => self.wait(context),
            Poll::Ready(_) => wrote,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.note(&wrote);
        match wrote {
            Poll::Pending => self.wait(context),
            Poll::Ready(_) => wrote,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Everything that was to be written is in the system's hands.
        self.is_waiting = false;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_sent_away() {
        let (stream, _reader) = duplex(1024);
        let mut stream = Impatient::new(stream);
        let outcome = stream.write_all(&[0; 4096]).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_but_steadily_is_served() {
        let (stream, mut reader) = duplex(16 * 1024);
        let mut stream = Impatient::new(stream);
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            while reader.read_exact(&mut buffer).await.is_ok() {
                sleep(READ_TIME / 4).await;
            }
        });
        assert!(stream.write_all(&[0; 512 * 1024]).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_a_byte_now_and_then_is_sent_away() {
        let (stream, mut reader) = duplex(1024);
        let mut stream = Impatient::new(stream);
        tokio::spawn(async move {
            while reader.read_u8().await.is_ok() {
                sleep(READ_TIME / 2).await;
            }
        });
        assert!(stream.write_all(&[0; 64 * 1024]).await.is_err());
    }
}
