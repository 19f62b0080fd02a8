//! Looking at channels for the dashboard, as `beekeepr check` does.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use beekeepr_control::documents::Channel;
use beekeepr_control::{Check, CheckReport, Checked};
use beekeepr_seeder::{Config, check};

/// Under the settings of this process's seeder, its rules for private addresses among them; they are known once it is planned.
pub(super) struct Checker(pub(super) Arc<OnceLock<Config>>);

impl Check for Checker {
    fn check(
        &self,
        name: String,
        channel: Channel,
    ) -> Pin<Box<dyn Future<Output = Checked> + Send + '_>> {
        Box::pin(async move {
            let config = self.0.get().cloned();
            let mut config = config.ok_or("the seeder is not set up yet; try again")?;
            config.channels = vec![seeded(name, &channel)?];
            let reports = check::channels(&config).await;
            let reports = reports.map_err(|error| error.to_string())?;
            let report = reports.into_iter().next();
            let report = report.ok_or("nothing was looked at; try again")?;
            Ok(CheckReport {
                is_readable: report.is_readable,
                summary: report.summary,
                problems: report.problems,
                notes: report.notes,
            })
        })
    }
}

/// The channel as a seeder knows it: control's channels have the same keys, and a name.
fn seeded(name: String, channel: &Channel) -> Result<beekeepr_seeder::Channel, String> {
    let mut value = serde_json::to_value(channel).map_err(|error| error.to_string())?;
    value["name"] = name.into();
    serde_json::from_value(value).map_err(|error| error.to_string())
}
