//! The presentation that a player has loaded.

use beekeepr_playlist::{Manifest, read};

use crate::dash::Dash;
use crate::fields::Fields;
use crate::hls::Hls;

/// Reads the manifests of one presentation.
#[derive(Default)]
pub struct Reader {
    presentation: Presentation,
}

#[derive(Default)]
enum Presentation {
    #[default]
    None,
    Hls(Hls),
    Dash(Dash),
}

impl Reader {
    /// Reads the manifest that the player loads first, and a DASH manifest each time. `url` is where it came from, after
    /// redirects.
    ///
    /// Gives what it is (`hls`, `media`, `dash`, or nothing when it is no manifest), for DASH by how many milliseconds
    /// the presentation's clock is said to be, and the streams.
    pub fn manifest(&mut self, text: &[u8], url: &str) -> Vec<u8> {
        let mut fields = Fields::default();
        match (read(text, url), &mut self.presentation) {
            (Ok(Manifest::Dash(newer)), Presentation::Dash(dash)) => {
                dash.renew(newer);
                dash.write(&mut fields);
            }
            (Ok(Manifest::Dash(newer)), other) => {
                let dash = Dash::new(newer);
                dash.write(&mut fields);
                *other = Presentation::Dash(dash);
            }
            (Ok(Manifest::Multivariant(read)), presentation) => {
                let hls = Hls::new(read);
                hls.write("hls", &mut fields);
                *presentation = Presentation::Hls(hls);
            }
            (Ok(Manifest::Media(read)), presentation) => {
                let hls = Hls::lone(read);
                hls.write("media", &mut fields);
                *presentation = Presentation::Hls(hls);
            }
            (Err(_), _) => {}
        }
        fields.into_bytes()
    }

    /// Reads what a stream's media playlist lists now. Whether it is one.
    pub fn playlist(&mut self, stream: usize, text: &[u8], url: &str) -> bool {
        match &mut self.presentation {
            Presentation::Hls(hls) => hls.playlist(stream, text, url),
            Presentation::None | Presentation::Dash(_) => false,
        }
    }

    /// Where the segments of a stream are listed in the media itself: file, first and last byte of each index that is
    /// not read yet.
    #[must_use]
    pub fn indexes(&self, stream: usize) -> Vec<u8> {
        let mut fields = Fields::default();
        if let Presentation::Dash(dash) = &self.presentation {
            dash.write_indexes(stream, &mut fields);
        }
        fields.into_bytes()
    }

    /// Reads an index: the bytes that [`Self::indexes`] asks for at this place. Whether they are one.
    pub fn index(&mut self, stream: usize, place: usize, bytes: &[u8]) -> bool {
        match &mut self.presentation {
            Presentation::Dash(dash) => dash.index(stream, place, bytes),
            Presentation::None | Presentation::Hls(_) => false,
        }
    }

    /// The segments of a stream that there are at a time, in milliseconds since 1970 UTC: whether more may come, when
    /// the next will have come without a new manifest (in the same time), and the segments.
    #[must_use]
    pub fn segments(&self, stream: usize, now_ms: i64) -> Vec<u8> {
        let mut fields = Fields::default();
        match &self.presentation {
            Presentation::Dash(dash) => dash.write_segments(stream, now_ms, &mut fields),
            Presentation::Hls(hls) => hls.write_segments(stream, &mut fields),
            Presentation::None => {}
        }
        fields.into_bytes()
    }
}
