//! Which pages may use the tracker.
//!
//! Browsers tell where a page comes from and do not let the page lie about it. Other programs send
//! what they like: this keeps strangers' pages out, tokens keep strangers out.

use crate::Config;

/// Why a page may not use the tracker.
pub(crate) const REFUSED: &str = "pages of this origin may not use this tracker; its operator lists \
    those that may in tracker.origins_allowed";

/// Whether a client with this `Origin` header may use the tracker.
pub(crate) fn is_allowed(config: &Config, origin: Option<&str>) -> bool {
    let Some(origin) = origin else {
        return !config.origin_required;
    };
    let is_in = |list: &[String]| list.iter().any(|pattern| matches(pattern, origin));
    let is_listed = config.origins_allowed.is_empty() || is_in(&config.origins_allowed);
    is_listed && !is_in(&config.origins_denied)
}

/// `https://a.example` means itself, `https://*.a.example` everything below it. Schemes and hosts are
/// the same in any case (RFC 6454 section 4).
fn matches(pattern: &str, origin: &str) -> bool {
    let Some((scheme, below)) = pattern.split_once("*.") else {
        return pattern.trim_end_matches('/').eq_ignore_ascii_case(origin);
    };
    let Some((start, host)) = origin.split_at_checked(scheme.len()) else {
        return false;
    };
    let Some(dot) = host.len().checked_sub(below.len() + 1) else {
        return false;
    };
    start.eq_ignore_ascii_case(scheme)
        && dot > 0
        && host
            .split_at_checked(dot)
            .and_then(|(_, end)| end.strip_prefix('.'))
            .is_some_and(|end| end.eq_ignore_ascii_case(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(allowed: &[&str], denied: &[&str]) -> Config {
        let list = |origins: &[&str]| origins.iter().map(|&it| it.to_owned()).collect();
        Config {
            origins_allowed: list(allowed),
            origins_denied: list(denied),
            ..Config::default()
        }
    }

    #[test]
    fn everybody_is_allowed_at_first() {
        let config = Config::default();
        assert!(is_allowed(&config, Some("https://a.example")) && is_allowed(&config, None));
    }

    #[test]
    fn a_list_allows_its_origins_only() {
        let config = config(&["https://a.example", "https://*.b.example"], &[]);
        for good in [
            "https://a.example",
            "HTTPS://A.example",
            "https://x.b.example",
            "https://x.y.b.example",
        ] {
            assert!(is_allowed(&config, Some(good)), "{good}");
        }
        for bad in [
            "http://a.example",
            "https://a.example:444",
            "https://b.example",
            "https://.b.example",
            "https://xb.example",
            "https://x.b.example.evil",
            "null",
            "",
            "https://\u{e9}",
        ] {
            assert!(!is_allowed(&config, Some(bad)), "{bad}");
        }
        assert!(
            is_allowed(&config, None),
            "seeders and other programs send none"
        );
    }

    #[test]
    fn denied_beats_allowed() {
        let config = config(&["https://*.b.example"], &["https://bad.b.example"]);
        assert!(!is_allowed(&config, Some("https://bad.b.example")));
        assert!(is_allowed(&config, Some("https://good.b.example")));
    }

    #[test]
    fn an_origin_can_be_required() {
        let config = Config {
            origin_required: true,
            ..Config::default()
        };
        assert!(!is_allowed(&config, None));
    }
}
