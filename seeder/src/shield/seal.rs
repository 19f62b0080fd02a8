//! Addresses of origins in a form that tells players nothing and that nobody but us can make.
//!
//! A sealed address is a folder at an origin, and a query if one belongs to what is in it. So players learn neither hosts nor
//! tokens, the shield needs no memory of what it has told them, and it fetches nothing that it has not offered itself.

use data_encoding::BASE64URL_NOPAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use url::Url;

use crate::config::Secret;

/// What is in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whatever their names say.
    Files,
    /// Manifests, whatever their names.
    Manifests,
}

/// A folder at an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    /// Ends with a slash, has no query.
    pub(super) url: String,
    /// Of all that is in it.
    pub(super) query: Option<String>,
    pub(super) kind: Kind,
}

/// Makes and opens sealed addresses.
pub(super) struct Seal {
    cipher: LessSafeKey,
    nonces: hmac::Key,
}

impl Seal {
    /// With the operator's key, or with one of its own.
    pub(super) fn new(key: Option<&Secret>) -> Result<Self, Unspecified> {
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random)?;
        let secret = key.map_or(&random[..], |Secret(key)| key.as_bytes());
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |purpose: &[u8]| hmac::sign(&root, purpose);
        let cipher = UnboundKey::new(&AES_256_GCM, derive(b"beekeepr shield addresses").as_ref())?;
        let nonces = hmac::Key::new(
            hmac::HMAC_SHA256,
            derive(b"beekeepr shield nonces").as_ref(),
        );
        Ok(Self {
            cipher: LessSafeKey::new(cipher),
            nonces,
        })
    }

    /// The folder for players of one channel. The same one has the same name each time, or caches in front of us would
    /// keep it twice.
    pub(super) fn close(&self, channel: &str, folder: &Folder) -> Option<String> {
        let mut bytes = vec![match folder.kind {
            Kind::Files => 0,
            Kind::Manifests => 1,
        }];
        bytes.extend_from_slice(folder.url.as_bytes());
        if let Some(query) = &folder.query {
            bytes.push(b'?');
            bytes.extend_from_slice(query.as_bytes());
        }
        // The nonce follows from what it is used for (as in RFC 8452), so none is used for two different texts.
        let mut context = hmac::Context::with_key(&self.nonces);
        context.update(channel.as_bytes());
        context.update(&[0]);
        context.update(&bytes);
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(context.sign().as_ref().get(..NONCE_LEN)?);
        let aad = Aad::from(channel.as_bytes());
        self.cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
            .ok()?;
        Some(BASE64URL_NOPAD.encode(&[&nonce[..], &bytes].concat()))
    }

    /// What [`Seal::close`] closed for the same channel; none for anything else.
    pub(super) fn open(&self, channel: &str, sealed: &str) -> Option<Folder> {
        let mut bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(channel.as_bytes());
        let text = self.cipher.open_in_place(nonce, aad, text).ok()?;
        let (kind, address) = text.split_first()?;
        let kind = match kind {
            0 => Kind::Files,
            1 => Kind::Manifests,
            _ => return None,
        };
        let address = std::str::from_utf8(address).ok()?;
        let (url, query) = match address.split_once('?') {
            Some((url, query)) => (url, Some(query.to_owned())),
            None => (address, None),
        };
        let url = url.to_owned();
        Some(Folder { url, query, kind })
    }
}

impl Folder {
    /// A file below it. None for what would lead elsewhere.
    pub(super) fn file(&self, path: &str) -> Option<Url> {
        let mut url = Url::parse(&format!("{}{path}", self.url)).ok()?;
        if !url.as_str().starts_with(&self.url) {
            return None;
        }
        url.set_query(self.query.as_deref());
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(url: &str, query: Option<&str>) -> Folder {
        Folder {
            url: url.to_owned(),
            query: query.map(ToOwned::to_owned),
            kind: Kind::Files,
        }
    }

    #[test]
    fn what_was_closed_is_opened_for_its_channel_alone() {
        let seal = Seal::new(None).unwrap();
        for folder in [
            folder("https://o.example/a/", None),
            folder("https://o.example/", Some("token=1&x=?")),
        ] {
            let sealed = seal.close("tv", &folder).unwrap();
            assert_eq!(seal.close("tv", &folder).as_ref(), Some(&sealed));
            assert_eq!(seal.open("tv", &sealed), Some(folder));
            assert_eq!(seal.open("radio", &sealed), None);
        }
    }

    #[test]
    fn what_somebody_else_made_is_not_opened() {
        let seal = Seal::new(None).unwrap();
        let other = Seal::new(None).unwrap();
        let foreign = other
            .close("tv", &folder("http://10.0.0.1/", None))
            .unwrap();
        for text in ["", "AAAA", "!", "aHR0cDovLzEwLjAuMC4xLw", &foreign] {
            assert_eq!(seal.open("tv", text), None, "{text}");
        }
    }

    #[test]
    fn seals_with_the_same_key_understand_each_other() {
        let key = Secret("0123456789abcdef".to_owned());
        let [one, other] = [(); 2].map(|()| Seal::new(Some(&key)).unwrap());
        let folder = folder("https://o.example/a/", None);
        let sealed = one.close("tv", &folder).unwrap();
        assert_eq!(other.open("tv", &sealed), Some(folder));
    }

    #[test]
    fn no_path_leads_out_of_a_folder() {
        let folder = folder("https://o.example/a/b/", Some("t=1"));
        let file = |path| folder.file(path).map(String::from);
        let inside = "https://o.example/a/b/c/1.ts?t=1";
        assert_eq!(file("c/1.ts").as_deref(), Some(inside));
        assert_eq!(file("c/x/../1.ts").as_deref(), Some(inside));
        for path in [
            "../1.ts",
            "%2e%2e/1.ts",
            "c/../../1.ts",
            "..\\1.ts",
            ".%2E/",
        ] {
            assert_eq!(file(path), None, "{path}");
        }
    }
}
