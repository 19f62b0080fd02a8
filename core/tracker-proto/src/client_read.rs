//! Reading what a client says to the tracker.

use beekeepr_json::{ReadError, Scanner, unescape_key};
use beekeepr_model::{InfoHash, OfferId, PeerId};

use crate::client_message::{
    Action, AnnounceRequest, AnswerRequest, ClientMessage, Event, OfferIn, RawId, Refused,
    ScrapeRequest, TokenIn,
};
use crate::client_value::{
    read_action, read_bounded_sdp, read_event, read_info_hash, read_info_hashes, read_loose_count,
    read_offer_id, read_offers, read_peer_id, read_token,
};

/// The longest text that a failure repeats as info_hash: 20 characters, each written as `\u00ff`,
/// and their quotes.
const REPEATED_HASH_BYTES_MAX: usize = 20 * 6 + 2;

/// Reads a message from a client.
///
/// # Errors
/// The text is no JSON object, or a field is not what it should be.
pub fn read_client_message(text: &[u8]) -> Result<ClientMessage<'_>, Refused<'_>> {
    let mut fields = Fields::default();
    let read = Scanner::new(text).and_then(|mut scanner| {
        scanner.object(|scanner, key| fields.take(scanner, key))?;
        scanner.end()
    });
    let (action, info_hash) = (fields.action.unwrap_or_default(), fields.repeated_hash);
    read.and_then(|()| fields.message())
        .map_err(|error| Refused {
            action,
            info_hash,
            error,
        })
}

#[derive(Default)]
struct Fields<'a> {
    /// The first field that is JSON but not what it should be. Reading goes on, for the reply needs
    /// the info_hash, which may come later.
    fault: Option<ReadError>,
    action: Option<Action>,
    repeated_hash: Option<&'a str>,
    info_hash: Option<RawId<'a, InfoHash>>,
    info_hashes: Option<Vec<RawId<'a, InfoHash>>>,
    peer_id: Option<RawId<'a, PeerId>>,
    to_peer_id: Option<RawId<'a, PeerId>>,
    offer_id: Option<RawId<'a, OfferId>>,
    numwant: Option<u64>,
    left: Option<u64>,
    event: Option<Event>,
    offers: Option<Vec<OfferIn<'a>>>,
    answer: Option<&'a str>,
    token: Option<TokenIn<'a>>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, scanner: &mut Scanner<'a>, key: &str) -> Result<(), ReadError> {
        match &*unescape_key(key) {
            "action" => self.action = self.try_read(scanner, read_action)?,
            "info_hash" => self.take_info_hash(scanner)?,
            "peer_id" => self.peer_id = self.try_read(scanner, read_peer_id)?,
            "to_peer_id" => self.to_peer_id = self.try_read(scanner, read_peer_id)?,
            "offer_id" => self.offer_id = self.try_read(scanner, read_offer_id)?,
            "numwant" => self.numwant = self.try_read(scanner, read_loose_count)?.flatten(),
            "left" => self.left = self.try_read(scanner, read_loose_count)?.flatten(),
            "event" => self.event = self.try_read(scanner, read_event)?,
            "offers" => self.offers = self.try_read(scanner, read_offers)?,
            "jwt" => self.token = self.try_read(scanner, read_token)?,
            "answer" => self.answer = self.try_read(scanner, read_bounded_sdp)?,
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    fn take_info_hash(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ReadError> {
        if scanner.peek() == Some(b'[') {
            self.info_hashes = self.try_read(scanner, read_info_hashes)?;
            return Ok(());
        }
        let mut ahead = *scanner;
        self.repeated_hash = ahead
            .string()
            .ok()
            .filter(|raw| raw.len() <= REPEATED_HASH_BYTES_MAX);
        self.info_hash = self.try_read(scanner, read_info_hash)?;
        Ok(())
    }

    /// Takes a value with `read`; `null` counts as absent. A value that `read` refuses is noted as
    /// the message's fault and passed over. Only what is no JSON ends the reading.
    fn try_read<T>(
        &mut self,
        scanner: &mut Scanner<'a>,
        read: impl FnOnce(&mut Scanner<'a>) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        if scanner.null() {
            return Ok(None);
        }
        let mut ahead = *scanner;
        match read(&mut ahead) {
            Ok(value) => {
                *scanner = ahead;
                Ok(Some(value))
            }
            Err(error) => {
                scanner.value()?;
                self.fault.get_or_insert(error);
                Ok(None)
            }
        }
    }

    fn message(self) -> Result<ClientMessage<'a>, ReadError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        match present(self.action, "action")? {
            Action::Scrape => Ok(ClientMessage::Scrape(ScrapeRequest {
                info_hashes: self.info_hash.map(|one| vec![one]).or(self.info_hashes),
            })),
            Action::Announce => {
                let info_hash = present(self.info_hash, "info_hash")?;
                let peer_id = present(self.peer_id, "peer_id")?;
                match self.answer {
                    Some(sdp) => Ok(ClientMessage::Answer(AnswerRequest {
                        info_hash,
                        peer_id,
                        to_peer_id: present(self.to_peer_id, "to_peer_id")?.id,
                        offer_id: present(self.offer_id, "offer_id")?,
                        sdp,
                    })),
                    None => Ok(ClientMessage::Announce(AnnounceRequest {
                        info_hash,
                        peer_id,
                        numwant: self.numwant,
                        has_all: self.left == Some(0),
                        event: self.event.unwrap_or_default(),
                        token: self.token,
                        offers: self.offers.unwrap_or_default(),
                    })),
                }
            }
        }
    }
}

fn present<T>(field: Option<T>, name: &'static str) -> Result<T, ReadError> {
    field.ok_or_else(|| ReadError::new(0, format!("a message without {name}"), name))
}
