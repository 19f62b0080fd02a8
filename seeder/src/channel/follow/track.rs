//! A stream of either kind of manifest, and whether it is one to seed.

use beekeepr_model::{Generation, InfoHash, StreamKind};
use beekeepr_playlist::{Stream, dash};

use crate::config::Renditions;
use crate::origin::OriginError;

/// Of a manifest's renditions so many are named in an error.
const NAMED_MAX: usize = 12;

/// A stream to seed.
#[derive(Debug)]
pub(crate) struct Track {
    /// Whether it has the picture, or is all there is.
    is_main: bool,
    bitrate: u64,
    height: u32,
    /// Representation@id.
    id: String,
    name: Name,
}

#[derive(Debug)]
enum Name {
    Hls(Box<Stream>),
    Dash(Box<dash::Stream>),
}

impl Track {
    pub(crate) fn of_hls(stream: Stream) -> Self {
        Self {
            is_main: stream.kind == StreamKind::Main,
            bitrate: stream.properties.bitrate,
            height: stream.properties.height,
            id: String::new(),
            name: Name::Hls(Box::new(stream)),
        }
    }

    pub(crate) fn of_dash(stream: &dash::Stream) -> Self {
        Self {
            is_main: stream.kind(Generation::V2) == StreamKind::Main,
            bitrate: stream.bandwidth,
            height: stream.properties(Generation::V3).height,
            id: stream.id.clone(),
            name: Name::Dash(Box::new(stream.clone())),
        }
    }

    /// Its swarm among clients of one generation; none when they do not know it for a stream.
    pub(crate) fn info_hash(&self, generation: Generation, swarm_id: &str) -> Option<InfoHash> {
        match &self.name {
            Name::Hls(stream) => stream.info_hash(generation, swarm_id),
            Name::Dash(stream) => Some(stream.info_hash(generation, swarm_id)),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        name == self.id
            || name == self.bitrate.to_string()
            || name.strip_suffix('p') == Some(&self.height.to_string())
    }

    fn describe(&self) -> String {
        match (self.id.is_empty(), self.height) {
            (false, _) => self.id.clone(),
            (true, 0) => self.bitrate.to_string(),
            (true, height) => format!("{height}p"),
        }
    }
}

/// Which tracks are to be seeded, in their order. Those beside the picture always are.
pub(crate) fn chosen(renditions: &Renditions, tracks: &[Track]) -> Result<Vec<bool>, OriginError> {
    let mains = || tracks.iter().filter(|track| track.is_main);
    let top = mains().map(|track| track.bitrate).max();
    let is_chosen = |track: &Track| match renditions {
        Renditions::All => true,
        Renditions::Top => Some(track.bitrate) == top,
        Renditions::List(names) => names.iter().any(|name| track.is_called(name)),
    };
    if mains().next().is_some() && !mains().any(is_chosen) {
        let wanted = match renditions {
            Renditions::All | Renditions::Top => String::new(),
            Renditions::List(names) => names.join(", "),
        };
        let listed: Vec<String> = mains().take(NAMED_MAX).map(Track::describe).collect();
        return Err(OriginError::NoRendition {
            wanted,
            listed: listed.join(", "),
        });
    }
    Ok(tracks
        .iter()
        .map(|it| !it.is_main || is_chosen(it))
        .collect())
}

#[cfg(test)]
mod tests {
    use beekeepr_playlist::{Manifest, read};

    use super::*;

    const MASTER: &str = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"en.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,AUDIO=\"a\"\nlow.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1700000,RESOLUTION=1280x720,AUDIO=\"a\"\nhigh.m3u8\n";

    fn seeded(renditions: &Renditions) -> Result<Vec<bool>, OriginError> {
        let Ok(Manifest::Multivariant(listed)) = read(MASTER.as_bytes(), "http://o.example/m.m3u8")
        else {
            panic!("expected a multivariant playlist");
        };
        let tracks: Vec<Track> = listed.streams.into_iter().map(Track::of_hls).collect();
        chosen(renditions, &tracks)
    }

    fn list(names: &[&str]) -> Renditions {
        Renditions::List(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn audio_is_seeded_whatever_is_chosen_of_the_picture() {
        assert_eq!(seeded(&Renditions::All), Ok(vec![true, true, true]));
        assert_eq!(seeded(&Renditions::Top), Ok(vec![false, true, true]));
        assert_eq!(seeded(&list(&["360p"])), Ok(vec![true, false, true]));
        assert_eq!(seeded(&list(&["1700000"])), Ok(vec![false, true, true]));
    }

    #[test]
    fn a_list_that_names_nothing_is_an_error_that_names_what_there_is() {
        let error = seeded(&list(&["1080p"])).unwrap_err().to_string();
        assert!(
            error.contains("1080p") && error.contains("360p, 720p"),
            "{error}"
        );
    }
}
