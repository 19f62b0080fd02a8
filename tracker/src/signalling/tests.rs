//! Messages in, what is sent out; no sockets.

use std::collections::VecDeque;

use prometheus::Registry;
use serde_json::{Value, json};

use super::*;
use crate::access::{Arrival, Group, GroupMode, Matching};

const HASH: &str = "hpw5DN1BrHoy/nDyIVbD";
const NOW: Time = Time::from_ms(1_000);
const SDP: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
const AUDIO: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";

/// What signalling wants done.
#[derive(Debug, Default)]
struct Sent {
    texts: VecDeque<(ConnKey, Value)>,
    probes: Vec<ConnKey>,
    closes: Vec<(ConnKey, u16)>,
}

impl Outbox for Sent {
    fn send(&mut self, to: ConnKey, write: impl FnOnce(&mut Vec<u8>)) {
        let mut frame = Vec::new();
        write(&mut frame);
        // Unmasked frames of RFC 6455 section 5.2; none here needs the longest form.
        let start = if frame[1] == 126 { 4 } else { 2 };
        self.texts
            .push_back((to, serde_json::from_slice(&frame[start..]).unwrap()));
    }

    fn probe(&mut self, key: ConnKey) {
        self.probes.push(key);
    }

    fn close(&mut self, key: ConnKey, code: u16) {
        self.closes.push((key, code));
    }
}

/// Signalling with clients; client n has connection n and the peer id of twenty times its letter.
struct Tracker {
    signalling: Signalling,
    access: Arc<Access>,
    sent: Sent,
}

impl Tracker {
    fn new(config: &Config) -> Self {
        let access = Access::new(config).unwrap();
        let metrics = Metrics::register(&Registry::new()).unwrap();
        Self {
            signalling: Signalling::new(config, Arc::clone(&access), metrics, 1, NOW),
            access,
            sent: Sent::default(),
        }
    }

    fn context(&self, client: u8, ip: &str) -> Context {
        let arrival = Arrival {
            now: NOW,
            ip: ip.parse().unwrap(),
            target: "/",
            protocols: Vec::new(),
        };
        Context {
            key: ConnKey(client.into()),
            session: Arc::new(self.access.admit(&arrival).0),
        }
    }

    fn say_from(&mut self, client: u8, ip: &str, message: &Value) -> Vec<(u64, Value)> {
        let text = message.to_string();
        let message = beekeepr_tracker_proto::read_client_message(text.as_bytes());
        let context = self.context(client, ip);
        self.signalling
            .message(NOW, &context, message, &mut self.sent);
        self.sent
            .texts
            .drain(..)
            .map(|(to, text)| (to.0, text))
            .collect()
    }

    fn say(&mut self, client: u8, message: &Value) -> Vec<(u64, Value)> {
        self.say_from(client, "192.0.2.1", message)
    }
}

fn peer_id(client: u8) -> String {
    char::from(b'a' + client).to_string().repeat(20)
}

fn announce(client: u8, sdps: &[&str]) -> Value {
    let offer = |(i, sdp): (usize, &&str)| json!({"offer": {"type": "offer", "sdp": sdp}, "offer_id": format!("{i:020}")});
    json!({
        "action": "announce", "info_hash": HASH, "peer_id": peer_id(client),
        "offers": sdps.iter().enumerate().map(offer).collect::<Vec<_>>(),
    })
}

fn answer(client: u8, to: u8, sdp: &str) -> Value {
    json!({
        "action": "announce", "info_hash": HASH, "peer_id": peer_id(client),
        "to_peer_id": peer_id(to), "offer_id": format!("{:020}", 0),
        "answer": {"type": "answer", "sdp": sdp},
    })
}

fn failure(reply: &Value) -> &str {
    reply["failure reason"].as_str().unwrap_or_default()
}

#[test]
fn a_bad_offer_is_left_out_with_a_warning() {
    let mut tracker = Tracker::new(&Config::default());
    tracker.say(1, &announce(1, &[]));
    tracker.say(2, &announce(2, &[]));
    let sent = tracker.say(3, &announce(3, &[AUDIO, SDP]));
    assert_eq!(sent.len(), 2, "{sent:?}");
    let warning = sent[0].1["warning message"].as_str().unwrap();
    assert!(
        warning.contains("media other than application"),
        "{warning}"
    );
    assert_eq!(sent[1].1["offer_id"], "00000000000000000001");
}

#[test]
fn a_bad_answer_is_refused_and_a_good_one_still_counts() {
    let mut tracker = Tracker::new(&Config::default());
    tracker.say(1, &announce(1, &[]));
    tracker.say(2, &announce(2, &[SDP]));
    let refused = tracker.say(1, &answer(1, 2, AUDIO));
    assert!(
        failure(&refused[0].1).starts_with("the answer is not relayed"),
        "{refused:?}"
    );
    assert_eq!(refused[0].1["info_hash"], HASH);
    assert_eq!(tracker.say(1, &answer(1, 2, SDP))[0].0, 2);
}

