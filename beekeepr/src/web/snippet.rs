//! What an operator puts on their own page.

use std::net::SocketAddr;

use super::page::Page;

/// HTML that plays the page's first channel with stock hls.js and our client, served from `web`.
/// `None` without a channel or when the client is not part of this binary.
pub(crate) fn embed(web: SocketAddr, page: &Page) -> Option<String> {
    let channel = page
        .channels
        .first()
        .filter(|_| page.client_built && page.player_built)?;
    let quoted = |text: &str| format!("{text:?}");
    let list = |texts: &[String]| {
        texts
            .iter()
            .map(|text| quoted(text))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let token = match page.wants_tokens {
        true => {
            "\n        // From your server: a JWT for this viewer, signed with one of tracker.tokens.keys.\n        \
             token: () => fetch(\"/your-token\").then((answer) => answer.text()),"
        }
        false => "",
    };
    Some(format!(
        r#"<video id="video" controls muted autoplay playsinline></video>
<script src="http://{web}/vendor/hls.min.js"></script>
<script type="module">
  import {{ HlsJsP2PEngine }} from "http://{web}/client/beekeepr-hlsjs.js";
  const hls = new (HlsJsP2PEngine.injectMixin(Hls))({{
    p2p: {{
      core: {{
        swarmId: {swarm},
        announceTrackers: [{trackers}],{token}
        rtcConfig: {{ iceServers: [{{ urls: [{stun}] }}] }},
      }},
    }},
  }});
  hls.attachMedia(document.getElementById("video"));
  hls.loadSource({manifest});
</script>"#,
        swarm = quoted(&channel.swarm_id),
        trackers = list(&page.trackers),
        stun = list(&page.stun),
        manifest = quoted(&channel.manifest),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::page::Channel;
    use super::*;

    fn page(client_built: bool) -> Page {
        let channel = Channel {
            name: "news".to_owned(),
            manifest: "http://127.0.0.1:8080/news.m3u8".to_owned(),
            swarm_id: "news-swarm".to_owned(),
        };
        let trackers = vec!["ws://127.0.0.1:8000".to_owned()];
        let stun = vec!["stun:127.0.0.1:3478".to_owned()];
        let page = Page::new(trackers, stun, vec![channel]);
        Page {
            client_built,
            player_built: true,
            ..page
        }
    }

    #[test]
    fn the_snippet_names_everything_a_page_needs() {
        let text = embed("127.0.0.1:8080".parse().unwrap(), &page(true)).unwrap();
        for part in [
            r#"swarmId: "news-swarm""#,
            r#"announceTrackers: ["ws://127.0.0.1:8000"]"#,
            r#"urls: ["stun:127.0.0.1:3478"]"#,
            r#"loadSource("http://127.0.0.1:8080/news.m3u8")"#,
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_tracker_that_wants_tokens_is_given_one() {
        let address = "127.0.0.1:8080".parse().unwrap();
        let open = embed(address, &page(true)).unwrap();
        assert!(!open.contains("token"), "{open}");
        let wanting = Page {
            wants_tokens: true,
            ..page(true)
        };
        let text = embed(address, &wanting).unwrap();
        assert!(text.contains("        token: () => fetch("), "{text}");
    }

    #[test]
    fn without_the_client_there_is_nothing_to_embed() {
        assert!(embed("127.0.0.1:8080".parse().unwrap(), &page(false)).is_none());
    }
}
