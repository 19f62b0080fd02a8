//! What happened outside, as JavaScript tells it: a kind, three numbers, a text.

use std::str::Chars;

use beekeepr_engine::{ConnKey, FetchKey, Input, SegmentKey, ServerMessage, StreamKey, TrackerKey};
use beekeepr_model::{InfoHash, OfferId, PeerId, SegmentId};

/// Each kind lists its numbers in their order, then its text; `segment` stands for two, the stream's
/// key and the segment's id. Ids of swarms, peers and offers are 20 characters each, without anything
/// between them.
///
/// `js/src/input.ts` repeats the numbers, so that the bundler can inline them. One call with a kind
/// weighs 4 KB less, gzipped, than a call for each (docs/decisions/wasm.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The deadline has come.
    Tick = 0,
    /// Gone: stream.
    StreamRemoved = 1,
    /// Where the player is: position in ms, rate in thousandths.
    Playback = 2,
    /// The player asks for it: segment.
    SegmentWanted = 3,
    /// The player gave it up: segment.
    SegmentUnwanted = 4,
    /// The page has checked it: segment, 1 for right.
    SegmentChecked = 5,
    /// A response has begun: fetch, offset of its first byte, size of the whole segment or NaN.
    FetchStarted = 6,
    /// More bytes have come and are stored: fetch, bytes.
    FetchProgress = 7,
    /// A response has come to its end: fetch.
    FetchDone = 8,
    /// A request failed: fetch, HTTP status or 0.
    FetchFailed = 9,
    /// A socket is open: tracker.
    TrackerOpened = 10,
    /// A socket is closed or could not be opened: tracker.
    TrackerClosed = 11,
    /// The reply to an announce: tracker, interval in s, peers in all; swarm, warning.
    TrackerAnnounced = 12,
    /// A peer's offer: tracker; swarm, peer, offer, description.
    TrackerOffer = 13,
    /// A peer's answer: tracker; swarm, peer, offer, description.
    TrackerAnswer = 14,
    /// A refusal, or something that cannot be read: tracker; why.
    TrackerFailure = 15,
    /// Our offer is complete: connection; description.
    OfferReady = 16,
    /// Our answer is complete: connection; description.
    AnswerReady = 17,
    /// A data channel is open: connection.
    ChannelOpened = 18,
    /// A connection is gone or never came about: connection.
    ChannelClosed = 19,
    /// A channel's send buffer has run low: connection, bytes left in it.
    Drained = 20,
    /// There is a token, the first one or a newer one: tracker, for how many ms it counts or NaN.
    TokenGiven = 21,
    /// A live stream's numbers name other segments than before: stream.
    StreamRestarted = 22,
}

/// All kinds, by their numbers.
const KINDS: [Kind; 23] = [
    Kind::Tick,
    Kind::StreamRemoved,
    Kind::Playback,
    Kind::SegmentWanted,
    Kind::SegmentUnwanted,
    Kind::SegmentChecked,
    Kind::FetchStarted,
    Kind::FetchProgress,
    Kind::FetchDone,
    Kind::FetchFailed,
    Kind::TrackerOpened,
    Kind::TrackerClosed,
    Kind::TrackerAnnounced,
    Kind::TrackerOffer,
    Kind::TrackerAnswer,
    Kind::TrackerFailure,
    Kind::OfferReady,
    Kind::AnswerReady,
    Kind::ChannelOpened,
    Kind::ChannelClosed,
    Kind::Drained,
    Kind::TokenGiven,
    Kind::StreamRestarted,
];

impl Kind {
    /// The kind of this number, if there is one.
    pub(crate) fn of(number: u32) -> Option<Self> {
        KINDS.get(number as usize).copied()
    }
}

/// A message that a tracker sent; nothing for other kinds, and where an id is none.
pub(crate) fn message(kind: Kind, [_, b, c]: [f64; 3], text: &str) -> Option<ServerMessage> {
    let mut chars = text.chars();
    if kind == Kind::TrackerFailure {
        return Some(ServerMessage::Failure {
            info_hash: None,
            reason: text.to_owned(),
        });
    }
    let info_hash = InfoHash(take_id(&mut chars)?);
    if kind == Kind::TrackerAnnounced {
        let warning = chars.as_str();
        return Some(ServerMessage::Announced {
            info_hash,
            interval_s: b as u32,
            complete: 0,
            incomplete: c as u32,
            warning: (!warning.is_empty()).then(|| warning.to_owned()),
        });
    }
    let peer_id = PeerId(take_id(&mut chars)?);
    let offer_id = OfferId(take_id(&mut chars)?);
    let sdp = chars.as_str().to_owned();
    match kind {
        Kind::TrackerOffer => Some(ServerMessage::Offer {
            info_hash,
            peer_id,
            offer_id,
            sdp,
        }),
        Kind::TrackerAnswer => Some(ServerMessage::Answer {
            info_hash,
            peer_id,
            offer_id,
            sdp,
        }),
        _ => None,
    }
}

