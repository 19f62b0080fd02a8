//! Segments, and the tags that speak of them.

use beekeepr_model::{ByteRange, SegmentId};

use super::attributes::Attributes;
use super::lines::{Flaw, Line, lines};
use super::number::{byte_range, date, milliseconds, resolve};
use super::scope::Scope;
use crate::{
    Address, Encryption, HlsDetails, Init, Media, Part, SEGMENTS_MAX, Segment, SegmentIds,
};

/// Most parts of one playlist. Those of the last three target durations are listed: about 150 of 0.2 s before
/// segments of 10 s.
const PARTS_MAX: usize = 4096;

/// Most initialisations of one playlist: one for each ad break, every five minutes over a day, with room for three.
const INITS_MAX: usize = 1024;

/// Among how many of the last initialisations the same one is looked for: media and ads take turns.
const INITS_COMPARED_MAX: usize = 8;

/// Most bytes of all addresses: 43,200 segments with 1.5 KB each, as long as signed ones get. A folder of 8 KB before
/// each of them would be 350 MB.
const ADDRESSES_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) struct Segments {
    done: Vec<Segment>,
    inits: Vec<Init>,
    /// Segments at the beginning that only count, for there are more than anybody looks at.
    left_out: usize,
    /// How many there were so far.
    count: usize,
    next: Next,
    encryption: Encryption,
    init: Option<usize>,
    bitrate: Option<u64>,
    /// Where the last byte range has ended, for segments and for parts.
    range_end: Option<(Address, u64)>,
    part_end: Option<(Address, u64)>,
    parts: usize,
    addresses_bytes: usize,
}

/// What stands before the address of a segment.
#[derive(Default)]
struct Next {
    duration_ms: u64,
    byte_range: Option<(u64, Option<u64>)>,
    discontinuity: bool,
    gap: bool,
    program_ms: Option<i64>,
    parts: Vec<Part>,
}

impl Segments {
    pub(super) fn new(text: &str) -> Self {
        Self {
            done: Vec::new(),
            inits: Vec::new(),
            left_out: addresses(text).saturating_sub(SEGMENTS_MAX),
            count: 0,
            next: Next::default(),
            encryption: Encryption::None,
            init: None,
            bitrate: None,
            range_end: None,
            part_end: None,
            parts: 0,
            addresses_bytes: 0,
        }
    }

