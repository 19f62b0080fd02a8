//! HLS: a multivariant playlist and its media playlists, or a media playlist alone.

use std::pin::pin;
use std::time::Duration;

use beekeepr_playlist::{Manifest, Media, Multivariant, Stream, Variables};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::sleep;
use url::Url;

use super::redundant::{Group, groups, mirrors};
use super::track::chosen;
use super::{
    FAILURES_MAX, Follower, Listing, Loaded, News, REFRESH, RETRY_FIRST, RETRY_MAX, Track,
    Unwanted, url_of,
};
use crate::origin::OriginError;

/// A server holds its answer back for at most three target durations (RFC 8216bis, 6.2.5.2); longer than this none is
/// waited for, so that a dead connection is found out.
const HELD_MAX: Duration = Duration::from_secs(20);

/// Between two looks at a live playlist.
const POLL_MIN: Duration = Duration::from_millis(500);
const POLL_MAX: Duration = Duration::from_secs(5);
/// The same when a new segment is due: it shall be announced within 300 ms.
const POLL_DUE: Duration = Duration::from_millis(100);
/// So many times, which is for segments that come on time; then less often.
const DUE_MAX: u32 = 8;
const POLL_OFTEN: Duration = Duration::from_millis(200);
/// Looks that bring nothing new before a playlist counts as stopped: 5.6 s, a usual segment.
const UNCHANGED_MAX: u32 = 32;

/// How following a playlist came to its end.
enum End {
    /// The playlist says that nothing more will come.
    Complete,
    /// It failed too often.
    Lost,
}

/// A media playlist to follow, and those that stand in for it.
struct Playlist {
    group: Group,
    /// When it was read just now.
    known: Option<Media>,
}

impl Follower {
    /// Follows the streams of a multivariant playlist. Returns when the manifest has to be read again, with another one
    /// when it was.
    pub(super) async fn follow_variants(
        &self,
        listed: Multivariant,
        from: Url,
    ) -> Result<Option<Loaded>, Unwanted> {
        let Some((tracks, playlists)) = self.choose(&listed) else {
            sleep(REFRESH).await;
            return Ok(None);
        };
        self.tell_streams(tracks, &from).await?;
        let refresh = self.another_ladder(&listed.streams);
        self.follow_playlists(playlists, &listed.variables, refresh)
            .await
    }

    /// Follows a media playlist that no other one lists.
    pub(super) async fn follow_media(
        &self,
        media: Media,
        from: Url,
    ) -> Result<Option<Loaded>, Unwanted> {
        let track = Track::of_hls(Stream::lone(media.url.clone()));
        self.tell_streams(vec![track], &from).await?;
        let playlist = Playlist {
            group: Group {
                streams: vec![0],
                urls: vec![from],
            },
            known: Some(media),
        };
        let never = std::future::pending();
        self.follow_playlists(vec![playlist], &Variables::default(), never)
            .await
    }

    /// The tracks to seed and where they are; none if the configuration wants others than there are.
    fn choose(&self, listed: &Multivariant) -> Option<(Vec<Track>, Vec<Playlist>)> {
        let tracks = listed.streams.iter().cloned().map(Track::of_hls);
        let tracks: Vec<Track> = tracks.collect();
        let is_chosen = match chosen(&self.renditions, &tracks) {
            Ok(is_chosen) => is_chosen,
            Err(error) => {
                self.failed(&self.manifest, &error);
                return None;
            }
        };
        let pairs = tracks.into_iter().zip(&listed.streams).zip(is_chosen);
        let seeded = pairs.filter(|(_, is_chosen)| *is_chosen);
        let seeded = seeded.filter_map(|((track, stream), _)| Some((track, url_of(&stream.url)?)));
        let (tracks, urls): (Vec<_>, Vec<_>) = seeded.unzip();
        let groups = groups(&tracks, &urls).into_iter();
        let playlists = groups.map(|group| Playlist { group, known: None });
        Some((tracks, playlists.collect()))
    }

    async fn follow_playlists(
        &self,
        playlists: Vec<Playlist>,
        variables: &Variables,
        refresh: impl Future<Output = Loaded>,
    ) -> Result<Option<Loaded>, Unwanted> {
        let urls = playlists.iter().flat_map(|it| &it.group.urls);
        let mut urls: Vec<Url> = urls.cloned().collect();
        urls.push(self.manifest.clone());
        self.health.keep(&urls);
        let mut running: FuturesUnordered<_> = playlists
            .into_iter()
            .map(|playlist| self.follow_playlist(playlist, variables))
            .collect();
        let mut refresh = pin!(refresh);
        let mut stale = pin!(self.is_stale());
        loop {
            tokio::select! {
                Some(end) = running.next() => match end? {
                    End::Complete => {}
                    End::Lost => return Ok(None),
                },
                loaded = &mut refresh, if !running.is_empty() => return Ok(Some(loaded)),
                () = &mut stale => return Ok(None),
                () = self.news.closed() => return Err(Unwanted),
            }
        }
    }

