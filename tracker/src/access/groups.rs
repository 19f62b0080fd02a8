//! Which of the operator's groups a viewer is in.

use std::net::IpAddr;

use super::config::{Group, GroupMode};
use beekeepr_service::cidr::any_contains;

/// The groups, in the order of the configuration.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<Group>);

impl Groups {
    pub(super) fn new(groups: &[Group]) -> Self {
        Self(groups.to_vec())
    }

    /// The number of the first group that fits.
    pub(super) fn of(&self, ip: IpAddr, asn: Option<u32>, country: Option<[u8; 2]>) -> Option<u16> {
        let fits = |group: &Group| {
            any_contains(&group.networks, ip)
                || asn.is_some_and(|asn| group.asns.contains(&asn))
                || country.is_some_and(|country| {
                    let is_it = |it: &String| it.as_bytes().eq_ignore_ascii_case(&country);
                    group.countries.iter().any(is_it)
                })
        };
        let place = self.0.iter().position(fits)?;
        u16::try_from(place).ok()
    }

    pub(super) fn mode(&self, group: u16) -> GroupMode {
        self.0
            .get(usize::from(group))
            .map_or(GroupMode::On, |it| it.mode)
    }
}
