//! Key sets in JSON, RFC 7517.

use beekeepr_json::{ReadError, Scanner};
use data_encoding::BASE64URL_NOPAD;

use crate::error::excerpt;
use crate::keys::{Algorithm, Key, Material, Secret};
use crate::object::{read_object, read_text};
use crate::{KeyError, TokenError};

/// Most keys in a set: two for each of a few issuers while they change is what rotation needs.
pub const KEYS_MAX: usize = 32;

/// The shortest secret for HS256, RFC 7518 section 3.2.
const SECRET_BYTES_MIN: usize = 32;

/// RSA keys below 2048 bits are refused, RFC 7518 section 3.3; above 8192 they cost too much to check.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The keys that tokens may be signed with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    /// Reads `{"keys": [...]}` or one key.
    ///
    /// # Errors
    /// It is no key set, or a key is not one that this crate takes: none is left out in silence.
    pub fn read(json: &[u8]) -> Result<Self, KeyError> {
        let whole = |error: TokenError| KeyError {
            index: None,
            text: error.to_string(),
        };
        let mut texts: Option<Vec<&str>> = None;
        let mut scanner = Scanner::new(json).map_err(|error| whole(error.into()))?;
        let single = scanner.value().map_err(|error| whole(error.into()))?;
        read_object(json, |scanner, name| {
            if name == "keys" {
                texts = Some(values(scanner)?);
            } else {
                scanner.value()?;
            }
            Ok(())
        })
        .map_err(whole)?;
        let texts = texts.unwrap_or_else(|| vec![single]);
        let keys = texts.iter().enumerate().map(|(index, text)| {
            read_key(text.as_bytes()).map_err(|text| KeyError {
                index: Some(index),
                text,
            })
        });
        Self::new(&keys.collect::<Result<Vec<_>, _>>()?)
    }

    /// A set of these keys.
    ///
    /// # Errors
    /// There are too many, or two cannot be told apart.
    pub fn new(keys: &[Key]) -> Result<Self, KeyError> {
        Self::default().and(keys)
    }

    /// The set with more keys. Each side may have as many as a set may, so that a full file leaves room for keys of the
    /// process's own.
    ///
    /// # Errors
    /// As with [`KeySet::new`].
    pub fn and(self, more: &[Key]) -> Result<Self, KeyError> {
        let fault = |text: String| KeyError { index: None, text };
        if more.len() > KEYS_MAX {
            return Err(fault(format!(
                "{} keys, expected at most {KEYS_MAX}",
                more.len()
            )));
        }
        let keys = [&self.keys, more].concat();
        for (index, key) in keys.iter().enumerate() {
            let name = |it: &Key| (it.kid.clone(), it.algorithm().as_str());
            if key.kid.is_some() && keys[..index].iter().any(|other| name(other) == name(key)) {
                let kid = excerpt(key.kid.as_deref().unwrap_or_default());
                return Err(fault(format!("two keys have the kid {kid:?}")));
            }
        }
        Ok(Self { keys })
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no token can be good.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that a token with this header may be signed with. One that names no `kid` may be
    /// signed with any of its algorithm.
    pub(crate) fn candidates(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> impl Iterator<Item = &Key> {
        let is_named = move |key: &&Key| kid.is_none() || key.kid.as_deref() == kid;
        let fits = move |key: &&Key| key.algorithm() == algorithm;
        self.keys.iter().filter(fits).filter(is_named)
    }
}

fn values<'a>(scanner: &mut Scanner<'a>) -> Result<Vec<&'a str>, ReadError> {
    let mut list = Vec::new();
    scanner.array(|scanner| {
        let value = scanner.value()?;
        // One more than allowed, so that it is seen.
        if list.len() <= KEYS_MAX {
            list.push(value);
        }
        Ok(())
    })?;
    Ok(list)
}

/// The members of a key that matter, as written.
#[derive(Default)]
struct Members {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    usage: Option<String>,
    parts: [Option<String>; 5],
    is_private: bool,
}

/// The names of [`Members::parts`].
const PARTS: [&str; 5] = ["x", "y", "n", "e", "k"];

fn read_key(json: &[u8]) -> Result<Key, String> {
    let members = read_members(json).map_err(|error| error.to_string())?;
    if members.is_private {
        return Err(
            "has a private part (\"d\"), expected the public half: whoever can read this file \
             could sign tokens"
                .to_owned(),
        );
    }
    if members.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return Err("its use is not \"sig\"".to_owned());
    }
    let material = read_material(&members)?;
    let key = Key {
        kid: members.kid,
        material,
    };
    let expected = key.algorithm().as_str();
    match members.alg {
        Some(alg) if alg != expected => {
            let alg = excerpt(&alg);
            Err(format!("its alg is {alg:?}, expected {expected:?}"))
        }
        _ => Ok(key),
    }
}

fn read_members(json: &[u8]) -> Result<Members, TokenError> {
    let mut members = Members::default();
    read_object(json, |scanner, name| {
        match name {
            "kty" => members.kty = read_text(scanner)?,
            "crv" => members.crv = Some(read_text(scanner)?),
            "kid" => members.kid = Some(read_text(scanner)?),
            "alg" => members.alg = Some(read_text(scanner)?),
            "use" => members.usage = Some(read_text(scanner)?),
            "d" => {
                members.is_private = true;
                scanner.value()?;
            }
            _ => match PARTS.iter().position(|part| *part == name) {
                Some(part) => members.parts[part] = Some(read_text(scanner)?),
                None => {
                    scanner.value()?;
                }
            },
        }
        Ok(())
    })?;
    Ok(members)
}

fn read_material(members: &Members) -> Result<Material, String> {
    let part = |name: &str| {
        let index = PARTS.iter().position(|part| *part == name);
        let text = index.and_then(|index| members.parts[index].as_deref());
        let text = text.ok_or_else(|| format!("it has no {name:?}"))?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes());
        bytes.map_err(|_| format!("its {name:?} is no base64url"))
    };
    match (members.kty.as_str(), members.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => fixed(&part("x")?, "x").map(Material::Ed25519),
        ("EC", Some("P-256")) => {
            let (x, y): ([u8; 32], [u8; 32]) = (fixed(&part("x")?, "x")?, fixed(&part("y")?, "y")?);
            let mut point = [4; 65];
            point[1..33].copy_from_slice(&x);
            point[33..].copy_from_slice(&y);
            Ok(Material::P256(point))
        }
        ("RSA", _) => {
            let (n, e) = (stripped(part("n")?), stripped(part("e")?));
            if MODULUS_BYTES.contains(&n.len()) {
                Ok(Material::Rsa { n, e })
            } else {
                let bits = n.len() * 8;
                Err(format!("an RSA key of {bits} bits, expected 2048 to 8192"))
            }
        }
        ("oct", _) => {
            let secret = part("k")?;
            if secret.len() >= SECRET_BYTES_MIN {
                Ok(Material::Hmac(Secret(secret)))
            } else {
                let bytes = secret.len();
                Err(format!("a secret of {bytes} bytes, expected at least 32"))
            }
        }
        (kty, crv) => Err(format!(
            "its kty is {:?} and its crv {:?}, expected OKP with Ed25519, EC with P-256, RSA or oct",
            excerpt(kty),
            excerpt(crv.unwrap_or_default())
        )),
    }
}

fn fixed<const N: usize>(bytes: &[u8], name: &str) -> Result<[u8; N], String> {
    let seen = bytes.len();
    bytes
        .try_into()
        .map_err(|_| format!("its {name:?} has {seen} bytes, expected {N}"))
}

fn stripped(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|&byte| byte == 0).collect()
}
