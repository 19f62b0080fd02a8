//! How much a client may ask for, and what becomes of one that asks for more.

use beekeepr_model::Time;
use beekeepr_swarm::ConnKey;
use beekeepr_tracker_proto::ClientMessage;
use beekeepr_websocket::write;

use super::Hub;
use crate::metrics::Reason;
use crate::rate::Rate;

/// Seconds' worth of requests that a client may send at once: a seeder announces its channels in one go.
const REQUESTS_BURST_S: u32 = 10;

/// What an announce, a scrape, or what cannot be read costs, in thousandths of a request.
const REQUEST_MILLI: u64 = 1000;

/// What an answer costs. A seeder answers the offers of everybody who comes, on one connection.
const ANSWER_MILLI: u64 = 20;

/// A ping costs a tenth of an announce, as it does the tracker.
pub(super) const CONTROL_FRAME_MILLI: u64 = 100;

/// A new token costs ten announces: a signature takes some 100 µs to verify.
pub(super) const TOKEN_MILLI: u64 = 10_000;

const TOO_FAST: &str = "too many requests on this connection; announce less often";
const TOO_FAST_TOKEN: &str = "too many announces with this token; announce less often";

impl Hub {
    /// Takes the price of a message.
    ///
    /// # Errors
    /// The client asks too often; the text is for it.
    pub(super) fn charge<E>(
        &mut self,
        now: Time,
        key: ConnKey,
        message: &Result<ClientMessage<'_>, E>,
    ) -> Result<(), &'static str> {
        let (price_milli, is_announce) = match message {
            Ok(ClientMessage::Announce(_)) => (REQUEST_MILLI, true),
            Ok(ClientMessage::Answer(_)) => (ANSWER_MILLI, false),
            Ok(ClientMessage::Scrape(_)) | Err(_) => (REQUEST_MILLI, false),
        };
        if !self.may_ask(now, key, price_milli) {
            return Err(TOO_FAST);
        }
        let connection = self.connections.get(key);
        if is_announce && !connection.is_none_or(|it| it.pass.may_announce(now)) {
            return Err(TOO_FAST_TOKEN);
        }
        Ok(())
    }

    /// Takes its price for something that a client asks for, in thousandths of a request.
    pub(super) fn may_ask(&mut self, now: Time, key: ConnKey, milli: u64) -> bool {
        let rate = self.request_rate();
        let Some(connection) = self.connections.get_mut(key) else {
            return false;
        };
        if connection.refusals > 0 && connection.requests.is_full(now, rate) {
            connection.refusals = 0;
        }
        connection.requests.take(now, rate, milli)
    }

    /// Counts that a client asked too often. Who goes on for long has to go: each refusal costs nearly
    /// as much as what it refuses.
    pub(super) fn count_refusal(&mut self, key: ConnKey) {
        let max = self.shared.config.limits.refusals_per_connection_max;
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        connection.refusals = connection.refusals.saturating_add(1);
        if max > 0 && connection.refusals >= max {
            self.connections.finish(key, Reason::TooFast, |out| {
                write::close(out, write::CLOSE_POLICY);
            });
        }
    }

    pub(super) fn request_rate(&self) -> Rate {
        Rate {
            per_s: self.shared.config.limits.requests_per_connection_per_s,
            burst_s: REQUESTS_BURST_S,
        }
    }
}
