//! Listening sockets, handed from a running process to the one that replaces it.
//!
//! Closing a listener breaks the connections that the system has accepted for it and the process has
//! not, and two listeners of two processes share an address only as long as both live. One socket that
//! both processes hold has neither fault: the new one accepts from it while the old one stops to.
//!
//! The running process waits at a socket in the file system ([`Offer`]); its successor connects to it
//! and gets the listeners ([`take`]), and says so once it serves ([`Taken::ready`]).

use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};

/// Sockets handed over at most: Linux passes 253 at once (`SCM_MAX_FD`).
const SOCKETS_MAX: usize = 253;

/// The names of all sockets, each with its end.
const NAMES_BYTES_MAX: usize = SOCKETS_MAX * 32;

/// How long one process waits for the other to say something. It is on the same machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the successor may take to serve.
const READY_TIME: Duration = Duration::from_secs(60);

/// What the successor says once it serves.
const READY: &[u8; 5] = b"ready";

/// The sockets of a process that is to be replaced.
#[derive(Debug)]
pub struct Taken {
    stream: StdStream,
    sockets: Vec<(String, TcpListener)>,
}

/// Asks the process that waits at `path` for its sockets; nothing when no process does.
///
/// # Errors
/// Somebody is there but does not hand over what was expected.
pub fn take(path: &Path) -> io::Result<Option<Taken>> {
    let stream = match StdStream::connect(path) {
        Ok(stream) => stream,
        // Nobody was there yet, or whoever was is gone.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let (names, sockets) = receive(&stream)?;
    if names.len() != sockets.len() {
        return Err(io::Error::other(format!(
            "{} sockets with {} names; expected a process of this program",
            sockets.len(),
            names.len()
        )));
    }
    let sockets = names
        .into_iter()
        .zip(sockets.into_iter().map(TcpListener::from))
        .collect();
    Ok(Some(Taken { stream, sockets }))
}

impl Taken {
    /// The listeners that were offered under this name; a second time none.
    pub fn listeners(&mut self, name: &str) -> Vec<TcpListener> {
        let (taken, others) = std::mem::take(&mut self.sockets)
            .into_iter()
            .partition::<Vec<_>, _>(|(other, _)| other == name);
        self.sockets = others;
        taken.into_iter().map(|(_, listener)| listener).collect()
    }

    /// Tells the other process that this one serves, so that it may go.
    ///
    /// # Errors
    /// It is gone already.
    pub fn ready(mut self) -> io::Result<()> {
        self.stream.write_all(READY)?;
        // It answers when it has stopped to accept.
        self.stream.read_exact(&mut [0])
    }
}

/// A place where this process can be replaced.
#[derive(Debug)]
pub struct Offer {
    path: PathBuf,
    listener: UnixListener,
    sockets: Vec<(String, TcpListener)>,
}

impl Offer {
    /// Waits at `path`, in the place of whoever waited there before. Only the same user may connect.
    ///
    /// # Errors
    /// There can be no socket, or there are too many sockets.
    pub fn new(path: &Path, sockets: Vec<(String, TcpListener)>) -> io::Result<Self> {
        if sockets.len() > SOCKETS_MAX {
            return Err(io::Error::other(format!(
                "{} sockets to hand over, expected at most {SOCKETS_MAX}; use fewer workers or addresses",
                sockets.len()
            )));
        }
        // Under another name first, so that there is always somebody at `path`.
        let new = path.with_extension("new");
        let _ = fs::remove_file(&new);
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
        fs::rename(&new, path)?;
        Ok(Self {
            path: path.to_owned(),
            listener,
            sockets,
        })
    }

    /// Returns once another process serves in the place of this one. `stop` is called before that
    /// process hears of it: this one must not accept any more then.
    pub async fn replaced(self, stop: impl FnOnce()) {
        let successor = loop {
            match self.listener.accept().await {
                Ok((stream, _)) => match self.hand_over(stream).await {
                    Ok(successor) => break successor,
                    Err(error) => tracing::warn!(%error, "nobody took over"),
                },
                Err(error) => {
                    tracing::warn!(%error, path = %self.path.display(), "cannot be replaced");
                    std::future::pending::<()>().await;
                }
            }
        };
        drop(self);
        stop();
        // It need not wait for the answer.
        let _ = successor.try_write(&[1]);
    }

    async fn hand_over(&self, mut stream: UnixStream) -> io::Result<UnixStream> {
        stream.writable().await?;
        self.send(&stream)?;
        let mut said = [0; READY.len()];
        tokio::time::timeout(READY_TIME, stream.read_exact(&mut said)).await??;
        if said == *READY {
            Ok(stream)
        } else {
            Err(io::Error::other(
                "the other process did not say that it is ready",
            ))
        }
    }

    fn send(&self, stream: &UnixStream) -> io::Result<()> {
        let names: String = self
            .sockets
            .iter()
            .map(|(name, _)| format!("{name}\n"))
            .collect();
        let files: Vec<BorrowedFd<'_>> = self
            .sockets
            .iter()
            .map(|(_, socket)| socket.as_fd())
            .collect();
        let mut space = ancillary_space();
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::Error::other("too many sockets to hand over"));
        }
        let names = [IoSlice::new(names.as_bytes()), IoSlice::new(&[0])];
        sendmsg(stream, &names, &mut ancillary, SendFlags::empty())?;
        Ok(())
    }
}

