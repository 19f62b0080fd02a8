//! What our client says to a tracker.

use arbitrary::{Arbitrary, Unstructured};
use beekeepr_model::{InfoHash, OfferId, PeerId, limits};
use beekeepr_tracker_proto::{
    Announce, AnnounceEvent, Answer, ClientMessage, Event, Offer, read_client_message,
    write_announce, write_answer,
};

#[derive(Arbitrary, Debug)]
struct Made<'a> {
    info_hash: [u8; 20],
    peer_id: [u8; 20],
    other_id: [u8; 20],
    numwant: u32,
    uploaded: u64,
    downloaded: u64,
    event: u8,
    offers: Vec<([u8; 20], &'a str)>,
    answer: &'a str,
}

/// The tracker's end reads what the client's end writes: ids of any bytes, descriptions of any text.
pub fn tracker_writers(data: &[u8]) {
    if let Ok(made) = Made::arbitrary_take_rest(Unstructured::new(data)) {
        made.check_announce();
        made.check_answer();
    }
}

impl Made<'_> {
    fn check_announce(&self) {
        let offers: Vec<_> = self
            .offers
            .iter()
            .take(limits::OFFERS_PER_ANNOUNCE_MAX)
            .map(|&(offer_id, sdp)| Offer {
                offer_id: OfferId(offer_id),
                sdp,
            })
            .collect();
        let (event, event_read) = self.event();
        let text = write_announce(&Announce {
            info_hash: InfoHash(self.info_hash),
            peer_id: PeerId(self.peer_id),
            numwant: self.numwant,
            uploaded: self.uploaded,
            downloaded: self.downloaded,
            event,
            token: None,
            offers: &offers,
        });
        let read = read_client_message(text.as_bytes());
        let Ok(ClientMessage::Announce(read)) = read else {
            panic!("{read:?}");
        };
        assert_eq!(read.info_hash.id.0, self.info_hash);
        assert_eq!(read.peer_id.id.0, self.peer_id);
        assert_eq!(read.numwant, Some(u64::from(self.numwant)));
        assert_eq!(read.event, event_read);
        let sent = offers.iter().map(|it| (it.offer_id, it.sdp.to_owned()));
        let seen = read
            .offers
            .iter()
            .map(|it| (it.offer_id.id, unescaped(it.sdp)));
        assert!(sent.eq(seen));
    }

    fn check_answer(&self) {
        let text = write_answer(&Answer {
            info_hash: InfoHash(self.info_hash),
            peer_id: PeerId(self.peer_id),
            to_peer_id: PeerId(self.other_id),
            offer_id: OfferId(self.other_id),
            sdp: self.answer,
        });
        let read = read_client_message(text.as_bytes());
        let Ok(ClientMessage::Answer(read)) = read else {
            panic!("{read:?}");
        };
        assert_eq!(read.info_hash.id.0, self.info_hash);
        assert_eq!(read.peer_id.id.0, self.peer_id);
        assert_eq!(read.to_peer_id.0, self.other_id);
        assert_eq!(read.offer_id.id.0, self.other_id);
        assert_eq!(unescaped(read.sdp), self.answer);
    }

    fn event(&self) -> (Option<AnnounceEvent>, Event) {
        match self.event % 4 {
            0 => (None, Event::Update),
            1 => (Some(AnnounceEvent::Started), Event::Started),
            2 => (Some(AnnounceEvent::Stopped), Event::Stopped),
            _ => (Some(AnnounceEvent::Completed), Event::Completed),
        }
    }
}

fn unescaped(sdp: &str) -> String {
    serde_json::from_str(sdp).expect("an sdp is a string of JSON")
}
