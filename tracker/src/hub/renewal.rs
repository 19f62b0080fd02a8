//! Tokens that come over an open connection, so that they may be short-lived.

use std::sync::Arc;

use beekeepr_model::Time;
use beekeepr_swarm::ConnKey;

use super::Hub;
use super::pace::TOKEN_MILLI;

const TOO_MANY: &str =
    "too many tokens on this connection; send a new one only before the old one expires";

impl Hub {
    /// Takes a token that came with an announce. The same one again costs nothing, so that pages may
    /// send theirs every time.
    ///
    /// # Errors
    /// It does not count, and the one before still does; the text is for the client. When there is no
    /// good one before, the session says from now on what is wrong with this one.
    pub(super) fn renew(&mut self, now: Time, key: ConnKey, token: &str) -> Result<(), String> {
        let access = Arc::clone(&self.shared.access);
        let Some(session) = self.connections.get(key).and_then(|it| it.session.clone()) else {
            return Ok(());
        };
        if !access.is_news(&session, token) {
            return Ok(());
        }
        if !self.may_ask(now, key, TOKEN_MILLI) {
            self.count_refusal(key);
            return Err(TOO_MANY.to_owned());
        }
        let renewed = match access.renew(now, &session, token) {
            Ok(renewed) => renewed,
            Err(refusal) => {
                self.shared.metrics.token_refused(refusal.kind);
                if session.refusal(now).is_none() {
                    let text = refusal.text;
                    return Err(format!(
                        "the new token does not count, the one before does: {text}"
                    ));
                }
                session.refused_for(refusal)
            }
        };
        let Some(connection) = self.connections.get_mut(key) else {
            return Ok(());
        };
        if let Some(holder) = renewed.holder() {
            let entered = connection.pass.holds(now, holder);
            entered.map_err(|closed| closed.text().to_owned())?;
        }
        connection.session = Some(Arc::new(renewed));
        Ok(())
    }
}
