//! When Periods are, and where addresses in them lead.

use std::sync::Arc;

use super::address::Early;
use super::fault::{duration, fault};
use super::listing::Base;
use super::xml::Element;
use crate::ManifestError;

/// Most Periods of a presentation: a day with breaks every ten minutes, each of several advertisements.
const PERIODS_MAX: usize = 2_048;

/// Most alternatives for an address that are remembered.
const BASES_MAX: usize = 4;

/// What makes a link mean "leave this element out" (5.5.3).
const RESOLVE_TO_ZERO: &str = "urn:mpeg:dash:resolve-to-zero:2013";

/// Where and when a Period is.
#[derive(Clone, Copy)]
pub(super) struct Span<'d, 'a> {
    pub(super) element: Element<'d, 'a>,
    pub(super) start: f64,
    pub(super) end: Option<f64>,
}

/// When each Period begins and ends (5.3.2.1). One of which that cannot be told yet ("early available") ends the list.
pub(super) fn spans<'d, 'a>(
    mpd: Element<'d, 'a>,
    total: Option<f64>,
) -> Result<Vec<Span<'d, 'a>>, ManifestError> {
    let periods: Vec<_> = mpd.all("Period").take(PERIODS_MAX + 1).collect();
    if periods.len() > PERIODS_MAX {
        return Err(fault(
            periods[PERIODS_MAX],
            "one Period more",
            "at most 2048 Periods",
        ));
    }
    let mut spans = Vec::with_capacity(periods.len());
    let mut before: Option<f64> = Some(0.0);
    for (index, &element) in periods.iter().enumerate() {
        let Some(start) = duration(element, "start")?.or(before) else {
            break;
        };
        let next = periods.get(index + 1);
        let next_start = match next {
            Some(&next) => duration(next, "start")?,
            None => total,
        };
        let given = duration(element, "duration")?.map(|length| start + length);
        let end = next_start.or(given).filter(|&end| end > start);
        before = given.or(next_start);
        spans.push(Span {
            element,
            start,
            end,
        });
    }
    Ok(spans)
}

/// Whether an element is in the MPD, rather than somewhere else.
pub(super) fn is_here(element: Element<'_, '_>) -> Result<bool, ManifestError> {
    let Some(link) = element.prefixed("href") else {
        return Ok(true);
    };
    if link == RESOLVE_TO_ZERO {
        return Ok(false);
    }
    if element.prefixed("actuate").as_deref() == Some("onLoad") {
        return Err(fault(
            element,
            &format!("a link to {link}"),
            "an MPD without xlink:actuate=onLoad, with its Periods in place",
        ));
    }
    Ok(true)
}

/// The addresses below an element: each of those above with each of its own (5.6.4).
pub(crate) fn bases_of(
    element: Element<'_, '_>,
    above: &Arc<[Base]>,
) -> Result<Arc<[Base]>, ManifestError> {
    if element.child("BaseURL").is_none() {
        return Ok(above.clone());
    }
    let mut bases = Vec::new();
    for base in above.iter() {
        for below in element.all("BaseURL").take(BASES_MAX) {
            let Ok(url) = base.url.join(below.text()) else {
                return Err(fault(below, below.text(), "an address"));
            };
            if bases.len() < BASES_MAX {
                bases.push(Base {
                    url,
                    early: base.early.and(Early::read(below)),
                });
            }
        }
    }
    Ok(bases.into())
}
