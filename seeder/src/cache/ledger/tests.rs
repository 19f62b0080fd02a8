use super::*;

/// 100 bytes, and channels that fetch 10 at a time.
struct World {
    ledger: Ledger<&'static str>,
    now: Instant,
}

const SEGMENT: &[u8] = b"0123456789";

impl World {
    fn new() -> Self {
        Self {
            ledger: Ledger::new(100),
            now: Instant::now(),
        }
    }

    fn enter(&mut self, is_live: bool) -> AccountId {
        let counter = prometheus::IntCounter::new("evictions", "evictions").unwrap();
        let gauge = prometheus::IntGauge::new("bytes", "bytes").unwrap();
        let account = Account::new(std::sync::Arc::default(), counter, gauge);
        let id = self.ledger.enter(account);
        self.ledger.accounts.get_mut(&id).unwrap().usual_bytes = 10;
        self.ledger.set_live(id, is_live);
        id
    }

    fn live(&self, age: u64) -> Purpose {
        let listed_at = self.now + std::time::Duration::from_secs(1_000 - age);
        Purpose::Live { listed_at }
    }

    /// Fetches a segment; false when there is no room.
    fn fetch(&mut self, id: AccountId, key: &'static str, purpose: Purpose) -> bool {
        let Some(reserved) = self.ledger.reserve(id, purpose) else {
            return false;
        };
        let arrival = Arrival {
            key,
            bytes: Bytes::from_static(SEGMENT),
            purpose,
            is_held: true,
            expires: None,
        };
        self.ledger.settle(id, reserved, Some(arrival));
        self.check();
        true
    }

