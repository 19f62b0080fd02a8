//! Low-latency HLS: what a server can do, and what stands near the live edge (RFC 8216bis, 4.4.3.7, 4.4.3.8, 4.4.5).

use super::attributes::Attributes;
use super::lines::{Flaw, Line};
use super::number::milliseconds;
use super::scope::Scope;
use crate::{Media, PreloadHint, RenditionReport, STREAMS_MAX, ServerControl};

/// Hints of which RFC 8216bis knows two: the next part and its initialisation.
const HINTS_MAX: usize = 2;

/// Reads a tag; others say nothing to us.
pub(super) fn tag(
    media: &mut Media,
    scope: &Scope<'_>,
    line: Line<'_>,
    tag: &str,
) -> Result<(), Flaw> {
    let attributes = Attributes(line.tag().map_or("", |(_, value)| value));
    match tag {
        "EXT-X-SERVER-CONTROL" => media.server = server(attributes),
        "EXT-X-PART-INF" => {
            media.edge.part_target_ms = attributes.get("PART-TARGET").and_then(milliseconds);
        }
        "EXT-X-PRELOAD-HINT" if media.edge.hints.len() < HINTS_MAX => {
            media.edge.hints.extend(hint(scope, line, attributes)?);
        }
        "EXT-X-RENDITION-REPORT" if media.edge.reports.len() < STREAMS_MAX => {
            media.edge.reports.extend(report(scope, line, attributes)?);
        }
        _ => {}
    }
    Ok(())
}

fn server(attributes: Attributes<'_>) -> ServerControl {
    let ms = |name| attributes.get(name).and_then(milliseconds);
    ServerControl {
        can_block_reload: attributes.says_yes("CAN-BLOCK-RELOAD"),
        can_skip_until_ms: ms("CAN-SKIP-UNTIL"),
        can_skip_dateranges: attributes.says_yes("CAN-SKIP-DATERANGES"),
        hold_back_ms: ms("HOLD-BACK"),
        part_hold_back_ms: ms("PART-HOLD-BACK"),
    }
}

fn hint(
    scope: &Scope<'_>,
    line: Line<'_>,
    attributes: Attributes<'_>,
) -> Result<Option<PreloadHint>, Flaw> {
    let Some(url) = scope.attribute(line, attributes)? else {
        return Ok(None);
    };
    Ok(Some(PreloadHint {
        init: attributes.get("TYPE") == Some("MAP"),
        url,
        start: attributes.number("BYTERANGE-START").unwrap_or(0),
        length: attributes.number("BYTERANGE-LENGTH"),
    }))
}

fn report(
    scope: &Scope<'_>,
    line: Line<'_>,
    attributes: Attributes<'_>,
) -> Result<Option<RenditionReport>, Flaw> {
    let Some(url) = scope.attribute(line, attributes)? else {
        return Ok(None);
    };
    Ok(Some(RenditionReport {
        url,
        last_sequence: attributes.number("LAST-MSN"),
        last_part: attributes.number("LAST-PART"),
    }))
}
