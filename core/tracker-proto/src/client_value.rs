//! The values of the fields in a client's message.

use beekeepr_json::{ReadError, Scanner, read_count, unescape};
use beekeepr_model::{IdError, InfoHash, OfferId, PeerId, limits};

use crate::client_message::{Action, Event, OfferIn, RawId, SCRAPE_HASHES_MAX, TokenIn};
use crate::text::{id_error, read_sdp};

/// As many offers as p2p-media-loader sends (bittorrent-tracker 11.2.3).
const OFFERS_USUAL: usize = 5;

/// The longest offer id that is taken; real ones have 20 characters.
const OFFER_ID_CHARS_MAX: usize = 64;

pub(crate) fn read_action(scanner: &mut Scanner<'_>) -> Result<Action, ReadError> {
    let offset = scanner.offset();
    match &*unescape(scanner.string()?) {
        "announce" => Ok(Action::Announce),
        "scrape" => Ok(Action::Scrape),
        _ => Err(ReadError::new(
            offset,
            "an unknown action",
            "announce or scrape",
        )),
    }
}

/// "paused" (BEP 21), "update", "empty" and "" are what some clients say for no event at all.
pub(crate) fn read_event(scanner: &mut Scanner<'_>) -> Result<Event, ReadError> {
    let offset = scanner.offset();
    match &*unescape(scanner.string()?) {
        "started" => Ok(Event::Started),
        "stopped" => Ok(Event::Stopped),
        "completed" => Ok(Event::Completed),
        "" | "update" | "paused" | "empty" => Ok(Event::Update),
        _ => Err(ReadError::new(
            offset,
            "an unknown event",
            "started, stopped, completed, paused, update or none",
        )),
    }
}

/// The text of a token as it stands between its quotes.
pub(crate) fn read_token<'a>(scanner: &mut Scanner<'a>) -> Result<TokenIn<'a>, ReadError> {
    let raw = scanner.string()?;
    let text = raw.get(1..raw.len().saturating_sub(1));
    Ok(TokenIn(text.unwrap_or_default()))
}

pub(crate) fn read_info_hashes<'a>(
    scanner: &mut Scanner<'a>,
) -> Result<Vec<RawId<'a, InfoHash>>, ReadError> {
    let mut list = Vec::new();
    scanner.array(|scanner| {
        let info_hash = read_info_hash(scanner)?;
        if list.len() < SCRAPE_HASHES_MAX {
            list.push(info_hash);
        }
        Ok(())
    })?;
    Ok(list)
}

/// A count, or `None` for anything else than a number: the other trackers do not mind either.
pub(crate) fn read_loose_count(scanner: &mut Scanner<'_>) -> Result<Option<u64>, ReadError> {
    match scanner.peek() {
        Some(b'-' | b'0'..=b'9') => read_count(scanner).map(Some),
        _ => scanner.value().map(|_| None),
    }
}

/// The offers of an array; none for anything else.
pub(crate) fn read_offers<'a>(scanner: &mut Scanner<'a>) -> Result<Vec<OfferIn<'a>>, ReadError> {
    if scanner.peek() != Some(b'[') {
        scanner.value()?;
        return Ok(Vec::new());
    }
    let mut list = Vec::with_capacity(OFFERS_USUAL);
    scanner.array(|scanner| {
        let offer = read_offer(scanner)?;
        if list.len() < limits::OFFERS_PER_ANNOUNCE_MAX {
            list.push(offer);
        }
        Ok(())
    })?;
    Ok(list)
}

fn read_offer<'a>(scanner: &mut Scanner<'a>) -> Result<OfferIn<'a>, ReadError> {
    let (mut offer_id, mut sdp) = (None, None);
    scanner.object(|scanner, key| {
        match key {
            "offer_id" => offer_id = Some(read_offer_id(scanner)?),
            "offer" => sdp = Some(read_bounded_sdp(scanner)?),
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    })?;
    let missing = |name| {
        ReadError::new(
            scanner.offset(),
            format!("an offer without {name}"),
            "offer and offer_id",
        )
    };
    Ok(OfferIn {
        offer_id: offer_id.ok_or_else(|| missing("offer_id"))?,
        sdp: sdp.ok_or_else(|| missing("offer"))?,
    })
}

pub(crate) fn read_bounded_sdp<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str, ReadError> {
    let sdp = read_sdp(scanner)?;
    if sdp.len() > limits::SDP_BYTES_MAX {
        let seen = format!("an sdp of {} bytes", sdp.len());
        return Err(ReadError::new(
            scanner.offset(),
            seen,
            "at most 16384 bytes",
        ));
    }
    Ok(sdp)
}

pub(crate) fn read_info_hash<'a>(
    scanner: &mut Scanner<'a>,
) -> Result<RawId<'a, InfoHash>, ReadError> {
    read_raw_id(scanner, InfoHash::from_chars)
}

pub(crate) fn read_peer_id<'a>(scanner: &mut Scanner<'a>) -> Result<RawId<'a, PeerId>, ReadError> {
    read_raw_id(scanner, PeerId::from_chars)
}

pub(crate) fn read_offer_id<'a>(
    scanner: &mut Scanner<'a>,
) -> Result<RawId<'a, OfferId>, ReadError> {
    read_raw_id(scanner, |text| match text.chars().count() {
        20 => OfferId::from_chars(text),
        1..=OFFER_ID_CHARS_MAX => {
            let chars = text.chars().chain(std::iter::repeat('\0'));
            OfferId::from_chars(&chars.take(20).collect::<String>())
        }
        _ => OfferId::from_chars(text),
    })
}

fn read_raw_id<'a, T>(
    scanner: &mut Scanner<'a>,
    from_chars: impl FnOnce(&str) -> Result<T, IdError>,
) -> Result<RawId<'a, T>, ReadError> {
    scanner.peek();
    let offset = scanner.offset();
    let raw = scanner.string()?;
    let id = from_chars(&unescape(raw)).map_err(|error| id_error(offset, error))?;
    Ok(RawId { id, raw })
}
