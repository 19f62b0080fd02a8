//! Records of AES-128-GCM (RFC 6347, 4.1 and RFC 5288), sealed and opened in place.

use std::ops::Range;

use bytes::BytesMut;
use ring::aead::{Aad, LessSafeKey, Nonce};

/// Type, version, epoch, sequence number, length.
const HEADER_BYTES: usize = 13;
const NONCE_BYTES: usize = 8;
const TAG_BYTES: usize = 16;

/// Bytes that a record is longer than what it carries.
pub(in super::super) const OVERHEAD: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

const VERSION: [u8; 2] = [0xfe, 0xfd];

/// The epoch that the one handshake of a connection leads to (there is no renegotiation).
const EPOCH: [u8; 2] = [0, 1];

/// Where our numbers begin. The handshake has used the first few for its last flight and may repeat
/// that; they must stay apart, and a peer that has seen one of ours takes no smaller one (its window
/// is 64 wide), which is right: it has finished by then.
const SEQUENCE_FIRST: u64 = 1 << 16;

/// RFC 6347, 4.1: numbers have 48 bits and never begin again.
const SEQUENCE_END: u64 = 1 << 48;

/// Numbers behind the newest that are told apart (RFC 6347, 4.1.2.6: at least 32, 64 is usual; a
/// receiver in the same host gets bursts of 54 in any order of sockets).
const WINDOW: u64 = 128;

/// Warning, and the connection's end.
pub(super) const CLOSE_NOTIFY: [u8; 2] = [1, 0];

/// What a protected record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Alert = 21,
    Data = 23,
}

impl Kind {
    fn read(byte: u8) -> Option<Self> {
        match byte {
            21 => Some(Self::Alert),
            23 => Some(Self::Data),
            _ => None,
        }
    }
}

/// Whether a datagram begins with a record for us rather than for the handshake.
pub(super) fn is_protected(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER_BYTES && Kind::read(datagram[0]).is_some() && datagram[3..5] == EPOCH
}

/// Whether an alert ends the connection: close_notify, or any that is fatal.
pub(super) fn is_end(alert: &[u8]) -> bool {
    matches!(alert, [2, _] | [_, 0])
}

/// Takes the first record off a datagram.
pub(super) fn split(datagram: &mut BytesMut) -> Option<BytesMut> {
    let length = datagram.get(HEADER_BYTES - 2..HEADER_BYTES)?;
    let end = HEADER_BYTES + usize::from(u16::from_be_bytes([length[0], length[1]]));
    (end <= datagram.len()).then(|| datagram.split_to(end))
}

/// One direction's key and the implicit half of its nonces.
pub(super) struct Secret {
    pub(super) key: LessSafeKey,
    pub(super) salt: [u8; 4],
}

impl Secret {
    fn nonce(&self, explicit: [u8; NONCE_BYTES]) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&self.salt);
        nonce[4..].copy_from_slice(&explicit);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// What is authenticated besides the payload (RFC 5246, 6.2.3.3).
fn associated(sequence: [u8; 8], kind: Kind, payload_bytes: usize) -> Option<Aad<[u8; 13]>> {
    let mut data = [0; 13];
    data[..8].copy_from_slice(&sequence);
    data[8] = kind as u8;
    data[9..11].copy_from_slice(&VERSION);
    data[11..].copy_from_slice(&u16::try_from(payload_bytes).ok()?.to_be_bytes());
    Some(Aad::from(data))
}

/// Seals what we send.
pub(super) struct Sealer {
    secret: Secret,
    next: u64,
}

impl Sealer {
    pub(super) fn new(secret: Secret) -> Self {
        Self {
            secret,
            next: SEQUENCE_FIRST,
        }
    }

    /// Adds a record to `to`. False when the payload is too long or the numbers are used up.
    ///
    /// The explicit nonce is epoch and number, as RFC 5288, 3 suggests: it repeats for no record of
    /// ours. The handful that the handshake sealed drew 64 random bits each.
    pub(super) fn seal(&mut self, kind: Kind, payload: &[u8], to: &mut Vec<u8>) -> bool {
        let Ok(length) = u16::try_from(NONCE_BYTES + payload.len() + TAG_BYTES) else {
            return false;
        };
        if self.next >= SEQUENCE_END {
            return false;
        }
        let mut sequence = self.next.to_be_bytes();
        sequence[..2].copy_from_slice(&EPOCH);
        let Some(associated) = associated(sequence, kind, payload.len()) else {
            return false;
        };
        self.next += 1;
        let mut header = [0; HEADER_BYTES + NONCE_BYTES];
        header[0] = kind as u8;
        header[1..3].copy_from_slice(&VERSION);
        header[3..11].copy_from_slice(&sequence);
        header[11..13].copy_from_slice(&length.to_be_bytes());
        header[13..].copy_from_slice(&sequence);
        to.extend_from_slice(&header);
        let start = to.len();
        to.extend_from_slice(payload);
        let nonce = self.secret.nonce(sequence);
        let sealed =
            self.secret
                .key
                .seal_in_place_separate_tag(nonce, associated, &mut to[start..]);
        match sealed {
            Ok(tag) => {
                to.extend_from_slice(tag.as_ref());
                true
            }
            Err(_) => {
                to.truncate(start - header.len());
                false
            }
        }
    }
}

/// Opens what the peer sent.
pub(super) struct Opener {
    secret: Secret,
    window: Window,
}

