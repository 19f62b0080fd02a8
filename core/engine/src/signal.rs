//! What the engine and a tracker say to each other, as values. The shell makes texts of them: in Rust
//! by [`TrackerMessage::text`] and [`read_tracker_text`], in the browser by JavaScript's own JSON,
//! which spares the module 5 KB gzipped (docs/decisions/wasm.md).

use beekeepr_model::{InfoHash, OfferId, PeerId};
use beekeepr_tracker_proto::{
    Announce, AnnounceEvent, Answer, Offer, ServerMessage, read_server_message, write_announce,
    write_answer,
};

/// A message for a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackerMessage {
    /// We are in this swarm, or leave it.
    Announce {
        /// Which swarm.
        info_hash: InfoHash,
        /// Who we are in it.
        peer_id: PeerId,
        /// Bytes given to peers.
        uploaded: u64,
        /// Bytes taken from peers.
        downloaded: u64,
        /// Why; `None` when the interval is over.
        event: Option<AnnounceEvent>,
        /// Whether the shell puts the tracker's token in, as `"jwt"`.
        with_token: bool,
        /// Session descriptions, one for each peer we want to meet.
        offers: Vec<(OfferId, String)>,
    },
    /// The answer to an offer that the tracker relayed.
    Answer {
        /// In which swarm.
        info_hash: InfoHash,
        /// Who we are in it.
        peer_id: PeerId,
        /// Who offered.
        to_peer_id: PeerId,
        /// The offer's id.
        offer_id: OfferId,
        /// The session description.
        sdp: String,
    },
}

impl TrackerMessage {
    /// The message as JSON, without a token.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_with(None)
    }

    /// The message as JSON, with the tracker's token where it belongs.
    #[must_use]
    pub fn text_with(&self, token: Option<&str>) -> String {
        match self {
            Self::Announce {
                info_hash,
                peer_id,
                uploaded,
                downloaded,
                event,
                with_token,
                offers,
            } => {
                let offers: Vec<Offer<'_>> = offers
                    .iter()
                    .map(|(offer_id, sdp)| Offer {
                        offer_id: *offer_id,
                        sdp,
                    })
                    .collect();
                write_announce(&Announce {
                    info_hash: *info_hash,
                    peer_id: *peer_id,
                    numwant: offers.len() as u32,
                    uploaded: *uploaded,
                    downloaded: *downloaded,
                    event: *event,
                    token: token.filter(|_| *with_token),
                    offers: &offers,
                })
            }
            Self::Answer {
                info_hash,
                peer_id,
                to_peer_id,
                offer_id,
                sdp,
            } => write_answer(&Answer {
                info_hash: *info_hash,
                peer_id: *peer_id,
                to_peer_id: *to_peer_id,
                offer_id: *offer_id,
                sdp,
            }),
        }
    }
}

/// Reads what a tracker says. What cannot be read becomes a refusal, so that the page hears of it.
#[must_use]
pub fn read_tracker_text(text: &[u8]) -> ServerMessage {
    read_server_message(text).unwrap_or_else(|error| ServerMessage::Failure {
        info_hash: None,
        reason: format!("message cannot be read: {error}"),
    })
}
