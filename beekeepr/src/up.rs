//! Every role in one process, with a page that shows them at work.

mod banner;
mod mint;
mod page;
mod plan;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use beekeepr_seeder::TokenSource;
use beekeepr_service::logs;

use crate::args;
use crate::config::Config;
use crate::control;
use crate::failure::Failure;
use crate::operator::say;
use crate::process::{Process, urls};
use crate::reload::Reload;
use crate::roles;
use crate::start;
use crate::web::{Page, PageTokens, Site, Web};
use mint::Mint;
pub(crate) use page::run as page;

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
    let mint = Mint::join(&mut config.tracker.tokens)?;
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
    let control = control::Part::start(config.control, args.data, &process).await;
    let control = part("control", "control.listen", control)?;
    let web_address = web.as_ref().map(|web| web.address);
    let mut plan = plan::seeder(config.seeder, web_address, &trackers, &stuns)?;
    if let (Some(control), None) = (&control, &plan.channels_from) {
        plan.channels_from = Some(control.channels_from()?);
    }
    // Another tracker could use a token of ours here.
    let is_ours = known.trackers.is_empty();
    if let Some(mint) = mint.clone().filter(|_| is_ours) {
        plan.token_source = Some(TokenSource::new(move || mint.super_peer()));
    }
    if mint.is_some() && !is_ours && known.token_file.is_none() {
        tracing::warn!(
            "the seeder brings no token to seeder.trackers, which may be others'; give it one as seeder.token_file, or \
             leave seeder.trackers out for the tracker of this process"
        );
    }
    let page = Page {
        wants_tokens: mint.is_some(),
        ..Page::new(
            trackers.clone(),
            stuns.clone(),
            plan::channels(&plan.channels),
        )
    };
    let tokens = tokens_of_page(mint, web_address);
    let otherwise = match known.channels.is_empty() {
        true => plan.channels.clone(),
        false => Vec::new(),
    };
    let may_come = !plan.channels.is_empty() || file.is_some() || plan.channels_from.is_some();
    let checks = plan.clone();
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
        control.as_ref().map(control::Part::address),
        process.admin(),
    ));
    if let Some(control) = &control {
        control.know(control::Others {
            seeder: seeder.as_ref().map(|it| it.channels.clone()),
            checks,
            tracker: tracker.as_ref().map(|it| it.statistics.clone()),
            page: web_address.map(|it| (it, page.clone())),
        });
        listen.extend(control.addresses());
    }
    if let Some(seeder) = &seeder {
        let reload = Reload::new(file, known, otherwise);
        reload.watch(seeder.channels.clone(), process.shutdown.clone())?;
    }
    let mut site = Site {
        tokens,
        ..Site::from(page)
    };
    if let Some(roster) = seeder.as_ref().map(|it| it.channels.clone()) {
        site.channels = Some(Box::new(move || plan::channels(&roster.channels())));
    }
    let web = web.map(|web| web.serve(site, process.shutdown.clone()));
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
    if let Some(control) = control {
        control.wait().await;
    }
    if let Some(web) = web {
        // An error means that it panicked, which was reported when it happened.
        let _ = web.await;
    }
    Ok(())
}

/// How viewers on the page are let in. On loopback they are the operator's; a page that others can open hands out none,
/// or anybody could have one.
fn tokens_of_page(mint: Option<Arc<Mint>>, web: Option<SocketAddr>) -> PageTokens {
    match mint {
        None => PageTokens::NotNeeded,
        Some(mint) if web.is_some_and(|it| it.ip().is_loopback()) => {
            PageTokens::Given(Arc::new(move |subject: &str| mint.viewer(subject)))
        }
        Some(_) => {
            tracing::warn!(
                "the tracker wants tokens, and the page hands out none as others can open it: its viewers play over \
                 HTTP alone; set web.listen to loopback to see them share"
            );
            PageTokens::Withheld
        }
    }
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
