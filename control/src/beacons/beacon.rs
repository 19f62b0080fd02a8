//! What a viewer reports (docs/protocol/beacons.md).

use serde::Deserialize;

/// The only version there is.
const VERSION: u32 = 1;

/// Characters of a session's name: enough that two viewers draw different ones.
const SESSION_CHARS: std::ops::RangeInclusive<usize> = 8..=40;

/// Bytes of a swarm id at most; an address with parameters.
const SWARM_BYTES_MAX: usize = 2_048;

/// What JavaScript counts exactly.
const NUMBER_MAX: u64 = 1 << 53;

/// A report: what came of a session so far, so that a lost one is made good by the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Beacon {
    /// Version of this format.
    pub v: u32,
    /// The swarm id.
    pub c: String,
    /// The session: drawn at random when the player is made, and told to nobody else.
    pub s: String,
    /// Which report of the session, from 0.
    pub n: u64,
    /// Of how many viewers one reports; 1 for all.
    #[serde(default = "one")]
    pub r: u32,
    /// Milliseconds that the player has been there.
    pub t: u64,
    /// Bytes over HTTP.
    #[serde(default)]
    pub h: u64,
    /// Bytes from viewers.
    #[serde(default)]
    pub p: u64,
    /// Bytes from super-peers.
    #[serde(default)]
    pub sp: u64,
    /// Bytes to others.
    #[serde(default)]
    pub u: u64,
    /// Times that playback stood still.
    #[serde(default)]
    pub st: u64,
    /// For how long in all, in milliseconds.
    #[serde(default)]
    pub sm: u64,
    /// Milliseconds to the first frame; absent before.
    #[serde(default)]
    pub f: Option<u64>,
    /// Lines of the rendition that plays now; 0 when unknown.
    #[serde(default)]
    pub l: u32,
    /// Whether it is the last report.
    #[serde(default)]
    pub e: bool,
}

fn one() -> u32 {
    1
}

impl Beacon {
    /// Reads a report; `None` when it is none, whatever is wrong with it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let beacon: Self = serde_json::from_slice(bytes).ok()?;
        let is_name = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
        let numbers = [
            beacon.n, beacon.t, beacon.h, beacon.p, beacon.sp, beacon.u, beacon.st, beacon.sm,
        ];
        let is_good = beacon.v == VERSION
            && SESSION_CHARS.contains(&beacon.s.len())
            && beacon.s.chars().all(is_name)
            && beacon.c.len() <= SWARM_BYTES_MAX
            && beacon.r >= 1
            && numbers
                .into_iter()
                .chain(beacon.f)
                .all(|it| it < NUMBER_MAX);
        is_good.then_some(beacon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_needs_little_and_may_have_more() {
        let beacon = Beacon::read(br#"{"v":1,"c":"tv","s":"abcdefgh","n":0,"t":10,"later":[1]}"#);
        assert_eq!(beacon.map(|it| (it.r, it.h, it.f)), Some((1, 0, None)));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for wrong in [
            "",
            "[]",
            r#"{"v":2,"c":"tv","s":"abcdefgh","n":0,"t":10}"#,
            r#"{"v":1,"c":"tv","s":"short","n":0,"t":10}"#,
            r#"{"v":1,"c":"tv","s":"abc def ghi","n":0,"t":10}"#,
            r#"{"v":1,"c":"tv","s":"abcdefgh","n":0,"t":-1}"#,
            r#"{"v":1,"c":"tv","s":"abcdefgh","n":0,"t":10,"h":9007199254740993}"#,
            r#"{"v":1,"c":"tv","s":"abcdefgh","n":0,"t":10,"r":0}"#,
        ] {
            assert_eq!(Beacon::read(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
