//! HLS playlists.

use beekeepr_model::Generation;
use beekeepr_playlist::{Context, Manifest, Media, Multivariant, STREAMS_MAX, read_with};

use crate::check_error;
use crate::identity::check_hash;
use crate::manifest::{URL, check_address, check_segments};

/// What is between the texts of two manifests.
const SEPARATOR: u8 = 0;

/// Manifests of one player in their order, zero bytes between them: a multivariant playlist whose
/// variables the others import, a media playlist, its updates.
///
/// What is read is bounded, and the same when it is read again, with other line ends as well.
pub fn hls(data: &[u8]) {
    let mut variables = None;
    let mut previous: Option<Media> = None;
    for text in data.split(|&byte| byte == SEPARATOR) {
        let context = Context {
            variables: variables.as_ref(),
            previous: previous.as_ref(),
        };
        let manifest = read_with(text, URL, context);
        // Not for all: most of the time goes into reading.
        match text.len() % 8 {
            0 => assert_eq!(manifest, read_with(text, URL, context)),
            1 => check_line_ends(text, context, manifest.as_ref().ok()),
            _ => {}
        }
        match manifest {
            Ok(Manifest::Multivariant(read)) => {
                check_multivariant(&read);
                variables = Some(read.variables);
            }
            Ok(Manifest::Media(read)) => {
                check_media(&read);
                previous = Some(read);
            }
            // That is another target's.
            Ok(Manifest::Dash(_)) => {}
            Err(error) => check_error(&error),
        }
    }
}

fn check_line_ends(text: &[u8], context: Context<'_>, manifest: Option<&Manifest>) {
    if manifest.is_some() && !text.contains(&b'\r') {
        let lines: Vec<_> = text.split(|&byte| byte == b'\n').collect();
        let again = read_with(&lines.join(&b"\r\n"[..]), URL, context);
        assert_eq!(again.as_ref().ok(), manifest);
    }
}

fn check_multivariant(read: &Multivariant) {
    assert!((1..=STREAMS_MAX).contains(&read.streams.len()));
    for stream in &read.streams {
        check_address(&stream.url);
        let hashes = Generation::ALL.map(|generation| stream.info_hash(generation, "swarm"));
        hashes.into_iter().flatten().for_each(check_hash);
    }
}

fn check_media(read: &Media) {
    check_segments(&read.segments);
    read.inits.iter().for_each(|init| check_address(&init.url));
    for segment in &read.segments {
        let init = segment.hls.init;
        assert!(init.is_none_or(|index| index < read.inits.len()));
    }
}
