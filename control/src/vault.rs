//! The installation's secret, and what is done with it: sealing what must not be read in a copied database, and telling our
//! own hashes from others'.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Bytes of the secret.
const SECRET_BYTES: usize = 32;

/// A file longer than this is no secret of ours.
const FILE_BYTES_MAX: u64 = 1_024;

/// Why something cannot be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The secret's file.
    #[error("control.secret_file {0}")]
    File(String),
    /// The system gives no random numbers, or the like.
    #[error("the system gives no random numbers")]
    Random,
    /// It was sealed with another secret, or is damaged.
    #[error("it was sealed with another secret than control.secret_file has, or is damaged")]
    Sealed,
}

/// Keys derived from the installation's secret.
pub struct Vault {
    seal: LessSafeKey,
    mac: hmac::Key,
    random: SystemRandom,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// With a secret of its own, which ends with the process.
    ///
    /// # Errors
    /// No random numbers.
    pub fn temporary() -> Result<Self, VaultError> {
        Self::new(&random_bytes::<SECRET_BYTES>()?)
    }

    /// With the secret in a file: 64 hexadecimal digits, or at least 32 characters of anything else. One that is not there is
    /// made, for its owner alone.
    ///
    /// # Errors
    /// It cannot be read or made, or is too short.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let fault = |text: String| VaultError::File(format!("{}: {text}", path.display()));
        let secret = HEXLOWER.encode(&random_bytes::<SECRET_BYTES>()?);
        let new = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        match new {
            Ok(mut file) => file
                .write_all(secret.as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(|error| fault(format!("cannot be written: {error}")))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => (),
            // A mounted secret is in a folder where nobody may write.
            Err(_) if path.exists() => (),
            Err(error) => return Err(fault(format!("cannot be made: {error}"))),
        }
        let mut text = String::new();
        OpenOptions::new()
            .read(true)
            .open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| fault(format!("cannot be read: {error}")))?;
        let text = text.trim();
        if text.len() < SECRET_BYTES {
            let expected = "expected at least 32 characters; make them with: openssl rand -hex 32";
            return Err(fault(format!("has {} characters, {expected}", text.len())));
        }
        Self::new(text.as_bytes())
    }

    fn new(secret: &[u8]) -> Result<Self, VaultError> {
        let main = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |purpose: &str| hmac::sign(&main, purpose.as_bytes());
        let seal = UnboundKey::new(&CHACHA20_POLY1305, derive("beekeepr seal 1").as_ref());
        Ok(Self {
            seal: LessSafeKey::new(seal.map_err(|_| VaultError::Random)?),
            mac: hmac::Key::new(hmac::HMAC_SHA256, derive("beekeepr mac 1").as_ref()),
            random: SystemRandom::new(),
        })
    }

    /// Seals a text for one place: elsewhere it cannot be opened.
    ///
    /// # Errors
    /// No random numbers.
    pub fn seal(&self, place: &str, text: &str) -> Result<String, VaultError> {
        // 96 random bits are used twice by chance after some 2^32 texts of one secret.
        let mut nonce = [0; NONCE_LEN];
        self.random
            .fill(&mut nonce)
            .map_err(|_| VaultError::Random)?;
        let mut bytes = text.as_bytes().to_vec();
        let place = Aad::from(place.as_bytes());
        self.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut bytes)
            .map_err(|_| VaultError::Random)?;
        Ok(BASE64URL_NOPAD.encode(&[&nonce[..], &bytes].concat()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// It was sealed with another secret or for another place, or is damaged.
    pub fn open_sealed(&self, place: &str, sealed: &str) -> Result<String, VaultError> {
        let decoded = BASE64URL_NOPAD.decode(sealed.as_bytes());
        let decoded = decoded.map_err(|_| VaultError::Sealed)?;
        let (nonce, bytes) = decoded
            .split_at_checked(NONCE_LEN)
            .ok_or(VaultError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Sealed)?;
        let mut bytes = bytes.to_vec();
        let place = Aad::from(place.as_bytes());
        let opened = self.seal.open_in_place(nonce, place, &mut bytes);
        let opened = opened.map_err(|_| VaultError::Sealed)?;
        String::from_utf8(opened.to_vec()).map_err(|_| VaultError::Sealed)
    }

    /// What is kept of a secret that others bring: nobody can make it, or the secret of it.
    #[must_use]
    pub fn digest(&self, purpose: &str, secret: &str) -> String {
        HEXLOWER.encode(hmac::sign(&self.mac, message(purpose, secret).as_bytes()).as_ref())
    }

    /// Whether a digest is of this secret, in a time that does not tell where they differ.
    #[must_use]
    pub fn fits(&self, purpose: &str, secret: &str, digest: &str) -> bool {
        HEXLOWER.decode(digest.as_bytes()).is_ok_and(|digest| {
            hmac::verify(&self.mac, message(purpose, secret).as_bytes(), &digest).is_ok()
        })
    }
}

fn message(purpose: &str, secret: &str) -> String {
    format!("{purpose}\0{secret}")
}

fn random_bytes<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map(|()| bytes).map_err(|_| VaultError::Random)
}

/// A name that nobody else has: 16 letters and digits.
///
/// # Errors
/// No random numbers.
pub fn random_name() -> Result<String, VaultError> {
    Ok(BASE32_NOPAD.encode(&random_bytes::<10>()?).to_lowercase())
}

/// A secret that nobody guesses: 43 characters, 256 bits.
///
/// # Errors
/// No random numbers.
pub fn random_secret() -> Result<String, VaultError> {
    Ok(BASE64URL_NOPAD.encode(&random_bytes::<SECRET_BYTES>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let vault = Vault::temporary().unwrap();
        let sealed = vault.seal("channel/a", "secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(vault.open_sealed("channel/a", &sealed).unwrap(), "secret");
        for (place, text) in [
            ("channel/b", &*sealed),
            ("channel/a", "AAAA"),
            ("channel/a", "!"),
        ] {
            assert_eq!(vault.open_sealed(place, text), Err(VaultError::Sealed));
        }
        let other = Vault::temporary().unwrap();
        assert_eq!(
            other.open_sealed("channel/a", &sealed),
            Err(VaultError::Sealed)
        );
    }

    #[test]
    fn a_digest_fits_its_secret_and_purpose_alone() {
        let vault = Vault::temporary().unwrap();
        let digest = vault.digest("key", "secret");
        assert!(vault.fits("key", "secret", &digest));
        assert!(!vault.fits("key", "secreT", &digest) && !vault.fits("csrf", "secret", &digest));
        assert!(!vault.fits("key", "secret", "no hex"));
    }

    #[test]
    fn the_file_is_made_once_for_its_owner_and_read_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let sealed = Vault::open(&path).unwrap().seal("p", "text").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            Vault::open(&path)
                .unwrap()
                .open_sealed("p", &sealed)
                .unwrap(),
            "text"
        );
        std::fs::write(&path, "short").unwrap();
        let error = Vault::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("has 5 characters") && !error.contains("short"),
            "{error}"
        );
    }
}
