//! Media playlists.

use super::attributes::Attributes;
use super::edge;
use super::lines::{Flaw, Line, lines};
use super::number::{milliseconds, signed_milliseconds};
use super::scope::Scope;
use super::segments::Segments;
use crate::{Address, Context, Edge, ManifestError, Media, PlaylistKind, ServerControl, Start};

pub(crate) fn media(
    text: &str,
    base: &Address,
    context: Context<'_>,
) -> Result<Media, ManifestError> {
    read(text, base, context).map_err(|flaw| ManifestError::Hls(*flaw))
}

fn read(text: &str, base: &Address, context: Context<'_>) -> Result<Media, Flaw> {
    let mut reader = Reader {
        scope: Scope::new(base, context.variables),
        previous: context.previous,
        segments: Segments::new(text),
        media: Media {
            url: base.clone(),
            live: true,
            kind: PlaylistKind::Sliding,
            target_duration_ms: 0,
            media_sequence: 0,
            discontinuity_sequence: 0,
            independent_segments: false,
            start: None,
            segments: Vec::new(),
            inits: Vec::new(),
            server: ServerControl::default(),
            edge: Edge::default(),
        },
    };
    for line in lines(text) {
        reader.line(line?)?;
    }
    Ok(reader.finish())
}

struct Reader<'a> {
    scope: Scope<'a>,
    previous: Option<&'a Media>,
    segments: Segments,
    media: Media,
}

impl Reader<'_> {
    fn line(&mut self, line: Line<'_>) -> Result<(), Flaw> {
        let Some((tag, value)) = line.tag() else {
            return self.segments.end(&self.scope, line);
        };
        let value = value.trim_ascii();
        let attributes = Attributes(value);
        match tag {
            "EXT-X-TARGETDURATION" => {
                self.media.target_duration_ms = milliseconds(value)
                    .ok_or_else(|| line.fault("a number of seconds", "correct the packager"))?;
            }
            "EXT-X-MEDIA-SEQUENCE" => self.media.media_sequence = integer(line, value)?,
            "EXT-X-DISCONTINUITY-SEQUENCE" => {
                self.media.discontinuity_sequence = value.parse().unwrap_or(0);
            }
            "EXT-X-ENDLIST" => self.media.live = false,
            "EXT-X-PLAYLIST-TYPE" => self.media.kind = kind(value),
            "EXT-X-INDEPENDENT-SEGMENTS" => self.media.independent_segments = true,
            "EXT-X-START" => self.media.start = start(attributes),
            "EXT-X-I-FRAMES-ONLY" => {
                return Err(line.fault(
                    "segments to play, not I-frames for winding",
                    "give the address of the multivariant playlist",
                ));
            }
            "EXT-X-DEFINE" => self.scope.define(line, attributes)?,
            "EXT-X-SKIP" => {
                let sequence = self.media.media_sequence;
                self.segments
                    .skip(line, attributes, sequence, self.previous)?;
            }
            _ => {
                if !self.segments.tag(&self.scope, line, tag, value)? {
                    edge::tag(&mut self.media, &self.scope, line, tag)?;
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Media {
        self.segments.finish(&mut self.media);
        self.media
    }
}

fn integer(line: Line<'_>, value: &str) -> Result<u64, Flaw> {
    value
        .parse()
        .map_err(|_| line.fault("a whole number", "correct the packager"))
}

fn kind(value: &str) -> PlaylistKind {
    match value {
        "EVENT" => PlaylistKind::Event,
        "VOD" => PlaylistKind::Vod,
        _ => PlaylistKind::Sliding,
    }
}

/// EXT-X-START, of either kind of playlist.
pub(super) fn start(attributes: Attributes<'_>) -> Option<Start> {
    Some(Start {
        offset_ms: signed_milliseconds(attributes.get("TIME-OFFSET")?)?,
        precise: attributes.says_yes("PRECISE"),
    })
}
