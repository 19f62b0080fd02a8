//! DASH as we read it.

use beekeepr_model::{ByteRange, Generation};
use beekeepr_playlist::dash::{Clock, Index, Presentation, Stream, date_ms, sidx};
use beekeepr_playlist::{Manifest, Segment, read};

use crate::Seen;
use crate::file::Case;
use crate::hls::listed;

pub(crate) fn streams(case: &Case, generation: Generation, swarm_id: &str) -> Vec<Seen> {
    let Manifest::Dash(presentation) = read(&case.manifest(), &case.answered).unwrap() else {
        panic!("{} is DASH", case.name);
    };
    let seen = |stream: &Stream| Seen {
        key: stream.id.clone(),
        info_hash: stream.info_hash(generation, swarm_id),
        segments: segments(case, &presentation, stream)
            .iter()
            .map(|it| listed(it, generation))
            .collect(),
    };
    presentation.streams.iter().map(seen).collect()
}

fn segments(case: &Case, presentation: &Presentation, stream: &Stream) -> Vec<Segment> {
    let indexes = stream.indexes();
    if indexes.is_empty() {
        return presentation.segments(stream, now_ms(case, presentation), 0);
    }
    let of_index = |index: &Index| {
        let bytes = case.bytes_at(index.url.as_str());
        sidx::segments(part(&bytes, index.byte_range), index).unwrap()
    };
    indexes.iter().flat_map(of_index).collect()
}

fn now_ms(case: &Case, presentation: &Presentation) -> i64 {
    let told = presentation.clocks.iter().find_map(|clock| match clock {
        Clock::Direct(ms) => Some(*ms),
        Clock::Head(_) | Clock::Get(_) | Clock::Other { .. } => None,
    });
    let own = case.clock.as_deref().and_then(date_ms);
    told.or(own).unwrap_or(0)
}

fn part(bytes: &[u8], range: Option<ByteRange>) -> &[u8] {
    range.map_or(bytes, |it| &bytes[it.start as usize..it.end as usize])
}
