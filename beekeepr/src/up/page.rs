//! The page alone, for tracker, STUN server and seeder in processes of their own.

use beekeepr_service::logs;

use crate::args;
use crate::config::Config;
use crate::failure::Failure;
use crate::process::{Process, urls};
use crate::roles::tracker_scheme;
use crate::start;
use crate::web::{Page, PageTokens, Site, Web};

use super::plan;

/// `beekeepr page`
///
/// The other roles' sections of the file tell the page where they are: their addresses with the host under which the
/// browser reached the page, where they are unspecified ones.
pub(crate) async fn run(args: args::Page) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    config.web.listen = args.listen.unwrap_or(config.web.listen);
    config.admin.listen = args.admin.admin_listen.or(config.admin.listen);
    logs::init(&config.log);
    let process = Process::start(&config.admin, false).await?;
    let web = Web::bind(&config.web).map_err(start::bind)?;
    let address = web.address;
    let trackers = urls(tracker_scheme(&config.tracker), &[config.tracker.listen]);
    let stun = urls("stun:", &config.stun.listen);
    let plan = plan::seeder(config.seeder, Some(address), &trackers, &stun)?;
    let wants_tokens = config.tracker.tokens.keys.is_some();
    let page = Page {
        wants_tokens,
        ..Page::new(trackers, stun, plan::channels(&plan.channels))
    };
    let site = Site {
        // Only the tracker's own process can make some.
        tokens: if wants_tokens {
            PageTokens::Withheld
        } else {
            PageTokens::NotNeeded
        },
        ..Site::from(page)
    };
    let served = web.serve(site, process.shutdown.clone());
    process.ready("page", &urls("http://", &[address]));
    process.shutdown.requested().await;
    // An error means that it panicked, which was reported when it happened.
    let _ = served.await;
    Ok(())
}
