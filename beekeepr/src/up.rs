//! Every role in one process, with a page that shows them at work.

mod banner;
mod plan;

use std::fs;
use std::path::PathBuf;

use beekeepr_service::logs;

use crate::args;
use crate::config::Config;
use crate::failure::Failure;
use crate::operator::say;
use crate::process::{Process, urls};
use crate::reload::Reload;
use crate::roles;
use crate::start;
use crate::web::{Page, Web};

/// In the data folder.
const CONFIG_FILE: &str = "beekeepr.toml";

/// `beekeepr up`
///
/// A part that cannot start is reported and the rest goes on: without a tracker there is still
/// playback over HTTP. A wrong configuration ends it all, for everybody's next start would be as
/// wrong.
pub(crate) async fn run(args: args::Up) -> Result<(), Failure> {
    let file = file(&args)?;
    let mut config = Config::load(file.as_deref())?;
    logs::init(&config.log);
    let known = config.seeder.clone();
    let file = file.filter(|_| args.channels.is_empty());
    if !args.channels.is_empty() {
        config.seeder.channels = args.channels.into_iter().map(Into::into).collect();
    }
    let process = Process::start(&config.admin, true).await?;
    let web = part(
        "web page",
        "web.listen",
        Web::bind(&config.web).map_err(start::bind),
    )?;
    let tokens = &config.tracker.tokens;
    if tokens.keys.is_some() && tokens.required && known.token_file.is_none() {
        tracing::warn!(
            "the tracker wants tokens (tracker.tokens) and the seeder has none; give it one with the role superpeer as \
             seeder.token_file"
        );
    }
    let tracker_scheme = roles::tracker_scheme(&config.tracker);
    let tracker = start::tracker(config.tracker, &process).await;
    let tracker = part("tracker", "tracker.listen", tracker)?;
    let stun = start::stun(config.stun, &process, start::Missing::Any).await;
    let stun = part("STUN server", "stun.listen", stun)?;

    let trackers = tracker
        .as_ref()
        .map_or_else(Vec::new, |it| urls(tracker_scheme, &it.addresses));
    let stuns = stun
        .as_ref()
        .map_or_else(Vec::new, |it| urls("stun:", &it.addresses));
    let web_address = web.as_ref().map(|web| web.address);
    let plan = plan::seeder(config.seeder, web_address, &trackers, &stuns)?;
    let page = Page::new(trackers.clone(), stuns.clone(), plan::channels(&plan));
    let otherwise = match known.channels.is_empty() {
        true => plan.channels.clone(),
        false => Vec::new(),
    };
    let may_come = !plan.channels.is_empty() || file.is_some() || known.channels_from.is_some();
    let seeder = if !may_come || plan.trackers.is_empty() {
        tracing::warn!(
            "the seeder is not running: {}",
            if !may_come {
                "there is no channel"
            } else {
                "there is no tracker"
            }
        );
        None
    } else {
        part("seeder", "seeder.udp", start::seeder(plan, &process).await)?
    };
    if web.is_none() && tracker.is_none() && stun.is_none() && seeder.is_none() {
        return Err(Failure::Other(
            "no part could be started, see above".to_owned(),
        ));
    }

    let mut listen = web_address.map_or_else(Vec::new, |it| urls("http://", &[it]));
    listen.extend([trackers, stuns].into_iter().flatten());
    say(&banner::text(
        web_address,
        &page,
        seeder.as_ref().map(|it| &*it.addresses),
        process.admin(),
    ));
    if let Some(seeder) = &seeder {
        let reload = Reload::new(file, known, otherwise);
        reload.watch(seeder.channels.clone(), process.shutdown.clone())?;
    }
    let web = web.map(|web| web.serve(page, process.shutdown.clone()));
    process.ready("up", &listen);

    process.shutdown.requested().await;
    // All parts drain at once; each wait only collects what has already begun to end.
    if let Some(seeder) = seeder {
        seeder.wait().await;
    }
    if let Some(tracker) = tracker {
        tracker.wait().await;
    }
    if let Some(stun) = stun {
        stun.wait().await;
    }
    if let Some(web) = web {
        // An error means that it panicked, which was reported when it happened.
        let _ = web.await;
    }
    Ok(())
}

/// The configuration file, and the data folder made.
fn file(args: &args::Up) -> Result<Option<PathBuf>, Failure> {
    let Some(data) = &args.data else {
        return Ok(args.file.config.clone());
    };
    fs::create_dir_all(data).map_err(|error| {
        let data = data.display();
        Failure::Other(format!(
            "--data: cannot make the folder {data}: {error}; choose another"
        ))
    })?;
    let beside = data.join(CONFIG_FILE);
    Ok(args
        .file
        .config
        .clone()
        .or_else(|| beside.exists().then_some(beside)))
}

/// A started part, or none and one line that says why and what to do.
fn part<T>(name: &str, key: &str, started: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match started {
        Ok(part) => Ok(Some(part)),
        Err(Failure::Other(text)) => {
            let variable = format!("BEEKEEPR_{}", key.to_uppercase().replace('.', "__"));
            tracing::error!("the {name} is not running ({key}, {variable}): {text}");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}
