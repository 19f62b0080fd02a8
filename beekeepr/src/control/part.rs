//! Control in `up`: its database is in the data folder, its channels are seeded by the seeder beside it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use beekeepr_control::beacons::Known;
use beekeepr_control::{ChannelSource, Config, EmbedSource, Running, Source};
use beekeepr_seeder::{ChannelsFrom, Roster, TokenSource};
use beekeepr_tracker::Statistics;

use super::checker::Checker;
use super::start;
use crate::failure::Failure;
use crate::process::Process;
use crate::web::{self, Page};

/// Where viewers report unless the configuration says otherwise: this machine alone.
const BEACONS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8101);

/// Swarms that the dashboard shows.
const SWARMS_SHOWN: usize = 100;

/// Control beside the other parts, which start after it.
pub(crate) struct Part {
    running: Running,
    seeder: Arc<OnceLock<Roster>>,
    tracker: Arc<OnceLock<Statistics>>,
    checks: Arc<OnceLock<beekeepr_seeder::Config>>,
    page: Arc<OnceLock<(SocketAddr, Page)>>,
}

/// The parts that start after control.
pub(crate) struct Others {
    /// What the seeder seeds.
    pub(crate) seeder: Option<Roster>,
    /// Under which settings: channels are looked at under the same.
    pub(crate) checks: beekeepr_seeder::Config,
    /// The tracker's swarms.
    pub(crate) tracker: Option<Statistics>,
    /// The page, and where it is.
    pub(crate) page: Option<(SocketAddr, Page)>,
}

impl Part {
    /// Starts it.
    pub(crate) async fn start(
        mut config: Config,
        data: Option<PathBuf>,
        process: &Process,
    ) -> Result<Self, Failure> {
        config.data = config.data.or(data);
        config.beacons.listen.get_or_insert(BEACONS);
        let (seeder, tracker) = (Arc::default(), Arc::default());
        let (checks, page) = (Arc::default(), Arc::default());
        config.sources.checker = Some(Arc::new(Checker(Arc::clone(&checks))));
        config.sources.embed = Some(embed(Arc::clone(&seeder), Arc::clone(&page)));
        config.sources.channels = Some(channels(Arc::clone(&seeder)));
        config.sources.super_peers = Some(super_peers(Arc::clone(&seeder)));
        config.sources.swarms = Some(swarms(Arc::clone(&tracker)));
        let running = start(config, process).await?;
        super::show_first_key(&running);
        Ok(Self {
            running,
            seeder,
            tracker,
            checks,
            page,
        })
    }

    /// Where the seeder of this process finds its channels.
    pub(crate) fn channels_from(&self) -> Result<ChannelsFrom, Failure> {
        let url = format!("http://{}/v1/seeder/channels", self.address());
        let url = url
            .parse()
            .map_err(|error| Failure::Other(format!("control.listen: {error}")))?;
        let key = self.running.seeder_key.reveal();
        Ok(ChannelsFrom {
            url,
            key_file: None,
            key_source: Some(TokenSource::new(move || key.clone())),
            state_file: None,
        })
    }

    /// What the dashboard shows of the other parts.
    pub(crate) fn know(&self, others: Others) {
        // There is one of each, and it is told once.
        tell(&self.seeder, others.seeder);
        tell(&self.tracker, others.tracker);
        tell(&self.checks, Some(others.checks));
        tell(&self.page, others.page);
    }

    /// Where this machine itself reaches the API.
    pub(crate) fn address(&self) -> SocketAddr {
        let mut address = self.running.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        address
    }

    /// The API's URL and where viewers report.
    pub(crate) fn addresses(&self) -> Vec<String> {
        super::addresses(&self.running)
    }

    /// Returns when it has ended after the shutdown was asked for.
    pub(crate) async fn wait(self) {
        self.running.wait().await;
    }
}

fn tell<T>(place: &OnceLock<T>, value: Option<T>) {
    value.into_iter().for_each(|it| drop(place.set(it)));
}

/// What plays a channel that is seeded, from this process's page. Its manifest is without its query, which carries tokens.
fn embed(seeder: Arc<OnceLock<Roster>>, page: Arc<OnceLock<(SocketAddr, Page)>>) -> EmbedSource {
    EmbedSource::new(move |name| {
        let (address, page) = page.get()?;
        let channels = seeder.get()?.channels();
        let channel = channels.into_iter().find(|it| it.name == name)?;
        let manifest = channel.manifest.to_string();
        let shown = web::Channel {
            manifest: manifest.split('?').next().unwrap_or_default().to_owned(),
            swarm_id: channel.swarm_id(),
            name: channel.name,
        };
        let page = Page {
            channels: vec![shown],
            ..page.clone()
        };
        web::embed(*address, &page)
    })
}

/// What the seeder seeds, wherever it comes from: viewers may report of all of it.
fn channels(seeder: Arc<OnceLock<Roster>>) -> ChannelSource {
    ChannelSource::new(move || {
        let channels = seeder.get().map(Roster::channels).unwrap_or_default();
        let known = |channel: beekeepr_seeder::Channel| Known {
            swarm_id: channel.swarm_id(),
            name: channel.name,
            tenant: String::new(),
        };
        channels.into_iter().map(known).collect()
    })
}

fn super_peers(seeder: Arc<OnceLock<Roster>>) -> Source {
    Source::new(move || {
        let json = seeder.get().map(Roster::json);
        std::future::ready(json.unwrap_or_else(|| r#"{"channels":[]}"#.to_owned()))
    })
}

fn swarms(tracker: Arc<OnceLock<Statistics>>) -> Source {
    Source::new(move || {
        let tracker = tracker.get().cloned();
        async move {
            match tracker {
                Some(tracker) => tracker.largest_swarms(SWARMS_SHOWN).await,
                None => r#"{"swarms":[]}"#.to_owned(),
            }
        }
    })
}
