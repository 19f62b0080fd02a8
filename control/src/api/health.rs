//! How the servers of this process are, by their metrics.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use prometheus::proto::{Metric, MetricType};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::caller::{Caller, Permission};
use super::problem::{Answer, Problem};

/// Whose metrics are told; those of channels are figures already.
const PARTS: [&str; 2] = ["beekeepr_tracker_", "beekeepr_stun_"];

/// A metric now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Figure {
    /// As in `/metrics`.
    metric: String,
    /// What it counts.
    help: String,
    /// `name=value`, by which it is one of several.
    labels: Vec<String>,
    /// Whether it only grows.
    is_counter: bool,
    /// What it says.
    value: f64,
}

/// What the tracker and the STUN server of this process count: the same as in `/metrics`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// In the order of their names; of a server that does not run here there are none.
    figures: Vec<Figure>,
}

/// The figures of the tracker and the STUN server of this process.
#[utoipa::path(get, path = "/v1/health", tag = "live",
    responses((status = 200, body = Health), (status = "4XX", body = Problem)))]
pub(crate) async fn health(State(app): State<Arc<App>>, caller: Caller) -> Answer<Json<Health>> {
    caller.needs_whole(Permission::See)?;
    Ok(Json(Health {
        figures: figures(&app.prometheus),
    }))
}

fn figures(prometheus: &prometheus::Registry) -> Vec<Figure> {
    let mut figures = Vec::new();
    for family in prometheus.gather() {
        let is_told = PARTS.iter().any(|it| family.name().starts_with(it));
        let is_counter = family.get_field_type() == MetricType::COUNTER;
        if !is_told || !(is_counter || family.get_field_type() == MetricType::GAUGE) {
            continue;
        }
        figures.extend(family.get_metric().iter().map(|metric| Figure {
            metric: family.name().to_owned(),
            help: family.help().to_owned(),
            labels: labels(metric),
            is_counter,
            value: if is_counter {
                metric.get_counter().get_value()
            } else {
                metric.get_gauge().get_value()
            },
        }));
    }
    figures
}

fn labels(metric: &Metric) -> Vec<String> {
    let labels = metric.get_label().iter();
    labels
        .map(|it| format!("{}={}", it.name(), it.value()))
        .collect()
}

#[cfg(test)]
mod tests {
    use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

    use super::*;

    #[test]
    fn the_servers_metrics_are_told_and_no_others() {
        let registry = Registry::new();
        let opts = Opts::new("beekeepr_stun_drops_total", "Dropped.");
        let drops = IntCounterVec::new(opts, &["reason"]).unwrap();
        drops.with_label_values(&["rate"]).inc_by(3);
        let peers = IntGauge::new("beekeepr_tracker_peers", "Peers.").unwrap();
        peers.set(2);
        let other = IntGauge::new("beekeepr_seeder_peers", "Others.").unwrap();
        registry.register(Box::new(drops)).unwrap();
        registry.register(Box::new(peers)).unwrap();
        registry.register(Box::new(other)).unwrap();
        let found = figures(&registry);
        let told: Vec<_> = found
            .iter()
            .map(|it| {
                (
                    it.metric.as_str(),
                    it.labels.join(","),
                    it.is_counter,
                    it.value,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    "beekeepr_stun_drops_total",
                    "reason=rate".to_owned(),
                    true,
                    3.0
                ),
                ("beekeepr_tracker_peers", String::new(), false, 2.0),
            ]
        );
    }
}
