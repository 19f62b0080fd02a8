//! The operator's page has every key.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Channel, ChannelsFrom, Config, Disk, Proxy, Renditions, Secret, Shield};

const PAGE: &str = include_str!("../../../docs/operating-seeder.md");

/// Everything set, field by field: a new one does not compile until it is here.
fn all() -> Config {
    let usual = Config::default();
    let secrets = BTreeMap::from([("x-key".to_owned(), Secret("1".into()))]);
    let channel = Channel {
        name: "tv".into(),
        manifest: "https://cdn.example/tv.m3u8".parse().unwrap(),
        swarm_id: Some("tv".into()),
        swarm_id_parameters: vec!["id".into()],
        renditions: Renditions::Top,
        prefetch_s: 300,
        warm_s: 30,
        headers: secrets.clone(),
        cookies: secrets,
        allowed_hosts: vec!["cdn.example".into()],
        failover: vec!["https://cdn.example".parse().unwrap()],
        fetch_bps_max: 0,
        proxy: Some(Proxy::None),
    };
    Config {
        channels: vec![channel],
        channels_from: Some(ChannelsFrom {
            url: "https://control.example/v1".parse().unwrap(),
            key_file: Some("key".into()),
            key_source: None,
            state_file: Some("state".into()),
        }),
        channels_state_file: Some("state".into()),
        trackers: usual.trackers,
        token_file: Some("token".into()),
        token_hosts: usual.token_hosts,
        token_source: None,
        stun: usual.stun,
        udp: usual.udp,
        external_ips: usual.external_ips,
        cache_bytes_max: usual.cache_bytes_max,
        disk: Some(Disk {
            path: "disk".into(),
            bytes_max: 0,
        }),
        shield: Some(Shield {
            listen: usual.udp,
            connections_max: 1,
            key: Some(Secret("1".into())),
        }),
        logical_peers: usual.logical_peers,
        logical_peers_max: usual.logical_peers_max,
        upload_bps_max: usual.upload_bps_max,
        viewer_upload_bps_max: usual.viewer_upload_bps_max,
        peers_max: usual.peers_max,
        connections_max: usual.connections_max,
        shards: usual.shards,
        allow_private_origins: usual.allow_private_origins,
        private_origins: usual.private_origins,
        proxy: usual.proxy,
        drain_s: usual.drain_s,
    }
}

/// Keys as the page writes them: of a channel by their name, of other sections with it.
fn keys(value: &Value, section: &str, found: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            ("channels", Value::Array(channels)) => keys(&channels[0], "", found),
            ("headers" | "cookies", _) => _ = found.insert(key.clone()),
            (_, Value::Object(_)) => keys(value, &format!("{key}."), found),
            _ => _ = found.insert(format!("{section}{key}")),
        }
    }
}

#[test]
fn every_key_is_on_the_operators_page() {
    let mut found = BTreeSet::new();
    keys(&serde_json::to_value(all()).unwrap(), "", &mut found);
    assert!(found.contains("shield.key") && found.contains("swarm_id_parameters"));
    found.retain(|key| !PAGE.contains(&format!("| `{key}` |")));
    assert!(
        found.is_empty(),
        "not in a table of docs/operating-seeder.md: {found:?}"
    );
}