impl Opener {
    pub(super) fn new(secret: Secret) -> Self {
        Self {
            secret,
            window: Window::default(),
        }
    }

    /// Opens one record in place; gives what it is and where its payload lies. `None` when it is
    /// forged, repeated, or none at all.
    pub(super) fn open(&mut self, record: &mut [u8]) -> Option<(Kind, Range<usize>)> {
        let payload_bytes = record.len().checked_sub(OVERHEAD)?;
        let kind = Kind::read(record[0])?;
        if record[3..5] != EPOCH {
            return None;
        }
        let sequence: [u8; 8] = record[3..11].try_into().ok()?;
        let number = u64::from_be_bytes(sequence) & (SEQUENCE_END - 1);
        if !self.window.is_new(number) {
            return None;
        }
        let (header, body) = record.split_at_mut(HEADER_BYTES + NONCE_BYTES);
        let nonce = self.secret.nonce(header[HEADER_BYTES..].try_into().ok()?);
        let associated = associated(sequence, kind, payload_bytes)?;
        self.secret
            .key
            .open_in_place(nonce, associated, body)
            .ok()?;
        self.window.take(number);
        let start = HEADER_BYTES + NONCE_BYTES;
        Some((kind, start..start + payload_bytes))
    }
}

/// Which numbers were seen (RFC 6347, 4.1.2.6).
#[derive(Default)]
struct Window {
    /// One more than the newest number.
    end: u64,
    /// Bit n: the number `end - 1 - n` was seen.
    seen: u128,
}

impl Window {
    fn is_new(&self, number: u64) -> bool {
        if number >= self.end {
            return true;
        }
        let age = self.end - 1 - number;
        age < WINDOW && self.seen & (1 << age) == 0
    }

    fn take(&mut self, number: u64) {
        if number >= self.end {
            let ahead = number - self.end + 1;
            self.seen = if ahead < WINDOW {
                self.seen << ahead
            } else {
                0
            };
            self.end = number + 1;
        }
        self.seen |= 1 << (self.end - 1 - number);
    }
}

#[cfg(test)]
mod tests {
    use ring::aead::{AES_128_GCM, UnboundKey};

    use super::*;

    fn secret() -> Secret {
        let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).unwrap();
        Secret {
            key: LessSafeKey::new(key),
            salt: [1, 2, 3, 4],
        }
    }

    fn pair() -> (Sealer, Opener) {
        (Sealer::new(secret()), Opener::new(secret()))
    }

    fn sealed(sealer: &mut Sealer, kind: Kind, payload: &[u8]) -> Vec<u8> {
        let mut record = Vec::new();
        assert!(sealer.seal(kind, payload, &mut record));
        record
    }

    #[test]
    fn what_is_sealed_opens() {
        let (mut sealer, mut opener) = pair();
        for (kind, payload) in [(Kind::Data, &b"a segment"[..]), (Kind::Alert, &[1, 0])] {
            let mut record = sealed(&mut sealer, kind, payload);
            assert_eq!(record.len(), payload.len() + OVERHEAD);
            assert!(is_protected(&record));
            let (found, place) = opener.open(&mut record).unwrap();
            assert_eq!((found, &record[place]), (kind, payload));
        }
    }

    #[test]
    fn records_of_one_datagram_come_apart() {
        let mut sealer = pair().0;
        let mut datagram = BytesMut::new();
        for payload in [&b"one"[..], b"three"] {
            datagram.extend_from_slice(&sealed(&mut sealer, Kind::Data, payload));
        }
        datagram.extend_from_slice(&[23, 0xfe]);
        assert_eq!(split(&mut datagram).unwrap().len(), 3 + OVERHEAD);
        assert_eq!(split(&mut datagram).unwrap().len(), 5 + OVERHEAD);
        assert_eq!(split(&mut datagram), None);
    }

    #[test]
    fn a_repeated_record_opens_once() {
        let (mut sealer, mut opener) = pair();
        let record = sealed(&mut sealer, Kind::Data, b"once");
        assert!(opener.open(&mut record.clone()).is_some());
        assert!(opener.open(&mut record.clone()).is_none());
    }

    #[test]
    fn a_changed_record_does_not_open_and_spoils_nothing() {
        let (mut sealer, mut opener) = pair();
        let record = sealed(&mut sealer, Kind::Data, b"genuine");
        for index in 0..record.len() {
            // Version and length are implied, not read.
            if (1..3).contains(&index) || (11..13).contains(&index) {
                continue;
            }
            let mut forged = record.clone();
            forged[index] ^= 1;
            assert!(opener.open(&mut forged).is_none(), "byte {index}");
        }
        for length in 0..record.len() {
            assert!(opener.open(&mut record[..length].to_vec()).is_none());
        }
        assert!(opener.open(&mut record.clone()).is_some());
    }

    #[test]
    fn numbers_within_the_window_come_in_any_order() {
        let mut window = Window::default();
        for number in [5, 3, 200, 199, 73] {
            assert!(window.is_new(number), "{number}");
            window.take(number);
            assert!(!window.is_new(number), "{number}");
        }
        assert!(!window.is_new(72), "older than the window");
        window.take(10_000);
        assert!(!window.is_new(200));
        assert!(window.is_new(9_999));
    }

    #[test]
    fn what_is_too_long_is_not_sealed() {
        let mut record = Vec::new();
        assert!(!pair().0.seal(Kind::Data, &[0; 65_536], &mut record));
        assert!(record.is_empty());
    }
}
