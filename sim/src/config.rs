//! What a world is like.
//!
//! Durations are milliseconds, rates bits per second, times are counted from the world's start.

use beekeepr_engine as engine;

/// Everything that, with the seed, decides what happens.
#[derive(Clone, Debug)]
pub struct Config {
    /// Decides every chance.
    pub seed: u64,
    /// How long the world runs.
    pub duration_ms: u64,
    /// What is left out of the shares, peaks and uploads in the report: until viewers have met.
    pub warm_ms: u64,
    /// Whether viewers share at all.
    pub mode: Mode,
    /// What is watched.
    pub media: Media,
    /// Who watches, and for how long.
    pub audience: Audience,
    /// How viewers are connected.
    pub lines: Lines,
    /// Who can reach whom.
    pub nat: NatMix,
    /// Where segments come from.
    pub origin: Origin,
    /// Who introduces viewers to each other.
    pub tracker: Tracker,
    /// The operator's own peers.
    pub super_peers: SuperPeers,
    /// The settings of every viewer's engine; `role` and `trackers` are set by the world.
    pub engine: engine::Config,
    /// Verify the invariants of a node after everything that happens to it, and read every command.
    pub audit: bool,
}

/// How viewers load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By the engine, from peers and over HTTP.
    Hybrid,
    /// By a player that knows nothing but HTTP: what any other mode is compared with.
    Plain,
}

/// What is watched.
#[derive(Clone, Debug)]
pub struct Media {
    /// How segments appear.
    pub kind: Kind,
    /// Duration of a segment.
    pub segment_ms: u64,
    /// Bits per second of each rendition, the lowest first.
    pub ladder: Vec<u64>,
    /// By how much a segment may be smaller or larger than its rendition says, in percent.
    pub vary_percent: u64,
}

/// Live or on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A segment appears when its time is over.
    Live {
        /// Segments in the playlist.
        window: u64,
        /// How many segments behind the newest players sit; `None` for as far as the playlist allows, which is
        /// what our player adapters choose.
        sync: Option<u64>,
    },
    /// All segments are there from the beginning.
    OnDemand {
        /// How many.
        segments: u64,
    },
}

/// Who watches.
#[derive(Clone, Debug)]
pub struct Audience {
    /// How many come in all.
    pub viewers: u32,
    /// They come evenly over this time.
    pub join_ms: u64,
    /// They stay for this time on average, exponentially distributed; 0 for to the end.
    pub stay_ms: u64,
    /// Whoever leaves is followed by a new viewer at once, so that the number stays.
    pub replace: bool,
    /// At some moment a part of all leaves.
    pub mass_leave: Option<MassLeave>,
    /// Of those who leave, the part that is gone without a word.
    pub crash_share: f64,
    /// On demand: a viewer seeks once in this time on average; 0 for never.
    pub seek_ms: u64,
    /// On demand: viewers begin anywhere within so many segments.
    pub spread_segments: u64,
    /// The part that plays at one and a half of the speed.
    pub quick_share: f64,
    /// The part that gives others wrong bytes.
    pub polluter_share: f64,
    /// What a player needs for a segment before it asks for the next one: demultiplexing and appending.
    pub append_ms: u64,
    /// When everybody's player changes to the rendition with this number.
    pub switch: Option<(u64, usize)>,
}

/// Many leave at once.
#[derive(Clone, Copy, Debug)]
pub struct MassLeave {
    /// When.
    pub at_ms: u64,
    /// Which part of those who are there.
    pub share: f64,
}

/// How viewers are connected.
#[derive(Clone, Debug)]
pub struct Lines {
    /// Kinds of lines with their weights.
    pub classes: Vec<LineClass>,
    /// Viewers are in so many regions, each as likely as any other.
    pub regions: u8,
    /// One way from a viewer to its region's exchange: least and most.
    pub last_mile_ms: (u64, u64),
    /// One way from a region to the next one; each further one adds as much.
    pub far_ms: u64,
    /// Packets lost, as a part of all.
    pub loss: f64,
}

/// A kind of line.
#[derive(Clone, Copy, Debug)]
pub struct LineClass {
    /// How many viewers have it, in proportion to other kinds.
    pub weight: u32,
    /// From the viewer.
    pub up_bps: u64,
    /// To the viewer.
    pub down_bps: u64,
}

