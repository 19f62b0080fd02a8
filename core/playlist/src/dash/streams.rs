//! The streams that run through the Periods of an MPD.

use std::sync::Arc;

use beekeepr_model::StreamProperties;

use super::fault::fault;
use super::identity::Described;
use super::inherit::{Cache, Scope};
use super::listing::{Base, Part};
use super::periods::{Span, bases_of, is_here, spans};
use super::xml::Element;
use crate::{ManifestError, STREAMS_MAX};

const TRICK_MODE: &str = "http://dashif.org/guidelines/trickmode";

/// What a client may know of an EssentialProperty and still play the set (Shaka 4.16, `dash_parser.js`).
const ESSENTIAL_KNOWN: [&str; 4] = [
    "urn:mpeg:mpegB:cicp:",
    "urn:mpeg:dash:ssr:2023",
    "urn:dvb:dash:fontdownload:2014",
    "urn:mpeg:dash:urlparam:2014",
];

/// A stream as it is put together, Period by Period.
pub(crate) struct Found {
    pub(crate) is_video: bool,
    pub(crate) id: String,
    pub(crate) encrypted: bool,
    /// The highest of all Periods.
    pub(crate) bandwidth: u64,
    pub(crate) v2: StreamProperties,
    pub(crate) v3: StreamProperties,
    pub(crate) parts: Vec<Part>,
}

/// Reads all streams. `bases` are those of the MPD; `total` is how long the presentation lasts.
pub(crate) fn read(
    mpd: Element<'_, '_>,
    bases: &Arc<[Base]>,
    total: Option<f64>,
) -> Result<Vec<Found>, ManifestError> {
    let mut reader = Reader {
        found: Vec::new(),
        groups: Vec::new(),
        cache: Cache::default(),
    };
    for span in spans(mpd, total)? {
        reader.period(span, bases)?;
    }
    if reader.found.is_empty() {
        return Err(fault(
            mpd,
            "an MPD without video and audio",
            "AdaptationSets with Representations",
        ));
    }
    Ok(reader.found)
}

struct Reader {
    found: Vec<Found>,
    /// The language of each group of audio streams: that of its first stream, as mpd-parser has it.
    groups: Vec<(String, String)>,
    cache: Cache,
}

impl Reader {
    fn period(&mut self, span: Span<'_, '_>, bases: &Arc<[Base]>) -> Result<(), ManifestError> {
        if !is_here(span.element)? {
            return Ok(());
        }
        self.cache = Cache::default();
        let bases = bases_of(span.element, bases)?;
        for (index, set) in span.element.all("AdaptationSet").enumerate() {
            if is_here(set)? && is_played(set) {
                self.set(span, set, index, &bases)?;
            }
        }
        Ok(())
    }

    fn set(
        &mut self,
        span: Span<'_, '_>,
        set: Element<'_, '_>,
        set_index: usize,
        bases: &Arc<[Base]>,
    ) -> Result<(), ManifestError> {
        let bases = bases_of(set, bases)?;
        for (index, representation) in set.all("Representation").enumerate() {
            let described = Described {
                representation,
                set,
            };
            let Some(is_video) = is_video(described) else {
                continue;
            };
            if !is_played(representation) {
                continue;
            }
            let id = match representation.attribute("id") {
                Some(id) => id.into_owned(),
                None => format!("{set_index}/{index}"),
            };
            let Some(stream) = self.stream(is_video, &id, described) else {
                continue;
            };
            let part = Part {
                start: span.start,
                end: span.end,
                bases: bases_of(representation, &bases)?,
                representation: id,
                bandwidth: described.bandwidth(),
                addressing: Scope::new(representation, set, span.element)
                    .addressing(&mut self.cache)?,
            };
            if let Some(address) = part.broken_address() {
                return Err(fault(representation, &address, "an address"));
            }
            self.add(stream, part, is_encrypted(described));
        }
        Ok(())
    }

    fn add(&mut self, stream: usize, part: Part, encrypted: bool) {
        if let Some(found) = self.found.get_mut(stream) {
            found.encrypted |= encrypted;
            found.bandwidth = found.bandwidth.max(part.bandwidth);
            found.parts.push(part);
        }
    }

    /// A Representation continues that of the same id in the Period before.
    fn stream(&mut self, is_video: bool, id: &str, described: Described<'_, '_>) -> Option<usize> {
        let same = |it: &Found| it.is_video == is_video && it.id == id;
        if let Some(known) = self.found.iter().position(same) {
            return Some(known);
        }
        if self.found.len() >= STREAMS_MAX {
            return None;
        }
        let (v2, v3) = if is_video {
            (described.video_v2(), described.video_v3())
        } else {
            let language = self.language(described);
            (described.audio_v2(), described.audio_v3(language))
        };
        self.found.push(Found {
            is_video,
            id: id.to_owned(),
            encrypted: false,
            bandwidth: 0,
            v2,
            v3,
            parts: Vec::new(),
        });
        Some(self.found.len() - 1)
    }

    fn language(&mut self, described: Described<'_, '_>) -> String {
        let group = described.group();
        if let Some((_, language)) = self.groups.iter().find(|(known, _)| *known == group) {
            return language.clone();
        }
        let language = described.attribute("lang");
        self.groups.push((group, language.clone()));
        language
    }
}

/// Whether it is for playing at normal speed, by clients that know what they must.
fn is_played(element: Element<'_, '_>) -> bool {
    let scheme = |property: Element<'_, '_>| {
        property
            .attribute("schemeIdUri")
            .unwrap_or_default()
            .into_owned()
    };
    let is_known = |scheme: String| {
        ESSENTIAL_KNOWN
            .iter()
            .any(|known| scheme.starts_with(known))
    };
    let mut supplemental = element.all("SupplementalProperty").map(scheme);
    element.all("EssentialProperty").map(scheme).all(is_known)
        && !supplemental.any(|it| it == TRICK_MODE)
}

/// Whether it is video or audio; nothing for text, images and the like.
fn is_video(described: Described<'_, '_>) -> Option<bool> {
    let (content, mime) = (
        described.attribute("contentType"),
        described.attribute("mimeType"),
    );
    let kind = if content.is_empty() {
        mime.split('/').next()
    } else {
        Some(content.as_str())
    };
    match kind? {
        "video" => Some(true),
        "audio" => Some(false),
        _ => None,
    }
}

fn is_encrypted(described: Described<'_, '_>) -> bool {
    let levels = [described.representation, described.set];
    levels
        .iter()
        .any(|level| level.child("ContentProtection").is_some())
}
