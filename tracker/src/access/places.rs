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

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that knows one network, 203.0.113.0/24, written by the MaxMind DB format 2.0.
    fn write(name: &str, data: &[u8]) -> (tempfile::TempDir, PathBuf) {
        const NETWORK: u32 = u32::from_be_bytes([203, 0, 113, 0]);
        const NODES: u32 = 24;
        // A record is a node, the number of nodes for nothing, or a place in the data, which 16 bytes
        // of zeros stand before.
        const FOUND: u32 = NODES + 16;
        let mut file = Vec::new();
        for node in 0..NODES {
            let next = if node + 1 < NODES { node + 1 } else { FOUND };
            let is_right = NETWORK >> (31 - node) & 1 == 1;
            let records = if is_right {
                [NODES, next]
            } else {
                [next, NODES]
            };
            file.extend(
                records
                    .iter()
                    .flat_map(|record| record.to_be_bytes()[1..].to_vec()),
            );
        }
        file.extend([0; 16]);
        file.extend(data);
        file.extend(b"\xab\xcd\xefMaxMind.com");
        file.extend(map(&[
            ("binary_format_major_version", vec![0xa1, 2]),
            ("binary_format_minor_version", vec![0xa0]),
            ("build_epoch", vec![0x01, 2, 1]),
            ("database_type", text("Test")),
            ("description", map(&[])),
            ("ip_version", vec![0xa1, 4]),
            ("languages", vec![0x00, 4]),
            ("node_count", vec![0xc1, NODES as u8]),
            ("record_size", vec![0xa1, 24]),
        ]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, file).unwrap();
        (folder, path)
    }

    fn text(text: &str) -> Vec<u8> {
        [&[0x40 | text.len() as u8], text.as_bytes()].concat()
    }

    fn map(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![0xe0 | fields.len() as u8];
        for (name, value) in fields {
            bytes.extend(text(name));
            bytes.extend(value);
        }
        bytes
    }

    #[test]
    fn addresses_are_looked_up_in_the_files() {
        let number = vec![0xc2, 0xfb, 0xf0];
        let asn = map(&[("autonomous_system_number", number)]);
        let country = map(&[("country", map(&[("iso_code", text("DE"))]))]);
        let (_folder, asn_file) = write("asn.mmdb", &asn);
        let (_other, country_file) = write("country.mmdb", &country);
        let places = Places::new(&Matching {
            asn_file: Some(asn_file),
            country_file: Some(country_file),
            ..Matching::default()
        })
        .unwrap();
        let inside: IpAddr = "203.0.113.7".parse().unwrap();
        assert_eq!(places.asn(inside), Some(64_496));
        assert_eq!(places.country(inside), Some(*b"DE"));
        for outside in ["203.0.112.7", "2001:db8::1"] {
            let outside: IpAddr = outside.parse().unwrap();
            assert_eq!((places.asn(outside), places.country(outside)), (None, None));
        }
    }

    #[test]
    fn a_file_of_another_kind_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("asn.csv");
        std::fs::write(&file, "203.0.113.0/24,64496").unwrap();
        let error = Places::new(&Matching {
            asn_file: Some(file),
            ..Matching::default()
        });
        let error = error.unwrap_err();
        assert!(
            error.starts_with("tracker.matching.asn_file is "),
            "{error}"
        );
        assert!(
            error.contains("asn.csv") && error.ends_with("(.mmdb)"),
            "{error}"
        );
    }
}
