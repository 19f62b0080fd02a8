//! What happens when: a wheel of milliseconds.
//!
//! Millions of events lie within the next second, so each millisecond of that second has a slot of its own and
//! neither putting in nor taking out compares anything. What is farther away waits in a sorted map. Events of one
//! millisecond come out in the order in which they went in, whichever way they took.

use std::collections::{BTreeMap, VecDeque};

/// Milliseconds of the wheel: the engine's ticks, a round trip and the sending of a slice lie within it. More
/// slots would only hold more idle memory.
const SLOTS: u64 = 1_024;

/// Events in the order of their time, then of their insertion.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    now_ms: u64,
    slots: Vec<VecDeque<T>>,
    far: BTreeMap<u64, VecDeque<T>>,
}

impl<T> Queue<T> {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            now_ms,
            slots: (0..SLOTS).map(|_| VecDeque::new()).collect(),
            far: BTreeMap::new(),
        }
    }

    /// Puts an event in; what lies in the past happens now.
    pub(crate) fn push(&mut self, at_ms: u64, event: T) {
        let at_ms = at_ms.max(self.now_ms);
        if at_ms - self.now_ms < SLOTS {
            self.slots[(at_ms % SLOTS) as usize].push_back(event);
        } else {
            self.far.entry(at_ms).or_default().push_back(event);
        }
    }

    /// The next event and its time, unless that is after `end_ms`; the clock then stands at `end_ms`.
    pub(crate) fn pop(&mut self, end_ms: u64) -> Option<(u64, T)> {
        loop {
            let slot = &mut self.slots[(self.now_ms % SLOTS) as usize];
            if let Some(event) = slot.pop_front() {
                return Some((self.now_ms, event));
            }
            if self.now_ms >= end_ms {
                return None;
            }
            self.now_ms += 1;
            self.take_in_far();
        }
    }

    /// The last millisecond of the wheel has become free for what was too far away before.
    fn take_in_far(&mut self) {
        let last_ms = self.now_ms + SLOTS - 1;
        if self
            .far
            .first_key_value()
            .is_some_and(|(&at, _)| at <= last_ms)
            && let Some((at_ms, events)) = self.far.pop_first()
        {
            self.slots[(at_ms % SLOTS) as usize].extend(events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Queue<char>, end_ms: u64) -> String {
        std::iter::from_fn(|| queue.pop(end_ms).map(|(_, event)| event)).collect()
    }

    #[test]
    fn events_come_in_the_order_of_time_then_of_insertion() {
        let mut queue = Queue::new(10);
        for (at_ms, event) in [(5_000, 'e'), (12, 'b'), (10, 'a'), (12, 'c'), (900, 'd')] {
            queue.push(at_ms, event);
        }
        assert_eq!(drain(&mut queue, 4_500), "abcd");
        // The one that had waited outside the wheel comes first.
        queue.push(5_000, 'f');
        assert_eq!(drain(&mut queue, 5_000), "ef");
    }

    #[test]
    fn what_is_put_in_for_now_still_happens_now() {
        let mut queue = Queue::new(0);
        queue.push(3, 'a');
        assert_eq!(queue.pop(100), Some((3, 'a')));
        queue.push(1, 'b');
        assert_eq!(queue.pop(100), Some((3, 'b')));
        assert_eq!(queue.pop(100), None);
    }
}
