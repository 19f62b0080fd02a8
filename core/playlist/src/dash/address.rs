//! How a Representation's segments are addressed: what SegmentTemplate, SegmentList and SegmentBase say.

use std::sync::Arc;

use beekeepr_model::ByteRange;

use super::scalar;
use super::xml::Element;

/// Where and when the segments of a Representation are within a Period.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Addressing {
    /// Units of time in a second, at least 1.
    pub(crate) timescale: u64,
    /// @presentationTimeOffset: the media time at which the Period begins.
    pub(crate) offset: u64,
    pub(crate) first_number: u64,
    pub(crate) last_number: Option<u64>,
    pub(crate) times: Times,
    pub(crate) source: Source,
    pub(crate) init: Option<InitAt>,
    pub(crate) early: Early,
}

/// When segments begin and how long they last, in units of the timescale.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Times {
    /// All last this long.
    Each(u64),
    /// Each is listed.
    Timeline(Arc<[Entry]>),
    /// There is one, which lasts as long as the Period.
    Whole,
}

/// An S element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    /// @t.
    pub(crate) time: Option<u64>,
    /// @n: the number of the first segment it stands for.
    pub(crate) number: Option<u64>,
    /// @d, at least 1.
    pub(crate) duration: u64,
    /// How many segments it stands for; `None` for as many as fit before the next entry or the end.
    pub(crate) count: Option<u64>,
}

/// Where the bytes of segments are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// SegmentTemplate@media.
    Template(String),
    /// The SegmentURLs of a SegmentList.
    List(Vec<At>),
    /// SegmentBase: one file, whose index is here; without an index it is one segment.
    File(Option<At>),
}

/// A part of a file; without an address it is that of the Representation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct At {
    pub(crate) address: Option<String>,
    pub(crate) range: Option<ByteRange>,
}

/// The initialization segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InitAt {
    /// SegmentTemplate@initialization.
    Template(String),
    /// An Initialization element.
    Element(At),
}

/// How long before its end a segment can be had, in seconds (@availabilityTimeOffset).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Early {
    pub(crate) seconds: f64,
    /// Whether all of it can be had then, rather than the chunks that are done (@availabilityTimeComplete).
    pub(crate) complete: bool,
}

impl Early {
    pub(crate) const NO: Self = Self {
        seconds: 0.0,
        complete: true,
    };

    pub(crate) fn read(element: Element<'_, '_>) -> Self {
        let seconds = element.attribute("availabilityTimeOffset");
        Self {
            seconds: match seconds.as_deref() {
                Some("INF") => f64::INFINITY,
                Some(text) => scalar::decimal(text).unwrap_or(0.0),
                None => 0.0,
            },
            complete: element.attribute("availabilityTimeComplete").as_deref() != Some("false"),
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            complete: self.complete && other.complete,
        }
    }
}
