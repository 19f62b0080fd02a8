//! SegmentTemplate, SegmentList and SegmentBase, inherited attribute by attribute from the Period over the AdaptationSet
//! (ISO/IEC 23009-1, 5.3.9.2).

use std::borrow::Cow;
use std::sync::Arc;

use super::address::{Addressing, At, Early, Entry, InitAt, Source, Times};
use super::fault::{fault, number, seen};
use super::scalar;
use super::xml::Element;
use crate::ManifestError;

/// The elements that say how segments are addressed, the innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'d, 'a> {
    /// Representation, AdaptationSet, Period.
    levels: [Element<'d, 'a>; 3],
}

/// Elements of one kind on all levels, the innermost first.
struct Chain<'d, 'a> {
    innermost: Element<'d, 'a>,
    levels: [Option<Element<'d, 'a>>; 3],
}

/// What has been read already and may be needed again, as one timeline may stand for many Representations.
#[derive(Default)]
pub(crate) struct Cache {
    /// Of the chain with these elements.
    addressing: Option<([Option<usize>; 3], Arc<Addressing>)>,
    /// Of the SegmentTimelines with these places. At most one for the Period and one for its current set.
    timelines: Vec<(usize, Arc<[Entry]>)>,
}

/// Timelines kept at once.
const TIMELINES_MAX: usize = 4;

impl<'d, 'a> Scope<'d, 'a> {
    pub(crate) fn new(
        representation: Element<'d, 'a>,
        set: Element<'d, 'a>,
        period: Element<'d, 'a>,
    ) -> Self {
        Self {
            levels: [representation, set, period],
        }
    }

    /// Reads how segments are addressed. The kind is that of the innermost element there is.
    pub(crate) fn addressing(self, cache: &mut Cache) -> Result<Arc<Addressing>, ManifestError> {
        let kinds = ["SegmentTemplate", "SegmentList", "SegmentBase"];
        let of_level = |level: &Element<'d, 'a>| {
            let mut there = kinds
                .into_iter()
                .filter_map(|kind| Some((kind, level.child(kind)?)));
            there.next()
        };
        let Some((kind, innermost)) = self.levels.iter().find_map(of_level) else {
            return self.single_file();
        };
        let chain = Chain {
            innermost,
            levels: self.levels.map(|level| level.child(kind)),
        };
        let key = chain.levels.map(|level| level.map(Element::index));
        if let Some((_, known)) = cache.addressing.as_ref().filter(|(known, _)| *known == key) {
            return Ok(known.clone());
        }
        let addressing = Arc::new(chain.read(kind, cache)?);
        cache.addressing = Some((key, addressing.clone()));
        Ok(addressing)
    }

    /// A BaseURL alone is the whole file (5.3.9.1).
    fn single_file(self) -> Result<Arc<Addressing>, ManifestError> {
        let [representation, set, period] = self.levels;
        let levels = [representation, set, period];
        if !levels.iter().any(|level| level.child("BaseURL").is_some()) {
            return Err(fault(
                representation,
                "a Representation without segments",
                "SegmentTemplate, SegmentList, SegmentBase or BaseURL",
            ));
        }
        Ok(Arc::new(Addressing {
            timescale: 1,
            offset: 0,
            first_number: 1,
            last_number: None,
            times: Times::Whole,
            source: Source::File(None),
            init: None,
            early: Early::NO,
        }))
    }
}

impl<'d, 'a> Chain<'d, 'a> {
    fn read(&self, kind: &str, cache: &mut Cache) -> Result<Addressing, ManifestError> {
        Ok(Addressing {
            timescale: match self.number("timescale")?.unwrap_or(1) {
                0 => return Err(self.wrong("timescale", "a number above 0")),
                timescale => timescale,
            },
            offset: self.number("presentationTimeOffset")?.unwrap_or(0),
            first_number: self.number("startNumber")?.unwrap_or(1),
            last_number: self.number("endNumber")?,
            times: self.times(cache)?,
            source: self.source(kind)?,
            init: self.init(kind)?,
            early: Early::read(self.innermost),
        })
    }

    /// A timeline counts more than a duration, as in Shaka; both at once are not allowed.
    fn times(&self, cache: &mut Cache) -> Result<Times, ManifestError> {
        if let Some(timeline) = self.child("SegmentTimeline") {
            return Ok(Times::Timeline(cache.timeline(timeline)?));
        }
        match self.number("duration")? {
            Some(0) => Err(self.wrong("duration", "a number above 0")),
            Some(duration) => Ok(Times::Each(duration)),
            None => Ok(Times::Whole),
        }
    }