    /// Reads a tag; whether it is one that speaks of segments.
    pub(super) fn tag(
        &mut self,
        scope: &Scope<'_>,
        line: Line<'_>,
        tag: &str,
        value: &str,
    ) -> Result<bool, Flaw> {
        match tag {
            "EXTINF" => {
                self.next.duration_ms = milliseconds(value)
                    .ok_or_else(|| line.fault("a number of seconds", "correct the packager"))?;
            }
            "EXT-X-BYTERANGE" => self.next.byte_range = Some(range(line, value)?),
            "EXT-X-DISCONTINUITY" => self.next.discontinuity = true,
            "EXT-X-GAP" => self.next.gap = true,
            "EXT-X-BITRATE" => {
                // In kbit/s (RFC 8216bis, 4.4.4.8).
                self.bitrate = value.parse().ok().map(|it: u64| it.saturating_mul(1000));
            }
            "EXT-X-PROGRAM-DATE-TIME" => self.next.program_ms = date(value),
            "EXT-X-KEY" => self.encryption = encryption(Attributes(value)),
            "EXT-X-MAP" => self.map(scope, line, Attributes(value))?,
            "EXT-X-PART" => self.part(scope, line, Attributes(value))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An address ends what the tags before it have begun. One without EXTINF counts too, as in hls.js: numbers would
    /// be other ones for its viewers.
    pub(super) fn end(&mut self, scope: &Scope<'_>, line: Line<'_>) -> Result<(), Flaw> {
        let url = scope.address(line, line.text)?;
        let next = std::mem::take(&mut self.next);
        let byte_range = next
            .byte_range
            .map(|it| after(it, &url, &mut self.range_end));
        self.count += 1;
        if self.count <= self.left_out {
            return Ok(());
        }
        self.addresses_bytes += url.as_str().len();
        if self.addresses_bytes > ADDRESSES_BYTES_MAX {
            return Err(line.fault(
                "at most 64 MiB of addresses",
                "shorten the playlist's folder",
            ));
        }
        self.done.push(Segment {
            byte_range,
            discontinuity: next.discontinuity,
            gap: next.gap,
            hls: HlsDetails {
                encryption: self.encryption,
                init: self.init,
                program_ms: next.program_ms,
                bitrate: if byte_range.is_none() {
                    self.bitrate
                } else {
                    None
                },
                parts: next.parts,
            },
            // Their numbers come when all of the playlist is known.
            ..Segment::new(
                0,
                SegmentIds::new(SegmentId(0), SegmentId(0)),
                url,
                next.duration_ms,
            )
        });
        Ok(())
    }

    fn map(
        &mut self,
        scope: &Scope<'_>,
        line: Line<'_>,
        attributes: Attributes<'_>,
    ) -> Result<(), Flaw> {
        let url = scope.attribute(line, attributes)?;
        let byte_range = attributes
            .get("BYTERANGE")
            .map(|it| range(line, it))
            .transpose()?;
        let init = url.map(|url| Init {
            url,
            byte_range: byte_range.map(|it| resolve(it, None)),
        });
        self.init = init.map(|init| self.init_of(line, init)).transpose()?;
        Ok(())
    }

    fn init_of(&mut self, line: Line<'_>, init: Init) -> Result<usize, Flaw> {
        let compared = self.inits.iter().enumerate().rev().take(INITS_COMPARED_MAX);
        if let Some((known, _)) = compared.into_iter().find(|(_, known)| **known == init) {
            return Ok(known);
        }
        if self.inits.len() == INITS_MAX {
            return Err(line.fault(
                "at most 1024 different EXT-X-MAP",
                "shorten the packager's window",
            ));
        }
        self.inits.push(init);
        Ok(self.inits.len() - 1)
    }

    fn part(
        &mut self,
        scope: &Scope<'_>,
        line: Line<'_>,
        attributes: Attributes<'_>,
    ) -> Result<(), Flaw> {
        let Some(url) = scope.attribute(line, attributes)? else {
            return Ok(());
        };
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(line.fault("at most 4096 parts", "list parts near the live edge alone"));
        }
        let byte_range = attributes
            .get("BYTERANGE")
            .map(|it| range(line, it))
            .transpose()?;
        self.next.parts.push(Part {
            byte_range: byte_range.map(|it| after(it, &url, &mut self.part_end)),
            duration_ms: attributes
                .get("DURATION")
                .and_then(milliseconds)
                .unwrap_or(0),
            independent: attributes.says_yes("INDEPENDENT"),
            gap: attributes.says_yes("GAP"),
            url,
        });
        Ok(())
    }

    /// EXT-X-SKIP: the segments that the playlist leaves out are those of its last state.
    pub(super) fn skip(
        &mut self,
        line: Line<'_>,
        attributes: Attributes<'_>,
        media_sequence: u64,
        previous: Option<&Media>,
    ) -> Result<(), Flaw> {
        let skipped = attributes.number("SKIPPED-SEGMENTS").unwrap_or(0);
        let numbers = media_sequence..media_sequence.saturating_add(skipped);
        let Some(last) = numbers.end.checked_sub(1).filter(|_| skipped > 0) else {
            return Ok(());
        };
        let known = previous.map_or(&[][..], |media| &media.segments);
        let known: Vec<_> = known
            .iter()
            .filter(|it| numbers.contains(&it.number))
            .collect();
        // A playlist of more segments than are looked at has lost its first ones before.
        let complete = known.len() as u64 == skipped || known.len() == SEGMENTS_MAX;
        let edge = known.last().filter(|it| complete && it.number == last);
        let (Some(edge), Some(previous), 0) = (edge, previous, self.count) else {
            return Err(line.fault(
                "the segments that it skips in the playlist's last state",
                "ask for the whole playlist, without _HLS_skip",
            ));
        };
        self.inits.clone_from(&previous.inits);
        (self.encryption, self.init) = (edge.hls.encryption, edge.hls.init);
        self.bitrate = edge.hls.bitrate;
        self.range_end = edge.byte_range.map(|range| (edge.url.clone(), range.end));
        self.count = usize::try_from(skipped).unwrap_or(usize::MAX);
        self.done = known.into_iter().cloned().collect();
        Ok(())
    }

    /// Hands over all segments under their numbers, and the parts of the one that is not complete.
    pub(super) fn finish(mut self, media: &mut Media) {
        self.done
            .drain(..self.done.len().saturating_sub(SEGMENTS_MAX));
        let first = self.count.saturating_sub(self.done.len());
        for (place, segment) in self.done.iter_mut().enumerate() {
            let index = first.saturating_add(place);
            segment.number = media.media_sequence.saturating_add(index as u64);
            segment.ids = SegmentIds::of_hls(media.live, media.media_sequence, index);
        }
        media.segments = self.done;
        media.inits = self.inits;
        media.edge.parts = self.next.parts;
    }
}

/// How many segments a playlist may list. Counted when they can be too many at all: an address takes two bytes.
fn addresses(text: &str) -> usize {
    let at_most = text.len() / 2;
    if at_most <= SEGMENTS_MAX {
        return at_most;
    }
    let is_address = |line: &Result<Line<'_>, Flaw>| matches!(line, Ok(it) if it.tag().is_none());
    lines(text).filter(is_address).count()
}

fn range(line: Line<'_>, value: &str) -> Result<(u64, Option<u64>), Flaw> {
    byte_range(value)
        .ok_or_else(|| line.fault("a byte range, length[@offset]", "correct the packager"))
}

/// The byte range of `url`, which continues the last one of the same file.
fn after(range: (u64, Option<u64>), url: &Address, end: &mut Option<(Address, u64)>) -> ByteRange {
    let before = end.take().filter(|(of, _)| of == url);
    let range = resolve(range, before.map(|(_, end)| end));
    *end = Some((url.clone(), range.end));
    range
}

/// METHOD of EXT-X-KEY and EXT-X-SESSION-KEY.
pub(super) fn encryption(attributes: Attributes<'_>) -> Encryption {
    match attributes.get("METHOD") {
        Some("NONE") => Encryption::None,
        Some("AES-128") => Encryption::Aes128,
        Some("SAMPLE-AES") => Encryption::SampleAes,
        Some("SAMPLE-AES-CTR") => Encryption::SampleAesCtr,
        _ => Encryption::Other,
    }
}
