//! One role in a process of its own.

use beekeepr_service::logs;
use beekeepr_stun_server::Workers;

use crate::args;
use crate::config::Config;
use crate::failure::Failure;
use crate::process::{Process, urls};
use crate::start;

/// `beekeepr tracker`
pub(crate) async fn tracker(args: args::Tracker) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    config.tracker.listen = args.listen.unwrap_or(config.tracker.listen);
    config.tracker.workers = args.workers.map_or(config.tracker.workers, usize::from);
    let process = process(&mut config, args.admin).await?;
    let running = start::tracker(config.tracker, &process).await?;
    process.ready("tracker", &urls("ws://", &running.addresses));
    running.wait().await;
    Ok(())
}

/// `beekeepr stun`
pub(crate) async fn stun(args: args::Stun) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    if !args.listen.is_empty() {
        config.stun.listen = args.listen;
    }
    config.stun.alternate = args.alternate.or(config.stun.alternate);
    if let Some(workers) = args.workers {
        config.stun.workers = Workers::try_from(workers)
            .map_err(|error| Failure::Usage(format!("--workers: {error}")))?;
    }
    let process = process(&mut config, args.admin).await?;
    let running = start::stun(config.stun, &process, start::Missing::AbsentOnly).await?;
    process.ready("stun", &urls("stun:", &running.addresses));
    running.wait().await;
    Ok(())
}

/// `beekeepr seeder`
pub(crate) async fn seeder(args: args::Seeder) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
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
    if seeder.channels.is_empty() {
        return Err(Failure::Config(
            "there is no channel to seed; give --channel NAME=MANIFEST_URL or seeder.channels in \
             the configuration file"
                .to_owned(),
        ));
    }
    let process = process(&mut config, args.admin).await?;
    let running = start::seeder(config.seeder, &process).await?;
    process.ready("seeder", &urls("udp:", &running.addresses));
    running.wait().await;
    Ok(())
}

async fn process(config: &mut Config, args: args::Admin) -> Result<Process, Failure> {
    config.admin.listen = args.admin_listen.or(config.admin.listen);
    logs::init(&config.log);
    Process::start(&config.admin, false).await
}