    /// The multivariant playlist once it lists other streams than it did, or is none any more.
    async fn another_ladder(&self, known: &[Stream]) -> Loaded {
        loop {
            sleep(REFRESH).await;
            // Without its answer what is known still serves.
            let Ok((manifest, url)) = self.load(&self.manifest, None, Duration::ZERO).await else {
                continue;
            };
            let is_same = match &manifest {
                Manifest::Multivariant(listed) => is_same_ladder(known, &listed.streams),
                Manifest::Media(_) | Manifest::Dash(_) => false,
            };
            if !is_same {
                return (manifest, url);
            }
        }
    }

    async fn follow_playlist(
        &self,
        playlist: Playlist,
        variables: &Variables,
    ) -> Result<End, Unwanted> {
        let Playlist { group, mut known } = playlist;
        // Which of the playlists is read: the next one when it fails.
        let mut place = 0;
        let failures_max = FAILURES_MAX * group.urls.len() as u32;
        let mut backoff = self.backoff.clone();
        let mut failures = 0;
        // What the next request waits for, and how long.
        let mut hold: Option<(u64, Duration)> = None;
        let (mut newest, mut unchanged) = (None, 0_u32);
        loop {
            let Some(url) = group.urls.get(place) else {
                return Ok(End::Lost);
            };
            let outcome = match known.take() {
                Some(media) => Ok(media),
                None => self.playlist(url, hold, variables).await,
            };
            let wait = match outcome {
                Ok(media) => {
                    failures = 0;
                    backoff.reset();
                    let end = media
                        .media_sequence
                        .saturating_add(media.segments.len() as u64);
                    let before = newest.replace(end);
                    let is_new = before < Some(end);
                    // The first reading does not tell how long ago the newest segment came.
                    unchanged = if is_new && before.is_some() {
                        0
                    } else {
                        unchanged.saturating_add(1)
                    };
                    // A server that answers at once with nothing new does not hold, whatever it says.
                    hold = held(&media).filter(|_| is_new).map(|time| (end, time));
                    let (is_live, wait) = (media.live, poll_interval(&media, unchanged));
                    self.tell_of(&group, place, media).await?;
                    if !is_live {
                        return Ok(End::Complete);
                    }
                    wait
                }
                Err(_) => {
                    hold = None;
                    failures += 1;
                    place = (place + 1) % group.urls.len();
                    if failures == failures_max {
                        // Also the wait before the manifest is read again.
                        sleep(backoff.wait(RETRY_FIRST, RETRY_MAX)).await;
                        return Ok(End::Lost);
                    }
                    match place {
                        // All have failed.
                        0 => backoff.wait(RETRY_FIRST, RETRY_MAX),
                        _ => Duration::ZERO,
                    }
                }
            };
            if hold.is_none() {
                sleep(wait).await;
            }
        }
    }

    /// Tells what a playlist lists to all streams that it stands for.
    async fn tell_of(&self, group: &Group, place: usize, media: Media) -> Result<(), Unwanted> {
        let mut others = group.urls.clone();
        let from = others.remove(place);
        // That another one failed harms nobody while this one is there.
        others.iter().for_each(|url| self.health.works(url));
        let mirrors = mirrors(&media, &from, &others);
        let listing = Listing {
            is_live: media.live,
            is_timed: false,
            origin_ms: None,
            segments: media.segments,
            mirrors,
        };
        let Some((&last, rest)) = group.streams.split_last() else {
            return Ok(());
        };
        for &stream in rest {
            self.tell(News::Listing(stream, listing.clone())).await?;
        }
        self.tell(News::Listing(last, listing)).await
    }

    async fn playlist(
        &self,
        url: &Url,
        hold: Option<(u64, Duration)>,
        variables: &Variables,
    ) -> Result<Media, OriginError> {
        let mut asked = url.clone();
        if let Some((sequence, _)) = hold {
            // RFC 8216bis, 6.2.5.2. Without _HLS_part the whole segment is waited for, which is what is shared.
            asked
                .query_pairs_mut()
                .append_pair("_HLS_msn", &sequence.to_string());
        }
        let time = hold.map_or(Duration::ZERO, |(_, time)| time);
        match self.load(&asked, Some(variables), time).await? {
            (Manifest::Media(media), _) => Ok(media),
            (Manifest::Multivariant(_) | Manifest::Dash(_), url) => {
                let error = OriginError::NotMedia;
                self.failed(&url, &error);
                Err(error)
            }
        }
    }
}

