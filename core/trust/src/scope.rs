//! Which swarms a token opens.

use beekeepr_model::InfoHash;
use data_encoding::HEXLOWER_PERMISSIVE;

/// Most entries of a `swarms` claim.
pub const SCOPE_ENTRIES_MAX: usize = 256;

/// One entry of the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Hash(InfoHash),
    /// A swarm id, or with `*` for anything a pattern of swarm ids and of info_hashes.
    Pattern(String),
}

/// The swarms that a token names.
///
/// An entry is an info_hash (its 20 characters, or 40 hexadecimal digits), or a swarm id. In a swarm id
/// `*` stands for any text; `*` alone opens every swarm. Swarm ids count only where the shell knows which
/// swarm id an info_hash belongs to: nobody can compute one from the other's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Option<Vec<Entry>>);

impl Scope {
    /// Every swarm.
    pub const ALL: Self = Self(None);

    /// The scope of a `swarms` claim; without one a token opens all.
    #[must_use]
    pub fn of(entries: Option<Vec<String>>) -> Self {
        Self(entries.map(|list| list.into_iter().map(entry).collect()))
    }

    /// Whether the token opens this swarm. `swarm_id` is the one that the shell knows it by.
    #[must_use]
    pub fn opens(&self, info_hash: &InfoHash, swarm_id: Option<&str>) -> bool {
        let Some(entries) = &self.0 else {
            return true;
        };
        entries.iter().any(|entry| match entry {
            Entry::Hash(hash) => hash == info_hash,
            Entry::Pattern(pattern) if pattern == "*" => true,
            Entry::Pattern(pattern) => swarm_id.is_some_and(|id| fits(pattern, id)),
        })
    }
}

fn entry(text: String) -> Entry {
    if text.contains('*') {
        return Entry::Pattern(text);
    }
    match InfoHash::from_chars(&text).ok().or_else(|| from_hex(&text)) {
        Some(hash) => Entry::Hash(hash),
        None => Entry::Pattern(text),
    }
}

fn from_hex(text: &str) -> Option<InfoHash> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok().map(InfoHash)
}

/// Whether a text fits a pattern in which `*` stands for any text. Looks back to the last `*` only, which
/// is enough and keeps the cost at the product of both lengths.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash(*b"hpw5DN1BrHoy/nDyIVbD");

    fn opens(entry: &str, swarm_id: Option<&str>) -> bool {
        Scope::of(Some(vec!["other".to_owned(), entry.to_owned()])).opens(&HASH, swarm_id)
    }

    #[test]
    fn info_hashes_are_named_by_characters_or_digits() {
        assert!(opens("hpw5DN1BrHoy/nDyIVbD", None));
        assert!(opens("68707735444E314272486F792F6E447949566244", None));
        assert!(!opens("hpw5DN1BrHoy/nDyIVbE", None));
    }

    #[test]
    fn swarm_ids_count_where_they_are_known() {
        let id = "https://cdn.example/live/one/master.m3u8";
        assert!(opens(id, Some(id)));
        assert!(opens("https://cdn.example/live/*", Some(id)));
        assert!(opens("*/one/*.m3u8", Some(id)));
        assert!(!opens("https://cdn.example/vod/*", Some(id)));
        assert!(!opens(id, None));
    }

    #[test]
    fn a_star_opens_all_and_an_empty_list_nothing() {
        assert!(opens("*", None));
        assert!(Scope::of(None).opens(&HASH, None));
        assert!(!Scope::of(Some(Vec::new())).opens(&HASH, Some("x")));
    }

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "ba", false),
            ("*a", "aab", false),
            ("*a*b", "xaayb", true),
            ("a*a", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
