//! What `up` says once everything runs.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::web::{self, Page};

/// Addresses, the snippet for other pages, and how to stop.
pub(super) fn text(
    web: Option<SocketAddr>,
    page: &Page,
    seeder: Option<&[SocketAddr]>,
    control: Option<SocketAddr>,
    admin: Option<SocketAddr>,
) -> String {
    let mut text = String::from("\nBeekeepr is up.\n\n");
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<9} {value}");
    };
    if let Some(web) = web {
        line(
            "page",
            &format!("http://{web}/   (open it twice to see viewers share)"),
        );
    }
    line("tracker", or_not_running(&page.trackers.join(" ")));
    line("STUN", or_not_running(&page.stun.join(" ")));
    let seeder = seeder.map(|addresses| {
        let addresses: Vec<String> = addresses.iter().map(|it| format!("udp:{it}")).collect();
        addresses.join(" ")
    });
    line(
        "seeder",
        or_not_running(seeder.as_deref().unwrap_or_default()),
    );
    for channel in &page.channels {
        line(
            "channel",
            &format!("{}: {}", channel.name, channel.manifest),
        );
    }
    if let Some(control) = control {
        line(
            "dashboard",
            &format!("http://{control}/   (API: /v1/, sign in with the owner's key)"),
        );
    }
    if let Some(admin) = admin {
        line("metrics", &format!("http://{admin}/metrics"));
    }
    if let Some(snippet) = web.and_then(|web| web::embed(web, page)) {
        let _ = write!(text, "\nOn your own page:\n\n{}", indent(&snippet));
    } else if !page.client_built {
        text.push_str(
            "\nThe browser client is not part of this binary, so viewers play over HTTP alone; \
             `cargo xtask up` builds both.\n",
        );
    }
    text.push_str("\nCtrl-C stops everything.\n");
    text
}

fn or_not_running(value: &str) -> &str {
    if value.is_empty() {
        "not running, see above"
    } else {
        value
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_every_address_and_how_to_stop() {
        let page = Page::new(
            vec!["ws://127.0.0.1:8000".to_owned()],
            Vec::new(),
            Vec::new(),
        );
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let seeder = [address("127.0.0.1:4000")];
        let web = Some(address("127.0.0.1:8080"));
        let control = Some(address("127.0.0.1:8100"));
        let admin = Some(address("127.0.0.1:9000"));
        let text = text(web, &page, Some(&seeder), control, admin);
        for part in [
            "http://127.0.0.1:8080/",
            "ws://127.0.0.1:8000",
            "STUN      not running",
            "udp:127.0.0.1:4000",
            "dashboard http://127.0.0.1:8100/",
            "http://127.0.0.1:9000/metrics",
            "Ctrl-C stops everything",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
