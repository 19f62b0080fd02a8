//! As much of STUN (RFC 8489) as finding the owner of a datagram takes.

use ::rtc::crypto::RTCCryptoProvider;
use ::rtc::stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use ::rtc::stun::integrity::MessageIntegrity;
use ::rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, MAGIC_COOKIE, Message};

/// Bytes of the longest check that is looked at. Browsers send about 120; RFC 8489, 14.3 lets the
/// name alone have 513.
const CHECK_BYTES_MAX: usize = 1_024;

const HEADER_BYTES: usize = 20;

/// Whether a datagram is STUN and not DTLS (RFC 7983: the first byte is 0 to 3).
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER_BYTES
        && datagram[0] < 4
        && datagram[4..8] == MAGIC_COOKIE.to_be_bytes()
}

/// A connectivity check or its answer.
pub(super) struct Check(Message);

impl Check {
    /// Reads a STUN datagram; `None` when it is malformed.
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        if datagram.len() > CHECK_BYTES_MAX {
            return None;
        }
        let mut message = Message {
            raw: datagram.to_vec(),
            ..Message::default()
        };
        message.decode().ok()?;
        Some(Self(message))
    }

    /// Whether it asks, rather than answers.
    pub(super) fn is_request(&self) -> bool {
        self.0.typ == BINDING_REQUEST
    }

    /// Whether it says that a check of ours arrived.
    pub(super) fn is_success(&self) -> bool {
        self.0.typ == BINDING_SUCCESS
    }

    /// Whether the peer chooses the path that it takes.
    pub(super) fn nominates(&self) -> bool {
        self.0.contains(ATTR_USE_CANDIDATE)
    }

    /// The name of ours that it is addressed to: what stands before the colon (RFC 8445, 7.2.2).
    pub(super) fn addressee(&self) -> Option<String> {
        let name = String::from_utf8(self.0.get(ATTR_USERNAME).ok()?).ok()?;
        Some(name.split_once(':')?.0.to_owned())
    }

    /// Whether it was made by somebody who knows `password`.
    pub(super) fn is_signed_with(
        &mut self,
        password: &str,
        crypto: &dyn RTCCryptoProvider,
    ) -> bool {
        MessageIntegrity::check(&mut self.0, password.as_bytes(), crypto.crypto()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use ::rtc::crypto::default_provider;
    use ::rtc::stun::fingerprint::FINGERPRINT;
    use ::rtc::stun::textattrs::Username;

    use super::*;

    #[test]
    fn what_is_not_stun_is_left_alone() {
        assert!(!is_stun(&[]));
        assert!(!is_stun(&[22; 64]), "a DTLS handshake");
        assert!(!is_stun(&[0; 64]), "no magic cookie");
    }

    const PASSWORD: &str = "2/1muCWoOi3uLifh0NuRHlxx";

    fn signed_request(crypto: &dyn RTCCryptoProvider) -> Vec<u8> {
        let mut message = Message::new();
        message
            .build(&[
                Box::new(BINDING_REQUEST),
                Box::new(Username::new(ATTR_USERNAME, "ours:theirs".to_owned())),
                Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                    PASSWORD.to_owned(),
                    crypto.crypto(),
                )),
                Box::new(FINGERPRINT),
            ])
            .unwrap();
        message.raw
    }

    #[test]
    fn a_signed_request_shows_its_addressee_and_signer() {
        let crypto = default_provider().unwrap();
        let mut check = Check::read(&signed_request(crypto.as_ref())).unwrap();
        assert!(check.is_request() && !check.is_success() && !check.nominates());
        assert_eq!(check.addressee().as_deref(), Some("ours"));
        assert!(check.is_signed_with(PASSWORD, crypto.as_ref()));
        assert!(!check.is_signed_with("another", crypto.as_ref()));
    }

    #[test]
    fn no_mangled_request_passes_for_signed() {
        let crypto = default_provider().unwrap();
        let good = signed_request(crypto.as_ref());
        // The last eight bytes are the fingerprint, which the signature does not cover.
        for index in 0..good.len() - 8 {
            for flip in 1..=255 {
                let mut bad = good.clone();
                bad[index] ^= flip;
                // The length is not covered either: the signature's own place stands in for it.
                let is_length = (2..4).contains(&index);
                if let Some(mut check) = Check::read(&bad) {
                    let _ = check.addressee();
                    let passes = check.is_signed_with(PASSWORD, crypto.as_ref());
                    assert!(!passes || is_length, "byte {index} flipped by {flip}");
                }
            }
            let _ = Check::read(&good[..index]);
        }
    }

    #[test]
    fn a_malformed_check_is_nothing() {
        let mut datagram = [0; HEADER_BYTES];
        datagram[1] = 1;
        datagram[3] = 200; // promises attributes that are not there
        datagram[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        assert!(is_stun(&datagram));
        assert!(Check::read(&datagram).is_none());
    }
}
