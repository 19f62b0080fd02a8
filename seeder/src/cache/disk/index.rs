//! Which segments are on disk, and which of them go when there are too many.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::SystemTime;

use super::Name;
use crate::cache::worth::score;

/// All segments on disk.
#[derive(Debug)]
pub(super) struct Index {
    bytes_max: u64,
    bytes: u64,
    files: HashMap<Name, File>,
    /// The least worth first.
    queue: BTreeMap<(u64, u64), Name>,
    /// What is being written.
    begun: HashSet<Name>,
    age: u64,
    order: u64,
}

#[derive(Debug)]
struct File {
    bytes: u64,
    written_at: SystemTime,
    uses: u32,
    /// Its place in the queue.
    worth: (u64, u64),
}

impl Index {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            files: HashMap::new(),
            queue: BTreeMap::new(),
            begun: HashSet::new(),
            age: 0,
            order: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a segment is to be written: not if it is there or on its way.
    pub(super) fn begin(&mut self, name: Name) -> bool {
        !self.files.contains_key(&name) && self.begun.insert(name)
    }

    pub(super) fn end(&mut self, name: &Name) {
        self.begun.remove(name);
    }

    pub(super) fn insert(&mut self, name: Name, bytes: u64, written_at: SystemTime) {
        self.remove(&name);
        self.order += 1;
        let worth = (score(self.age, 1), self.order);
        let file = File {
            bytes,
            written_at,
            uses: 1,
            worth,
        };
        self.bytes += bytes;
        self.queue.insert(worth, name);
        self.files.insert(name, file);
    }

    /// A segment is used. When it was written, or none if it is not there.
    pub(super) fn touch(&mut self, name: &Name) -> Option<SystemTime> {
        let file = self.files.get_mut(name)?;
        self.order += 1;
        file.uses = file.uses.saturating_add(1);
        self.queue.remove(&file.worth);
        file.worth = (score(self.age, file.uses), self.order);
        self.queue.insert(file.worth, *name);
        Some(file.written_at)
    }

    pub(super) fn remove(&mut self, name: &Name) {
        if let Some(file) = self.files.remove(name) {
            self.queue.remove(&file.worth);
            self.bytes -= file.bytes;
        }
    }

    /// What has to go for so many bytes more.
    pub(super) fn make_room(&mut self, bytes: u64) -> Vec<Name> {
        let mut gone = Vec::new();
        while self.bytes + bytes > self.bytes_max {
            let Some((worth, name)) = self.queue.pop_first() else {
                break;
            };
            self.age = self.age.max(worth.0);
            self.remove(&name);
            gone.push(name);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u8) -> Name {
        Name([number; 32])
    }

    fn index(numbers: std::ops::Range<u8>) -> Index {
        let mut index = Index::new(100);
        for number in numbers {
            assert!(index.make_room(10).is_empty());
            index.insert(name(number), 10, SystemTime::now());
        }
        index
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes_by_age() {
        let mut index = index(0..10);
        index.touch(&name(0));
        assert_eq!(index.make_room(25), [name(1), name(2), name(3)]);
        assert_eq!((index.len(), index.bytes()), (7, 70));
        assert!(index.touch(&name(0)).is_some() && index.touch(&name(1)).is_none());
    }

    #[test]
    fn what_was_useful_long_ago_goes_in_the_end() {
        let mut index = index(0..10);
        index.touch(&name(0));
        let mut gone = Vec::new();
        for number in 10..40 {
            gone.extend(index.make_room(10));
            index.insert(name(number), 10, SystemTime::now());
        }
        assert!(gone.contains(&name(0)));
    }

    #[test]
    fn nothing_is_written_twice_at_a_time() {
        let mut index = index(0..1);
        assert!(!index.begin(name(0)));
        assert!(index.begin(name(1)));
        assert!(!index.begin(name(1)));
        index.end(&name(1));
        assert!(index.begin(name(1)));
    }
}
