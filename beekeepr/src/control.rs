//! Control: the role, its part of `up`, and the commands that ask it or work on its database.

mod ask;
mod checker;
mod database;
mod keygen;
mod part;

use beekeepr_control::{Config, Running, StartError};
use beekeepr_service::logs;

use crate::args;
use crate::failure::Failure;
use crate::operator::say;
use crate::process::{Process, urls};

pub(crate) use ask::{channel, token};
pub(crate) use database::{backup, restore};
pub(crate) use keygen::keygen;
pub(crate) use part::{Others, Part};

/// `beekeepr control`
pub(crate) async fn run(args: args::Control) -> Result<(), Failure> {
    let mut config = crate::config::Config::load(args.file.config.as_deref())?;
    let control = &mut config.control;
    control.listen = args.listen.unwrap_or(control.listen);
    name_database(control, args.database);
    config.admin.listen = args.admin.admin_listen.or(config.admin.listen);
    logs::init(&config.log);
    let process = Process::start(&config.admin, false).await?;
    let running = start(config.control, &process).await?;
    show_first_key(&running);
    process.ready("control", &addresses(&running));
    process.shutdown.requested().await;
    running.wait().await;
    Ok(())
}

/// A database on the command line takes the place of the configured one.
fn name_database(config: &mut Config, database: Option<String>) {
    if let Some(database) = database {
        config.database = Some(beekeepr_control::DatabaseUrl(database));
        config.database_file = None;
    }
}

async fn start(config: Config, process: &Process) -> Result<Running, Failure> {
    let is_kept = config.places().is_ok_and(|it| it.secret_file.is_some());
    let started = beekeepr_control::start(config, &process.registry, process.shutdown.clone());
    let running = started.await.map_err(failure)?;
    if !is_kept {
        tracing::warn!(
            "control keeps everything in memory and forgets it at the end; name a folder as control.data, or give --data"
        );
    }
    Ok(running)
}

fn failure(error: StartError) -> Failure {
    match error {
        StartError::Config(text) => Failure::Config(text),
        StartError::Bind(_)
        | StartError::Store(_)
        | StartError::Vault(_)
        | StartError::Registry(_)
        | StartError::Metrics(_)
        | StartError::System(_) => Failure::Other(error.to_string()),
    }
}

/// The API, and where viewers report.
fn addresses(running: &Running) -> Vec<String> {
    let addresses: Vec<_> = [running.address]
        .into_iter()
        .chain(running.beacons)
        .collect();
    urls("http://", &addresses)
}

/// The only time that the key is shown.
fn show_first_key(running: &Running) {
    if let Some(key) = &running.first_key {
        say(&format!(
            "owner key, shown this once, keep it: {}",
            key.reveal()
        ));
    }
}

#[cfg(test)]
mod tests {
    use beekeepr_control::documents::{Channel, Renditions};

    /// Neither crate knows the other; only here can both be held against the contract.
    #[test]
    fn a_seeder_takes_every_key_of_controls_channels() {
        let text = || "x".to_owned();
        let channel = Channel {
            manifest: "https://cdn.example/tv.m3u8?token=1&id=2".into(),
            swarm_id: None,
            swarm_id_parameters: vec!["id".into()],
            renditions: Some(Renditions::List(vec!["720p".into()])),
            prefetch_s: Some(60),
            warm_s: Some(5),
            headers: [("x-key".to_owned(), text())].into(),
            cookies: [("session".to_owned(), text())].into(),
            allowed_hosts: vec!["*.cdn.example".into()],
            failover: vec!["https://backup.example".into()],
            fetch_bps_max: Some(1_000_000),
            proxy: Some("none".into()),
        };
        channel.check().unwrap();
        let mut sent = serde_json::to_value(&channel).unwrap();
        sent["name"] = "tv".into();
        let seeded: beekeepr_seeder::Channel = serde_json::from_value(sent).unwrap();
        assert_eq!(seeded.swarm_id(), channel.swarm_id());
    }
}
