//! The embedded clip: its renditions and their segments, read from its playlists.

use std::str;

use super::live::Ring;
use crate::web::assets;

/// The clip, made by `cargo xtask media`.
#[derive(Debug)]
pub(crate) struct Clip {
    /// The master playlist; its addresses are relative, so it serves live and on demand alike.
    pub(crate) master: &'static [u8],
    renditions: Vec<Rendition>,
}

/// One quality of the clip.
#[derive(Debug)]
pub(crate) struct Rendition {
    /// The folder's name, `360p` for example.
    pub(crate) name: &'static str,
    /// The loop on the clock.
    pub(crate) ring: Ring,
    segments: Vec<&'static [u8]>,
}

impl Clip {
    /// Reads the embedded files. `None` when they are not those that `cargo xtask media` makes,
    /// which a test rules out.
    pub(crate) fn embedded() -> Option<Self> {
        let master = assets::find("demo/vod/master.m3u8")?;
        let lines = str::from_utf8(master).ok()?.lines();
        let playlists = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let renditions = playlists.map(Rendition::read).collect::<Option<_>>()?;
        Some(Self { master, renditions })
    }

    /// The rendition of this name.
    pub(crate) fn rendition(&self, name: &str) -> Option<&Rendition> {
        self.renditions
            .iter()
            .find(|rendition| rendition.name == name)
    }
}

impl Rendition {
    fn read(playlist: &'static str) -> Option<Self> {
        let (name, _) = playlist.split_once('/')?;
        let text = assets::find(&format!("demo/vod/{playlist}"))?;
        let mut durations_ms = Vec::new();
        let mut segments = Vec::new();
        for line in str::from_utf8(text).ok()?.lines() {
            if let Some(info) = line.strip_prefix("#EXTINF:") {
                durations_ms.push(milliseconds(info.split(',').next()?)?);
            } else if !line.is_empty() && !line.starts_with('#') {
                segments.push(assets::find(&format!("demo/vod/{name}/{line}"))?);
            }
        }
        let is_complete = segments.len() == durations_ms.len();
        let ring = is_complete.then(|| Ring::new(durations_ms)).flatten()?;
        Some(Self {
            name,
            ring,
            segments,
        })
    }

    /// The bytes of live segment `sequence`, once its time has passed.
    pub(crate) fn segment(&self, sequence: u64, now_ms: u64) -> Option<&'static [u8]> {
        if sequence >= self.ring.ended(now_ms) {
            return None;
        }
        let index = usize::try_from(sequence).ok()? % self.segments.len();
        self.segments.get(index).copied()
    }
}

/// `2.000000` in milliseconds; finer digits are cut off.
fn milliseconds(seconds: &str) -> Option<u64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u64>().ok()? * 1000 + thousandths.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_clip_is_complete() {
        let clip = Clip::embedded().unwrap();
        for name in ["360p", "240p"] {
            let rendition = clip.rendition(name).unwrap();
            assert_eq!(rendition.segments.len(), 12);
            assert!(
                rendition
                    .segments
                    .iter()
                    .all(|segment| segment.first() == Some(&0x47))
            );
        }
        assert!(clip.rendition("1080p").is_none());
    }

    #[test]
    fn the_declared_bandwidth_is_the_true_peak() {
        let clip = Clip::embedded().unwrap();
        let master = str::from_utf8(clip.master).unwrap();
        let mut lines = master.lines();
        while let Some(line) = lines.next() {
            let Some(info) = line.strip_prefix("#EXT-X-STREAM-INF:BANDWIDTH=") else {
                continue;
            };
            let declared: usize = info.split(',').next().unwrap().parse().unwrap();
            let name = lines.next().unwrap().split('/').next().unwrap();
            let segments = &clip.rendition(name).unwrap().segments;
            let peak = segments
                .iter()
                .map(|segment| segment.len() * 8 / 2)
                .max()
                .unwrap();
            assert_eq!(declared, peak, "{name}");
        }
    }

    #[test]
    fn live_segments_repeat_with_the_loop_and_never_come_early() {
        let clip = Clip::embedded().unwrap();
        let rendition = clip.rendition("360p").unwrap();
        let now_ms = 1_800_000_000_000;
        let next = rendition.ring.ended(now_ms);
        assert!(rendition.segment(next, now_ms).is_none());
        assert_eq!(
            rendition.segment(next - 1, now_ms),
            rendition.segment(next - 13, now_ms)
        );
        assert_ne!(
            rendition.segment(next - 1, now_ms),
            rendition.segment(next - 2, now_ms)
        );
    }

    #[test]
    fn durations_are_read_to_the_millisecond() {
        assert_eq!(milliseconds("2.000000"), Some(2000));
        assert_eq!(milliseconds("1.92"), Some(1920));
        assert_eq!(milliseconds("3"), Some(3000));
        assert_eq!(milliseconds("x"), None);
    }
}
