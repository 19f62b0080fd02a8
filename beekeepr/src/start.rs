//! Starting roles, with their errors sorted by exit code.

use std::net::TcpListener;

use beekeepr_seeder as seeder;
use beekeepr_service::net::BindError;
use beekeepr_stun_server as stun;
use beekeepr_tracker as tracker;

use crate::failure::Failure;
use crate::process::Process;

/// Which addresses of a list the STUN server may do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Those that this machine does not have, `[::1]` without IPv6 for example.
    AbsentOnly,
    /// Any, as long as one is left.
    Any,
}

/// Starts the tracker.
pub(crate) async fn tracker(
    config: tracker::Config,
    process: &Process,
) -> Result<tracker::Running, Failure> {
    tracker_on(Vec::new(), config, process)
        .await
        .map(|(running, _)| running)
}

/// Starts the tracker on listeners of a process that this one replaces, and gives copies of those that
/// it has for one that replaces this.
pub(crate) async fn tracker_on(
    inherited: Vec<TcpListener>,
    config: tracker::Config,
    process: &Process,
) -> Result<(tracker::Running, Vec<TcpListener>), Failure> {
    let (registry, shutdown) = (&process.registry, process.shutdown.clone());
    let started = tracker::start_on(inherited, config, registry, shutdown).await;
    let (running, listeners) = started.map_err(|error| match error {
        tracker::StartError::Config(_) | tracker::StartError::Tls(_) => {
            Failure::Config(error.to_string())
        }
        tracker::StartError::Bind(error) => bind(error),
        tracker::StartError::System(_) | tracker::StartError::Metrics(_) => {
            Failure::Other(error.to_string())
        }
    })?;
    let statistics = running.statistics.clone();
    process.page("/v1/swarms", move |query| {
        let (statistics, swarms) = (statistics.clone(), top(query));
        async move { statistics.largest_swarms(swarms).await }
    });
    Ok((running, listeners))
}

/// How many swarms `top=N` asks for; ten unless it says so.
fn top(query: &str) -> usize {
    let mut pairs = query.split('&');
    let top = pairs.find_map(|pair| pair.strip_prefix("top="));
    top.and_then(|top| top.parse().ok()).unwrap_or(10)
}

/// Starts the STUN server, on fewer addresses than configured when `missing` allows it.
pub(crate) async fn stun(
    mut config: stun::Config,
    process: &Process,
    missing: Missing,
) -> Result<stun::Running, Failure> {
    let start = |config| stun::start(config, &process.registry, process.shutdown.clone());
    let errors = match start(config.clone()).await {
        Ok(running) => return Ok(running),
        Err(stun::StartError::Bind(errors)) => errors,
        Err(error) => return Err(stun_failure(&error)),
    };
    let may_go_on = missing == Missing::Any || errors.iter().all(BindError::is_absent);
    config
        .listen
        .retain(|address| errors.iter().all(|error| error.address != *address));
    if !may_go_on || config.listen.is_empty() {
        return Err(stun_failure(&stun::StartError::Bind(errors)));
    }
    for error in &errors {
        tracing::warn!("STUN goes on without an address (stun.listen): {error}");
    }
    start(config).await.map_err(|error| stun_failure(&error))
}

fn stun_failure(error: &stun::StartError) -> Failure {
    match error {
        stun::StartError::Config(_) | stun::StartError::Tls(_) => {
            Failure::Config(error.to_string())
        }
        stun::StartError::Bind(_)
        | stun::StartError::Socket(_)
        | stun::StartError::Thread(_)
        | stun::StartError::Metrics(_) => Failure::Other(error.to_string()),
    }
}

/// Starts the seeder.
pub(crate) async fn seeder(
    config: seeder::Config,
    process: &Process,
) -> Result<seeder::Running, Failure> {
    let started = seeder::start(config, &process.registry, process.shutdown.clone()).await;
    let running = started.map_err(seeder_failure)?;
    let channels = running.channels.clone();
    process.resource("/v1/channels", move |request| {
        std::future::ready(channels.answer(&request))
    });
    Ok(running)
}

/// Why the seeder cannot do its work.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is a function for map_err"
)]
pub(crate) fn seeder_failure(error: seeder::StartError) -> Failure {
    match error {
        seeder::StartError::Config(_) => Failure::Config(error.to_string()),
        seeder::StartError::Hub(_)
        | seeder::StartError::Metrics(_)
        | seeder::StartError::Shield(_)
        | seeder::StartError::Client(_) => Failure::Other(error.to_string()),
    }
}

/// A listener that cannot be had.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is a function for map_err"
)]
pub(crate) fn bind(error: BindError) -> Failure {
    Failure::Other(error.to_string())
}
