//! The engine's outputs in a form that crosses to JavaScript without being taken apart there: a
//! kind, a few numbers, a text, a message.

use beekeepr_engine::{
    AnnounceEvent, Event, LoadError, Output, Placement, SegmentKey, Source, TrackerKey,
    TrackerMessage,
};
use beekeepr_model::{OfferId, PeerId};

/// What the shell has to do. Each kind lists its numbers in their order; `segment` stands for two,
/// the stream's key and the segment's id. A `peer` is a text, empty for the origin.
///
/// `js/src/action.ts` repeats the numbers, so that the bundler can inline them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing more to do until the next input.
    None = 0,
    /// Open a socket: tracker.
    TrackerConnect = 1,
    /// Close a socket: tracker.
    TrackerDisconnect = 2,
    /// Tell it: tracker, why (0 the interval is over, 1 started, 2 stopped, 3 completed, 4 an answer), bytes uploaded, bytes
    /// downloaded, whether the tracker's token goes along (0 or 1). The text begins with the ids of swarm and self, in an
    /// answer also of the peer; then, for each offer or for the answer, come an offer's id and its description, which U+0000
    /// ends.
    TrackerSend = 3,
    /// Make an offer: connection.
    OfferCreate = 4,
    /// Answer the offer in the text: connection.
    OfferAccept = 5,
    /// Our offer's answer is the text: connection.
    AnswerAccept = 6,
    /// Close: connection.
    ConnClose = 7,
    /// Send the message in the data: connection.
    CommandSend = 8,
    /// Send bytes of a segment: segment, connection, offset, bytes.
    SliceSend = 9,
    /// Ask the origin: segment, fetch, offset.
    FetchStart = 10,
    /// Abort: fetch.
    FetchCancel = 11,
    /// Check what came from peers: segment.
    SegmentCheck = 12,
    /// Hand to the player: segment, bits per second.
    SegmentReady = 13,
    /// Could not be had: segment, HTTP status.
    SegmentFailed = 14,
    /// Forget the bytes: segment.
    SegmentDropped = 15,
    /// News: stream, connection; peer.
    PeerConnected = 16,
    /// News: stream, connection; peer.
    PeerClosed = 17,
    /// News: segment, bytes; peer.
    Downloaded = 18,
    /// News: segment, bytes; peer.
    Uploaded = 19,
    /// News: segment; peer.
    SegmentStarted = 20,
    /// News: segment, bytes; peer.
    SegmentLoaded = 21,
    /// News: segment, error (0 HTTP, 1 HTTP length, 2 peer length, 3 protocol, 4 absent, 5 closed,
    /// 6 invalid, 7 silence), HTTP status; peer.
    SegmentError = 22,
    /// News: segment.
    SegmentAborted = 23,
    /// News: tracker.
    TrackerLost = 24,
    /// News with a text: tracker.
    TrackerWarning = 25,
    /// Get a new token: tracker.
    TokenWanted = 26,
}

/// An action with all it carries.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) numbers: [f64; 5],
    pub(crate) data: Vec<u8>,
}

impl Parts {
    fn put(&mut self, values: &[f64]) {
        for (place, &value) in self.numbers.iter_mut().zip(values) {
            *place = value;
        }
    }

    fn key(&mut self, key: u32) {
        self.put(&[key.into()]);
    }

    /// A segment, and what else belongs to it.
    fn segment(&mut self, key: SegmentKey, [c, d, e]: [f64; 3]) {
        self.put(&[key.stream.0.into(), key.id.0 as f64, c, d, e]);
    }

    /// Where bytes belong: segment, offset, total.
    pub(crate) fn placement(&mut self, placement: Placement) {
        let (offset, total) = (placement.offset as f64, placement.total as f64);
        self.segment(placement.segment, [offset, total, 0.0]);
    }

    fn peer(&mut self, peer: &PeerId) {
        self.data = peer.chars().collect::<String>().into_bytes();
    }

    fn source(&mut self, source: Source) {
        if let Source::Peer(peer) = source {
            self.peer(&peer);
        }
    }
}

