//! Names of streams and swarms.

use beekeepr_model::{
    Generation, IdentityRule, InfoHash, StreamKind, StreamProperties, identity as identity_of,
    info_hash, swarm_id, swarm_string,
};

/// What a manifest says of a stream, as made up by the fuzzer.
#[derive(Debug)]
struct Made<'a> {
    address: &'a str,
    keep: &'a str,
    kind: StreamKind,
    index: usize,
    properties: StreamProperties,
}

/// One value a line: the manifest's address, a parameter of it to keep, the kind, index, bitrate,
/// width, height, codecs, language, channels, frame rate, video range; the rest is the name.
///
/// Whatever a manifest says, a stream has one name for each generation of clients, which is the 20
/// characters that travel in JSON and as bytes, and spelling does not matter where it must not.
pub fn identity(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let made = Made::read(text);
    check_swarm_id(made.address, made.keep);
    for generation in Generation::ALL {
        let hash = made.hash(generation, &made.properties);
        assert_eq!(hash, made.hash(generation, &made.properties));
        check_hash(hash);
    }
    let respelled = made.respelled();
    let hash = |properties| made.hash(Generation::V2, properties);
    assert_eq!(hash(&made.properties), hash(&respelled), "{respelled:?}");
}

impl<'a> Made<'a> {
    fn read(text: &'a str) -> Self {
        let mut lines = text.splitn(13, '\n');
        let mut line = || lines.next().unwrap_or_default();
        Self {
            address: line(),
            keep: line(),
            kind: match line() {
                "main" => StreamKind::Main,
                _ => StreamKind::Secondary,
            },
            index: line().parse().unwrap_or(0),
            properties: StreamProperties {
                bitrate: line().parse().unwrap_or(0),
                width: line().parse().unwrap_or(0),
                height: line().parse().unwrap_or(0),
                codecs: line().to_owned(),
                language: line().to_owned(),
                channels: line().to_owned(),
                frame_rate: line().to_owned(),
                video_range: line().to_owned(),
                name: line().to_owned(),
            },
        }
    }

    fn hash(&self, generation: Generation, properties: &StreamProperties) -> InfoHash {
        let identity = identity_of(generation, self.index, properties);
        check_identity(generation, &identity);
        let swarm_id = swarm_id(self.address, &[self.keep]);
        let text = swarm_string(generation, &swarm_id, self.kind, &identity);
        info_hash(generation, &text)
    }

    /// The same stream in a manifest of another packager, for clients of the second generation.
    fn respelled(&self) -> StreamProperties {
        let properties = &self.properties;
        let mut codecs: Vec<_> = properties.codecs.split(',').collect();
        codecs.reverse();
        StreamProperties {
            codecs: codecs.join(" , ").to_ascii_uppercase(),
            channels: format!("{}/JOC", properties.channels),
            name: format!("\t{}\u{feff}", properties.name.to_ascii_uppercase()),
            frame_rate: padded(&properties.frame_rate),
            video_range: properties.video_range.to_ascii_lowercase(),
            ..properties.clone()
        }
    }
}

/// White space around a number does not matter; alone it is 0, and no text is none.
fn padded(number: &str) -> String {
    if number.is_empty() {
        return String::new();
    }
    format!(" {number}\n")
}

/// A number for the first generation, a SHA-1 in base64 for the others.
fn check_identity(generation: Generation, identity: &str) {
    let is_well_formed = match generation.identity_rule() {
        IdentityRule::Index => identity.bytes().all(|byte| byte.is_ascii_digit()),
        IdentityRule::Normalised | IdentityRule::AsWritten => {
            identity.len() == 28 && identity.ends_with('=')
        }
    };
    assert!(is_well_formed, "{identity:?}");
}

/// Twenty characters of base64, which survive any way that trackers and clients write them.
pub(crate) fn check_hash(hash: InfoHash) {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    assert!(hash.0.iter().all(is_base64), "{hash}");
    let text: String = hash.chars().collect();
    assert_eq!(InfoHash::from_chars(&text), Ok(hash));
}

/// The id has nothing of the address that was not asked for, and is its own id.
fn check_swarm_id(address: &str, keep: &str) {
    let bare = swarm_id(address, &[] as &[&str]);
    assert!(address.starts_with(&bare) && !bare.contains(['?', '#']));
    let kept = swarm_id(address, &[keep]);
    assert!(kept.starts_with(&bare) && kept.len() <= address.len());
    assert_eq!(swarm_id(&kept, &[keep]), kept);
}
