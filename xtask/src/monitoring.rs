//! Alert rules and dashboards: whether Prometheus understands them, and whether alerts fire when they should.
//!
//! That they speak of metrics that exist is a test of the binary, which shows them.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::shell;
use crate::tools;

const RULES: &str = "deploy/prometheus/rules.yml";
/// Cases for the rules, run by promtool.
const CASES: &str = "deploy/prometheus/rules.test.yml";
const DASHBOARDS: &str = "deploy/grafana/dashboards";
/// Where expressions of dashboards stand as rules, which promtool can check.
const SCRATCH: &str = "target/xtask/dashboards.yml";

/// What Grafana fills in, and something in its place.
const VARIABLES: [(&str, &str); 3] = [
    ("$__rate_interval", "1m"),
    ("$instance", ".*"),
    ("$channel", ".*"),
];

/// Everything.
pub(crate) fn check() -> Result<()> {
    every_alert_has_cases()?;
    let promtool = tools::promtool()?;
    let run = |arguments: &[&str]| {
        let mut command = shell::command(&promtool.to_string_lossy(), arguments);
        shell::run(command.stdout(std::process::Stdio::null()))
    };
    run(&["check", "rules", RULES])?;
    run(&["test", "rules", CASES])?;
    let file = shell::root().join(SCRATCH);
    fs::create_dir_all(file.parent().context("it is in a folder")?)?;
    fs::write(&file, as_rules(&expressions()?)?)?;
    run(&["check", "rules", SCRATCH])
}

fn every_alert_has_cases() -> Result<()> {
    let rules = fs::read_to_string(shell::root().join(RULES))?;
    let cases = fs::read_to_string(shell::root().join(CASES))?;
    let without = without_cases(&rules, &cases);
    ensure!(
        without.is_empty(),
        "{CASES} has no case in which it fires and one in which it does not for {}",
        without.join(", ")
    );
    Ok(())
}

fn without_cases<'a>(rules: &'a str, cases: &str) -> Vec<&'a str> {
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- alert: "));
    let has = |what: &str| cases.lines().any(|line| line.trim() == what);
    alerts
        .filter(|it| {
            !has(&format!("- name: {it} fires")) || !has(&format!("- name: {it} is quiet"))
        })
        .collect()
}

/// All that dashboards ask Prometheus.
fn expressions() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in fs::read_dir(shell::root().join(DASHBOARDS))? {
        let path = file?.path();
        let dashboard: Value = serde_json::from_str(&fs::read_to_string(&path)?)
            .with_context(|| path.display().to_string())?;
        let panels = dashboard["panels"].as_array().into_iter().flatten();
        let targets = panels.flat_map(|it| it["targets"].as_array().into_iter().flatten());
        found.extend(targets.filter_map(|it| it["expr"].as_str()).map(filled_in));
    }
    ensure!(!found.is_empty(), "no expression in {DASHBOARDS}");
    Ok(found)
}

fn filled_in(expression: &str) -> String {
    VARIABLES
        .iter()
        .fold(expression.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
}

/// JSON is YAML.
fn as_rules(expressions: &[String]) -> Result<String> {
    let rules: Vec<Value> = (0..)
        .zip(expressions)
        .map(|(at, expr)| serde_json::json!({ "record": format!("panel:{at}"), "expr": expr }))
        .collect();
    let file = serde_json::json!({ "groups": [{ "name": "dashboards", "rules": rules }] });
    serde_json::to_string(&file).context("cannot write rules")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_needs_a_case_of_each_kind() {
        let rules = "  - alert: One\n  - alert: Two\n";
        let cases = "- name: One fires\n- name: One is quiet\n- name: Two fires\n";
        assert_eq!(without_cases(rules, cases), ["Two"]);
    }

    #[test]
    fn variables_of_grafana_are_filled_in() {
        let expression = r#"rate(x{instance=~"$instance"}[$__rate_interval])"#;
        assert_eq!(filled_in(expression), r#"rate(x{instance=~".*"}[1m])"#);
    }
}
