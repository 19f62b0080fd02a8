//! The swarms' names.

use data_encoding::BASE64;

use crate::{Generation, InfoHash, StreamKind};

/// The text that is hashed into the swarm's [`InfoHash`]. `swarm_id` is the configured one, or [`swarm_id`] of the
/// manifest's address; `identity` comes from [`crate::identity`].
#[must_use]
pub fn swarm_string(
    generation: Generation,
    swarm_id: &str,
    kind: StreamKind,
    identity: &str,
) -> String {
    let kind = kind.as_str();
    [generation.prefix(), swarm_id, kind, identity].join("-")
}

/// The swarm's name on the tracker: 15 bytes of a digest, whose 20 base64 characters serve as the 20 bytes of the
/// hash.
#[must_use]
pub fn info_hash(generation: Generation, swarm_string: &str) -> InfoHash {
    let mut hash = [0; 20];
    BASE64.encode_mut(&generation.digest(swarm_string), &mut hash);
    InfoHash(hash)
}

/// The swarm id that viewers of a manifest agree on without being told: its address without fragment and query,
/// as session tokens there would leave every viewer alone.
///
/// `keep` names parameters of the query that tell one stream from another, such as `id` of `/play?id=7`; they stay
/// as they are written, in the order of `keep`. Upstream keeps none. Nothing is unescaped or lower-cased, and the
/// address is taken as it comes: up to p2p-media-loader 4.x that is the one after redirects, as the browser writes it,
/// in 5.x the one that was asked for.
#[must_use]
pub fn swarm_id(address: &str, keep: &[impl AsRef<str>]) -> String {
    let address = before(address, '#');
    let base = before(address, '?');
    let query = address.get(base.len() + 1..).unwrap_or_default();
    let kept = keep.iter().flat_map(|name| {
        let own = move |pair: &&str| before(pair, '=') == name.as_ref();
        query.split('&').filter(own)
    });
    let mut id = base.to_owned();
    for (place, pair) in kept.filter(|pair| !pair.is_empty()).enumerate() {
        id.push(if place == 0 { '?' } else { '&' });
        id.push_str(pair);
    }
    id
}

fn before(text: &str, mark: char) -> &str {
    text.split(mark).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &[&str] = &[];

    #[test]
    fn the_query_and_the_fragment_do_not_count() {
        let address = "https://CDN.example/a%2Fb/%D0%BC.m3u8";
        for rest in [
            "",
            "?",
            "?token=1",
            "?a=b?c",
            "#t=30",
            "?token=1#t=30",
            "#?",
        ] {
            assert_eq!(swarm_id(&[address, rest].concat(), NONE), address, "{rest}");
        }
    }

    #[test]
    fn parameters_that_matter_are_kept_as_written_in_the_lists_order() {
        let address = "https://a.example/play?token=1&id=%37&lang=de&id=8&ID=9&id";
        assert_eq!(
            swarm_id(address, &["lang", "id", "none"]),
            "https://a.example/play?lang=de&id=%37&id=8&id"
        );
        assert_eq!(swarm_id(address, &["none", ""]), "https://a.example/play");
    }
}
