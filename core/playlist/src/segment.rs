//! A segment and its numbers in the swarms.

use beekeepr_model::{ByteRange, Generation, Numbering, SegmentId};

use crate::Address;

/// A segment of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Rises from segment to segment and names the same segment in every later state of the manifest: the media
    /// sequence number of HLS, something in time of DASH. Numbers may be left out.
    pub number: u64,
    /// Its numbers in the swarms.
    pub ids: SegmentIds,
    /// Where it is.
    pub url: Address,
    /// Which part of the file it is; `None` for all of it.
    pub byte_range: Option<ByteRange>,
    /// How long it plays, in milliseconds.
    pub duration_ms: u64,
    /// Whether its timestamps do not continue those of the segment before.
    pub discontinuity: bool,
    /// Whether the manifest says that it cannot be loaded.
    pub gap: bool,
    /// What else an HLS playlist says of it; nothing for DASH.
    pub hls: HlsDetails,
}

impl Segment {
    /// A whole file; the fields that are not given here say nothing.
    #[must_use]
    pub fn new(number: u64, ids: SegmentIds, url: Address, duration_ms: u64) -> Self {
        Self {
            number,
            ids,
            url,
            byte_range: None,
            duration_ms,
            discontinuity: false,
            gap: false,
            hls: HlsDetails::default(),
        }
    }

    /// Its number in the swarm of one generation of clients.
    #[must_use]
    pub fn id(&self, generation: Generation) -> SegmentId {
        self.ids.of(generation)
    }
}

/// A segment's numbers in the swarms: one up to p2p-media-loader 4.x, one from 5.x on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentIds {
    v2: SegmentId,
    v3: SegmentId,
}

impl SegmentIds {
    /// `v2` is for clients up to p2p-media-loader 4.x, `v3` for 5.x.
    #[must_use]
    pub const fn new(v2: SegmentId, v3: SegmentId) -> Self {
        Self { v2, v3 }
    }

    /// Those of the segment at `index` of an HLS playlist. Clients up to p2p-media-loader 4.x number live segments by
    /// media sequence and others from 0 (hlsjs `segment-manager.ts`, 2.3.1); 5.x always takes the media sequence.
    pub(crate) fn of_hls(live: bool, media_sequence: u64, index: usize) -> Self {
        let index = index as u64;
        let sequence = media_sequence.saturating_add(index);
        Self::new(id(if live { sequence } else { index }), id(sequence))
    }

    /// That of one generation.
    #[must_use]
    pub const fn of(self, generation: Generation) -> SegmentId {
        match generation.numbering() {
            Numbering::OfPlayers => self.v2,
            Numbering::OfManifests => self.v3,
        }
    }
}

/// What an HLS playlist says of a segment beyond what all manifests say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HlsDetails {
    /// How its bytes are encrypted. Viewers share them as they are; keys are the player's business.
    pub encryption: Encryption,
    /// Which of [`crate::Media::inits`] a player needs before it.
    pub init: Option<usize>,
    /// EXT-X-PROGRAM-DATE-TIME, in milliseconds since 1970 UTC.
    pub program_ms: Option<i64>,
    /// EXT-X-BITRATE in bits per second, if it applies: a byte range tells its size better.
    pub bitrate: Option<u64>,
    /// EXT-X-PART: its partial segments, as far as the playlist still lists them.
    pub parts: Vec<Part>,
}

/// METHOD of EXT-X-KEY (RFC 8216bis, 4.4.4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Not encrypted.
    #[default]
    None,
    /// Whole segments by AES-128 in CBC mode.
    Aes128,
    /// Samples by AES-128, in CBC mode.
    SampleAes,
    /// Samples by AES-128, in counter mode.
    SampleAesCtr,
    /// A method newer than this crate.
    Other,
}

/// A partial segment (EXT-X-PART): what a player near the live edge loads before the segment is complete. Parts are
/// never shared, for they are gone before a peer could help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it is.
    pub url: Address,
    /// Which part of the file it is; `None` for all of it.
    pub byte_range: Option<ByteRange>,
    /// How long it plays, in milliseconds.
    pub duration_ms: u64,
    /// Whether playback can begin with it.
    pub independent: bool,
    /// Whether it cannot be loaded.
    pub gap: bool,
}

/// What a player loads before segments: EXT-X-MAP. It is never shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Where it is.
    pub url: Address,
    /// Which part of the file it is; `None` for all of it.
    pub byte_range: Option<ByteRange>,
}

fn id(number: u64) -> SegmentId {
    SegmentId(number.min(ID_MAX) as i64)
}

/// The largest integer JavaScript holds exactly, which bounds a [`SegmentId`].
const ID_MAX: u64 = (1 << 53) - 1;