fn is_same_ladder(known: &[Stream], listed: &[Stream]) -> bool {
    let is_same = |(one, other): (&Stream, &Stream)| {
        // Queries carry tokens that are new each time.
        let path =
            |stream: &Stream| url_of(&stream.url).map(|url| crate::config::without_query(&url));
        one.is_named_like(other) && path(one) == path(other)
    };
    known.len() == listed.len() && known.iter().zip(listed).all(is_same)
}

/// How long the server may hold back its answer until there is a new segment, if it can do that.
fn held(media: &Media) -> Option<Duration> {
    let can = media.live && media.server.can_block_reload;
    let three_targets = Duration::from_millis(media.target_duration_ms.saturating_mul(3));
    can.then(|| three_targets.min(HELD_MAX))
}

/// When to look again. After a new segment the next one is a segment's length away, so nothing is asked for seven eighths
/// of it; then a new one shall be known before viewers who poll as RFC 8216 asks (6.3.4) have read of it. A playlist that
/// has stopped is looked at as viewers do.
fn poll_interval(media: &Media, unchanged: u32) -> Duration {
    let last_ms = media.segments.last().map(|segment| segment.duration_ms);
    let target_ms = media.target_duration_ms;
    match unchanged {
        0 => {
            Duration::from_millis(last_ms.unwrap_or(target_ms) / 8 * 7).clamp(POLL_OFTEN, POLL_MAX)
        }
        unchanged if unchanged <= DUE_MAX => POLL_DUE,
        unchanged if unchanged <= UNCHANGED_MAX => POLL_OFTEN,
        _ => Duration::from_millis(target_ms / 2).clamp(POLL_MIN, POLL_MAX),
    }
}

#[cfg(test)]
mod tests {
    use beekeepr_playlist::read;

    use super::*;

    fn streams(variants: &[(&str, u32)]) -> Vec<Stream> {
        let mut text = "#EXTM3U\n".to_owned();
        for (address, height) in variants {
            text.push_str(&format!(
                "#EXT-X-STREAM-INF:BANDWIDTH={height}000,RESOLUTION=100x{height}\n{address}\n"
            ));
        }
        let Ok(Manifest::Multivariant(listed)) = read(text.as_bytes(), "http://o.example/m.m3u8")
        else {
            panic!("expected a multivariant playlist");
        };
        listed.streams
    }

    #[test]
    fn another_rendition_or_address_is_another_ladder_and_another_token_is_none() {
        let known = streams(&[("a.m3u8?t=1", 360), ("b.m3u8", 720)]);
        let is_same = |variants: &[_]| is_same_ladder(&known, &streams(variants));
        assert!(is_same(&[("a.m3u8?t=2", 360), ("b.m3u8", 720)]));
        assert!(!is_same(&[("a.m3u8?t=1", 360)]));
        assert!(!is_same(&[("a.m3u8?t=1", 360), ("b.m3u8", 1080)]));
        assert!(!is_same(&[("a.m3u8?t=1", 360), ("c.m3u8", 720)]));
    }

    #[test]
    fn a_playlist_is_looked_at_when_a_segment_is_due_and_seldom_when_none_comes() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:4,\na.ts\n";
        let Ok(Manifest::Media(media)) = read(text.as_bytes(), "http://o.example/a.m3u8") else {
            panic!("expected a media playlist");
        };
        let wait_ms = |unchanged| poll_interval(&media, unchanged).as_millis();
        assert_eq!([0, 1, UNCHANGED_MAX].map(wait_ms), [3_500, 100, 200]);
        assert_eq!(wait_ms(UNCHANGED_MAX + 1), 4_000);
    }

    #[test]
    fn a_server_is_let_wait_for_three_segments_but_not_for_ever() {
        let media = |target: u32, more: &str| {
            let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n{more}");
            match read(text.as_bytes(), "http://o.example/a.m3u8") {
                Ok(Manifest::Media(media)) => held(&media),
                _ => panic!("expected a media playlist"),
            }
        };
        let can = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n";
        assert_eq!(media(2, can), Some(Duration::from_secs(6)));
        assert_eq!(media(30, can), Some(HELD_MAX));
        assert_eq!(media(2, ""), None);
        assert_eq!(media(2, &format!("{can}#EXT-X-ENDLIST\n")), None);
    }
}
