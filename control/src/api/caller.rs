//! Who asks, and what they may do.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use beekeepr_service::http::Peer;

use super::App;
use super::problem::{Answer, Problem};
use super::session;
use crate::documents::{ApiKey, Found, KeyText, Role};
use crate::rate::asker;
use crate::store::Note;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// See figures and what is live.
    SeeStatistics,
    /// See channels, groups, settings, signing keys and the audit log.
    See,
    /// Change channels and groups, issue and revoke tokens.
    Operate,
    /// Change settings, tenants, API keys and signing keys, and take backups.
    Own,
    /// Get the list of channels with their credentials.
    Seed,
}

impl Role {
    /// The whole table of who may do what.
    pub(crate) const fn may(self, permission: Permission) -> bool {
        use Permission::{Operate, Own, See, SeeStatistics, Seed};
        match self {
            Self::Owner => matches!(permission, SeeStatistics | See | Operate | Own),
            Self::Operator => matches!(permission, SeeStatistics | See | Operate),
            Self::Viewer => matches!(permission, SeeStatistics),
            Self::Seeder => matches!(permission, Seed),
        }
    }
}

/// Somebody who is known.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The API key's name.
    pub(crate) key: String,
    /// What to call it.
    pub(crate) title: String,
    /// What it may do.
    pub(crate) role: Role,
    /// Whose things it may see and change; `None` for all.
    pub(crate) tenant: Option<String>,
}

impl Caller {
    /// The caller with this key.
    pub(crate) fn of(found: Found<ApiKey>) -> Self {
        Self {
            key: found.id,
            title: found.document.title,
            role: found.document.role,
            tenant: Some(found.tenant).filter(|it| !it.is_empty()),
        }
    }

    /// Refuses who may not.
    pub(crate) fn needs(&self, permission: Permission) -> Answer<()> {
        if self.role.may(permission) {
            return Ok(());
        }
        let role = format!("{:?}", self.role).to_lowercase();
        Err(Problem::forbidden(format!(
            "a key with the role {role} may not do this"
        )))
    }

    /// Refuses who may not, and whose key is a tenant's.
    pub(crate) fn needs_whole(&self, permission: Permission) -> Answer<()> {
        self.needs(permission)?;
        match &self.tenant {
            None => Ok(()),
            Some(_) => Err(Problem::forbidden(
                "a tenant's key may not do this; it is the operator's",
            )),
        }
    }

    /// Whether something of this tenant is for the caller.
    pub(crate) fn sees(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_none_or(|own| own == tenant)
    }

    /// Whose a new thing is: the caller's tenant's, or whose the caller says.
    pub(crate) fn owner(&self, asked: Option<&str>) -> Answer<String> {
        match (&self.tenant, asked) {
            (Some(own), Some(asked)) if own != asked => Err(Problem::forbidden(format!(
                "the key is of the tenant {own:?}, not of {asked:?}"
            ))),
            (Some(own), _) => Ok(own.clone()),
            (None, asked) => Ok(asked.unwrap_or_default().to_owned()),
        }
    }

    /// A line for the audit log.
    pub(crate) fn note(&self, action: &str, tenant: &str, detail: impl Into<String>) -> Note {
        Note {
            actor: format!("{} ({})", self.title, self.key),
            tenant: tenant.to_owned(),
            action: action.to_owned(),
            detail: detail.into(),
        }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Answer<Self> {
        let found = match bearer(&parts.headers) {
            Some(text) => match by_key(app, text).await? {
                Some(found) => Some(found),
                None => return Err(refused(app, address(parts))),
            },
            None => session::caller(app, &parts.method, &parts.headers).await?,
        };
        found.ok_or_else(Problem::unknown)
    }
}

/// What somebody with a bad key is told. Who tries many is told to wait; a good key from the same address, a proxy's perhaps,
/// is never kept out, as nobody guesses 256 bits.
pub(crate) fn refused(app: &App, address: IpAddr) -> Problem {
    if app.limits.failures.take(address, Instant::now()) {
        Problem::unknown()
    } else {
        Problem::too_often()
    }
}

/// Who a request is counted for.
pub(crate) fn address(parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>();
    asker(peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip()))
}

/// The caller with a key, if it is a good one.
pub(crate) async fn by_key(app: &App, text: &str) -> Answer<Option<Caller>> {
    let Ok(text) = text.parse::<KeyText>() else {
        return Ok(None);
    };
    let (own_name, own) = &app.own_key;
    if text.name == *own_name && own.is_of(&text, &app.registry.vault) {
        return Ok(Some(Caller {
            key: text.name,
            title: own.title.clone(),
            role: own.role,
            tenant: None,
        }));
    }
    let found = app.registry.get::<ApiKey>(&text.name).await?;
    let good = found.filter(|it| it.document.is_of(&text, &app.registry.vault));
    Ok(good.map(Caller::of))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
