//! Segment indexes in media files.

use std::sync::LazyLock;

use beekeepr_playlist::dash::{Index, Stream, sidx};
use beekeepr_playlist::{Manifest, read};

use crate::check_error;
use crate::manifest::{URL, check_segments};

/// An index in the file of the segments, with an offset, and one in another file.
const MPD: &[u8] = br#"<MPD type="static" mediaPresentationDuration="PT60S">
<Period start="PT5S"><AdaptationSet mimeType="video/mp4">
<Representation id="1" bandwidth="1"><BaseURL>a.mp4</BaseURL>
<SegmentBase indexRange="100-4195" timescale="10" presentationTimeOffset="7"/></Representation>
<Representation id="2" bandwidth="2"><BaseURL>b.mp4</BaseURL>
<SegmentBase><RepresentationIndex sourceURL="b.sidx"/></SegmentBase></Representation>
</AdaptationSet></Period></MPD>"#;

static INDEXES: LazyLock<Vec<Index>> = LazyLock::new(|| {
    let Ok(Manifest::Dash(presentation)) = read(MPD, URL) else {
        panic!("the MPD is well formed");
    };
    let indexes: Vec<_> = presentation
        .streams
        .iter()
        .flat_map(Stream::indexes)
        .collect();
    assert_eq!(indexes.len(), 2);
    indexes
});

/// The bytes in which the index is looked for. What is read of it is bounded, and what is asked for
/// is more than there was.
pub fn sidx(data: &[u8]) {
    for index in INDEXES.iter() {
        match sidx::segments(data, index) {
            Ok(segments) => check_segments(&segments),
            Err(sidx::SidxError::Incomplete(range)) => {
                assert!(range.end - range.start > data.len() as u64);
            }
            Err(error) => check_error(&error),
        }
    }
}
