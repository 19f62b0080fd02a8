//! What the tracker says to a client.

use beekeepr_json::{ReadError, Scanner, read_count, unescape};
use beekeepr_model::{InfoHash, OfferId, PeerId};

use crate::text::{read_id, read_sdp};

/// A message from a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// The reply to an announce.
    Announced {
        /// In which swarm.
        info_hash: InfoHash,
        /// Announce again after so many seconds.
        interval_s: u32,
        /// Peers of the swarm that have everything.
        complete: u32,
        /// The other peers of the swarm.
        incomplete: u32,
        /// What the tracker wants a human to know.
        warning: Option<String>,
    },
    /// Another peer's offer.
    Offer {
        /// In which swarm.
        info_hash: InfoHash,
        /// Who offers.
        peer_id: PeerId,
        /// What the answer has to carry back.
        offer_id: OfferId,
        /// The session description.
        sdp: String,
    },
    /// Another peer's answer to an offer of ours.
    Answer {
        /// In which swarm.
        info_hash: InfoHash,
        /// Who answers.
        peer_id: PeerId,
        /// The id of our offer.
        offer_id: OfferId,
        /// The session description.
        sdp: String,
    },
    /// The tracker refused something.
    Failure {
        /// In which swarm, when it says so.
        info_hash: Option<InfoHash>,
        /// Why.
        reason: String,
    },
    /// Something that a player does not need: the reply to a scrape, an unknown action.
    Other,
}

/// Reads a message from a tracker.
///
/// # Errors
/// The text is no JSON object, or a known field is not what it should be.
pub fn read_server_message(text: &[u8]) -> Result<ServerMessage, ReadError> {
    let mut scanner = Scanner::new(text)?;
    let mut fields = Fields::default();
    scanner.object(|scanner, key| fields.take(scanner, key))?;
    scanner.end()?;
    fields.message()
}

#[derive(Default)]
struct Fields<'a> {
    is_announce: bool,
    info_hash: Option<InfoHash>,
    peer_id: Option<PeerId>,
    offer_id: Option<OfferId>,
    offer: Option<&'a str>,
    answer: Option<&'a str>,
    interval_s: Option<u64>,
    complete: u64,
    incomplete: u64,
    warning: Option<&'a str>,
    failure: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, scanner: &mut Scanner<'a>, key: &str) -> Result<(), ReadError> {
        if scanner.null() {
            return Ok(());
        }
        match key {
            "action" => self.is_announce = scanner.value()? == r#""announce""#,
            "info_hash" => self.info_hash = Some(read_id(scanner, InfoHash::from_chars)?),
            "peer_id" => self.peer_id = Some(read_id(scanner, PeerId::from_chars)?),
            "offer_id" => self.offer_id = Some(read_id(scanner, OfferId::from_chars)?),
            "offer" => self.offer = Some(read_sdp(scanner)?),
            "answer" => self.answer = Some(read_sdp(scanner)?),
            "interval" => self.interval_s = Some(read_count(scanner)?),
            "complete" => self.complete = read_count(scanner)?,
            "incomplete" => self.incomplete = read_count(scanner)?,
            "warning message" => self.warning = Some(scanner.string()?),
            "failure reason" => self.failure = Some(scanner.string()?),
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    fn message(self) -> Result<ServerMessage, ReadError> {
        if let Some(reason) = self.failure {
            let reason = unescape(reason).into_owned();
            return Ok(ServerMessage::Failure {
                info_hash: self.info_hash,
                reason,
            });
        }
        if !self.is_announce {
            return Ok(ServerMessage::Other);
        }
        match (self.offer, self.answer, self.interval_s) {
            (Some(sdp), _, _) => {
                let (info_hash, peer_id, offer_id) = self.ids()?;
                let sdp = unescape(sdp).into_owned();
                Ok(ServerMessage::Offer {
                    info_hash,
                    peer_id,
                    offer_id,
                    sdp,
                })
            }
            (None, Some(sdp), _) => {
                let (info_hash, peer_id, offer_id) = self.ids()?;
                let sdp = unescape(sdp).into_owned();
                Ok(ServerMessage::Answer {
                    info_hash,
                    peer_id,
                    offer_id,
                    sdp,
                })
            }
            (None, None, Some(interval_s)) => Ok(ServerMessage::Announced {
                info_hash: present(self.info_hash, "info_hash")?,
                interval_s: clamp(interval_s),
                complete: clamp(self.complete),
                incomplete: clamp(self.incomplete),
                warning: self.warning.map(|raw| unescape(raw).into_owned()),
            }),
            (None, None, None) => Ok(ServerMessage::Other),
        }
    }

    fn ids(&self) -> Result<(InfoHash, PeerId, OfferId), ReadError> {
        Ok((
            present(self.info_hash, "info_hash")?,
            present(self.peer_id, "peer_id")?,
            present(self.offer_id, "offer_id")?,
        ))
    }
}

fn present<T>(field: Option<T>, name: &'static str) -> Result<T, ReadError> {
    field.ok_or_else(|| ReadError::new(0, format!("a message without {name}"), name))
}

fn clamp(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
