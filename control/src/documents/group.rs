//! Groups of viewers: networks whose viewers meet each other rather than others.

use beekeepr_service::cidr::Cidr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Document, check_name};
use crate::store::Kind;

/// Networks of a group at most; a large company has some thousands.
const NETWORKS_MAX: usize = 10_000;

/// Networks whose viewers meet each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// What to call it.
    pub title: String,
    /// Such as `10.0.0.0/8` or `2001:db8::/32`.
    #[schema(value_type = Vec<String>)]
    pub networks: Vec<Cidr>,
}

impl Document for Group {
    const KIND: Kind = Kind::Group;
}

impl Group {
    /// What types cannot express.
    ///
    /// # Errors
    /// Too many networks.
    pub fn check(&self) -> Result<(), String> {
        if self.networks.len() > NETWORKS_MAX {
            let count = self.networks.len();
            return Err(format!(
                "the group has {count} networks, expected at most {NETWORKS_MAX}"
            ));
        }
        Ok(())
    }
}

/// Reads a file of groups: a network and the name of its group in each line; `#` begins a comment.
///
/// # Errors
/// Every line that cannot be read, with its number, up to ten.
pub fn read_file(text: &str) -> Result<Vec<(String, Group)>, String> {
    let mut groups: Vec<(String, Group)> = Vec::new();
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        match read_line(line) {
            Ok((network, name)) => match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, group)) => group.networks.push(network),
                None => groups.push((
                    name,
                    Group {
                        networks: vec![network],
                        ..Group::default()
                    },
                )),
            },
            Err(fault) if faults.len() < 10 => faults.push(format!("line {}: {fault}", number + 1)),
            Err(_) => (),
        }
    }
    for (name, group) in &groups {
        faults.extend(group.check().err().map(|fault| format!("{name}: {fault}")));
    }
    if faults.is_empty() {
        Ok(groups)
    } else {
        Err(faults.join("; "))
    }
}

fn read_line(line: &str) -> Result<(Cidr, String), String> {
    let (network, name) = line
        .split_once([',', ' ', '\t'])
        .ok_or("expected NETWORK GROUP, such as 10.1.0.0/16 berlin")?;
    let network = network.parse::<Cidr>().map_err(|error| error.to_string())?;
    let name = name.trim_matches([',', ' ', '\t']);
    check_name(name)?;
    Ok((network, name.to_owned()))
}

/// Writes such a file.
#[must_use]
pub fn write_file(groups: &[(String, Group)]) -> String {
    let lines = groups.iter().flat_map(|(name, group)| {
        group
            .networks
            .iter()
            .map(move |network| format!("{network} {name}\n"))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_network_and_a_group_in_each_line() {
        let text =
            "# offices\n10.1.0.0/16 berlin\n10.2.0.0/16,paris\n2001:db8::/32\tberlin # v6\n\n";
        let groups = read_file(text).unwrap();
        assert_eq!(
            write_file(&groups),
            "10.1.0.0/16 berlin\n2001:db8::/32 berlin\n10.2.0.0/16 paris\n"
        );
        assert_eq!(read_file(&write_file(&groups)).unwrap(), groups);
    }

    #[test]
    fn every_line_that_cannot_be_read_is_named() {
        let error = read_file("10.0.0.0/8 a\n10.0.0.0/99 b\nnothing\n10.0.0.0/8 -x").unwrap_err();
        for part in ["line 2", "line 3", "line 4"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
