//! HTTP clients: one pair for each way to the origins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use reqwest::Client;
use url::Url;

use super::request::client;
use super::{Deadlines, Guard, OriginError};
use crate::config::Proxy;

/// The clients of one way, straight or over a proxy.
#[derive(Debug)]
pub(super) struct Clients {
    /// Unpacks what comes packed.
    pub(super) manifests: Client,
    /// Segments are passed on byte for byte, so they must not be unpacked on the way.
    pub(super) segments: Client,
}

/// All ways that are in use.
pub(super) struct Ways {
    tls: rustls::ClientConfig,
    known: Mutex<HashMap<Option<Url>, Weak<Clients>>>,
}

impl Ways {
    pub(super) fn new(tls: rustls::ClientConfig) -> Self {
        Self {
            tls,
            known: Mutex::default(),
        }
    }

    /// Channels that go the same way share its connections.
    pub(super) fn clients(
        &self,
        proxy: &Proxy,
        guard: &Guard,
        deadlines: Deadlines,
    ) -> Result<Arc<Clients>, OriginError> {
        let Ok(mut known) = self.known.lock() else {
            return self.new_clients(proxy, guard, deadlines).map(Arc::new);
        };
        let way = proxy.url().cloned();
        if let Some(clients) = known.get(&way).and_then(Weak::upgrade) {
            return Ok(clients);
        }
        let clients = Arc::new(self.new_clients(proxy, guard, deadlines)?);
        known.retain(|_, clients| clients.strong_count() > 0);
        known.insert(way, Arc::downgrade(&clients));
        Ok(clients)
    }

    fn new_clients(
        &self,
        proxy: &Proxy,
        guard: &Guard,
        deadlines: Deadlines,
    ) -> Result<Clients, OriginError> {
        // The proxy itself may have a private address: the operator named it.
        let host = proxy.url().and_then(Url::host_str);
        let guard = host.map_or_else(|| guard.clone(), |host| guard.and_host(host));
        let builder = || -> Result<reqwest::ClientBuilder, OriginError> {
            let builder = client(&guard, &self.tls, deadlines);
            Ok(match proxy.url() {
                None => builder,
                Some(url) => builder.proxy(reqwest::Proxy::all(url.clone())?),
            })
        };
        Ok(Clients {
            manifests: builder()?.build()?,
            segments: builder()?.no_gzip().no_brotli().build()?,
        })
    }
}
