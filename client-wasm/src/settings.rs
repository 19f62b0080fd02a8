//! The engine's settings as a list of numbers.
//!
//! `js/src/settings.json` gives the order, the names that pages use, the units and the defaults.

use beekeepr_engine::Config;

/// How many numbers the list has.
#[cfg(test)]
pub(crate) const COUNT: usize = 24;

/// Puts the numbers of `values` into `config`; NaN and what is missing leave a setting as it is.
pub(crate) fn apply(config: &mut Config, values: &[f64]) {
    for (index, &value) in values.iter().enumerate() {
        if !value.is_nan() {
            set(config, index, value);
        }
    }
}

/// Conversions saturate, so that no page's number is out of range.
fn set(config: &mut Config, index: usize, value: f64) {
    match index {
        0 => config.p2p_disabled = value != 0.0,
        1 => config.upload_disabled = value != 0.0,
        2 => config.http_downloads_max = value as u32,
        3 => config.p2p_downloads_max = value as u32,
        4 => config.urgent_window_ms = value as u64,
        5 => config.http_window_ms = value as u64,
        6 => config.p2p_window_ms = value as u64,
        7 => config.p2p_silence_ms = value as u64,
        8 => config.http_silence_ms = value as u64,
        9 => config.p2p_errors_max = value as u32,
        10 => config.http_errors_max = value as u32,
        11 => config.peers_max = value as u32,
        12 => config.offers_per_announce = value as u32,
        13 => config.check_segments = value != 0.0,
        14 => config.storage_bytes_max = value as u64,
        15 => config.message_bytes_max = value as usize,
        16 => config.inactive_swarm_ms = value as u64,
        17 => config.trackers = value as u32,
        18 => config.http_initial_ms = value as u64,
        19 => config.uploads_max = value as u32,
        20 => config.upload_bps_max = value as u64,
        21 => config.super_peers_only = value != 0.0,
        22 => config.viewers_min = value as u32,
        23 => config.useless_ms = value as u64,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Setting {
        name: String,
        unit: f64,
        default: f64,
    }

    fn list() -> Vec<Setting> {
        serde_json::from_str(include_str!("../js/src/settings.json")).expect("list of settings")
    }

    fn given(mut config: Config, values: &[f64]) -> Config {
        apply(&mut config, values);
        config
    }

    fn everything_else() -> Config {
        given(Config::default(), &[9.0; COUNT])
    }

    #[test]
    fn the_pages_defaults_are_the_engines() {
        let values: Vec<f64> = list()
            .iter()
            .map(|setting| setting.default * setting.unit)
            .collect();
        assert_eq!(values.len(), COUNT);
        let given = given(everything_else(), &values);
        assert_eq!(format!("{given:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn each_name_stands_once() {
        let mut names: Vec<String> = list().into_iter().map(|setting| setting.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COUNT);
    }

    #[test]
    fn nan_leaves_a_setting_as_it_is() {
        let config = given(everything_else(), &[f64::NAN; COUNT]);
        assert_eq!(format!("{config:?}"), format!("{:?}", everything_else()));
    }
}
