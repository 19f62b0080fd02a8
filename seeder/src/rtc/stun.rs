//! Connectivity checks and their answers: as much of STUN (RFC 8489) as ICE (RFC 8445) takes.

use std::net::SocketAddr;

use rtc_crypto::{RTCCrypto, RTCCryptoProvider};
use rtc_stun::attributes::{
    ATTR_ERROR_CODE, ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE,
    ATTR_USERNAME, AttrType, RawAttribute,
};
use rtc_stun::error_code::CODE_ROLE_CONFLICT;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, MAGIC_COOKIE, Message, MessageType, Setter,
    TransactionId,
};
use rtc_stun::xoraddr::XorMappedAddress;

/// Bytes of the longest check that is looked at. Browsers send about 120; RFC 8489, 14.3 lets the
/// name alone have 513.
const CHECK_BYTES_MAX: usize = 1_024;

const HEADER_BYTES: usize = 20;

/// Of every check of ours: a path whose address the peer learns from the check (peer reflexive,
/// type preference 110), RFC 8445, 5.1.2 and 7.1.1.
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

/// Names a request, so that its answer is known.
pub(super) type Transaction = [u8; 12];

/// Whether a datagram is STUN and not DTLS (RFC 7983: the first byte is 0 to 3).
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER_BYTES
        && datagram[0] < 4
        && datagram[4..8] == MAGIC_COOKIE.to_be_bytes()
}

/// Which of two ends leads, and the number that settles who does when both think so (RFC 8445,
/// 7.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) is_controlling: bool,
    pub(super) tie_breaker: u64,
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

    /// Whether it says that both ends think they lead.
    pub(super) fn is_role_conflict(&self) -> bool {
        let code = (CODE_ROLE_CONFLICT.0 / 100, CODE_ROLE_CONFLICT.0 % 100);
        self.0.typ == BINDING_ERROR
            && self.0.get(ATTR_ERROR_CODE).is_ok_and(|value| {
                value.len() >= 4 && (u16::from(value[2] & 7), u16::from(value[3])) == code
            })
    }

    /// Whether the peer chooses the path that it takes.
    pub(super) fn nominates(&self) -> bool {
        self.0.contains(ATTR_USE_CANDIDATE)
    }

    /// The request it is, or answers.
    pub(super) fn transaction(&self) -> Transaction {
        self.0.transaction_id.0
    }

    /// What the peer thinks of who leads.
    pub(super) fn role(&self) -> Option<Role> {
        let read = |attribute: AttrType, is_controlling| {
            let value = self.0.get(attribute).ok()?;
            Some(Role {
                is_controlling,
                tie_breaker: u64::from_be_bytes(value.try_into().ok()?),
            })
        };
        read(ATTR_ICE_CONTROLLING, true).or_else(|| read(ATTR_ICE_CONTROLLED, false))
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

/// An attribute as it stands on the wire.
fn raw(typ: AttrType, value: &[u8]) -> Box<dyn Setter> {
    Box::new(RawAttribute {
        typ,
        value: value.to_vec(),
        ..RawAttribute::default()
    })
}

/// Signs with the password of whom it is sent to (requests) or of ourselves (answers).
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    pub(super) crypto: &'a dyn RTCCryptoProvider,
    pub(super) password: &'a str,
}

