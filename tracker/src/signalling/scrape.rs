//! What the tracker does with a scrape.
//!
//! The swarms of one scrape may live on several workers. So it has three steps: [`Signalling::begin_scrape`]
//! where the connection lives, [`Signalling::count`] where the swarms live, and
//! [`Signalling::end_scrape`] with what all of them said.

use std::cmp::Reverse;
use std::collections::HashMap;

use beekeepr_model::InfoHash;
use beekeepr_swarm::{ConnKey, Counts};
use beekeepr_tracker_proto::{ScrapeRequest, reply};
use beekeepr_websocket::write;

use super::Signalling;
use crate::outbox::{Context, Outbox};
use crate::post::SwarmSize;

/// Most swarms in the reply to a scrape of all: about 90 KB, which a slow client is still sent.
const SWARMS_MAX: usize = 1_000;

/// A scrape that is being answered.
#[derive(Debug)]
pub(crate) struct Scrape {
    pub(crate) from: Context,
    pub(crate) about: About,
    /// What is known so far.
    pub(crate) sizes: Vec<SwarmSize>,
}

/// Which swarms a scrape is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Those that the client named, as it wrote them (strings of JSON), as far as it may know.
    Named(Vec<(String, InfoHash)>),
    /// Those that the client is in.
    Own,
    /// The largest of all.
    All,
}

/// What one worker is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The sizes of these swarms.
    Named(Vec<InfoHash>),
    /// The swarms of this connection.
    Of(ConnKey),
    /// The largest swarms.
    Largest,
}

impl Signalling {
    /// Answers a scrape by what is here.
    pub(super) fn scrape(
        &self,
        from: &Context,
        request: &ScrapeRequest<'_>,
        outbox: &mut impl Outbox,
    ) {
        let mut scrape = self.begin_scrape(from, request);
        scrape.sizes = self.count(&match &scrape.about {
            About::Named(named) => Asked::Named(named.iter().map(|(_, hash)| *hash).collect()),
            About::Own => Asked::Of(from.key),
            About::All => Asked::Largest,
        });
        self.end_scrape(scrape, outbox);
    }

    /// Who names no swarm hears about its own ones only, unless all are configured: the list of all
    /// would give away what else is streamed here, and an info_hash is all it takes to join. A token
    /// lets its holder ask for the swarms that it opens.
    pub(crate) fn begin_scrape(&self, from: &Context, request: &ScrapeRequest<'_>) -> Scrape {
        let about = match &request.info_hashes {
            Some(list) => {
                let open = list.iter().filter(|hash| self.opens(from, &hash.id));
                About::Named(open.map(|hash| (hash.raw.to_owned(), hash.id)).collect())
            }
            None if self.scrape_all => About::All,
            None => About::Own,
        };
        Scrape {
            from: from.clone(),
            about,
            sizes: Vec::new(),
        }
    }

    /// What is here of what a scrape asks for.
    pub(crate) fn count(&self, asked: &Asked) -> Vec<SwarmSize> {
        let size = |info_hash: InfoHash| {
            let Counts {
                complete,
                incomplete,
            } = self.swarms.counts(info_hash);
            SwarmSize {
                info_hash,
                complete,
                incomplete,
            }
        };
        match asked {
            Asked::Named(hashes) => hashes.iter().copied().map(size).collect(),
            Asked::Of(key) => {
                let peers = self.swarms.peers_of(*key).iter();
                let mut own: Vec<InfoHash> = peers.map(|(hash, _)| *hash).collect();
                own.sort_unstable();
                own.dedup();
                own.into_iter().map(size).collect()
            }
            Asked::Largest => self.largest(SWARMS_MAX),
        }
    }

    /// Replies with what is known. A swarm whose worker has not said anything is left out: a client
    /// would take 0 for the truth.
    pub(crate) fn end_scrape(&self, scrape: Scrape, outbox: &mut impl Outbox) {
        self.metrics.scrapes.inc();
        let Scrape {
            from,
            about,
            mut sizes,
        } = scrape;
        match about {
            About::Named(named) => {
                let sizes: HashMap<InfoHash, SwarmSize> =
                    sizes.into_iter().map(|it| (it.info_hash, it)).collect();
                let known = named
                    .iter()
                    .filter_map(|(raw, hash)| Some((raw.as_str(), *sizes.get(hash)?)));
                reply_scraped(&from, known, outbox);
            }
            About::Own | About::All => {
                sizes.retain(|it| self.opens(&from, &it.info_hash));
                sizes.sort_unstable_by_key(|it| (Reverse(it.peers()), it.info_hash));
                sizes.truncate(SWARMS_MAX);
                let named: Vec<(String, SwarmSize)> = sizes
                    .into_iter()
                    .map(|it| (reply::id_text(it.info_hash.chars()), it))
                    .collect();
                let known = named.iter().map(|(raw, size)| (raw.as_str(), *size));
                reply_scraped(&from, known, outbox);
            }
        }
    }

    fn opens(&self, from: &Context, info_hash: &InfoHash) -> bool {
        self.access.opens(&from.session, info_hash).is_ok()
    }
}

fn reply_scraped<'a>(
    to: &Context,
    known: impl Iterator<Item = (&'a str, SwarmSize)>,
    outbox: &mut impl Outbox,
) {
    let files = known.map(|(raw, size)| (raw, size.complete, size.incomplete));
    outbox.send(to.key, |out| {
        write::text(out, |out| reply::scraped(out, files));
    });
}
