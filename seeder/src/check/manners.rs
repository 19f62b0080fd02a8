//! How servers treat browsers.

use url::Url;

use super::listed::Listed;
use crate::channel::follow::url_of;
use crate::origin::{Origin, OriginError};

/// What viewers' browsers need of the servers, on a manifest and its newest segment.
pub(super) async fn manners(origin: &Origin, manifest: &Url, listed: &Listed) -> Vec<String> {
    let mut problems = Vec::new();
    let is_closed = "has no Access-Control-Allow-Origin; pages of other sites cannot play it, have the server send it";
    match origin.manners(manifest).await {
        Ok(manners) if !manners.is_for_pages => {
            problems.push(format!("the manifest {is_closed}"));
        }
        Ok(_) | Err(_) => {}
    }
    let loadable = listed.segments.iter().rev().find(|segment| !segment.gap);
    let Some(url) = loadable.and_then(|segment| url_of(&segment.url)) else {
        return problems;
    };
    match origin.manners(&url).await {
        Err(error) => problems.push(format!("the newest segment: {error}")),
        Ok(manners) if !matches!(manners.status, 200 | 206) => {
            let error = OriginError::Status(manners.status);
            problems.push(format!("the newest segment: {error}"));
        }
        Ok(manners) => {
            if manners.status == 200 {
                problems.push(
                    "segments cannot be had in parts (Range), expected 206: viewers cannot \
                     complete over HTTP what a peer began; have the server serve ranges"
                        .to_owned(),
                );
            }
            if !manners.is_for_pages {
                problems.push(format!("a segment {is_closed}"));
            }
        }
    }
    problems
}