impl Signer<'_> {
    /// A check. `name` is the peer's name, a colon, and ours.
    pub(super) fn request(
        self,
        id: Transaction,
        name: &str,
        role: Role,
        nominates: bool,
    ) -> Option<Vec<u8>> {
        let role_attribute = if role.is_controlling {
            ATTR_ICE_CONTROLLING
        } else {
            ATTR_ICE_CONTROLLED
        };
        let mut attributes: Vec<Box<dyn Setter + '_>> = vec![
            raw(ATTR_USERNAME, name.as_bytes()),
            raw(role_attribute, &role.tie_breaker.to_be_bytes()),
            raw(ATTR_PRIORITY, &PRIORITY.to_be_bytes()),
        ];
        if nominates {
            attributes.push(raw(ATTR_USE_CANDIDATE, &[]));
        }
        self.message(BINDING_REQUEST, id, attributes)
    }

    /// The answer to a check that came from `from`.
    pub(super) fn success(self, id: Transaction, from: SocketAddr) -> Option<Vec<u8>> {
        let mapped = XorMappedAddress {
            ip: from.ip(),
            port: from.port(),
        };
        self.message(BINDING_SUCCESS, id, vec![Box::new(mapped)])
    }

    /// The answer to a check of somebody who thinks to lead and does not.
    pub(super) fn role_conflict(self, id: Transaction) -> Option<Vec<u8>> {
        self.message(BINDING_ERROR, id, vec![Box::new(CODE_ROLE_CONFLICT)])
    }

    fn message(
        self,
        kind: MessageType,
        id: Transaction,
        attributes: Vec<Box<dyn Setter + '_>>,
    ) -> Option<Vec<u8>> {
        let crypto: &dyn RTCCrypto = self.crypto.crypto();
        let mut setters: Vec<Box<dyn Setter + '_>> =
            vec![Box::new(kind), Box::new(TransactionId(id))];
        setters.extend(attributes);
        setters.push(Box::new(
            MessageIntegrity::new_short_term_integrity_with_provider(
                self.password.to_owned(),
                crypto,
            ),
        ));
        setters.push(Box::new(FINGERPRINT));
        let mut message = Message::new();
        match message.build(&setters) {
            Ok(()) => Some(message.raw),
            Err(error) => {
                tracing::debug!(%error, "cannot build a check");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rtc_crypto::default_provider;

    use super::*;

    #[test]
    fn what_is_not_stun_is_left_alone() {
        assert!(!is_stun(&[]));
        assert!(!is_stun(&[22; 64]), "a DTLS handshake");
        assert!(!is_stun(&[0; 64]), "no magic cookie");
    }

    const PASSWORD: &str = "2/1muCWoOi3uLifh0NuRHlxx";

    const LEADER: Role = Role {
        is_controlling: true,
        tie_breaker: 7,
    };

    fn signer(crypto: &dyn RTCCryptoProvider) -> Signer<'_> {
        Signer {
            crypto,
            password: PASSWORD,
        }
    }

    fn signed_request(crypto: &dyn RTCCryptoProvider) -> Vec<u8> {
        signer(crypto)
            .request([5; 12], "ours:theirs", LEADER, false)
            .unwrap()
    }

    #[test]
    fn a_signed_request_shows_its_addressee_and_signer() {
        let crypto = default_provider().unwrap();
        let datagram = signed_request(crypto.as_ref());
        assert!(is_stun(&datagram));
        let mut check = Check::read(&datagram).unwrap();
        assert!(check.is_request() && !check.is_success() && !check.nominates());
        assert_eq!(check.addressee().as_deref(), Some("ours"));
        assert_eq!(check.role(), Some(LEADER));
        assert_eq!(check.transaction(), [5; 12]);
        assert!(check.is_signed_with(PASSWORD, crypto.as_ref()));
        assert!(!check.is_signed_with("another", crypto.as_ref()));
    }

    #[test]
    fn a_nomination_and_the_two_answers_are_told_apart() {
        let crypto = default_provider().unwrap();
        let signer = signer(crypto.as_ref());
        let nomination = signer.request([1; 12], "a:b", LEADER, true).unwrap();
        assert!(Check::read(&nomination).unwrap().nominates());
        let success = signer
            .success([2; 12], "[2001:db8::1]:9".parse().unwrap())
            .unwrap();
        let success = Check::read(&success).unwrap();
        assert!(success.is_success() && !success.is_role_conflict());
        let conflict = signer.role_conflict([3; 12]).unwrap();
        let conflict = Check::read(&conflict).unwrap();
        assert!(conflict.is_role_conflict() && !conflict.is_success());
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
                    let _ = (check.addressee(), check.role(), check.is_role_conflict());
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
