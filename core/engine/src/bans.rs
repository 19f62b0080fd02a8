//! Peers that are not met again for a while.

use beekeepr_model::{PeerId, Time};

use crate::limits;

/// Who is left alone until when, the longest known first.
#[derive(Debug, Default)]
pub(crate) struct Bans(Vec<(PeerId, Time)>);

impl Bans {
    pub(crate) fn add(&mut self, peer: PeerId, until: Time) {
        if self.0.len() == limits::BANS_MAX {
            self.0.remove(0);
        }
        self.0.push((peer, until));
    }

    pub(crate) fn holds(&self, peer: PeerId, now: Time) -> bool {
        self.0.iter().any(|&(id, until)| id == peer && now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_ends_and_the_list_does_not_grow() {
        let mut bans = Bans::default();
        let peer = |number: usize| PeerId([number as u8; 20]);
        for number in 0..2 * limits::BANS_MAX {
            bans.add(peer(number), Time::from_ms(10));
        }
        let last = peer(2 * limits::BANS_MAX - 1);
        assert!(bans.holds(last, Time::from_ms(9)) && !bans.holds(last, Time::from_ms(10)));
        assert!(!bans.holds(peer(0), Time::ZERO));
        assert_eq!(bans.0.len(), limits::BANS_MAX);
    }
}
