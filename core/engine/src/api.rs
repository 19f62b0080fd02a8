//! What goes into an engine and what comes out of it.
//!
//! A shell owns the sockets, peer connections, HTTP requests, timers and the segments' bytes; the
//! engine owns every decision. Keys are small numbers: those of streams and trackers are chosen by
//! the shell, those of connections and fetches by the engine; none is used twice.

use beekeepr_model::{InfoHash, PeerId, SegmentId};
use beekeepr_tracker_proto::ServerMessage;

use crate::signal::TrackerMessage;

/// A stream, numbered by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey(pub u32);

/// A tracker, numbered by the shell in the order of [`crate::Config::trackers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerKey(pub u32);

/// A peer connection and its one data channel, numbered by the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnKey(pub u32);

/// An HTTP request for a segment, numbered by the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchKey(pub u32);

/// A segment of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentKey {
    /// The stream it belongs to.
    pub stream: StreamKey,
    /// Its number in the stream.
    pub id: SegmentId,
}

/// A segment as a manifest lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedSegment {
    /// Its number in the stream.
    pub id: SegmentId,
    /// Where it starts on the player's timeline, in milliseconds.
    pub start_ms: i64,
    /// Where it ends on the player's timeline, in milliseconds.
    pub end_ms: i64,
}

/// Something that happened outside.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The time of [`crate::Engine::deadline`] has come, or nothing in particular happened.
    Tick,

    /// A stream is there to be shared. The engine joins its swarm when its first segment is wanted
    /// (a viewer) or listed (a super-peer).
    StreamAdded {
        /// The stream's number; an already used one replaces that stream.
        stream: StreamKey,
        /// The stream's swarm.
        info_hash: InfoHash,
        /// Who we are in it. The same for the whole life of the page, also over a reload of the player.
        peer_id: PeerId,
    },
    /// Viewers of a stream also meet in another swarm: that of another generation of clients, which may
    /// number segments otherwise. Told again after each manifest whose segments have other numbers there.
    SwarmAdded {
        /// Which stream.
        stream: StreamKey,
        /// The swarm; we have the same peer id in it.
        info_hash: InfoHash,
        /// Pairs of our number of a segment and the swarm's; none when all are the same.
        numbers: &'a [(SegmentId, SegmentId)],
    },
    /// A live stream's encoder has begun anew: numbers that named segments name other ones now, as other addresses or
    /// another time of the programme tell. What is here is dropped, and what peers have of it is not taken. Comes before
    /// [`Input::SegmentsListed`], which finds out by itself when all numbers are lower than before.
    StreamRestarted {
        /// Which one.
        stream: StreamKey,
    },
    /// A stream is gone: its swarms are left, its segments are dropped.
    StreamRemoved {
        /// Which one.
        stream: StreamKey,
    },
    /// A manifest was read. The list replaces the previous one.
    SegmentsListed {
        /// Whose segments.
        stream: StreamKey,
        /// Whether more segments will come.
        live: bool,
        /// In the order of the timeline.
        segments: &'a [ListedSegment],
    },

    /// Where the player is. Sent when it seeks or changes its rate, and a few times a second.
    Playback {
        /// The playhead on the timeline of [`ListedSegment`], in milliseconds.
        position_ms: i64,
        /// Playback rate in thousandths: 1000 is normal speed, 0 is paused.
        rate_milli: u32,
    },
    /// The player asks for a segment. Exactly one of [`Output::SegmentReady`] and
    /// [`Output::SegmentFailed`] follows, unless [`Input::SegmentUnwanted`] comes before.
    SegmentWanted(SegmentKey),
    /// The player gave a wanted segment up. What has loaded stays.
    SegmentUnwanted(SegmentKey),
    /// The page's own check of a segment, asked for by [`Output::SegmentCheck`], is done.
    SegmentChecked {
        /// Which segment.
        segment: SegmentKey,
        /// Whether its bytes are right.
        valid: bool,
    },
    /// The shell had to give the bytes of a segment away, for its memory is full. [`Output::SegmentDropped`] follows if
    /// the engine knew of them.
    SegmentEvicted(SegmentKey),

    /// The response to a fetch has begun.
    FetchStarted {
        /// Which fetch.
        fetch: FetchKey,
        /// Where in the segment its first byte belongs: the offset asked for, or 0 when the server
        /// ignored the range.
        offset: u64,
        /// The size of the whole segment, when the server told it.
        total: Option<u64>,
    },
    /// `bytes` more have come; the shell has put them behind those that came before.
    FetchProgress {
        /// Which fetch.
        fetch: FetchKey,
        /// How many bytes.
        bytes: u32,
    },
    /// The response has come to its end.
    FetchDone {
        /// Which fetch.
        fetch: FetchKey,
    },
    /// The request failed; nothing more comes of it.
    FetchFailed {
        /// Which fetch.
        fetch: FetchKey,
        /// HTTP status, 0 when there was none (network, CORS, time).
        status: u16,
    },

    /// The socket of [`Output::TrackerConnect`] is open.
    TrackerOpened(TrackerKey),
    /// A message came from a tracker.
    TrackerMessage {
        /// Which tracker.
        tracker: TrackerKey,
        /// What it says; [`crate::read_tracker_text`] reads it.
        message: &'a ServerMessage,
    },
    /// The socket is closed, or could not be opened.
    TrackerClosed(TrackerKey),
    /// The shell has a token for a tracker, the first one or a newer one. It is told with the next
    /// announce ([`TrackerMessage::Announce`]), which comes soon on a connection that is open.
    TokenGiven {
        /// For which tracker.
        tracker: TrackerKey,
        /// For how long it counts, in milliseconds, when the shell knows. The engine asks for the next
        /// one in time.
        lives_ms: Option<u64>,
    },

    /// The offer of [`Output::OfferCreate`] is complete, candidates included.
    OfferReady {
        /// Which connection.
        conn: ConnKey,
        /// The session description.
        sdp: &'a str,
    },
    /// The answer to [`Output::OfferAccept`] is complete, candidates included.
    AnswerReady {
        /// Which connection.
        conn: ConnKey,
        /// The session description.
        sdp: &'a str,
    },
    /// The data channel is open.
    ChannelOpened(ConnKey),
    /// The connection or its channel is gone, or never came about.
    ChannelClosed(ConnKey),
    /// A message for which `beekeepr_peer_proto::is_command_chunk` holds.
    /// Segment bytes go to [`crate::Engine::place`] instead.
    Command {
        /// Which connection.
        conn: ConnKey,
        /// The message.
        message: &'a [u8],
    },
    /// The channel's send buffer has run low; `buffered` bytes are still in it.
    Drained {
        /// Which connection.
        conn: ConnKey,
        /// Bytes not yet handed to the network.
        buffered: u32,
    },
}