/// Takes an output apart.
pub(crate) fn flatten(output: Output, parts: &mut Parts) -> Action {
    *parts = Parts::default();
    match output {
        Output::TrackerConnect(tracker) => {
            parts.key(tracker.0);
            Action::TrackerConnect
        }
        Output::TrackerDisconnect(tracker) => {
            parts.key(tracker.0);
            Action::TrackerDisconnect
        }
        Output::TokenWanted(tracker) => {
            parts.key(tracker.0);
            Action::TokenWanted
        }
        Output::TrackerSend { tracker, message } => {
            tracker_message(tracker, &message, parts);
            Action::TrackerSend
        }
        Output::OfferCreate(conn) => {
            parts.key(conn.0);
            Action::OfferCreate
        }
        Output::OfferAccept { conn, sdp } => {
            parts.key(conn.0);
            parts.data = sdp.into_bytes();
            Action::OfferAccept
        }
        Output::AnswerAccept { conn, sdp } => {
            parts.key(conn.0);
            parts.data = sdp.into_bytes();
            Action::AnswerAccept
        }
        Output::ConnClose(conn) => {
            parts.key(conn.0);
            Action::ConnClose
        }
        Output::CommandSend { conn, message } => {
            parts.key(conn.0);
            parts.data = message;
            Action::CommandSend
        }
        Output::SliceSend {
            conn,
            segment,
            offset,
            bytes,
        } => {
            parts.segment(segment, [conn.0.into(), offset as f64, bytes.into()]);
            Action::SliceSend
        }
        Output::FetchStart {
            fetch,
            segment,
            offset,
        } => {
            parts.segment(segment, [fetch.0.into(), offset as f64, 0.0]);
            Action::FetchStart
        }
        Output::FetchCancel(fetch) => {
            parts.key(fetch.0);
            Action::FetchCancel
        }
        Output::SegmentCheck(segment) => {
            parts.segment(segment, [0.0; 3]);
            Action::SegmentCheck
        }
        Output::SegmentReady {
            segment,
            bandwidth_bps,
        } => {
            parts.segment(segment, [bandwidth_bps as f64, 0.0, 0.0]);
            Action::SegmentReady
        }
        Output::SegmentFailed { segment, status } => {
            parts.segment(segment, [status.into(), 0.0, 0.0]);
            Action::SegmentFailed
        }
        Output::SegmentDropped(segment) => {
            parts.segment(segment, [0.0; 3]);
            Action::SegmentDropped
        }
        Output::Event(event) => flatten_event(event, parts),
    }
}

fn flatten_event(event: Event, parts: &mut Parts) -> Action {
    match event {
        Event::PeerConnected { conn, stream, peer } => {
            parts.put(&[stream.0.into(), conn.0.into()]);
            parts.peer(&peer);
            Action::PeerConnected
        }
        Event::PeerClosed { conn, stream, peer } => {
            parts.put(&[stream.0.into(), conn.0.into()]);
            parts.peer(&peer);
            Action::PeerClosed
        }
        Event::Downloaded {
            segment,
            bytes,
            source,
        } => {
            parts.segment(segment, [bytes.into(), 0.0, 0.0]);
            parts.source(source);
            Action::Downloaded
        }
        Event::Uploaded {
            segment,
            bytes,
            peer,
        } => {
            parts.segment(segment, [bytes.into(), 0.0, 0.0]);
            parts.peer(&peer);
            Action::Uploaded
        }
        Event::SegmentStarted { segment, source } => {
            parts.segment(segment, [0.0; 3]);
            parts.source(source);
            Action::SegmentStarted
        }
        Event::SegmentLoaded {
            segment,
            bytes,
            source,
        } => {
            parts.segment(segment, [bytes as f64, 0.0, 0.0]);
            parts.source(source);
            Action::SegmentLoaded
        }
        Event::SegmentError {
            segment,
            error,
            source,
        } => {
            let (code, status) = error_code(error);
            parts.segment(segment, [code, status.into(), 0.0]);
            parts.source(source);
            Action::SegmentError
        }
        Event::SegmentAborted { segment } => {
            parts.segment(segment, [0.0; 3]);
            Action::SegmentAborted
        }
        Event::TrackerLost { tracker } => {
            parts.key(tracker.0);
            Action::TrackerLost
        }
        Event::TrackerWarning { tracker, message } => {
            parts.key(tracker.0);
            parts.data = message.into_bytes();
            Action::TrackerWarning
        }
    }
}

/// As in [`Action::TrackerSend`].
fn tracker_message(tracker: TrackerKey, message: &TrackerMessage, parts: &mut Parts) {
    let mut text = String::new();
    let (why, uploaded, downloaded, with_token) = match message {
        TrackerMessage::Announce {
            info_hash,
            peer_id,
            uploaded,
            downloaded,
            event,
            with_token,
            offers,
        } => {
            text.extend(info_hash.chars());
            text.extend(peer_id.chars());
            for (offer_id, sdp) in offers {
                push_offer(&mut text, offer_id, sdp);
            }
            let why = match event {
                None => 0.0,
                Some(AnnounceEvent::Started) => 1.0,
                Some(AnnounceEvent::Stopped) => 2.0,
                Some(AnnounceEvent::Completed) => 3.0,
            };
            (why, *uploaded, *downloaded, *with_token)
        }
        TrackerMessage::Answer {
            info_hash,
            peer_id,
            to_peer_id,
            offer_id,
            sdp,
        } => {
            text.extend(info_hash.chars());
            text.extend(peer_id.chars());
            text.extend(to_peer_id.chars());
            push_offer(&mut text, offer_id, sdp);
            (ANSWER, 0, 0, false)
        }
    };
    let with_token = f64::from(u8::from(with_token));
    let numbers = [
        tracker.0.into(),
        why,
        uploaded as f64,
        downloaded as f64,
        with_token,
    ];
    parts.put(&numbers);
    parts.data = text.into_bytes();
}

