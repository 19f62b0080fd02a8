//! Telling a flight of the handshake that is repeated from one that is new.
//!
//! A peer repeats its flight when ours got lost (RFC 6347, 4.2.4), so ours has to be sent again.
//! `rtc-dtls` 0.21.1 instead stops its own timer when a datagram brings nothing new, and then waits for
//! good: at 2 % loss 5 of 200 set-ups ended so. It is therefore not shown such datagrams.

/// Pieces of messages that are remembered. The longest handshake has ten messages, each in one piece
/// or, with a long certificate, a few.
const PIECES_MAX: usize = 64;

const RECORD_HEADER_BYTES: usize = 13;
const MESSAGE_HEADER_BYTES: usize = 12;
const HANDSHAKE: u8 = 22;

/// The pieces of handshake messages that came so far.
pub(super) struct Seen {
    is_client: bool,
    /// A message's number, and where in it the piece begins.
    pieces: Vec<(u16, u32)>,
}

impl Seen {
    pub(super) fn new(is_client: bool) -> Self {
        Self {
            is_client,
            pieces: Vec::new(),
        }
    }

    /// Whether a datagram is of the handshake's open part and has only pieces that came before. If
    /// not, its pieces count as seen from now on.
    pub(super) fn repeats(&mut self, datagram: &[u8]) -> bool {
        let Some(pieces) = pieces(datagram) else {
            return false;
        };
        let new: Vec<(u16, u32)> = pieces
            .iter()
            .copied()
            .filter(|piece| !self.pieces.contains(piece))
            .collect();
        // A server has no timer for the answer to the first hello (RFC 6347, 4.2.1), so the hello
        // itself has to be shown again.
        let is_hello = !self.is_client && pieces.iter().any(|(number, _)| *number == 0);
        let repeats = !pieces.is_empty() && new.is_empty() && !is_hello;
        let room = PIECES_MAX.saturating_sub(self.pieces.len());
        self.pieces.extend(new.into_iter().take(room));
        repeats
    }
}

/// The pieces of a datagram; `None` when some of it is encrypted or malformed.
fn pieces(mut datagram: &[u8]) -> Option<Vec<(u16, u32)>> {
    let mut found = Vec::new();
    while !datagram.is_empty() {
        let header = datagram.first_chunk::<RECORD_HEADER_BYTES>()?;
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let body = datagram.get(RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + length)?;
        datagram = &datagram[RECORD_HEADER_BYTES + length..];
        if header[3..5] != [0, 0] {
            return None;
        }
        if header[0] == HANDSHAKE {
            messages(body, &mut found)?;
        }
    }
    Some(found)
}

fn messages(mut body: &[u8], found: &mut Vec<(u16, u32)>) -> Option<()> {
    while !body.is_empty() {
        let header = body.first_chunk::<MESSAGE_HEADER_BYTES>()?;
        let three = |at: usize| u32::from_be_bytes([0, header[at], header[at + 1], header[at + 2]]);
        found.push((u16::from_be_bytes([header[4], header[5]]), three(6)));
        let piece_bytes = usize::try_from(three(9)).ok()?;
        body = body.get(MESSAGE_HEADER_BYTES + piece_bytes..)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, 0];
        record[12] = u8::try_from(body.len()).unwrap();
        record.extend_from_slice(body);
        record
    }

    fn message(number: u8, offset: u8) -> Vec<u8> {
        let mut message = vec![11, 0, 0, 200, 0, number, 0, 0, offset, 0, 0, 4];
        message.extend_from_slice(&[7; 4]);
        message
    }

    #[test]
    fn a_flight_is_repeated_when_nothing_in_it_is_new() {
        let mut seen = Seen::new(true);
        let both = [message(1, 0), message(2, 0)].concat();
        assert!(!seen.repeats(&record(HANDSHAKE, 0, &both)));
        assert!(seen.repeats(&record(HANDSHAKE, 0, &both)));
        assert!(seen.repeats(&record(HANDSHAKE, 0, &message(2, 0))));
        assert!(
            !seen.repeats(&record(HANDSHAKE, 0, &message(2, 4))),
            "another piece"
        );
        let later = [
            record(HANDSHAKE, 0, &message(1, 0)),
            record(HANDSHAKE, 0, &message(3, 0)),
        ];
        assert!(!seen.repeats(&later.concat()));
        assert!(seen.repeats(&later.concat()));
    }

    #[test]
    fn a_server_is_shown_every_first_hello() {
        let hello = record(HANDSHAKE, 0, &message(0, 0));
        let (mut server, mut client) = (Seen::new(false), Seen::new(true));
        assert!(!server.repeats(&hello) && !server.repeats(&hello));
        assert!(!client.repeats(&hello) && client.repeats(&hello));
    }

    #[test]
    fn what_is_encrypted_or_no_handshake_is_always_shown() {
        let mut seen = Seen::new(true);
        for _ in 0..2 {
            assert!(!seen.repeats(&record(HANDSHAKE, 1, &[9; 40])));
            assert!(!seen.repeats(&record(20, 0, &[1])));
            assert!(!seen.repeats(&[]));
        }
    }

    #[test]
    fn mangled_datagrams_are_shown_and_bounded() {
        let mut seen = Seen::new(true);
        let good = record(HANDSHAKE, 0, &message(1, 0));
        for end in 1..good.len() {
            assert!(!seen.repeats(&good[..end]));
        }
        for number in 0..=255 {
            seen.repeats(&record(HANDSHAKE, 0, &message(number, 0)));
        }
        assert_eq!(seen.pieces.len(), PIECES_MAX);
    }
}
