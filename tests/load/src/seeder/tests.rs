//! The whole of it in one process: origin, tracker, seeder, three viewers.

use std::rc::Rc;
use std::time::{Duration, Instant};

use beekeepr_seeder::{Channel, Config};
use beekeepr_service::Shutdown;
use clap::Parser;
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::live::Live;
use super::measure::run_of;
use super::origin::Origin;
use super::servers::SWARM_ID;
use super::viewer::{Run, Viewer};
use super::{Args, IP, check};

/// A test that has not come to its end by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(text: &str) -> Args {
    let words = ["seeder", "--beekeepr", "/"].into_iter();
    Line::parse_from(words.chain(text.split_whitespace())).args
}

#[test]
fn what_cannot_be_measured_is_refused() {
    assert!(check(&args("")).is_ok());
    for wrong in [
        "--viewers 0",
        "--segment 0.5",
        "--bitrate 1",
        "--patience 0.5",
        "--beekeepr /no/such",
    ] {
        let words = ["seeder"].into_iter().chain(wrong.split_whitespace());
        let error = match Line::try_parse_from(words.chain(["--core", "0"])) {
            Ok(line) => check(&line.args).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        let named = wrong.split_whitespace().next().unwrap();
        assert!(
            error.contains(named) || error.contains("/no/such"),
            "{wrong}: {error}"
        );
    }
}

/// Watches until as many segments as wanted have come, with the origin's bytes.
async fn watch(run: Rc<Run>, seed: u64, segments: u64) {
    let mut viewer = Viewer::connect(&run, seed).await.unwrap();
    let enough = async {
        while run.counts.borrow().in_time + run.counts.borrow().late < segments {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        ended = viewer.watch() => panic!("the viewer ended: {ended:?}"),
        () = enough => {}
    }
}

#[tokio::test]
async fn three_viewers_get_the_origins_bytes_from_the_seeder() {
    let local = LocalSet::new();
    let test = local.run_until(async {
        let live = Live::new(Instant::now(), Duration::from_secs(1), 2e6, 5);
        let (_origin, playlist) = Origin::start(IP, live).await.unwrap();
        let (_trigger, shutdown) = Shutdown::new();
        let registry = prometheus::Registry::new();
        let config = beekeepr_tracker::Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            workers: Some(1),
            ..beekeepr_tracker::Config::default()
        };
        let tracker = beekeepr_tracker::start(config, &registry, shutdown.clone())
            .await
            .unwrap();
        let url = format!("ws://{}", tracker.addresses[0]);
        let channel = Channel {
            swarm_id: Some(SWARM_ID.to_owned()),
            ..Channel::new("load".to_owned(), playlist.parse().unwrap())
        };
        let config = Config {
            channels: vec![channel],
            trackers: vec![url.parse().unwrap()],
            udp: "127.0.0.1:0".parse().unwrap(),
            ..Config::default()
        };
        let _seeder = beekeepr_seeder::start(config, &registry, shutdown)
            .await
            .unwrap();
        let (run, go) = run_of(live, url, 10.0).unwrap();
        go.send_replace(true);
        let viewers = (0..3).map(|seed| tokio::task::spawn_local(watch(Rc::clone(&run), seed, 6)));
        for viewer in viewers.collect::<Vec<_>>() {
            viewer.await.unwrap();
        }
        let counts = run.counts.borrow();
        assert_eq!(
            (counts.corrupt, counts.lost, counts.set_up_ms.len()),
            (0, 0, 3)
        );
    });
    timeout(PATIENCE, test).await.expect("the test hangs");
}