/// The engine's input; nothing for a tracker's message without its `message`.
pub(crate) fn input<'a>(
    kind: Kind,
    [a, b, c]: [f64; 3],
    text: &'a str,
    message: Option<&'a ServerMessage>,
) -> Option<Input<'a>> {
    // Conversions from `f64` saturate and take NaN for 0.
    let number = a as u32;
    let conn = ConnKey(number);
    let fetch = FetchKey(number);
    let tracker = TrackerKey(number);
    let segment = segment_key(a, b);
    Some(match kind {
        Kind::Tick => Input::Tick,
        Kind::StreamRemoved => Input::StreamRemoved {
            stream: segment.stream,
        },
        Kind::StreamRestarted => Input::StreamRestarted {
            stream: segment.stream,
        },
        Kind::Playback => Input::Playback {
            position_ms: a as i64,
            rate_milli: b as u32,
        },
        Kind::SegmentWanted => Input::SegmentWanted(segment),
        Kind::SegmentUnwanted => Input::SegmentUnwanted(segment),
        Kind::SegmentChecked => Input::SegmentChecked {
            segment,
            valid: c != 0.0,
        },
        Kind::FetchStarted => Input::FetchStarted {
            fetch,
            offset: b as u64,
            total: (!c.is_nan()).then_some(c as u64),
        },
        Kind::FetchProgress => Input::FetchProgress {
            fetch,
            bytes: b as u32,
        },
        Kind::FetchDone => Input::FetchDone { fetch },
        Kind::FetchFailed => Input::FetchFailed {
            fetch,
            status: b as u16,
        },
        Kind::TrackerOpened => Input::TrackerOpened(tracker),
        Kind::TrackerClosed => Input::TrackerClosed(tracker),
        Kind::TrackerAnnounced
        | Kind::TrackerOffer
        | Kind::TrackerAnswer
        | Kind::TrackerFailure => Input::TrackerMessage {
            tracker,
            message: message?,
        },
        Kind::OfferReady => Input::OfferReady { conn, sdp: text },
        Kind::AnswerReady => Input::AnswerReady { conn, sdp: text },
        Kind::ChannelOpened => Input::ChannelOpened(conn),
        Kind::ChannelClosed => Input::ChannelClosed(conn),
        Kind::TokenGiven => Input::TokenGiven {
            tracker,
            lives_ms: (!b.is_nan()).then_some(b as u64),
        },
        Kind::Drained => Input::Drained {
            conn,
            buffered: b as u32,
        },
    })
}

/// A segment by its stream's key and its id.
fn segment_key(stream: f64, id: f64) -> SegmentKey {
    SegmentKey {
        stream: StreamKey(stream as u32),
        id: SegmentId(id as i64),
    }
}

/// The next 20 characters, each of which stands for a byte.
pub(crate) fn take_id(chars: &mut Chars<'_>) -> Option<[u8; 20]> {
    let mut id = [0; 20];
    for byte in &mut id {
        *byte = u8::try_from(chars.next()?).ok()?;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWARM: &str = "swarmswarmswarmswarm";
    const PEER: &str = "-PM0203-\u{0}\u{ff}\u{80}xxxxxxxxx";
    const OFFER: &str = "offerofferofferoffer";

    #[test]
    fn the_shell_knows_each_kind_by_its_number() {
        let shell = include_str!("../js/src/input.ts");
        let kinds = shell.lines().filter(|line| line.trim_end().ends_with(','));
        for (number, line) in kinds.enumerate() {
            let kind = KINDS[number];
            assert_eq!(kind as usize, number);
            assert_eq!(Kind::of(number as u32), Some(kind));
            assert_eq!(line.trim(), format!("{kind:?} = {number},"));
        }
        assert_eq!(shell.matches(',').count(), KINDS.len());
    }

    #[test]
    fn ids_of_any_bytes_are_cut_where_they_end() {
        let text = format!("{SWARM}{PEER}{OFFER}v=0\r\n");
        let Some(ServerMessage::Offer { peer_id, sdp, .. }) =
            message(Kind::TrackerOffer, [0.0; 3], &text)
        else {
            unreachable!("an offer is read as an offer");
        };
        assert_eq!(peer_id, PeerId(*b"-PM0203-\x00\xff\x80xxxxxxxxx"));
        assert_eq!(sdp, "v=0\r\n");
    }

    #[test]
    fn a_message_with_something_else_than_ids_is_no_message() {
        for text in ["", "short", "swarmswarmswarmswar\u{100}", SWARM] {
            assert_eq!(message(Kind::TrackerAnswer, [0.0; 3], text), None);
            assert!(input(Kind::TrackerAnswer, [0.0; 3], text, None).is_none());
        }
    }
}
