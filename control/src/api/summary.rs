//! How much it saves: this hour, day and month, and what the month comes to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::{Caller, Permission};
use super::extract::Params;
use super::problem::{Answer, Problem};
use super::settings;
use crate::clock::now_ms;
use crate::store::{Counters, Span};

/// Of what.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Of {
    /// Of this channel only.
    channel: Option<String>,
}

/// What came of a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Total {
    /// When it begins, in seconds since 1970.
    from_s: i64,
    /// All figures, added up.
    counters: Counters,
    /// Bytes that viewers got in all.
    bytes: i64,
    /// Bytes that the origin or CDN had to send: to viewers and to seeders.
    origin_bytes: i64,
    /// Bytes that it would have had to send, and did not; only those that others' figures bear out.
    saved_bytes: i64,
    /// What they would have cost, in millionths of the currency.
    saved_micros: i64,
    /// The part of the bytes that did not come over HTTP, 0 to 1.
    share: f64,
}

impl Total {
    fn new(from_s: i64, counters: Counters, price_per_gb_micros: i64) -> Self {
        let shared = counters
            .peer_bytes
            .saturating_add(counters.super_peer_bytes);
        let bytes = shared.saturating_add(counters.http_bytes);
        let origin_bytes = counters
            .http_bytes
            .saturating_add(counters.seeder_fetched_bytes);
        let proven = bytes.saturating_sub(counters.unproven_bytes);
        let saved_bytes = proven.saturating_sub(origin_bytes).max(0);
        Self {
            from_s,
            counters,
            bytes,
            origin_bytes,
            saved_bytes,
            saved_micros: price(saved_bytes, price_per_gb_micros),
            share: if bytes > 0 {
                shared as f64 / bytes as f64
            } else {
                0.0
            },
        }
    }
}

/// What so many bytes cost.
fn price(bytes: i64, per_gb_micros: i64) -> i64 {
    let micros = i128::from(bytes) * i128::from(per_gb_micros) / 1_000_000_000;
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// What came of this hour, day and month, in UTC.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Summary {
    /// What prices are in.
    currency: String,
    /// This hour.
    hour: Total,
    /// This day.
    day: Total,
    /// This month.
    month: Total,
    /// Bytes that will be saved by the end of the month if it goes on like this.
    month_saved_bytes_projected: i64,
    /// What they would cost, in millionths of the currency.
    month_saved_micros_projected: i64,
}

/// How much it saves: this hour, day and month, and what the month comes to.
#[utoipa::path(get, path = "/v1/summary", tag = "statistics", params(Of),
    responses((status = 200, body = Summary), (status = "4XX", body = Problem)))]
pub(crate) async fn summary(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(of): Params<Of>,
) -> Answer<Json<Summary>> {
    caller.needs(Permission::SeeStatistics)?;
    if of.channel.as_ref().is_some_and(|it| it.contains('\0')) {
        return Err(Problem::unprocessable("channel is no name"));
    }
    let (settings, _) = settings::current(&app).await?;
    let price = settings.price_per_gb_micros;
    let now_s = now_ms() / 1000;
    let (month_s, next_month_s) = month(now_s);
    let mut totals = Vec::new();
    // A day's sample grows all day long, so the last one of each length is of this very span.
    for (from_s, step_s) in [
        (now_s - now_s.rem_euclid(3_600), 3_600),
        (now_s - now_s.rem_euclid(86_400), 86_400),
        (month_s, 86_400),
    ] {
        let span = Span {
            step_s,
            from_s,
            to_s: now_s + 1,
            channel: of.channel.clone(),
            tenant: caller.tenant.clone(),
            by_channel: false,
            limit: 32,
        };
        let mut sum = Counters::default();
        for sample in app.registry.store.samples(span).await? {
            sum.add(&sample.counters);
        }
        totals.push(Total::new(from_s, sum, price));
    }
    let [hour, day, month] = totals[..] else {
        return Err(Problem::unprocessable("three spans were asked for"));
    };
    let passed_s = i128::from((now_s - month_s).max(1));
    let whole = i128::from(month.saved_bytes) * i128::from(next_month_s - month_s) / passed_s;
    let projected = i64::try_from(whole).unwrap_or(i64::MAX);
    Ok(Json(Summary {
        currency: settings.currency,
        hour,
        day,
        month,
        month_saved_bytes_projected: projected,
        month_saved_micros_projected: self::price(projected, price),
    }))
}

/// When this month and the next begin, in seconds since 1970. Counts in eras of 400 years that begin in March, so that the
/// leap day is the last of its year.
fn month(now_s: i64) -> (i64, i64) {
    let days = now_s.div_euclid(86_400) + 719_468;
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let first = (153 * month + 2) / 5;
    let is_leap = {
        // The February at the end of a year that begins in March belongs to the calendar's next year.
        let calendar = year_of_era + 1;
        calendar % 4 == 0 && (calendar % 100 != 0 || calendar % 400 == 0)
    };
    let length = match month {
        11 => 28 + i64::from(is_leap),
        _ => (153 * (month + 1) + 2) / 5 - first,
    };
    let begin_s = (now_s.div_euclid(86_400) - (day_of_year - first)) * 86_400;
    (begin_s, begin_s + length * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_and_end_where_the_calendar_says() {
        for (now_s, begin_s, end_s) in [
            // 2024-02-29T12:00:00Z
            (1_709_208_000, 1_706_745_600, 1_709_251_200),
            // 2023-02-01T00:00:00Z
            (1_675_209_600, 1_675_209_600, 1_677_628_800),
            // 2026-11-23T03:00:00Z
            (1_795_402_800, 1_793_491_200, 1_796_083_200),
            // 2023-12-31T23:59:59Z
            (1_704_067_199, 1_701_388_800, 1_704_067_200),
        ] {
            assert_eq!(month(now_s), (begin_s, end_s), "{now_s}");
        }
    }

    #[test]
    fn what_seeders_fetch_and_what_nobody_bears_out_is_not_saved() {
        let counters = Counters {
            http_bytes: 1_000_000_000,
            peer_bytes: 6_000_000_000,
            super_peer_bytes: 3_000_000_000,
            unproven_bytes: 1_000_000_000,
            seeder_fetched_bytes: 500_000_000,
            ..Counters::default()
        };
        let total = Total::new(0, counters, 50_000);
        assert_eq!(total.origin_bytes, 1_500_000_000);
        assert_eq!(total.saved_bytes, 7_500_000_000);
        assert_eq!(total.saved_micros, 375_000);
        assert!((total.share - 0.9).abs() < 1e-9);
    }
}
