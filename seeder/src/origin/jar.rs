//! Cookies that a channel's origins set (RFC 6265), as CDNs do that let nobody fetch a segment who has not read the
//! manifest. Each channel has its own, in memory alone.

use std::sync::Mutex;

use cookie_store::CookieStore;
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

/// Cookies of a channel, as many as browsers keep for a host (RFC 6265, 6.1). Then no new ones are taken.
const COOKIES_MAX: usize = 50;
/// The longest cookie; no browser takes longer ones (RFC 6265, 6.1).
const COOKIE_BYTES_MAX: usize = 4 * 1024;

/// A channel's cookies.
#[derive(Debug, Default)]
pub(super) struct Jar(Mutex<CookieStore>);

impl Jar {
    /// Takes what an answer from `url` sets, as far as that server may.
    pub(super) fn learn(&self, url: &Url, headers: &HeaderMap) {
        let mut set = headers.get_all(SET_COOKIE).iter().peekable();
        if set.peek().is_none() {
            return;
        }
        let Ok(mut store) = self.0.lock() else {
            return;
        };
        for cookie in set.filter(|it| it.len() <= COOKIE_BYTES_MAX) {
            let Some(text) = cookie.to_str().ok().filter(|text| is_for_a_site(text)) else {
                continue;
            };
            // A cookie that says it is for somebody else is none; there is nobody to tell.
            let _ = store.parse(text, url);
            if store.iter_any().count() > COOKIES_MAX {
                keep_valid(&mut store);
            }
        }
    }

    /// The header for a request: the operator's cookies, then those that servers have set, which replace them.
    pub(super) fn header(&self, url: &Url, own: Option<&HeaderValue>) -> Option<HeaderValue> {
        let set: Vec<(String, String)> = self.0.lock().map_or_else(
            |_| Vec::new(),
            |store| {
                let pairs = store.get_request_values(url);
                pairs
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect()
            },
        );
        if set.is_empty() {
            return own.cloned();
        }
        let own = own.and_then(|own| own.to_str().ok()).unwrap_or_default();
        let is_kept = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && set.iter().all(|(other, _)| other != name)
        };
        let own = own.split("; ").filter(is_kept).map(str::to_owned);
        let pairs = set.iter().map(|(name, value)| format!("{name}={value}"));
        let pairs: Vec<String> = own.chain(pairs).collect();
        let mut value = HeaderValue::try_from(pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Whether a cookie's domain is more than `com`.
fn is_for_a_site(cookie: &str) -> bool {
    let attributes = cookie
        .split(';')
        .skip(1)
        .filter_map(|it| it.split_once('='));
    let mut domains = attributes.filter(|(name, _)| name.trim().eq_ignore_ascii_case("domain"));
    domains.all(|(_, domain)| domain.trim().trim_matches('.').contains('.'))
}

/// Throws out what has expired, and beyond the limit anything.
fn keep_valid(store: &mut CookieStore) {
    let valid = store.iter_unexpired().take(COOKIES_MAX).cloned();
    let valid: Vec<_> = valid.map(Ok::<_, cookie_store::CookieError>).collect();
    if let Ok(kept) = CookieStore::from_cookies(valid, false) {
        *store = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn learnt(from: &str, cookies: &[&str]) -> Jar {
        let jar = Jar::default();
        learn(&jar, from, cookies);
        jar
    }

    fn learn(jar: &Jar, from: &str, cookies: &[&str]) {
        let headers = cookies
            .iter()
            .map(|it| (SET_COOKIE, HeaderValue::from_str(it).unwrap()));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        jar.learn(&url(from), &map);
    }

    fn sent(jar: &Jar, to: &str) -> String {
        let header = jar.header(&url(to), None);
        header.map_or_else(String::new, |it| it.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_goes_to_the_host_that_set_it_and_to_no_other() {
        let jar = learnt("https://cdn.example/live/tv.m3u8", &["a=1"]);
        assert_eq!(sent(&jar, "https://cdn.example/live/1.ts"), "a=1");
        assert_eq!(
            sent(&jar, "https://cdn.example/other/1.ts"),
            "",
            "another path"
        );
        assert_eq!(sent(&jar, "https://edge.cdn.example/live/1.ts"), "");
        assert_eq!(sent(&jar, "https://example/live/1.ts"), "");
    }

    #[test]
    fn domain_path_and_secure_say_where_it_goes() {
        let jar = learnt(
            "https://a.cdn.example/live/tv.m3u8",
            &[
                "a=1; Domain=cdn.example; Path=/",
                "b=2; Path=/; Secure",
                "c=3; Domain=other.example",
                "d=4; Domain=example",
            ],
        );
        assert_eq!(sent(&jar, "https://b.cdn.example/x"), "a=1");
        assert_eq!(sent(&jar, "http://a.cdn.example/x"), "a=1");
        let both = sent(&jar, "https://a.cdn.example/x");
        assert!(both.contains("a=1") && both.contains("b=2"), "{both}");
        assert_eq!(
            sent(&jar, "https://x.example/"),
            "",
            "nobody sets cookies for all of .example"
        );
    }

    #[test]
    fn what_has_expired_or_is_taken_back_is_not_sent() {
        let from = "https://cdn.example/";
        let jar = learnt(
            from,
            &[
                "a=1; Max-Age=0",
                "b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
                "c=3; Max-Age=600",
            ],
        );
        assert_eq!(sent(&jar, from), "c=3");
        learn(&jar, from, &["c=; Max-Age=0"]);
        assert_eq!(sent(&jar, from), "");
    }

    #[test]
    fn what_a_server_sets_replaces_the_operators() {
        let jar = learnt("https://cdn.example/", &["b=new"]);
        let own = HeaderValue::from_static("a=1; b=old");
        let header = jar
            .header(&url("https://cdn.example/"), Some(&own))
            .unwrap();
        assert_eq!(header, "a=1; b=new");
        assert!(header.is_sensitive());
    }

    #[test]
    fn a_server_cannot_fill_the_memory() {
        let jar = Jar::default();
        for number in 0..COOKIES_MAX * 3 {
            learn(&jar, "https://cdn.example/", &[&format!("c{number}=1")]);
        }
        let long = format!("long={}", "x".repeat(COOKIE_BYTES_MAX));
        learn(&jar, "https://cdn.example/", &[&long]);
        let kept = sent(&jar, "https://cdn.example/");
        assert!(kept.split("; ").count() <= COOKIES_MAX && !kept.contains("long"));
    }
}
