//! What is counted while a world runs.

/// Second by second.
#[derive(Debug, Default)]
pub(crate) struct Series {
    start_ms: u64,
    seconds: Vec<Second>,
}

/// What happened in one second. Bytes of the origin count when they leave it, those of peers when they arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// From the origin to viewers.
    pub origin_bytes: u64,
    /// From the origin to super-peers.
    pub seed_bytes: u64,
    /// From viewer to viewer.
    pub viewer_bytes: u64,
    /// From super-peers to viewers.
    pub super_peer_bytes: u64,
    /// Viewers that are there, at its end.
    pub viewers: u32,
    /// Time that viewers stood still, as far as the stalls ended here.
    pub stalled_ms: u64,
}

impl Series {
    pub(crate) fn new(start_ms: u64) -> Self {
        Self {
            start_ms,
            seconds: Vec::new(),
        }
    }

    /// The second that a millisecond is in.
    pub(crate) fn at(&mut self, now_ms: u64) -> &mut Second {
        let place = (now_ms.saturating_sub(self.start_ms) / 1_000) as usize;
        if place >= self.seconds.len() {
            let viewers = self.seconds.last().map_or(0, |last| last.viewers);
            let like_before = Second {
                viewers,
                ..Second::default()
            };
            self.seconds.resize(place + 1, like_before);
        }
        &mut self.seconds[place]
    }

    pub(crate) fn seconds(&self) -> &[Second] {
        &self.seconds
    }
}

/// Bytes handed to channels, and what became of them. Nothing may be lost between these books.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Books {
    pub(crate) sent: u64,
    /// Arrived and were asked for.
    pub(crate) taken: u64,
    /// Arrived where nobody waits for them any more.
    pub(crate) thrown: u64,
    /// Were on their way when the channel closed.
    pub(crate) lost: u64,
    pub(crate) on_the_way: u64,
    pub(crate) origin_sent: u64,
    pub(crate) origin_taken: u64,
    pub(crate) origin_thrown: u64,
    pub(crate) origin_on_the_way: u64,
}

impl Books {
    /// Says what does not add up.
    pub(crate) fn check(&self) -> Result<(), String> {
        let peers = self.taken + self.thrown + self.lost + self.on_the_way;
        let origin = self.origin_taken + self.origin_thrown + self.origin_on_the_way;
        if (peers, origin) == (self.sent, self.origin_sent) {
            return Ok(());
        }
        Err(format!("bytes appeared or vanished: {self:?}"))
    }
}
