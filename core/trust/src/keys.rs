//! Keys that tokens are signed with. A key has one algorithm, and that is the only one it is used with.

use std::fmt;

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519, RFC 8037.
    EdDsa,
    /// ECDSA on P-256 with SHA-256, RFC 7518 section 3.4.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 section 3.3.
    Rs256,
    /// HMAC with SHA-256, RFC 7518 section 3.2.
    Hs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Rs256, Self::Hs256];

    /// As in a token's header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Bytes that no log shows. Compare them only in constant time, by using them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a key consists of; it decides the algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// The public key of Ed25519.
    Ed25519([u8; 32]),
    /// A public point of P-256, uncompressed: 4, x, y (SEC 1 section 2.3.3).
    P256([u8; 65]),
    /// A public key of RSA: modulus and exponent, big-endian, without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// A secret shared with the issuer.
    Hmac(Secret),
}

/// A key, with the name that tokens call it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `kid`, when it has one.
    pub kid: Option<String>,
    /// What it consists of.
    pub material: Material,
}

impl Key {
    /// The only algorithm that it is used with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256(_) => Algorithm::Es256,
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::Hmac(_) => Algorithm::Hs256,
        }
    }
}

/// The shell's cryptography.
pub trait Verify {
    /// Whether `signature` is one of `message` by `key` in the key's only algorithm. Takes the same
    /// time for every wrong HMAC.
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool;
}
