//! Where addresses are, from local files in MaxMind's format. Nobody outside is asked.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use maxminddb::{Reader, path};

use super::config::Matching;

/// The files that are configured, read into memory.
#[derive(Default)]
pub(super) struct Places {
    asn: Option<Reader<Vec<u8>>>,
    country: Option<Reader<Vec<u8>>>,
}

impl Places {
    pub(super) fn new(config: &Matching) -> Result<Self, String> {
        Ok(Self {
            asn: open("asn_file", config.asn_file.as_ref())?,
            country: open("country_file", config.country_file.as_ref())?,
        })
    }

    /// The autonomous system of an address.
    pub(super) fn asn(&self, ip: IpAddr) -> Option<u32> {
        let found = self.asn.as_ref()?.lookup(ip).ok()?;
        found.decode_path(&path!["autonomous_system_number"]).ok()?
    }

    /// The country of an address.
    pub(super) fn country(&self, ip: IpAddr) -> Option<[u8; 2]> {
        let found = self.country.as_ref()?.lookup(ip).ok()?;
        let code: Option<&str> = found.decode_path(&path!["country", "iso_code"]).ok()?;
        code?.as_bytes().try_into().ok()
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("asn", &self.asn.is_some())
            .field("country", &self.country.is_some())
            .finish()
    }
}

fn open(key: &str, file: Option<&PathBuf>) -> Result<Option<Reader<Vec<u8>>>, String> {
    let Some(file) = file else {
        return Ok(None);
    };
    Reader::open_readfile(file).map(Some).map_err(|error| {
        format!(
            "tracker.matching.{key} is {}: {error}; expected a file in MaxMind's format (.mmdb)",
            file.display()
        )
    })
}