    /// As many segments as there is room for, the later ones listed later.
    fn fill(
        &mut self,
        id: AccountId,
        keys: &[&'static str],
        purpose: impl Fn(u64) -> Purpose,
    ) -> usize {
        let ages = (0..keys.len() as u64).rev();
        let pairs: Vec<_> = keys.iter().zip(ages).collect();
        pairs
            .into_iter()
            .filter(|(key, age)| self.fetch(id, key, purpose(*age)))
            .count()
    }

    fn has(&self, key: &'static str) -> bool {
        self.ledger.entries.contains_key(key)
    }

    fn bytes(&self, id: AccountId) -> u64 {
        self.ledger.accounts[&id].bytes
    }

    /// What must hold whenever nothing is being fetched.
    fn check(&self) {
        let ledger = &self.ledger;
        let entries: u64 = ledger
            .entries
            .values()
            .map(|it| it.bytes.len() as u64)
            .sum();
        let accounts: u64 = ledger.accounts.values().map(|it| it.bytes).sum();
        assert_eq!((entries, accounts), (ledger.bytes, ledger.bytes));
        let queued: usize = ledger.accounts.values().map(Account::len).sum();
        assert_eq!(queued, ledger.entries.len());
        for account in ledger.accounts.values() {
            account.check(|key| (ledger.entries[key].worth, ledger.entries[key].length()));
        }
    }
}

const A: [&str; 12] = [
    "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "aa", "ab",
];
const B: [&str; 6] = ["b0", "b1", "b2", "b3", "b4", "b5"];

fn asked(_: u64) -> Purpose {
    Purpose::Asked
}

fn ahead(_: u64) -> Purpose {
    Purpose::Ahead
}

#[test]
fn who_is_alone_may_use_everything() {
    let mut world = World::new();
    let a = world.enter(false);
    assert_eq!(world.fill(a, &A[..10], ahead), 10);
    assert!(
        !world.fetch(a, "aa", Purpose::Ahead),
        "more than fits is not fetched ahead"
    );
    assert!(world.fetch(a, "ab", Purpose::Asked));
    assert_eq!(
        (world.bytes(a), world.has("a0"), world.has("a1")),
        (100, false, true)
    );
}

#[test]
fn what_was_borrowed_is_given_back() {
    let mut world = World::new();
    let (a, b) = (world.enter(false), world.enter(false));
    assert_eq!(world.fill(a, &A[..10], asked), 10);
    assert_eq!(
        world.fill(b, &B[..5], asked),
        5,
        "below its share it always may"
    );
    assert_eq!((world.bytes(a), world.bytes(b)), (50, 50));
    assert!(world.fetch(b, "b5", Purpose::Asked));
    assert_eq!(
        (world.bytes(a), world.bytes(b)),
        (50, 50),
        "at its share it lives on its own"
    );
    assert_eq!(world.ledger.evicted(a).len(), 5);
    assert!(!world.has("b0"));
}

#[test]
fn shares_follow_the_channels_that_are_there() {
    let mut world = World::new();
    let (a, b) = (world.enter(false), world.enter(false));
    world.fill(a, &A[..5], asked);
    world.fill(b, &B[..5], asked);
    world.ledger.leave(b);
    world.check();
    assert!(!world.has("b0"));
    assert_eq!(world.fill(a, &A[5..10], asked), 5);
    assert_eq!(world.bytes(a), 100);
    let c = world.enter(false);
    assert_eq!(world.fill(c, &B[..5], asked), 5);
    assert_eq!(world.bytes(a), 50);
}

#[test]
fn what_is_fetched_ahead_makes_way_for_a_live_window_wherever_it_is() {
    let mut world = World::new();
    let (live, a) = (world.enter(true), world.enter(false));
    world.fill(a, &A[..5], ahead);
    let moment = world.now;
    let of_age = |age| Purpose::Live {
        listed_at: moment + std::time::Duration::from_secs(100 - age),
    };
    assert_eq!(
        world.fill(live, &["l0", "l1", "l2", "l3", "l4", "l5", "l6"], of_age),
        7
    );
    assert_eq!((world.bytes(live), world.bytes(a)), (70, 30));
    assert!(world.has("l0"));
    assert!(
        !world.fetch(a, "aa", Purpose::Ahead),
        "nothing live goes for it"
    );
}

#[test]
fn a_live_window_that_exceeds_its_share_gives_way_to_who_is_asked_for_and_has_less() {
    let mut world = World::new();
    let (live, a) = (world.enter(true), world.enter(false));
    let moment = world.now;
    let of_age = |age| Purpose::Live {
        listed_at: moment + std::time::Duration::from_secs(100 - age),
    };
    world.fill(
        live,
        &["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9"],
        of_age,
    );
    assert_eq!(world.fill(a, &A[..5], asked), 5);
    assert_eq!((world.bytes(live), world.bytes(a)), (50, 50));
    assert!(!world.has("l4") && world.has("l5"), "the oldest went");
    assert!(world.fetch(a, "a5", Purpose::Asked));
    assert_eq!(world.bytes(live), 50, "no more than that");
}

#[test]
fn of_a_live_window_that_does_not_fit_the_newest_stay() {
    let mut world = World::new();
    let live = world.enter(true);
    for age in (0..12).rev() {
        let purpose = world.live(age);
        assert!(world.fetch(live, A[11 - age as usize], purpose));
    }
    assert!(!world.has("a0") && !world.has("a1") && world.has("a2"));
    let oldest = world.live(11);
    assert!(
        !world.fetch(live, "a0", oldest),
        "or it would go back and forth"
    );
}

#[test]
fn what_several_channels_hold_counts_once_and_stays_for_the_last() {
    let mut world = World::new();
    let (a, b) = (world.enter(false), world.enter(false));
    world.fetch(a, "a0", Purpose::Asked);
    let now = world.now;
    assert!(
        world
            .ledger
            .find(b, &"a0", Purpose::Asked, true, now)
            .is_some()
    );
    assert_eq!(
        (world.bytes(a), world.bytes(b), world.ledger.bytes),
        (10, 0, 10)
    );
    world.ledger.leave(a);
    world.check();
    assert_eq!((world.bytes(b), world.has("a0")), (10, true));
    world.ledger.leave(b);
    assert_eq!((world.ledger.bytes, world.has("a0")), (0, false));
}

#[test]
fn all_who_hold_what_goes_are_told() {
    let mut world = World::new();
    let (a, b) = (world.enter(false), world.enter(false));
    world.fetch(a, "a0", Purpose::Asked);
    let now = world.now;
    world.ledger.find(b, &"a0", Purpose::Ahead, true, now);
    world.fill(a, &A[1..11], asked);
    assert_eq!(world.ledger.evicted(a), ["a0"]);
    assert_eq!(world.ledger.evicted(b), ["a0"]);
    assert!(world.ledger.evicted(b).is_empty());
}

#[test]
fn what_is_asked_for_often_outlives_a_scan() {
    let mut world = World::new();
    let a = world.enter(false);
    world.fill(a, &["hot", "a0", "a1"], asked);
    world.ledger.touch(&"hot");
    world.ledger.touch(&"hot");
    world.fill(a, &A[2..], asked);
    assert!(world.has("hot") && !world.has("a0"));
}

#[test]
fn who_comes_back_is_no_newcomer() {
    let mut world = World::new();
    let a = world.enter(false);
    world.fill(a, &A[..11], asked);
    assert!(!world.has("a0"));
    world.fetch(a, "a0", Purpose::Asked);
    world.fill(a, &B, asked);
    assert!(world.has("a0") && !world.has("a6"));
}

#[test]
fn a_live_segment_goes_with_its_last_holder_and_one_on_demand_stays() {
    let mut world = World::new();
    let (live, a) = (world.enter(true), world.enter(false));
    let purpose = world.live(0);
    world.fetch(live, "l", purpose);
    world.fetch(a, "a", Purpose::Asked);
    world.ledger.release(live, &"l");
    world.ledger.release(a, &"a");
    world.check();
    assert_eq!((world.has("l"), world.has("a")), (false, true));
    let now = world.now;
    assert!(
        world
            .ledger
            .find(live, &"a", Purpose::Asked, true, now)
            .is_some()
    );
    assert_eq!(
        (world.bytes(live), world.bytes(a)),
        (10, 0),
        "who holds it pays"
    );
}

#[test]
fn what_nobody_holds_runs_out() {
    let mut world = World::new();
    let live = world.enter(true);
    let (expires, reserved) = (world.now, world.ledger.reserve(live, Purpose::Asked));
    let arrival = Arrival {
        key: "l",
        bytes: Bytes::from_static(SEGMENT),
        purpose: Purpose::Asked,
        is_held: false,
        expires: Some(expires),
    };
    world.ledger.settle(live, reserved.unwrap(), Some(arrival));
    assert!(world.has("l"));
    assert!(
        world
            .ledger
            .find(live, &"l", Purpose::Asked, false, expires)
            .is_none()
    );
    world.check();
}

#[test]
fn a_fetch_that_fails_or_outlives_its_channel_leaves_nothing() {
    let mut world = World::new();
    let (a, b) = (world.enter(false), world.enter(false));
    let reserved = world.ledger.reserve(a, Purpose::Asked).unwrap();
    assert_eq!(world.bytes(a), 10);
    world.ledger.settle(a, reserved, None);
    assert_eq!(world.ledger.bytes, 0);
    let reserved = world.ledger.reserve(b, Purpose::Asked).unwrap();
    world.ledger.leave(b);
    world.ledger.settle(b, reserved, None);
    assert_eq!(world.ledger.bytes, 0);
}

#[test]
fn a_stream_that_ends_is_a_live_window_no_more() {
    let mut world = World::new();
    let (live, a) = (world.enter(true), world.enter(false));
    let moment = world.now;
    world.fill(
        live,
        &["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9"],
        |age| Purpose::Live {
            listed_at: moment + std::time::Duration::from_secs(100 - age),
        },
    );
    world.ledger.set_live(live, false);
    world.check();
    assert!(
        world.fetch(a, "a0", Purpose::Ahead),
        "what nobody asks for any more goes first"
    );
}