    fn source(&self, kind: &str) -> Result<Source, ManifestError> {
        match kind {
            "SegmentTemplate" => match self.attribute("media") {
                Some((_, media)) => Ok(Source::Template(media)),
                None => Err(self.wrong("media", "the address of segments")),
            },
            "SegmentList" => self.list().map(Source::List),
            _ => self.index().map(Source::File),
        }
    }

    /// The SegmentURLs of the innermost list that has some.
    fn list(&self) -> Result<Vec<At>, ManifestError> {
        let full = self.elements().find(|it| it.child("SegmentURL").is_some());
        let urls = full.into_iter().flat_map(|list| list.all("SegmentURL"));
        urls.map(|url| at(url, "media", "mediaRange")).collect()
    }

    fn index(&self) -> Result<Option<At>, ManifestError> {
        if let Some(index) = self.child("RepresentationIndex") {
            return at(index, "sourceURL", "range").map(Some);
        }
        let Some((element, _)) = self.attribute("indexRange") else {
            return Ok(None);
        };
        at(element, "", "indexRange").map(Some)
    }

    fn init(&self, kind: &str) -> Result<Option<InitAt>, ManifestError> {
        if let Some(init) = self.child("Initialization") {
            return at(init, "sourceURL", "range").map(|at| Some(InitAt::Element(at)));
        }
        let template = (kind == "SegmentTemplate").then(|| self.attribute("initialization"));
        Ok(template
            .flatten()
            .map(|(_, template)| InitAt::Template(template)))
    }

    fn elements(&self) -> impl Iterator<Item = Element<'d, 'a>> {
        self.levels.into_iter().flatten()
    }

    fn attribute(&self, name: &str) -> Option<(Element<'d, 'a>, String)> {
        self.elements()
            .find_map(|element| Some((element, element.attribute(name)?.into_owned())))
    }

    fn child(&self, name: &'static str) -> Option<Element<'d, 'a>> {
        self.elements().find_map(|element| element.child(name))
    }

    fn number(&self, name: &'static str) -> Result<Option<u64>, ManifestError> {
        match self.attribute(name) {
            Some((element, _)) => number(element, name),
            None => Ok(None),
        }
    }

    fn wrong(&self, name: &str, expected: &'static str) -> ManifestError {
        let holder = self.attribute(name).map(|(element, _)| element);
        let element = holder.unwrap_or(self.innermost);
        fault(element, &seen(element, name), expected)
    }
}

impl Cache {
    fn timeline(&mut self, timeline: Element<'_, '_>) -> Result<Arc<[Entry]>, ManifestError> {
        let index = timeline.index();
        if let Some((_, known)) = self.timelines.iter().find(|(known, _)| *known == index) {
            return Ok(known.clone());
        }
        let entries = timeline
            .all("S")
            .map(entry)
            .collect::<Result<Vec<_>, _>>()?;
        // One of no length says nothing; Shaka leaves it out too.
        let entries: Arc<[Entry]> = entries.into_iter().filter(|it| it.duration > 0).collect();
        if self.timelines.len() >= TIMELINES_MAX {
            self.timelines.remove(0);
        }
        self.timelines.push((index, entries.clone()));
        Ok(entries)
    }
}

fn entry(element: Element<'_, '_>) -> Result<Entry, ManifestError> {
    let count = match element.attribute("r").as_deref().map(scalar::repeats) {
        None => Some(1),
        Some(Some(repeats)) => repeats.map(|repeats| repeats.saturating_add(1)),
        Some(None) => return Err(fault(element, &seen(element, "r"), "a whole number")),
    };
    Ok(Entry {
        time: number(element, "t")?,
        number: number(element, "n")?,
        duration: number(element, "d")?.unwrap_or(0),
        count,
    })
}

fn at(element: Element<'_, '_>, address: &str, range: &str) -> Result<At, ManifestError> {
    let bytes = match element.attribute(range) {
        Some(text) => match scalar::range(&text) {
            Some(bytes) => Some(bytes),
            None => return Err(fault(element, &seen(element, range), "first-last in bytes")),
        },
        None => None,
    };
    Ok(At {
        address: element.attribute(address).map(Cow::into_owned),
        range: bytes,
    })
}
