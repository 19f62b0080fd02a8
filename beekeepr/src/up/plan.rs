//! What the seeder of `up` seeds, and with whom.

use std::net::{IpAddr, SocketAddr};

use beekeepr_seeder::Config;

use crate::demo;
use crate::failure::Failure;
use crate::web::Channel;

/// Names of the demo channel's two forms.
const LIVE_NAME: &str = "Demo live";
const VOD_NAME: &str = "Demo on demand";

/// Completes the seeder's configuration: the demo channel when there is no other, our own tracker
/// and STUN server when no others are named, and loopback all through when the page is on loopback.
pub(super) fn seeder(
    mut config: Config,
    web: Option<SocketAddr>,
    trackers: &[String],
    stun: &[String],
) -> Result<Config, Failure> {
    if config.channels.is_empty()
        && let Some(web) = web.map(local)
    {
        config.channels = vec![
            demo(LIVE_NAME, web, demo::LIVE)?,
            demo(VOD_NAME, web, demo::VOD)?,
        ];
        config.private_origins.push(web.ip().to_string());
    }
    if config.trackers.is_empty() {
        let parsed = trackers
            .iter()
            .map(|tracker| tracker.parse())
            .collect::<Result<_, _>>();
        config.trackers = parsed.map_err(|error| Failure::Other(format!("{error}")))?;
    }
    if config.stun.is_empty() {
        config.stun = stun.to_vec();
    }
    let is_local = web.is_none_or(|web| web.ip().is_loopback());
    if is_local && config.udp == Config::default().udp {
        config.udp = SocketAddr::from(([127, 0, 0, 1], config.udp.port()));
    }
    Ok(config)
}

fn demo(name: &str, web: SocketAddr, path: &str) -> Result<beekeepr_seeder::Channel, Failure> {
    let manifest = format!("http://{web}/{path}").parse();
    let manifest = manifest.map_err(|error| Failure::Other(format!("{error}")))?;
    Ok(beekeepr_seeder::Channel::new(name.to_owned(), manifest))
}

/// Where this machine itself reaches a listener: the unspecified address is not one to connect to.
fn local(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip([127, 0, 0, 1].into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip([0, 0, 0, 0, 0, 0, 0, 1].into()),
        IpAddr::V4(_) | IpAddr::V6(_) => (),
    }
    address
}

/// The channels as the page shows them.
pub(super) fn channels(channels: &[beekeepr_seeder::Channel]) -> Vec<Channel> {
    let channel = |channel: &beekeepr_seeder::Channel| Channel {
        name: channel.name.clone(),
        manifest: channel.manifest.to_string(),
        swarm_id: channel.swarm_id(),
    };
    channels.iter().map(channel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(config: Config, web: &str) -> Config {
        let trackers = ["ws://127.0.0.1:8000".to_owned()];
        let stun = ["stun:127.0.0.1:3478".to_owned()];
        seeder(config, Some(web.parse().unwrap()), &trackers, &stun).unwrap()
    }

    #[test]
    fn without_a_channel_there_is_the_demo_live_first() {
        let plan = plan(Config::default(), "127.0.0.1:8080");
        let shown = channels(&plan.channels);
        assert_eq!(shown.len(), 2);
        assert_eq!(
            shown[0].manifest,
            "http://127.0.0.1:8080/demo/live/master.m3u8"
        );
        assert_eq!(shown[0].swarm_id, shown[0].manifest);
        assert_eq!(plan.trackers[0].to_string(), "ws://127.0.0.1:8000/");
        assert_eq!(plan.stun, ["stun:127.0.0.1:3478"]);
    }

    #[test]
    fn a_given_channel_takes_the_demos_place() {
        let manifest = "http://cdn.example/a.m3u8?token=1".parse().unwrap();
        let channel = beekeepr_seeder::Channel::new("a".to_owned(), manifest);
        let plan = plan(
            Config {
                channels: vec![channel],
                ..Config::default()
            },
            "127.0.0.1:8080",
        );
        assert_eq!(channels(&plan.channels).len(), 1);
        assert_eq!(
            channels(&plan.channels)[0].swarm_id,
            "http://cdn.example/a.m3u8"
        );
    }

    #[test]
    fn a_page_for_all_the_world_has_a_seeder_for_all_the_world_that_reaches_its_origin_locally() {
        let plan = plan(Config::default(), "0.0.0.0:8080");
        assert!(plan.udp.ip().is_unspecified());
        assert_eq!(
            channels(&plan.channels)[0].manifest,
            "http://127.0.0.1:8080/demo/live/master.m3u8"
        );
        assert_eq!(plan.private_origins, ["127.0.0.1"]);
    }

    #[test]
    fn a_page_on_loopback_keeps_the_seeder_there() {
        assert!(
            plan(Config::default(), "127.0.0.1:8080")
                .udp
                .ip()
                .is_loopback()
        );
        let udp = "0.0.0.0:4000".parse().unwrap();
        let chosen = plan(
            Config {
                udp,
                ..Config::default()
            },
            "127.0.0.1:8080",
        );
        assert_eq!(chosen.udp, udp);
    }
}
