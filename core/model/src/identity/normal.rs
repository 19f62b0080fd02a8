//! The one form that p2p-media-loader 2.3 brings a stream's properties into (`generateStreamShortId`), whichever player
//! had read them. Every step here is a step of that function; docs/decisions/identity.md lists the few texts for which
//! the outcome differs.

use super::{StreamProperties, number};

/// UTF-16 units of a language that count.
const LANGUAGE_UNITS: usize = 2;

pub(super) fn form(properties: &StreamProperties) -> StreamProperties {
    let of_channels = properties.channels.split('/').next();
    StreamProperties {
        codecs: codecs(&properties.codecs),
        language: language(&properties.language),
        channels: of_channels.unwrap_or_default().to_owned(),
        name: trim(&properties.name.to_lowercase()).to_owned(),
        frame_rate: number::print(&properties.frame_rate),
        // An enumeration of ASCII words, so its table of upper-case letters stays out of the browser.
        video_range: trim(&properties.video_range.to_ascii_uppercase()).to_owned(),
        ..*properties
    }
}

fn codecs(list: &str) -> String {
    let mut codecs: Vec<String> = list
        .split(',')
        .map(|codec| trim(codec).to_lowercase())
        .map(|codec| avc_in_hex(&codec).unwrap_or(codec))
        .collect();
    // JavaScript's order, which is not that of code points.
    codecs.sort_unstable_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
    codecs.join(",")
}

/// The old decimal form `avc1.66.30` as `avc1.42001e`.
fn avc_in_hex(codec: &str) -> Option<String> {
    let (name, numbers) = codec.split_once('.')?;
    let (profile, level) = numbers.split_once('.')?;
    let (profile, level) = (decimal(profile)?, decimal(level)?);
    matches!(name, "avc1" | "avc").then(|| format!("{name}.{profile:0>2}00{level:0>2}"))
}

/// A number that is written as it is printed, in hexadecimal.
fn decimal(text: &str) -> Option<String> {
    let number: i64 = text.parse().ok()?;
    let sign = if number < 0 { "-" } else { "" };
    (number.to_string() == text).then(|| format!("{sign}{:x}", number.unsigned_abs()))
}

fn language(language: &str) -> String {
    // `und` (undetermined) says nothing; cut to two letters it would look like a language.
    if language == "und" {
        return String::new();
    }
    let units: Vec<u16> = language.encode_utf16().take(LANGUAGE_UNITS).collect();
    String::from_utf16_lossy(&units).to_lowercase()
}

/// JavaScript's `trim`: it knows the byte order mark for white space and U+0085 not.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|char: char| char == '\u{feff}' || char.is_whitespace() && char != '\u{85}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_trimmed_lower_cased_sorted_and_in_hex() {
        let cases = [
            (" HVC1.2 ,avc1.66.30", "avc1.42001e,hvc1.2"),
            ("avc.77.9", "avc.4d0009"),
            ("avc1.300.1", "avc1.12c0001"),
            ("avc1.-5.30", "avc1.-5001e"),
            ("avc1.066.30,avc1.66.30.1", "avc1.066.30,avc1.66.30.1"),
            ("hvc1.66.30", "hvc1.66.30"),
            ("b,,a,", ",,a,b"),
            ("", ""),
        ];
        for (written, form) in cases {
            assert_eq!(codecs(written), form, "{written}");
        }
    }

    #[test]
    fn languages_are_cut_to_two_units_before_all_else() {
        let cases = [
            ("en-US", "en"),
            ("DE", "de"),
            (" en", " e"),
            ("und", ""),
            ("UND", "un"),
            ("a\u{1f600}", "a\u{fffd}"),
        ];
        for (written, form) in cases {
            assert_eq!(language(written), form, "{written}");
        }
    }

    #[test]
    fn names_are_lower_cased_in_every_script() {
        let named = |name: &str| {
            form(&StreamProperties {
                name: name.into(),
                ..StreamProperties::default()
            })
            .name
        };
        assert_eq!(named("\u{feff} ΚΑΛΗΜΕΡΑΣ İ\u{a0}"), "καλημερας i\u{307}");
        assert_eq!(named("\u{85}A"), "\u{85}a");
    }
}
