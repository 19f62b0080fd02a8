//! How the keys of a handshake get to the record layer.
//!
//! `rtc-dtls` has no way to hand them out, but it takes whatever cryptography it is given. A [`Tap`]
//! is that cryptography: everything goes through to the real one, and the ciphers that it makes
//! remember their key and, from the first record that they seal or open, the salt of the nonces. The
//! handshake always seals and opens one, its Finished message.

use std::sync::{Arc, Mutex, PoisonError};

use ring::aead::{AES_128_GCM, LessSafeKey, UnboundKey};
use rtc_crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, CryptoAlgorithm, CryptoError, HashAlgorithm,
    HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey, RTCCrypto, RTCCryptoProvider, RTCRandom,
    SignatureScheme, SigningKey,
};

use super::record::{Opener, Sealer, Secret};

/// A key, and the salt that it was used with.
type Found = Option<([u8; 16], [u8; 4])>;

#[derive(Default)]
struct Taken {
    sealing: Found,
    opening: Found,
}

/// Listens to one handshake.
pub(super) struct Tap {
    provider: Arc<dyn RTCCryptoProvider>,
    taken: Arc<Mutex<Taken>>,
}

impl Tap {
    pub(super) fn new(crypto: Arc<dyn RTCCryptoProvider>) -> Self {
        let taken = Arc::new(Mutex::new(Taken::default()));
        let provider = Arc::new(Provider {
            inner: crypto,
            taken: Arc::clone(&taken),
        });
        Self { provider, taken }
    }

    /// What the handshake has to be given.
    pub(super) fn provider(&self) -> Arc<dyn RTCCryptoProvider> {
        Arc::clone(&self.provider)
    }

    /// The keys, when the handshake is done.
    pub(super) fn keys(&self) -> Option<(Sealer, Opener)> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (sealing, opening) = (taken.sealing.take()?, taken.opening.take()?);
        Some((Sealer::new(secret(sealing)?), Opener::new(secret(opening)?)))
    }
}

fn secret((key, salt): ([u8; 16], [u8; 4])) -> Option<Secret> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    Some(Secret { key, salt })
}

struct Provider {
    inner: Arc<dyn RTCCryptoProvider>,
    taken: Arc<Mutex<Taken>>,
}

impl RTCCryptoProvider for Provider {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.inner.random()
    }
}

/// What an ECDHE handshake with AES-GCM takes; the rest of the interface stays "unsupported".
impl RTCCrypto for Provider {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.inner.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.crypto().hash(algorithm, data)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.inner.crypto().new_hmac(algorithm, key)
    }

    fn new_aead(
        &self,
        algorithm: AeadAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn AeadCipher>, CryptoError> {
        let inner = self.inner.crypto().new_aead(algorithm, key)?;
        Ok(match key.try_into() {
            Ok(key) if algorithm == AeadAlgorithm::Aes128Gcm => Box::new(Tapped {
                inner,
                key,
                taken: Arc::clone(&self.taken),
            }),
            _ => inner,
        })
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.inner.crypto().start_key_exchange(algorithm)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner
            .crypto()
            .verify_signature(scheme, public_key, message, signature)
    }
}

struct Tapped {
    inner: Box<dyn AeadCipher>,
    key: [u8; 16],
    taken: Arc<Mutex<Taken>>,
}

impl Tapped {
    fn found(&self, nonce: &[u8]) -> Found {
        Some((self.key, *nonce.first_chunk()?))
    }
}

impl AeadCipher for Tapped {
    fn tag_len(&self) -> usize {
        self.inner.tag_len()
    }

    fn seal_in_place(
        &mut self,
        nonce: &[u8],
        aad: &[u8],
        text: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), CryptoError> {
        let found = self.found(nonce);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.sealing = found;
        drop(taken);
        self.inner.seal_in_place(nonce, aad, text, tag)
    }

    fn open_in_place(
        &mut self,
        nonce: &[u8],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner.open_in_place(nonce, aad, text, tag)?;
        let found = self.found(nonce);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.opening = found;
        Ok(())
    }
}