/// Something the shell has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a socket to a tracker.
    TrackerConnect(TrackerKey),
    /// Close the socket to a tracker; [`Input::TrackerClosed`] need not follow.
    TrackerDisconnect(TrackerKey),
    /// Send a message to a tracker.
    TrackerSend {
        /// Which tracker.
        tracker: TrackerKey,
        /// What to say; [`TrackerMessage::text`] writes it.
        message: TrackerMessage,
    },

    /// Get a new token for a tracker and give it with [`Input::TokenGiven`]: the one before runs out, or
    /// the tracker refused it. Asked again after a while; a shell that has none does nothing.
    TokenWanted(TrackerKey),

    /// Make a connection with a data channel and an offer for it.
    OfferCreate(ConnKey),
    /// Make a connection that answers this offer.
    OfferAccept {
        /// Which connection.
        conn: ConnKey,
        /// The foreign session description.
        sdp: String,
    },
    /// Our offer was answered.
    AnswerAccept {
        /// Which connection.
        conn: ConnKey,
        /// The foreign session description.
        sdp: String,
    },
    /// Close a connection; [`Input::ChannelClosed`] need not follow.
    ConnClose(ConnKey),
    /// Send one message, already framed.
    CommandSend {
        /// Which connection.
        conn: ConnKey,
        /// The message.
        message: Vec<u8>,
    },
    /// Send bytes `offset..offset + bytes` of a loaded segment as one message (as two when the slice
    /// would look like a command).
    SliceSend {
        /// Which connection.
        conn: ConnKey,
        /// Which segment.
        segment: SegmentKey,
        /// The first byte.
        offset: u64,
        /// How many.
        bytes: u32,
    },

    /// Ask the origin for a segment from `offset` to its end.
    FetchStart {
        /// Which fetch.
        fetch: FetchKey,
        /// Which segment.
        segment: SegmentKey,
        /// The first byte wanted; above 0 this needs a Range header.
        offset: u64,
    },
    /// Abort a fetch; nothing more of it is expected.
    FetchCancel(FetchKey),

    /// All bytes have come from peers: let the page check them and answer with
    /// [`Input::SegmentChecked`]. Only with [`crate::Config::check_segments`].
    SegmentCheck(SegmentKey),
    /// A wanted segment is whole: hand a copy to the player.
    SegmentReady {
        /// Which segment.
        segment: SegmentKey,
        /// What the player's bandwidth estimate should believe, in bits per second; 0 for unknown.
        /// It leaves out the time in which a transfer was put off on purpose.
        bandwidth_bps: u64,
    },
    /// A wanted segment could not be had; the player's own loader decides what comes next.
    SegmentFailed {
        /// Which segment.
        segment: SegmentKey,
        /// HTTP status of the last try, 0 when there was none.
        status: u16,
    },
    /// Forget the bytes of a segment, whole or in part.
    SegmentDropped(SegmentKey),

    /// Tell the page. Nothing depends on it.
    Event(Event),
}

