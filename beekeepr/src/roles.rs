//! One role in a process of its own.

use beekeepr_service::logs;

use crate::args;
use crate::config::Config;
use crate::failure::Failure;
use crate::handover::{self, Predecessor};
use crate::process::{Process, urls};
use crate::reload::Reload;
use crate::start;

/// How long the tracker's clients are served after SIGTERM, in seconds. Kubernetes waits for 30.
const TRACKER_DRAIN_S: u32 = 10;

/// Workers unless it is said how many: more cores than that are there for something else too.
const TRACKER_WORKERS_MAX: usize = 16;

/// `beekeepr tracker`
pub(crate) async fn tracker(args: args::Tracker) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    let tracker = &mut config.tracker;
    tracker.listen = args.listen.unwrap_or(tracker.listen);
    tracker.workers = args.workers.map(usize::from).or(tracker.workers);
    tracker.workers.get_or_insert_with(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        cores.min(TRACKER_WORKERS_MAX)
    });
    tracker.drain_s.get_or_insert(TRACKER_DRAIN_S);
    let (handover, scheme) = (tracker.handover.clone(), tracker_scheme(tracker));
    config.admin.listen = args.admin.admin_listen.or(config.admin.listen);
    logs::init(&config.log);
    let mut predecessor = Predecessor::find(handover.as_deref())?;
    let mut process = Process::start_on(predecessor.admin(), &config.admin, false).await?;
    let (running, listeners) =
        start::tracker_on(predecessor.tracker(), config.tracker, &process).await?;
    process.ready("tracker", &urls(scheme, &running.addresses));
    predecessor.dismiss();
    let shutdown = process.shutdown.clone();
    tokio::select! {
        replaced = handover::successor(handover.as_deref(), listeners, &mut process) => replaced?,
        () = shutdown.requested() => {}
    }
    running.wait().await;
    Ok(())
}

/// What URLs of the tracker begin with.
pub(crate) fn tracker_scheme(config: &beekeepr_tracker::Config) -> &'static str {
    if config.tls.is_some() {
        "wss://"
    } else {
        "ws://"
    }
}

/// `beekeepr stun`
pub(crate) async fn stun(args: args::Stun) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    if !args.listen.is_empty() {
        config.stun.listen = args.listen;
    }
    if !args.alternate.is_empty() {
        config.stun.alternate = args.alternate;
    }
    config.stun.workers = args.workers.map_or(config.stun.workers, usize::from);
    let process = process(&mut config, args.admin).await?;
    let running = start::stun(config.stun, &process, start::Missing::AbsentOnly).await?;
    process.ready("stun", &running.urls());
    running.wait().await;
    Ok(())
}

/// `beekeepr seeder`
pub(crate) async fn seeder(args: args::Seeder) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    let (file, known) = (args.file.config, config.seeder.clone());
    let is_of_file = args.channels.is_empty() && args.swarm_id.is_none();
    let may_come =
        file.is_some() || known.channels_from.is_some() || args.admin.admin_listen.is_some();
    let seeder = &mut config.seeder;
    if !args.channels.is_empty() {
        seeder.channels = args.channels.into_iter().map(Into::into).collect();
    }
    if args.swarm_id.is_some() {
        let [channel] = seeder.channels.as_mut_slice() else {
            return Err(Failure::Usage(format!(
                "--swarm-id is for a single channel, there are {}; give each its swarm_id in the \
                 configuration file",
                seeder.channels.len()
            )));
        };
        channel.swarm_id = args.swarm_id;
    }
    if !args.trackers.is_empty() {
        seeder.trackers = args.trackers;
    }
    if !args.stun.is_empty() {
        seeder.stun = args.stun;
    }
    seeder.udp = args.udp.unwrap_or(seeder.udp);
    if seeder.channels.is_empty() && !may_come {
        return Err(Failure::Config(
            "there is no channel to seed; give --channel NAME=MANIFEST_URL or seeder.channels in \
             the configuration file"
                .to_owned(),
        ));
    }
    let process = process(&mut config, args.admin).await?;
    let running = start::seeder(config.seeder, &process).await?;
    let reload = Reload::new(file.filter(|_| is_of_file), known, Vec::new());
    reload.watch(running.channels.clone(), process.shutdown.clone())?;
    process.ready("seeder", &urls("udp:", &running.addresses));
    running.wait().await;
    Ok(())
}

async fn process(config: &mut Config, args: args::Admin) -> Result<Process, Failure> {
    config.admin.listen = args.admin_listen.or(config.admin.listen);
    logs::init(&config.log);
    Process::start(&config.admin, false).await
}
