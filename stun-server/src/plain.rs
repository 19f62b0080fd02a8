//! Other systems than Linux: one datagram in each call, answered from the address that the system
//! chooses, which is the right one where the socket has only one.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;

use tokio::net::UdpSocket as Socket;

use crate::datagrams::{BATCH, Envelope, Inbox, Outbox};

/// Needs no memory of its own.
pub(crate) struct System;

/// There is no common way.
pub(crate) fn tell_asked(_socket: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// They are where nothing is said.
pub(crate) fn allow_fragments<S>(_socket: &S, _are_allowed: bool) -> io::Result<()> {
    Ok(())
}

impl System {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Takes what has come, a batch at most, without waiting.
    pub(crate) fn receive(&mut self, socket: &Socket, inbox: &mut Inbox) -> io::Result<()> {
        inbox.envelopes.clear();
        for bytes in inbox.bytes.iter_mut().take(BATCH) {
            match socket.try_recv_from(bytes) {
                Ok((bytes, source)) => inbox.envelopes.push(Envelope {
                    bytes,
                    source,
                    asked: None,
                }),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if inbox.envelopes.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Sends all letters without waiting, and tells how many the system did not take.
    pub(crate) fn send(&mut self, socket: &Socket, outbox: &Outbox) -> usize {
        let letters = outbox.letters.iter();
        let failed = letters.filter(|letter| {
            let sent = socket.try_send_to(outbox.content(letter), letter.to);
            sent.is_err()
        });
        failed.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn datagrams_come_and_go_one_by_one() {
        let one = Socket::bind("127.0.0.1:0").await.unwrap();
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        tell_asked(&other).unwrap();
        allow_fragments(&other, false).unwrap();
        let mut system = System::new();
        let mut inbox = Inbox::new();
        for text in [&b"ab"[..], b"c"] {
            other.send_to(text, one.local_addr().unwrap()).unwrap();
        }
        one.readable().await.unwrap();
        system.receive(&one, &mut inbox).unwrap();
        let texts: Vec<_> = inbox.datagrams().map(|(bytes, _)| bytes.to_vec()).collect();
        assert_eq!(texts, [b"ab".to_vec(), b"c".to_vec()]);
        let none = system.receive(&one, &mut inbox).unwrap_err();
        assert_eq!(none.kind(), ErrorKind::WouldBlock);
        let mut outbox = Outbox::new();
        outbox.room().unwrap()[..2].copy_from_slice(b"de");
        outbox.push(2, other.local_addr().unwrap(), None);
        one.writable().await.unwrap();
        assert_eq!(system.send(&one, &outbox), 0);
        assert_eq!(other.recv(&mut [0; 8]).unwrap(), 2);
    }
}