/// Where bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The origin or CDN.
    Http,
    /// A peer.
    Peer(PeerId),
}

/// News for the page: statistics, peers, and p2p-media-loader's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer's channel is open.
    PeerConnected {
        /// Over which connection.
        conn: ConnKey,
        /// In which stream's swarm.
        stream: StreamKey,
        /// Who it says it is.
        peer: PeerId,
    },
    /// A connected peer is gone.
    PeerClosed {
        /// Over which connection.
        conn: ConnKey,
        /// In which stream's swarm.
        stream: StreamKey,
        /// Who it said it was.
        peer: PeerId,
    },
    /// Bytes of a segment have come.
    Downloaded {
        /// Which segment.
        segment: SegmentKey,
        /// How many.
        bytes: u32,
        /// From where.
        source: Source,
    },
    /// Bytes of a segment were handed to a peer's channel.
    Uploaded {
        /// Which segment.
        segment: SegmentKey,
        /// How many.
        bytes: u32,
        /// To whom.
        peer: PeerId,
    },
    /// A segment has begun to load.
    SegmentStarted {
        /// Which segment.
        segment: SegmentKey,
        /// From where.
        source: Source,
    },
    /// A segment is whole.
    SegmentLoaded {
        /// Which segment.
        segment: SegmentKey,
        /// Its size in bytes.
        bytes: u64,
        /// Where the last byte came from.
        source: Source,
    },
    /// A try to load a segment failed.
    SegmentError {
        /// Which segment.
        segment: SegmentKey,
        /// What went wrong.
        error: LoadError,
        /// From where.
        source: Source,
    },
    /// A segment's loading was given up because the player no longer wants it.
    SegmentAborted {
        /// Which segment.
        segment: SegmentKey,
    },
    /// A tracker's socket is gone or could not be opened; the engine tries again later.
    TrackerLost {
        /// Which tracker.
        tracker: TrackerKey,
    },
    /// A tracker said no, or said something that cannot be read.
    TrackerWarning {
        /// Which tracker.
        tracker: TrackerKey,
        /// What it said.
        message: String,
    },
}

/// Why a try to load a segment failed; p2p-media-loader's error types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// `http-error`: the request failed, or this status came (0: none).
    Http(u16),
    /// `http-bytes-mismatch`: the response had another length than announced.
    HttpLength,
    /// `peer-response-bytes-length-mismatch`.
    PeerLength,
    /// `peer-protocol-violation`.
    PeerProtocol,
    /// `peer-segment-absent`.
    PeerAbsent,
    /// `peer-closed`.
    PeerClosed,
    /// `p2p-segment-validation-failed`.
    Invalid,
    /// `bytes-receiving-timeout`.
    Timeout,
}

/// Where arriving segment bytes belong. See [`crate::Engine::place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Which segment.
    pub segment: SegmentKey,
    /// Where in the segment the first of them belongs.
    pub offset: u64,
    /// The size of the whole segment, for the buffer.
    pub total: u64,
}