/// Who can reach whom.
#[derive(Clone, Copy, Debug)]
pub struct NatMix {
    /// The part with a public address or a router that lets everybody answer.
    pub open: f64,
    /// The part behind symmetric NAT: reaches only those in the open.
    pub symmetric: f64,
    /// The part whose network lets no UDP through.
    pub blocked: f64,
    /// Of pairs of viewers that could connect, the part that does. Super-peers have public addresses.
    pub pair_success: f64,
}

/// Where segments come from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// For all requests together; 0 for no limit.
    pub egress_bps: u64,
    /// From the request's arrival to the first byte.
    pub latency_ms: u64,
    /// Requests at a time; more are answered with 503. 0 for no limit.
    pub requests_max: u32,
    /// What goes wrong when.
    pub faults: Vec<Fault>,
}

/// A fault of the origin.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// From this time on.
    pub from_ms: u64,
    /// Until then.
    pub to_ms: u64,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What can be wrong with an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Every request is answered with this status, playlists too.
    Status(u16),
    /// Nothing is answered, and what was begun stops.
    Hang,
    /// Each response comes no faster than this.
    Slow(u64),
}

/// Who introduces viewers to each other.
#[derive(Clone, Debug)]
pub struct Tracker {
    /// How often clients are told to announce, in seconds.
    pub interval_s: u32,
    /// Whether it knows which region a viewer is in.
    pub knows_regions: bool,
    /// From when to when it is dead. It comes back knowing nobody.
    pub down: Vec<(u64, u64)>,
}

/// The operator's own peers.
#[derive(Clone, Debug)]
pub struct SuperPeers {
    /// How many.
    pub count: u32,
    /// What each may send.
    pub up_bps: u64,
    /// As how many peers each takes part, so that a viewer can take several segments at a time.
    pub logical: u32,
    /// Viewers that each logical peer meets.
    pub peers_max: u32,
    /// When all of them die.
    pub die_at_ms: Option<u64>,
}

/// One Mbit/s.
pub const MBPS: u64 = 1_000_000;

impl Default for Config {
    /// Ten minutes of a live stream with ordinary lines and no trouble.
    fn default() -> Self {
        Self {
            seed: 1,
            duration_ms: 600_000,
            warm_ms: 60_000,
            mode: Mode::Hybrid,
            media: Media::default(),
            audience: Audience::default(),
            lines: Lines::default(),
            nat: NatMix::default(),
            origin: Origin::default(),
            tracker: Tracker::default(),
            super_peers: SuperPeers::default(),
            engine: engine::Config::default(),
            audit: false,
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            kind: Kind::Live {
                window: 10,
                sync: None,
            },
            segment_ms: 4_000,
            ladder: vec![5 * MBPS],
            vary_percent: 10,
        }
    }
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            viewers: 100,
            join_ms: 30_000,
            stay_ms: 0,
            replace: false,
            mass_leave: None,
            crash_share: 0.2,
            seek_ms: 0,
            spread_segments: 1,
            quick_share: 0.0,
            polluter_share: 0.0,
            append_ms: 30,
            switch: None,
        }
    }
}

impl Default for Lines {
    /// Fixed lines as they are sold in Europe and North America: the median up is a fifth of the median down.
    fn default() -> Self {
        let class = |weight, up, down| LineClass {
            weight,
            up_bps: up * MBPS,
            down_bps: down * MBPS,
        };
        Self {
            classes: vec![class(3, 10, 50), class(4, 20, 100), class(3, 50, 250)],
            regions: 3,
            last_mile_ms: (3, 15),
            far_ms: 25,
            loss: 0.0,
        }
    }
}

impl Default for NatMix {
    fn default() -> Self {
        Self {
            open: 0.2,
            symmetric: 0.0,
            blocked: 0.0,
            pair_success: 1.0,
        }
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            egress_bps: 0,
            latency_ms: 20,
            requests_max: 0,
            faults: Vec::new(),
        }
    }
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            interval_s: beekeepr_swarm::Config::default().announce_interval_s,
            knows_regions: true,
            down: Vec::new(),
        }
    }
}

impl Default for SuperPeers {
    /// None; those that are asked for are like the seeder as it comes.
    fn default() -> Self {
        Self {
            count: 0,
            up_bps: 1_000 * MBPS,
            logical: 3,
            peers_max: 300,
            die_at_ms: None,
        }
    }
}

impl Config {
    /// The same viewers on the same lines with players that know only HTTP.
    #[must_use]
    pub fn plain(&self) -> Self {
        Self {
            mode: Mode::Plain,
            ..self.clone()
        }
    }
}

impl Media {
    /// Whether segments appear as time goes by.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.kind, Kind::Live { .. })
    }
}
