//! Public addresses of local ones.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A local address and the public one that a cloud translates it to, one to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Advertised {
    /// As this machine has it.
    pub local: IpAddr,
    /// As everybody else has it.
    pub public: IpAddr,
}

/// A text that is no pair of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pair of addresses of one family; expected LOCAL_IP=PUBLIC_IP, \
     such as 10.0.0.5=203.0.113.5"
)]
pub struct AdvertisedError(String);

impl TryFrom<String> for Advertised {
    type Error = AdvertisedError;

    fn try_from(text: String) -> Result<Self, AdvertisedError> {
        let pair = text.split_once('=').and_then(|(local, public)| {
            let local: IpAddr = local.trim().parse().ok()?;
            let public: IpAddr = public.trim().parse().ok()?;
            (local.is_ipv4() == public.is_ipv4()).then_some(Self { local, public })
        });
        pair.ok_or(AdvertisedError(text))
    }
}

impl From<Advertised> for String {
    fn from(advertised: Advertised) -> Self {
        advertised.to_string()
    }
}

impl fmt::Display for Advertised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.local, self.public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_as_it_is_written() {
        for text in ["10.0.0.5=203.0.113.5", "fd00::1=2001:db8::1"] {
            let advertised = Advertised::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(advertised), text);
        }
    }

    #[test]
    fn what_is_no_pair_says_what_is_expected() {
        for text in ["", "10.0.0.5", "10.0.0.5=", "10.0.0.5=::1", "a=b"] {
            let error = Advertised::try_from(text.to_owned()).unwrap_err();
            assert!(error.to_string().contains("LOCAL_IP=PUBLIC_IP"), "{text}");
        }
    }
}
