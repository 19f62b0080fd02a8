//! The certificate in use, and its replacement when the files change.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::Config;
use super::certificate::{LoadError, load};

/// How often the files are looked at. Nobody waits for a new certificate: the old one is good for
/// days more.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// When a file was changed and how long it is; nothing when it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// Gives each new connection the certificate that is in use.
#[derive(Debug)]
pub(super) struct Renewal {
    config: Config,
    provider: Arc<CryptoProvider>,
    used: RwLock<Arc<CertifiedKey>>,
    /// What the files looked like when they were read last, whatever came of it.
    seen: Mutex<[Stamp; 2]>,
}

impl Renewal {
    pub(super) fn new(config: Config, provider: Arc<CryptoProvider>) -> Result<Self, LoadError> {
        // Before they are read: a change in between is then found at the next look.
        let seen = stamps(&config);
        let used = Arc::new(load(&config, &provider)?);
        Ok(Self {
            config,
            provider,
            used: RwLock::new(used),
            seen: Mutex::new(seen),
        })
    }

    /// Takes the files' certificate if they were changed since the last time, or if `is_wanted`.
    pub(super) fn renew(&self, is_wanted: bool) {
        let stamps = stamps(&self.config);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == stamps && !is_wanted {
            return;
        }
        *seen = stamps;
        let certificate = self.config.certificate.display();
        match load(&self.config, &self.provider) {
            Ok(new) => {
                *self.used.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                tracing::info!(%certificate, "certificate renewed");
            }
            // Often the second file is still being written; the next look then takes both.
            Err(error) => {
                tracing::warn!(%error, "the new certificate cannot be used, the old one stays");
            }
        }
    }

    /// The certificate that new connections get.
    #[cfg(test)]
    pub(super) fn resolve_certificate(&self) -> rustls::pki_types::CertificateDer<'static> {
        self.used().cert[0].clone()
    }

    fn used(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.used.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Renewal {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.used())
    }
}

/// Looks at the files until nobody uses the certificate any more.
pub(super) fn watch(renewal: &Arc<Renewal>) {
    let renewal = Arc::downgrade(renewal);
    let hangup = signal(SignalKind::hangup())
        .inspect_err(|error| tracing::warn!(%error, "SIGHUP will not renew the certificate"))
        .ok();
    tokio::spawn(look_always(renewal, hangup));
}

async fn look_always(renewal: Weak<Renewal>, mut hangup: Option<Signal>) {
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_wanted = tokio::select! {
            _ = looks.tick() => false,
            () = next(&mut hangup) => true,
        };
        let Some(renewal) = renewal.upgrade() else {
            return;
        };
        renewal.renew(is_wanted);
    }
}

/// The next signal; never when there are none.
async fn next(hangup: &mut Option<Signal>) {
    let is_signal = match hangup {
        Some(hangup) => hangup.recv().await.is_some(),
        None => false,
    };
    if !is_signal {
        std::future::pending::<()>().await;
    }
}

fn stamps(config: &Config) -> [Stamp; 2] {
    [stamp(&config.certificate), stamp(&config.key)]
}

/// Follows links, so that it also sees how Kubernetes replaces files: by another folder behind a link.
fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
