//! Multivariant playlists.

use super::attributes::Attributes;
use super::generations::{self, Rendition, Variant};
use super::lines::{Flaw, Line, lines};
use super::media::start;
use super::scope::Scope;
use super::segments::encryption;
use crate::{Address, ManifestError, Multivariant, STREAMS_MAX, Steering};

/// Most variants and most renditions that are looked at: 64 streams on eight origins.
const LISTED_MAX: usize = 8 * STREAMS_MAX;

/// Most EXT-X-SESSION-KEY that are kept: one for each DRM system and kind of stream.
const SESSION_KEYS_MAX: usize = 64;

pub(crate) fn multivariant(text: &str, base: &Address) -> Result<Multivariant, ManifestError> {
    let mut reader = Reader {
        scope: Scope::new(base, None),
        pending: None,
        variants: Vec::new(),
        renditions: Vec::new(),
        multivariant: Multivariant::default(),
    };
    read(&mut reader, text).map_err(|flaw| ManifestError::Hls(*flaw))?;
    Ok(reader.finish())
}

fn read(reader: &mut Reader<'_>, text: &str) -> Result<(), Flaw> {
    let mut last = None;
    for line in lines(text) {
        let line = line?;
        reader.line(line)?;
        last = Some(line);
    }
    match last {
        Some(line) if reader.variants.is_empty() => Err(line.fault(
            "EXT-X-STREAM-INF or EXTINF before the end",
            "check the address, or wait until the packager has written something",
        )),
        _ => Ok(()),
    }
}

struct Reader<'a> {
    scope: Scope<'a>,
    /// A variant whose address comes next.
    pending: Option<Variant>,
    variants: Vec<Variant>,
    renditions: Vec<Rendition>,
    multivariant: Multivariant,
}

impl Reader<'_> {
    fn line(&mut self, line: Line<'_>) -> Result<(), Flaw> {
        let Some((tag, value)) = line.tag() else {
            return self.address(line);
        };
        let attributes = Attributes(value);
        match tag {
            "EXT-X-STREAM-INF" => self.pending = Some(self.variant(line, attributes)?),
            "EXT-X-MEDIA" if self.renditions.len() < LISTED_MAX => {
                let rendition = self.rendition(line, attributes)?;
                self.renditions.extend(rendition);
            }
            "EXT-X-DEFINE" => self.scope.define(line, attributes)?,
            "EXT-X-SESSION-KEY" if self.multivariant.session_keys.len() < SESSION_KEYS_MAX => {
                self.multivariant.session_keys.push(encryption(attributes));
            }
            "EXT-X-CONTENT-STEERING" => {
                self.multivariant.steering = self.steering(line, attributes)?;
            }
            "EXT-X-INDEPENDENT-SEGMENTS" => self.multivariant.independent_segments = true,
            "EXT-X-START" => self.multivariant.start = start(attributes),
            _ => {}
        }
        Ok(())
    }

    fn address(&mut self, line: Line<'_>) -> Result<(), Flaw> {
        if let Some(variant) = self.pending.take() {
            let url = self.scope.address(line, line.text)?;
            if self.variants.len() < LISTED_MAX {
                self.variants.push(Variant { url, ..variant });
            }
        }
        Ok(())
    }

    fn variant(&self, line: Line<'_>, attributes: Attributes<'_>) -> Result<Variant, Flaw> {
        let text = |name| text(&self.scope, line, attributes, name);
        let word = |name| attributes.get(name).unwrap_or_default().to_owned();
        let (width, height) = attributes
            .get("RESOLUTION")
            .and_then(resolution)
            .unwrap_or_default();
        Ok(Variant {
            // Until it is read.
            url: self.scope.base.clone(),
            bandwidth: attributes.number("BANDWIDTH"),
            average_bandwidth: attributes.number("AVERAGE-BANDWIDTH"),
            codecs: text("CODECS")?.unwrap_or_default(),
            width,
            height,
            frame_rate: word("FRAME-RATE"),
            video_range: word("VIDEO-RANGE"),
            audio: text("AUDIO")?,
            video: text("VIDEO")?,
            pathway: text("PATHWAY-ID")?,
        })
    }

    /// Audio, or another view of the video.
    fn rendition(
        &self,
        line: Line<'_>,
        attributes: Attributes<'_>,
    ) -> Result<Option<Rendition>, Flaw> {
        let is_video = match attributes.get("TYPE") {
            Some("AUDIO") => false,
            Some("VIDEO") => true,
            _ => return Ok(None),
        };
        let text = |name| text(&self.scope, line, attributes, name);
        let reference = attributes.get("URI").filter(|it| !it.is_empty());
        Ok(Some(Rendition {
            is_video,
            url: reference
                .map(|it| self.scope.address(line, it))
                .transpose()?,
            group: text("GROUP-ID")?.unwrap_or_default(),
            name: text("NAME")?.unwrap_or_default(),
            language: text("LANGUAGE")?.unwrap_or_default(),
            channels: text("CHANNELS")?.unwrap_or_default(),
            pathway: text("PATHWAY-ID")?,
        }))
    }

    fn steering(
        &self,
        line: Line<'_>,
        attributes: Attributes<'_>,
    ) -> Result<Option<Steering>, Flaw> {
        let Some(server) = attributes.get("SERVER-URI") else {
            return Ok(None);
        };
        let server = self.scope.text(line, server)?;
        let pathway = text(&self.scope, line, attributes, "PATHWAY-ID")?;
        let server = self.scope.base.join(&server).ok();
        Ok(server.map(|server| Steering { server, pathway }))
    }

    fn finish(self) -> Multivariant {
        Multivariant {
            streams: generations::streams(&self.variants, &self.renditions),
            variables: self.scope.variables,
            ..self.multivariant
        }
    }
}

/// A quoted text with its variables replaced.
fn text(
    scope: &Scope<'_>,
    line: Line<'_>,
    attributes: Attributes<'_>,
    name: &str,
) -> Result<Option<String>, Flaw> {
    let Some(text) = attributes.get(name) else {
        return Ok(None);
    };
    Ok(Some(scope.text(line, text)?.into_owned()))
}

/// `640x360`.
fn resolution(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}
