//! Tokens: the keys of the moment, and what a token is worth.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use beekeepr_model::Time;
use beekeepr_swarm::{Holder, Privacy, Role, Standing};
use beekeepr_trust::{Grant, Key, KeySet, Policy, Privacy as TokenPrivacy, Role as TokenRole};
use beekeepr_trust::{TokenError, Unverified};

use super::config::Tokens;
use super::session::{Entry, Refusal, TokenMark};
use super::verify::Ring;

/// Key sets above this are no key set: 32 keys of RSA take 25 KB.
const KEYS_FILE_BYTES_MAX: u64 = 256 * 1024;

/// How often the key set's file is looked at: an operator who takes a key away wants it gone soon.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Who says which tokens are good.
#[derive(Debug)]
pub(super) struct Authority {
    file: PathBuf,
    own_keys: Vec<Key>,
    is_required: bool,
    policy: Policy,
    keys: Mutex<Keys>,
    /// Turns subjects into numbers; drawn anew by each process, so that nobody can look for two
    /// subjects with one number.
    subjects: RandomState,
}

#[derive(Debug)]
struct Keys {
    set: Arc<KeySet>,
    /// When the file was changed, as its system says.
    changed: Option<SystemTime>,
    looked: Instant,
}

impl Authority {
    /// Reads the key set; `None` when there is none and everybody may come in.
    pub(super) fn new(config: &Tokens) -> Result<Option<Self>, String> {
        let Some(file) = &config.keys else {
            return Ok(None);
        };
        let changed = changed(file);
        let set = read_keys(file, &config.own_keys)?;
        if set.len() == config.own_keys.len() {
            return Err(format!(
                "tracker.tokens.keys is {}: no key in it, expected at least one",
                file.display()
            ));
        }
        Ok(Some(Self {
            file: file.clone(),
            own_keys: config.own_keys.clone(),
            is_required: config.required,
            policy: Policy {
                issuers: config.issuers.clone(),
                audiences: config.audiences.clone(),
                clock_skew_s: config.clock_skew_s.into(),
                lifetime_s_max: config.lifetime_s_max.into(),
                super_peer_kids: config.super_peer_kids.clone(),
            },
            keys: Mutex::new(Keys {
                set: Arc::new(set),
                changed,
                looked: Instant::now(),
            }),
            subjects: RandomState::new(),
        }))
    }

    /// How a client with this token comes in, and what it is.
    pub(super) fn entry(&self, now: Time, token: Option<&str>) -> (Entry, Standing) {
        let Some(token) = token else {
            let entry = match self.is_required {
                true => Entry::Refused(Refusal {
                    kind: "absent",
                    text: NO_TOKEN.to_owned(),
                }),
                false => Entry::Open,
            };
            return (entry, Standing::default());
        };
        let now_s = unix_now_s();
        match self.grant(token, now_s) {
            Ok(grant) => {
                let standing = self.standing(&grant);
                let lives_ms = grant.expires_s.saturating_sub(now_s).saturating_mul(1000);
                let entry = Entry::Granted {
                    scope: grant.scope,
                    expires: now + lives_ms,
                };
                (entry, standing)
            }
            Err(error) => {
                let refusal = Refusal {
                    kind: error.kind(),
                    text: error.to_string(),
                };
                (Entry::Refused(refusal), Standing::default())
            }
        }
    }

    /// Tells a token from others.
    pub(super) fn mark(&self, token: &str) -> TokenMark {
        TokenMark(self.subjects.hash_one(token))
    }

    fn grant(&self, token: &str, now_s: u64) -> Result<Grant, TokenError> {
        let token = Unverified::read(token)?;
        let verified = token.verified(&self.keys(), &Ring)?;
        self.policy.grant(verified, now_s)
    }

    fn standing(&self, grant: &Grant) -> Standing {
        let subject = grant.subject.as_ref();
        Standing {
            role: match grant.role {
                TokenRole::Viewer => Role::Viewer,
                TokenRole::SuperPeer => Role::SuperPeer,
            },
            is_leech: grant.is_leech,
            privacy: match grant.privacy {
                Some(TokenPrivacy::SuperPeerOnly) => Privacy::SuperPeerOnly,
                Some(TokenPrivacy::Mesh) | None => Privacy::Mesh,
            },
            holder: subject.map(|subject| Holder(self.subjects.hash_one(subject))),
            ..Standing::default()
        }
    }

    /// The keys, as the file has them now. A file that cannot be used changes nothing.
    fn keys(&self) -> Arc<KeySet> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.looked.elapsed() >= LOOK_INTERVAL {
            keys.looked = Instant::now();
            let changed = changed(&self.file);
            if changed != keys.changed {
                keys.changed = changed;
                match read_keys(&self.file, &self.own_keys) {
                    Ok(set) => {
                        tracing::info!(keys = set.len(), "token keys read again");
                        keys.set = Arc::new(set);
                    }
                    Err(error) => tracing::warn!(error, "token keys unchanged"),
                }
            }
        }
        Arc::clone(&keys.set)
    }
}

const NO_TOKEN: &str = "this tracker needs a token: add ?jwt=<token> to its URL, \
    ask for the WebSocket subprotocols `jwt, <token>`, or send it as \"jwt\" with each announce";

fn read_keys(file: &Path, own: &[Key]) -> Result<KeySet, String> {
    let fault = |text: String| format!("tracker.tokens.keys is {}: {text}", file.display());
    let bytes = fs::metadata(file)
        .map_err(|error| fault(error.to_string()))?
        .len();
    if bytes > KEYS_FILE_BYTES_MAX {
        return Err(fault(format!(
            "{bytes} bytes, expected a JWK set of at most 256 KiB"
        )));
    }
    let json = fs::read(file).map_err(|error| fault(error.to_string()))?;
    let set = KeySet::read(&json).and_then(|set| set.and(own));
    set.map_err(|error| fault(error.to_string()))
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|it| it.modified()).ok()
}

fn unix_now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
