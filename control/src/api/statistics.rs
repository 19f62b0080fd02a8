//! Figures over time.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::{Caller, Permission};
use super::extract::Params;
use super::problem::{Answer, Problem};
use crate::clock::now_ms;
use crate::store::{Counters, STEPS_S, Sample, Span};

/// Points that a chart needs at most.
const POINTS_MAX: i64 = 1_500;

/// Samples in one answer at most: some 20 MB of JSON.
const SAMPLES_MAX: i64 = 50_000;

/// Without `from`.
const RANGE_S: i64 = 3_600;

/// A year and a leap day: more is asked by no chart.
const RANGE_S_MAX: i64 = 3_660 * 86_400;

/// What a file of figures is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON.
    #[default]
    Json,
    /// CSV (RFC 4180), a line for each sample.
    Csv,
}

/// How figures are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    /// All channels together.
    #[default]
    All,
    /// Each channel by itself.
    Channel,
}

/// Which figures.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// From when, in seconds since 1970; an hour before `to` without it.
    from: Option<i64>,
    /// Until when; now without it.
    to: Option<i64>,
    /// The length of a sample in seconds: 10, 60, 3600 or 86400. What suits the range without it.
    step: Option<i64>,
    /// Of this channel only.
    channel: Option<String>,
    /// How figures are put together.
    #[serde(default)]
    #[param(inline)]
    by: By,
    /// What they are written in.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// Figures of a span of time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    /// When it begins, in seconds since 1970.
    pub(crate) at_s: i64,
    /// Of which channel; absent when it is of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<String>,
    /// The figures.
    #[serde(flatten)]
    pub(crate) counters: Counters,
}

impl From<Sample> for Point {
    fn from(sample: Sample) -> Self {
        Self {
            at_s: sample.at_s,
            channel: Some(sample.channel).filter(|it| !it.is_empty()),
            counters: sample.counters,
        }
    }
}

/// Figures over time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct History {
    /// From when, in seconds since 1970.
    from_s: i64,
    /// Until when.
    to_s: i64,
    /// The length of each sample in seconds.
    step_s: i64,
    /// Samples; spans without any figures are left out.
    points: Vec<Point>,
}

/// Figures over time, as JSON or CSV.
#[utoipa::path(get, path = "/v1/statistics", tag = "statistics", params(Query),
    responses((status = 200, content((History = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = Problem)))]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Answer<Response> {
    caller.needs(Permission::SeeStatistics)?;
    let span = span(&query, caller.tenant, now_ms() / 1000)?;
    let (from_s, to_s, step_s) = (span.from_s, span.to_s, span.step_s);
    let samples = app.registry.store.samples(span).await?;
    if i64::try_from(samples.len()).unwrap_or(i64::MAX) > SAMPLES_MAX {
        return Err(Problem::unprocessable(format!(
            "there are more than {SAMPLES_MAX} samples; ask for a longer step, a shorter range or one channel"
        )));
    }
    let points = samples.into_iter().map(Point::from).collect();
    match query.format {
        Format::Json => Ok(Json(History {
            from_s,
            to_s,
            step_s,
            points,
        })
        .into_response()),
        Format::Csv => {
            let head = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"statistics.csv\"",
                ),
            ];
            Ok((head, csv(&points)).into_response())
        }
    }
}

fn span(query: &Query, tenant: Option<String>, now_s: i64) -> Answer<Span> {
    let refused = |detail: String| Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    let to_s = query.to.unwrap_or(now_s);
    let from_s = query.from.unwrap_or_else(|| to_s.saturating_sub(RANGE_S));
    let range_s = to_s.saturating_sub(from_s);
    if !(1..=RANGE_S_MAX).contains(&range_s) || from_s < 0 {
        return refused(format!(
            "from {from_s} to {to_s}: expected a time and a later one, ten years at most"
        ));
    }
    let step_s = match query.step {
        None => step(range_s),
        Some(step_s) if STEPS_S.contains(&step_s) => step_s,
        Some(step_s) => {
            return refused(format!("step is {step_s}, expected 10, 60, 3600 or 86400"));
        }
    };
    if query.channel.as_ref().is_some_and(|it| it.contains('\0')) {
        return refused("channel is no name".to_owned());
    }
    Ok(Span {
        step_s,
        // The sample that `from` is in is one of them.
        from_s: from_s - from_s.rem_euclid(step_s),
        to_s,
        channel: query.channel.clone(),
        tenant,
        by_channel: query.by == By::Channel,
        limit: SAMPLES_MAX + 1,
    })
}

/// The shortest that gives no more points than a chart needs.
fn step(range_s: i64) -> i64 {
    let fits = |step_s: &i64| range_s / step_s <= POINTS_MAX;
    STEPS_S.into_iter().find(fits).unwrap_or(STEPS_S[3])
}

/// CSV with a head. No channel's name begins with what spreadsheets take for a formula.
fn csv(points: &[Point]) -> String {
    let mut text = format!("at_s,channel,{}\r\n", Counters::NAMES.join(","));
    for point in points {
        let values: Vec<String> = point.counters.values().iter().map(i64::to_string).collect();
        let channel = point.channel.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "{},{channel},{}\r\n",
            point.at_s,
            values.join(",")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> Query {
        Query {
            from: None,
            to: None,
            step: None,
            channel: None,
            by: By::All,
            format: Format::Json,
        }
    }

    #[test]
    fn the_step_suits_the_range() {
        assert_eq!(
            [3_600, 86_400, 31 * 86_400, 366 * 86_400].map(step),
            [10, 60, 3_600, 86_400]
        );
        let span = span(
            &Query {
                from: Some(95),
                to: Some(200),
                ..query()
            },
            None,
            1_000,
        )
        .unwrap();
        assert_eq!((span.from_s, span.to_s, span.step_s), (90, 200, 10));
    }

    #[test]
    fn a_range_that_cannot_be_is_refused() {
        let wrong = [
            Query {
                from: Some(10),
                to: Some(10),
                ..query()
            },
            Query {
                from: Some(-10),
                to: Some(10),
                ..query()
            },
            Query {
                from: Some(0),
                to: Some(i64::MAX),
                ..query()
            },
            Query {
                from: Some(i64::MIN),
                to: Some(i64::MAX),
                ..query()
            },
            Query {
                to: Some(i64::MIN),
                ..query()
            },
            Query {
                step: Some(11),
                ..query()
            },
        ];
        for query in wrong {
            assert!(span(&query, None, 1_000_000).is_err(), "{query:?}");
        }
    }

    #[test]
    fn csv_has_a_column_for_each_figure() {
        let point = Point {
            at_s: 10,
            channel: Some("a b".into()),
            counters: Counters::default(),
        };
        let text = csv(&[point]);
        let columns: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [Counters::NAMES.len() + 2; 2]);
        assert!(text.contains("\r\n10,a b,0,"));
    }
}