#[test]
fn loopback_candidates_pass_only_where_the_tracker_is_on_loopback() {
    let offer = format!("{SDP}a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n");
    for (listen, count) in [("127.0.0.1:0", 2), ("0.0.0.0:0", 1)] {
        let mut tracker = Tracker::new(&Config {
            listen: listen.parse().unwrap(),
            ..Config::default()
        });
        tracker.say(1, &announce(1, &[]));
        assert_eq!(
            tracker.say(2, &announce(2, &[&offer])).len(),
            count,
            "{listen}"
        );
    }
}

#[test]
fn swarms_that_are_not_listed_are_refused() {
    let mut tracker = Tracker::new(&Config {
        info_hashes: vec!["dWzShRMpT2iw023W5NAw".to_owned()],
        ..Config::default()
    });
    let sent = tracker.say(1, &announce(1, &[]));
    assert!(failure(&sent[0].1).contains("allow list"), "{sent:?}");
    assert_eq!(
        (&sent[0].1["action"], &sent[0].1["info_hash"]),
        (&json!("announce"), &json!(HASH))
    );
    assert_eq!(tracker.signalling.sizes()[0], 0);
    assert_eq!(tracker.sent.closes, []);
}

#[test]
fn who_may_do_nothing_is_told_why_and_has_to_go() {
    let mut tracker = Tracker::new(&Config::default());
    tracker.say(1, &announce(1, &[]));
    let context = Context {
        key: ConnKey(1),
        session: Arc::new(crate::access::Session::refused("no")),
    };
    for message in [announce(1, &[]), json!({"action": "scrape"}), json!(null)] {
        let text = message.to_string();
        let message = beekeepr_tracker_proto::read_client_message(text.as_bytes());
        tracker
            .signalling
            .message(NOW, &context, message, &mut tracker.sent);
        let (_, reply) = tracker.sent.texts.pop_front().unwrap();
        assert_eq!(failure(&reply), "no");
        assert_eq!(tracker.sent.closes.pop(), Some((ConnKey(1), 1008)));
    }
    assert_eq!(tracker.signalling.sizes()[1], 0, "its peers are gone");
}

#[test]
fn who_is_asked_for_by_another_connection_is_probed_once() {
    let mut tracker = Tracker::new(&Config::default());
    tracker.say(1, &announce(1, &[]));
    for _ in 0..3 {
        let sent = tracker.say(2, &announce(1, &[]));
        assert!(
            failure(&sent[0].1).contains("peer_id is in use"),
            "{sent:?}"
        );
    }
    assert_eq!(tracker.sent.probes, [ConnKey(1)]);
}

#[test]
fn groups_that_are_off_are_introduced_to_nobody() {
    let mut tracker = Tracker::new(&Config {
        matching: Matching {
            groups: vec![Group {
                networks: vec!["10.0.0.0/8".parse().unwrap()],
                mode: GroupMode::Off,
                ..Group::default()
            }],
            ..Matching::default()
        },
        ..Config::default()
    });
    tracker.say(1, &announce(1, &[]));
    let sent = tracker.say_from(2, "10.0.0.1", &announce(2, &[SDP]));
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (&sent[0].1["incomplete"], failure(&sent[0].1)),
        (&json!(1), "")
    );
    assert_eq!(
        tracker.say(3, &announce(3, &[SDP, SDP])).len(),
        2,
        "only the first is met"
    );
}

#[test]
fn a_scrape_of_all_is_answered_where_it_is_configured() {
    let scrape = json!({"action": "scrape"});
    for (scrape_all, expected) in [(true, 1), (false, 0)] {
        let mut tracker = Tracker::new(&Config {
            scrape_all,
            ..Config::default()
        });
        tracker.say(1, &announce(1, &[]));
        let sent = tracker.say(2, &scrape);
        assert_eq!(sent[0].1["files"].as_object().unwrap().len(), expected);
        let own = tracker.say(1, &scrape);
        assert_eq!(own[0].1["files"][HASH]["incomplete"], 1);
    }
}

#[test]
fn an_unknown_action_is_refused_as_an_announce() {
    let mut tracker = Tracker::new(&Config::default());
    let sent = tracker.say(1, &json!({"action": "dance", "info_hash": HASH}));
    assert_eq!(
        sent[0].1["action"], "announce",
        "other actions make clients drop their sockets"
    );
    assert_eq!(sent[0].1["info_hash"], HASH);
    assert!(failure(&sent[0].1).contains("unknown action"));
}
