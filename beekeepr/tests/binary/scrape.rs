//! What `/metrics` shows of everything at once, and the pages, rules and dashboards that speak of it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; clippy knows only the test functions themselves"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::channels::{admin_of, ask};
use crate::documents;
use crate::server::Server;

/// Turns on what has metrics of its own only then.
const EVERYTHING: [(&str, &str); 3] = [
    ("BEEKEEPR_CONTROL__BEACONS__LISTEN", "127.0.0.1:0"),
    ("BEEKEEPR_STUN__ALTERNATE", "127.0.0.2:0"),
    ("BEEKEEPR_SEEDER__SHIELD__LISTEN", "127.0.0.1:0"),
];

const HEAD: &str = "\
# Metrics

What `/metrics` of the admin listener shows, made from a running process with everything turned on
(`cargo xtask docs`). A process shows those of its roles.

Counters end in `_total`, times are seconds, sizes bytes. Labels are few and bounded: a channel's name, a reason, a
transport; never a viewer. What to draw of them is in [deploy/grafana/dashboards](../deploy/grafana/dashboards), what to be
woken by in [deploy/prometheus](../deploy/prometheus).
";

/// Metrics by the beginning of their names, in the order of the page.
const ROLES: [(&str, &str); 5] = [
    ("beekeepr_tracker_", "Tracker"),
    ("beekeepr_stun_", "STUN server"),
    ("beekeepr_seeder_", "Seeder"),
    ("beekeepr_control_", "Control"),
    ("beekeepr_", "Everything else"),
];

#[derive(Debug, Default)]
struct Family {
    help: String,
    kind: String,
    labels: BTreeSet<String>,
}

impl Family {
    /// Names under which Prometheus knows it.
    fn series(&self, name: &str) -> Vec<String> {
        match self.kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"]
                .iter()
                .map(|end| format!("{name}{end}"))
                .collect(),
            _ => vec![name.to_owned()],
        }
    }
}

/// All metrics of `up`, by name.
fn scrape() -> BTreeMap<String, Family> {
    let mut server = Server::up(&EVERYTHING);
    let admin = admin_of(&server.ready());
    let (status, text) = ask(&admin, "GET /metrics", "", "");
    assert_eq!(status, 200, "{text}");
    read(&text)
}

fn read(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some((name, help)) = line
            .strip_prefix("# HELP ")
            .and_then(|it| it.split_once(' '))
        {
            name.clone_into(&mut last);
            help.clone_into(&mut families.entry(last.clone()).or_default().help);
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|it| it.split_once(' '))
        {
            kind.clone_into(&mut families.entry(name.to_owned()).or_default().kind);
        } else if let Some((_, rest)) = line.split_once('{') {
            let (labels, _) = rest.rsplit_once('}').unwrap();
            let names = labels
                .split("\",")
                .filter_map(|it| it.split_once("=\""))
                .map(|(name, _)| name.to_owned());
            families
                .get_mut(&last)
                .unwrap()
                .labels
                .extend(names.filter(|it| it != "le"));
        }
    }
    families
}

fn page(families: &BTreeMap<String, Family>) -> String {
    let role_of = |name: &str| ROLES.iter().position(|(begin, _)| name.starts_with(begin));
    let mut text = HEAD.to_owned();
    for (index, (_, title)) in ROLES.iter().enumerate() {
        let own: Vec<_> = families
            .iter()
            .filter(|(name, _)| role_of(name) == Some(index))
            .collect();
        if own.is_empty() {
            continue;
        }
        text += &format!("\n## {title}\n\n| metric | type | labels | |\n|---|---|---|---|\n");
        for (name, family) in own {
            let labels: Vec<_> = family.labels.iter().map(|it| format!("`{it}`")).collect();
            let help = family.help.trim_end_matches('.');
            text += &format!(
                "| `{name}` | {} | {} | {help} |\n",
                family.kind,
                labels.join(", ")
            );
        }
    }
    text
}

#[test]
fn the_page_of_metrics_is_that_of_a_running_process() {
    documents::agree("docs/metrics.md", &page(&scrape())).unwrap();
}

#[test]
fn every_metric_says_what_it_is() {
    for (name, family) in scrape() {
        assert!(name.starts_with("beekeepr_"), "{name} could be anybody's");
        assert!(!family.help.is_empty(), "{name} has no description");
        assert_eq!(
            name.ends_with("_total"),
            family.kind == "counter",
            "{name} is a {}",
            family.kind
        );
    }
}

/// A rule or panel over a metric that is not there is silent for ever.
#[test]
fn rules_and_dashboards_speak_of_metrics_that_exist() {
    let families = scrape();
    let series: BTreeSet<String> = families
        .iter()
        .flat_map(|(name, family)| family.series(name))
        .collect();
    let mut found = 0;
    for (file, expression) in expressions() {
        for name in metrics_in(&expression) {
            assert!(
                series.contains(name),
                "{file}: no metric {name}, in {expression}"
            );
            found += 1;
        }
    }
    assert!(found > 50, "only {found} metrics in rules and dashboards");
}

/// What Prometheus is asked in our rules and dashboards, with the file's name.
fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files("deploy/grafana/dashboards", "json") {
        let dashboard: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        strings(&dashboard, &["expr", "definition"], &mut |text| {
            found.push((file.clone(), text.to_owned()));
        });
    }
    for file in files("deploy/prometheus", "yml") {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|it| !it.trim_start().starts_with('#'));
        let lines = lines.filter(|it| !it.trim_start().starts_with("record:"));
        found.push((file, lines.collect::<Vec<_>>().join("\n")));
    }
    found
}

fn files(folder: &str, end: &str) -> Vec<String> {
    let entries = fs::read_dir(documents::root().join(folder)).unwrap();
    let paths = entries.map(|it| it.unwrap().path());
    let paths = paths.filter(|path: &std::path::PathBuf| {
        Path::new(path).extension().is_some_and(|it| it == end)
    });
    paths.map(|it| it.to_str().unwrap().to_owned()).collect()
}

fn strings(value: &Value, keys: &[&str], found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| match value {
            Value::String(text) if keys.contains(&key.as_str()) => found(text),
            other => strings(other, keys, found),
        }),
        Value::Array(list) => list.iter().for_each(|it| strings(it, keys, found)),
        _ => (),
    }
}

/// Recording rules have colons in their names, metrics do not.
fn metrics_in(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':');
    words.filter(|it| it.starts_with("beekeepr_") && !it.contains(':'))
}

#[test]
fn labels_and_types_are_read() {
    let text = "# HELP a_total What.\n# TYPE a_total counter\na_total{x=\"1,}\",y=\"2\"} 3\n\
                # HELP b B\n# TYPE b histogram\nb_bucket{le=\"1\"} 0\n";
    let families = read(text);
    assert_eq!(
        families["a_total"].labels.iter().collect::<Vec<_>>(),
        ["x", "y"]
    );
    assert_eq!(families["b"].series("b"), ["b_bucket", "b_sum", "b_count"]);
    assert!(families["b"].labels.is_empty());
}