fn ancillary_space() -> Vec<MaybeUninit<u8>> {
    vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))]
}

/// The names, up to a zero byte, and the sockets that came with them.
fn receive(stream: &StdStream) -> io::Result<(Vec<String>, Vec<OwnedFd>)> {
    let (mut text, mut files) = (Vec::new(), Vec::new());
    while text.last() != Some(&0) {
        let mut space = ancillary_space();
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [0; 4096];
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let received = recvmsg(stream, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                files.extend(rights);
            }
        }
        if received.bytes == 0 || text.len() > NAMES_BYTES_MAX {
            return Err(io::Error::other(
                "the running process did not hand over its sockets",
            ));
        }
        text.extend_from_slice(&bytes[..received.bytes]);
    }
    text.pop();
    let names = String::from_utf8_lossy(&text)
        .lines()
        .map(str::to_owned)
        .collect();
    Ok((names, files))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::net::tcp_listeners;

    #[tokio::test]
    async fn a_successor_gets_the_sockets_and_the_old_process_hears_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("handover");
        assert!(take(&path).unwrap().is_none(), "nobody is there");
        let sockets = tcp_listeners("127.0.0.1:0".parse().unwrap(), 2).unwrap();
        let address = sockets[0].local_addr().unwrap();
        let named = sockets
            .into_iter()
            .map(|it| ("tracker".to_owned(), it))
            .collect();
        let offer = Offer::new(&path, named).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let old = tokio::spawn(offer.replaced(move || tell.send(()).unwrap()));
        let new = tokio::task::spawn_blocking(move || {
            let mut taken = take(&path).unwrap().unwrap();
            assert!(taken.listeners("admin").is_empty());
            let listeners = taken.listeners("tracker");
            taken.ready().unwrap();
            told.try_recv().unwrap();
            listeners
        });
        let listeners = new.await.unwrap();
        old.await.unwrap();
        assert_eq!(listeners.len(), 2);
        assert!(
            listeners
                .iter()
                .all(|it| it.local_addr().unwrap() == address)
        );
        let _connection = TcpStream::connect(address).unwrap();
    }

    #[tokio::test]
    async fn a_successor_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("handover");
        let offer = Offer::new(&path, Vec::new()).unwrap();
        let old = tokio::spawn(offer.replaced(|| {}));
        let failed = path.clone();
        tokio::task::spawn_blocking(move || drop(take(&failed).unwrap().unwrap()))
            .await
            .unwrap();
        assert!(!old.is_finished());
        tokio::task::spawn_blocking(move || take(&path).unwrap().unwrap().ready().unwrap())
            .await
            .unwrap();
        old.await.unwrap();
    }
}
