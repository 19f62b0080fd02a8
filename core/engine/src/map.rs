//! A map for the few dozens of entries that an engine has of each kind.

use std::ops::Index;

/// Entries in a vector, sorted by key.
///
/// New keys are nearly always the greatest, so insertion is mostly a push. Four maps of the standard
/// library's B-tree were a fifth of the browser's module.
#[derive(Debug)]
pub(crate) struct Map<K, V> {
    entries: Vec<(K, V)>,
}

impl<K: Ord + Copy, V> Map<K, V> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    fn place(&self, key: K) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&key, |entry| entry.0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.place(*key).is_ok()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let place = self.place(*key).ok()?;
        Some(&self.entries[place].1)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.place(*key).ok()?;
        Some(&mut self.entries[place].1)
    }

    /// Where `value` is; found soonest where the values are in the keys' order.
    pub(crate) fn key_of(&self, value: V) -> Option<K>
    where
        V: Ord + Copy,
    {
        let sorted = self.entries.binary_search_by_key(&value, |entry| entry.1);
        let mut entries = self.entries.iter();
        let place = sorted
            .ok()
            .or_else(|| entries.position(|it| it.1 == value))?;
        Some(self.entries[place].0)
    }

    /// The value at `key`, made first when there is none.
    pub(crate) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = self.place(key).unwrap_or_else(|place| {
            self.entries.insert(place, (key, make()));
            place
        });
        &mut self.entries[place].1
    }

    /// Puts `value` at `key`, in the place of what was there.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Ok(place) => self.entries[place].1 = value,
            Err(place) => self.entries.insert(place, (key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.place(*key).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// The keys of the entries that pass a test, for what changes the map meanwhile. One piece of code for all tests.
    pub(crate) fn keys_where(&self, test: &dyn Fn(&K, &V) -> bool) -> Vec<K> {
        let mut keys = Vec::new();
        for (key, value) in &self.entries {
            if test(key, value) {
                keys.push(*key);
            }
        }
        keys
    }

    /// All keys.
    pub(crate) fn all_keys(&self) -> Vec<K> {
        self.keys_where(&|_, _| true)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.entries.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

impl<K: Ord + Copy, V> Index<&K> for Map<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key)
            .expect("whoever indexes knows that the key is there")
    }
}

impl<K: Ord + Copy, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_sorted_and_unique() {
        let mut map: Map<u32, char> = [(5, 'a'), (1, 'b'), (9, 'c'), (5, 'd')]
            .into_iter()
            .collect();
        assert!(map.iter().eq([(&1, &'b'), (&5, &'d'), (&9, &'c')]));
        assert_eq!(*map.get_or_insert_with(7, || 'e'), 'e');
        assert_eq!((map.remove(&1), map.remove(&1)), (Some('b'), None));
        assert!(map.keys().rev().eq(&[9, 7, 5]));
        assert_eq!((map.key_of('e'), map.key_of('b')), (Some(7), None));
    }
}
