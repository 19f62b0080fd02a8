//! What a viewer's connection says: WebSocket frames with the tracker's JSON, written once and patched.

use memchr::memmem;

/// An offer's id: when it was made, in microseconds, and by whom.
pub(crate) const OFFER_ID_BYTES: usize = 20;

/// Any key will do; a fixed one lets prepared frames be patched.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked text frame whose fields can be written over.
pub(crate) struct Frame {
    bytes: Vec<u8>,
    payload: usize,
}

impl Frame {
    pub(crate) fn text(payload: &str) -> Self {
        let mut bytes = vec![0x81];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..=125) => bytes.push(0x80 | length as u8),
            Ok(length) => {
                bytes.push(0x80 | 126);
                bytes.extend(length.to_be_bytes());
            }
            Err(_) => {
                bytes.push(0x80 | 127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(MASK);
        let start = bytes.len();
        bytes.extend(
            payload
                .bytes()
                .zip(MASK.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        Self {
            bytes,
            payload: start,
        }
    }

    /// Writes `text` at `place` of the payload.
    pub(crate) fn patch(&mut self, place: usize, text: &[u8]) {
        let start = self.payload + place;
        for (offset, (byte, new)) in self.bytes[start..].iter_mut().zip(text).enumerate() {
            *byte = new ^ MASK[(place + offset) % 4];
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A peer of this connection: an announce and an answer ready to be sent.
pub(crate) struct Peer {
    pub(crate) info_hash: [u8; 20],
    announce: Frame,
    offer_ids: Vec<usize>,
    answer: Frame,
    answer_to: usize,
    answer_offer: usize,
}

const PLACE: &str = "____________________";

impl Peer {
    /// `load` decides the sizes. `swarm` and `connection` make the ids.
    pub(crate) fn new(load: &crate::Load, swarm: usize, connection: usize) -> Self {
        let info_hash = format!("swarm-{swarm:014}");
        let peer_id = format!("-PM0203-{connection:06}{:06}", swarm % 1_000_000);
        let offer_sdp = session_description(load.offer_bytes);
        let offers: Vec<String> = (0..load.offers)
            .map(|_| {
                format!(
                    r#"{{"offer":{{"type":"offer","sdp":"{offer_sdp}"}},"offer_id":"{PLACE}"}}"#
                )
            })
            .collect();
        let of = format!(r#""action":"announce","info_hash":"{info_hash}","peer_id":"{peer_id}""#);
        let announce = format!(
            r#"{{"numwant":{},"uploaded":0,"downloaded":0,"event":"started",{of},"offers":[{}]}}"#,
            load.offers,
            offers.join(",")
        );
        let answer_sdp = session_description(load.answer_bytes);
        let answer = format!(
            r#"{{{of},"to_peer_id":"{PLACE}","answer":{{"type":"answer","sdp":"{answer_sdp}"}},"offer_id":"{PLACE}"}}"#
        );
        let places = |text: &str| memmem::find_iter(text.as_bytes(), PLACE).collect::<Vec<_>>();
        let answer_places = places(&answer);
        let mut id = [0; 20];
        id.copy_from_slice(info_hash.as_bytes());
        Self {
            info_hash: id,
            offer_ids: places(&announce),
            announce: Frame::text(&announce),
            answer: Frame::text(&answer),
            answer_to: answer_places[0],
            answer_offer: answer_places[1],
        }
    }

    /// The announce with fresh offers made at `now_us`.
    pub(crate) fn announce(&mut self, now_us: u64, connection: usize) -> &[u8] {
        for (number, &place) in self.offer_ids.iter().enumerate() {
            let id = format!("{now_us:012}{connection:06}{number:02}");
            self.announce.patch(place, id.as_bytes());
        }
        self.announce.bytes()
    }

    pub(crate) fn answer(&mut self, to_peer_id: &[u8], offer_id: &[u8]) -> &[u8] {
        self.answer.patch(self.answer_to, to_peer_id);
        self.answer.patch(self.answer_offer, offer_id);
        self.answer.bytes()
    }
}

/// When the offer with this id was made.
pub(crate) fn made_us(offer_id: &[u8]) -> Option<u64> {
    std::str::from_utf8(offer_id.get(..12)?).ok()?.parse().ok()
}

/// As Chromium writes them for a data channel, filled up with candidates.
fn session_description(bytes: usize) -> String {
    let mut text = String::from(concat!(
        r"v=0\r\no=- 8649270431 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS\r\n",
        r"m=application 50000 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 198.51.100.7\r\n",
        r"a=ice-ufrag:Vb3x\r\na=ice-pwd:gZ4T1rWvJq8kQ2yB7nM0cXsA\r\n",
        r"a=fingerprint:sha-256 51:9C:0A:4B:9F:2E:77:61:D2:0C:3A:58:8E:41:B6:7F",
        r":13:AA:5D:C0:92:6B:F4:1E:83:25:D9:70:4C:EE:38:B1\r\n",
        r"a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n",
    ));
    for number in 0.. {
        let line = format!(
            r"a=candidate:{number} 1 udp 2113937151 8b6f1c9e-5b0e-4f5e-9d60-{number:012}.local 5{number:04} typ host generation 0\r\n"
        );
        if text.len() + line.len() > bytes {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// What a tracker says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    Reply,
    Offer {
        info_hash: &'a [u8],
        peer_id: &'a [u8],
        offer_id: &'a [u8],
    },
    Answer {
        offer_id: &'a [u8],
    },
    Failure,
}

/// Reads a message as far as the load needs it. All ids of the load are plain ASCII.
pub(crate) fn read(text: &[u8]) -> Said<'_> {
    if memmem::find(text, br#""failure reason""#).is_some() {
        return Said::Failure;
    }
    if memmem::find(text, br#""offer":{"#).is_some() {
        return match (
            field(text, "info_hash"),
            field(text, "peer_id"),
            field(text, "offer_id"),
        ) {
            (Some(info_hash), Some(peer_id), Some(offer_id)) => Said::Offer {
                info_hash,
                peer_id,
                offer_id,
            },
            _ => Said::Failure,
        };
    }
    if memmem::find(text, br#""answer":{"#).is_some() {
        return field(text, "offer_id").map_or(Said::Failure, |offer_id| Said::Answer { offer_id });
    }
    Said::Reply
}

fn field<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let start = memmem::find(text, format!(r#""{name}":""#).as_bytes())? + name.len() + 4;
    text.get(start..start + OFFER_ID_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmasked(frame: &[u8]) -> String {
        let payload = &frame[8..];
        let bytes = payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, key)| byte ^ key);
        String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
    }

    fn load() -> crate::Load {
        use clap::Parser;
        let cli = crate::Cli::try_parse_from(["load", "tracker", "--server", "127.0.0.1:1"]);
        match cli.map(|cli| cli.command) {
            Ok(crate::Command::Tracker { load, .. }) => load,
            _ => unreachable!("the arguments above are right"),
        }
    }

    #[test]
    fn announces_have_fresh_offers_of_the_size_asked_for() {
        let mut peer = Peer::new(&load(), 7, 42);
        let text = unmasked(peer.announce(123_456, 42));
        assert!(
            text.contains(r#""offer_id":"00000012345600004200""#),
            "{text}"
        );
        assert!(
            text.contains(r#""offer_id":"00000012345600004204""#),
            "{text}"
        );
        assert!((6_500..7_500).contains(&text.len()), "{}", text.len());
        assert_eq!(made_us(b"00000012345600004204"), Some(123_456));
    }

    #[test]
    fn answers_go_to_who_offered() {
        let mut peer = Peer::new(&load(), 7, 42);
        let text = unmasked(peer.answer(b"-PM0203-000001000007", b"00000012345600000103"));
        assert!(
            text.contains(r#""to_peer_id":"-PM0203-000001000007""#),
            "{text}"
        );
        assert!(
            text.contains(r#""offer_id":"00000012345600000103""#),
            "{text}"
        );
    }

    #[test]
    fn messages_are_told_apart() {
        assert_eq!(
            read(br#"{"action":"announce","interval":60,"complete":0}"#),
            Said::Reply
        );
        assert_eq!(read(br#"{"failure reason":"no"}"#), Said::Failure);
        let answer = br#"{"answer":{"type":"answer","sdp":""},"offer_id":"00000012345600000103"}"#;
        assert_eq!(
            read(answer),
            Said::Answer {
                offer_id: b"00000012345600000103"
            }
        );
    }
}
