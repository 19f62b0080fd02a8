//! Drawing without putting back.

use beekeepr_model::Random;

/// The numbers below a bound in random order, each order as likely as any other, at the cost of those
/// drawn and not of the bound: a Fisher-Yates shuffle that notes only the places it has touched.
///
/// What is noted is searched from end to end, as tens are drawn and not thousands.
#[derive(Debug)]
pub(crate) struct Shuffle<'a> {
    drawn: usize,
    bound: usize,
    moved: &'a mut Vec<(usize, usize)>,
}

impl<'a> Shuffle<'a> {
    /// `moved` is kept by the caller only for its memory.
    pub(crate) fn new(bound: usize, moved: &'a mut Vec<(usize, usize)>) -> Self {
        moved.clear();
        Self {
            drawn: 0,
            bound,
            moved,
        }
    }

    pub(crate) fn next(&mut self, random: &mut Random) -> Option<usize> {
        if self.drawn >= self.bound {
            return None;
        }
        let place = self.drawn + random.below(self.bound - self.drawn);
        let front = self.value(self.drawn);
        let value = match self.moved.iter_mut().find(|(at, _)| *at == place) {
            Some((_, value)) => std::mem::replace(value, front),
            None => {
                self.moved.push((place, front));
                place
            }
        };
        self.drawn += 1;
        Some(value)
    }

    fn value(&self, place: usize) -> usize {
        let moved = self.moved.iter().find(|(at, _)| *at == place);
        moved.map_or(place, |&(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(bound: usize, count: usize, random: &mut Random) -> Vec<usize> {
        let mut moved = Vec::new();
        let mut shuffle = Shuffle::new(bound, &mut moved);
        (0..count).map_while(|_| shuffle.next(random)).collect()
    }

    #[test]
    fn every_number_comes_once() {
        let mut random = Random::new(1);
        for bound in 0..20 {
            let mut all = draw(bound, bound + 1, &mut random);
            all.sort_unstable();
            assert_eq!(all, (0..bound).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_number_is_as_likely_at_every_draw() {
        let mut random = Random::new(1);
        let mut counts = [[0u32; 6]; 3];
        for _ in 0..60_000 {
            let drawn = draw(6, 3, &mut random);
            drawn
                .iter()
                .enumerate()
                .for_each(|(turn, &value)| counts[turn][value] += 1);
        }
        // 10,000 each; the deviation allowed is four times the standard one (91).
        assert!(
            counts
                .iter()
                .flatten()
                .all(|&count| count.abs_diff(10_000) < 365),
            "{counts:?}"
        );
    }
}
