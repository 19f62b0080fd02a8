//! TLS between a connection's bytes and the socket's.
//!
//! By rustls's unbuffered interface: records are opened in the worker's read buffer and sealed when
//! they are written, so an idle connection owns its keys and no buffers.

use std::sync::Arc;

use rustls::HandshakeKind;
use rustls::server::{ServerConfig, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};

/// What ended the session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// The client did something wrong.
    #[error(transparent)]
    Protocol(#[from] rustls::Error),
    /// The keys may not seal any more.
    #[error("cannot seal: {0}")]
    Seal(EncryptError),
    /// Nothing can be said in this state of the session.
    #[error("the session is not open")]
    NotOpen,
}

/// One connection's session.
pub(crate) struct Tls {
    session: UnbufferedServerConnection,
    /// The beginning of a record whose end has not come.
    pub(crate) partial: Vec<u8>,
    /// Records that wait to be sent.
    pub(crate) sealed: Vec<u8>,
    said_goodbye: bool,
}

impl Tls {
    pub(crate) fn new(config: &Arc<ServerConfig>) -> Result<Self, TlsError> {
        Ok(Self {
            session: UnbufferedServerConnection::new(Arc::clone(config))?,
            partial: Vec::new(),
            sealed: Vec::new(),
            said_goodbye: false,
        })
    }

    /// Whether the handshake is over.
    pub(crate) fn is_open(&self) -> bool {
        !self.session.is_handshaking()
    }

    /// Whether the handshake, once it is over, resumed a session.
    pub(crate) fn handshake(&self) -> Option<bool> {
        let kind = self.session.handshake_kind().filter(|_| self.is_open());
        kind.map(|kind| kind == HandshakeKind::Resumed)
    }

    /// Takes what came from the socket, `partial` included, and appends what it says to `plain`.
    /// Returns whether the client has ended the session.
    pub(crate) fn open(&mut self, input: &mut [u8], plain: &mut Vec<u8>) -> Result<bool, TlsError> {
        self.partial = Vec::new();
        let (mut at, mut is_ended) = (0, false);
        loop {
            let UnbufferedStatus { discard, state, .. } =
                self.session.process_tls_records(&mut input[at..]);
            at += discard;
            match state {
                Ok(ConnectionState::ReadTraffic(mut records)) => {
                    while let Some(record) = records.next_record() {
                        let record = record?;
                        at += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut self.sealed, |out| {
                        data.encode(out).map_err(Refused::from)
                    })?;
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => is_ended = true,
                Ok(ConnectionState::WriteTraffic(_) | ConnectionState::BlockedHandshake) => break,
                // Early data is not offered to clients.
                Ok(ConnectionState::Closed | ConnectionState::ReadEarlyData(_) | _) => {
                    is_ended = true;
                    break;
                }
                Err(error) => {
                    self.take_alert();
                    return Err(error.into());
                }
            }
        }
        self.partial.extend_from_slice(&input[at..]);
        Ok(is_ended)
    }

    /// Seals bytes for the client.
    pub(crate) fn seal(&mut self, plain: &[u8]) -> Result<(), TlsError> {
        self.write(Some(plain))
    }

    /// Says that nothing more will come; a second time nothing.
    pub(crate) fn say_goodbye(&mut self) -> Result<(), TlsError> {
        if std::mem::replace(&mut self.said_goodbye, true) {
            return Ok(());
        }
        self.write(None)
    }

    /// Seals plain text, or a goodbye instead.
    fn write(&mut self, plain: Option<&[u8]>) -> Result<(), TlsError> {
        loop {
            match self.session.process_tls_records(&mut []).state? {
                ConnectionState::EncodeTlsData(mut data) => {
                    append(&mut self.sealed, |out| {
                        data.encode(out).map_err(Refused::from)
                    })?;
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::WriteTraffic(mut writer) => {
                    return append(&mut self.sealed, |out| {
                        let written = match plain {
                            Some(plain) => writer.encrypt(plain, out),
                            None => writer.queue_close_notify(out),
                        };
                        written.map_err(Refused::from)
                    });
                }
                _ => return Err(TlsError::NotOpen),
            }
        }
    }

    /// The alert that tells the client what it did wrong.
    fn take_alert(&mut self) {
        if let Ok(ConnectionState::EncodeTlsData(mut data)) =
            self.session.process_tls_records(&mut []).state
        {
            // Without it the client only sees the end.
            let _ = append(&mut self.sealed, |out| {
                data.encode(out).map_err(Refused::from)
            });
        }
    }
}

/// Why rustls did not write into a slice.
enum Refused {
    TooSmall { required_bytes: usize },
    Never(TlsError),
}

/// Appends what `write` writes, which says how much room it needs when there is none.
fn append(
    out: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Refused>,
) -> Result<(), TlsError> {
    let start = out.len();
    let mut written = write(&mut []);
    if let Err(Refused::TooSmall { required_bytes }) = written {
        out.resize(start + required_bytes, 0);
        written = write(&mut out[start..]);
    }
    match written {
        Ok(bytes) => {
            out.truncate(start + bytes);
            Ok(())
        }
        Err(Refused::Never(error)) => Err(error),
        Err(Refused::TooSmall { .. }) => Err(TlsError::NotOpen),
    }
}

impl From<InsufficientSizeError> for Refused {
    fn from(error: InsufficientSizeError) -> Self {
        Self::TooSmall {
            required_bytes: error.required_size,
        }
    }
}

impl From<EncodeError> for Refused {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(error) => error.into(),
            EncodeError::AlreadyEncoded => Self::Never(TlsError::NotOpen),
        }
    }
}

impl From<EncryptError> for Refused {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(error) => error.into(),
            exhausted @ EncryptError::EncryptExhausted => Self::Never(TlsError::Seal(exhausted)),
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