fn push_offer(text: &mut String, id: &OfferId, sdp: &str) {
    text.extend(id.chars());
    text.push_str(sdp);
    text.push('\0');
}

/// In place of a reason: the message is an answer.
const ANSWER: f64 = 4.0;

/// As in [`Action::SegmentError`], with the HTTP status.
fn error_code(error: LoadError) -> (f64, u16) {
    match error {
        LoadError::Http(status) => (0.0, status),
        LoadError::HttpLength => (1.0, 0),
        LoadError::PeerLength => (2.0, 0),
        LoadError::PeerProtocol => (3.0, 0),
        LoadError::PeerAbsent => (4.0, 0),
        LoadError::PeerClosed => (5.0, 0),
        LoadError::Invalid => (6.0, 0),
        LoadError::Timeout => (7.0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beekeepr_engine::{ConnKey, StreamKey};
    use beekeepr_model::SegmentId;

    const KINDS: [Action; 27] = [
        Action::None,
        Action::TrackerConnect,
        Action::TrackerDisconnect,
        Action::TrackerSend,
        Action::OfferCreate,
        Action::OfferAccept,
        Action::AnswerAccept,
        Action::ConnClose,
        Action::CommandSend,
        Action::SliceSend,
        Action::FetchStart,
        Action::FetchCancel,
        Action::SegmentCheck,
        Action::SegmentReady,
        Action::SegmentFailed,
        Action::SegmentDropped,
        Action::PeerConnected,
        Action::PeerClosed,
        Action::Downloaded,
        Action::Uploaded,
        Action::SegmentStarted,
        Action::SegmentLoaded,
        Action::SegmentError,
        Action::SegmentAborted,
        Action::TrackerLost,
        Action::TrackerWarning,
        Action::TokenWanted,
    ];

    fn segment() -> SegmentKey {
        SegmentKey {
            stream: StreamKey(3),
            id: SegmentId(-7),
        }
    }

    #[test]
    fn the_shell_knows_each_kind_by_its_number() {
        let shell = include_str!("../js/src/action.ts");
        let kinds = shell.lines().filter(|line| line.trim_end().ends_with(','));
        for (number, line) in kinds.enumerate() {
            let kind = KINDS[number];
            assert_eq!(kind as usize, number);
            assert_eq!(line.trim(), format!("{kind:?} = {number},"));
        }
        assert_eq!(shell.matches(',').count(), KINDS.len());
    }

    fn flattened(output: Output) -> (Action, Parts) {
        let mut parts = Parts::default();
        (flatten(output, &mut parts), parts)
    }

    #[test]
    fn numbers_follow_the_segment_in_the_listed_order() {
        let output = Output::SliceSend {
            conn: ConnKey(9),
            segment: segment(),
            offset: 65_536,
            bytes: 16,
        };
        let (kind, parts) = flattened(output);
        assert_eq!(kind, Action::SliceSend);
        assert_eq!(parts.numbers, [3.0, -7.0, 9.0, 65_536.0, 16.0]);
    }

    #[test]
    fn a_peer_keeps_all_its_bytes_and_the_origin_has_no_name() {
        let peer = PeerId(*b"-BS0001-\xff\x00abcdefghij");
        let event = |source| {
            Output::Event(Event::SegmentStarted {
                segment: segment(),
                source,
            })
        };
        let (_, from_peer) = flattened(event(Source::Peer(peer)));
        let text = String::from_utf8(from_peer.data).expect("a text");
        assert_eq!(PeerId::from_chars(&text), Ok(peer));
        let (_, from_origin) = flattened(event(Source::Http));
        assert!(from_origin.data.is_empty());
    }

    #[test]
    fn commands_travel_as_data() {
        let (kind, parts) = flattened(Output::CommandSend {
            conn: ConnKey(1),
            message: vec![1, 2],
        });
        assert_eq!((kind, parts.data), (Action::CommandSend, vec![1, 2]));
    }
}
