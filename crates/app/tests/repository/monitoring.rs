//! The dashboard, the alert rules and the documents name metrics and labels that exist, and every alert is explained.

use std::collections::BTreeSet;

use latchkey_metrics::{Declaration, Kind, names};
use serde_json::Value;

use crate::tree::{TextFile, text_files};

const DASHBOARD: &str = "deploy/grafana/latchkey.json";
const RULES: &str = "deploy/prometheus/alerts.yml";
/// Labels that Prometheus or the format adds.
const ADDED_LABELS: [&str; 3] = ["instance", "job", "le"];

fn text(path: &str) -> String {
    let files = text_files();
    files.into_iter().find(|file| file.path == path).unwrap_or_else(|| panic!("there is no {path}")).text
}

/// Returns the metrics that a text names, each with the text after it.
fn metrics_in(text: &str) -> Vec<(&str, &str)> {
    let is_name =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    let starts = text.match_indices("latchkey_").chain(text.match_indices("process_"));
    starts
        .filter(|(start, _)| !text[..*start].ends_with(is_name))
        .map(|(start, _)| {
            let rest = &text[start..];
            rest.split_at(rest.find(|character| !is_name(character)).unwrap_or(rest.len()))
        })
        .collect()
}

/// Returns the declaration of a series: a histogram has three sorts of them.
fn declaration_of(series: &str) -> Option<&'static Declaration> {
    names::ALL.iter().copied().find(|declaration| match declaration.kind {
        Kind::Histogram(_) => series
            .strip_prefix(declaration.name)
            .is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix)),
        Kind::Counter | Kind::Gauge => declaration.name == series,
    })
}

/// Returns the names of the labels in `{name="value", …}` at the start of a text.
fn labels_in(rest: &str) -> Vec<&str> {
    let Some(selector) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return Vec::new();
    };
    let pairs = selector.0.split(',').map(|pair| pair.split(['=', '!']).next().unwrap_or(pair).trim());
    pairs.filter(|name| !name.is_empty()).collect()
}

/// Returns what is wrong with the metrics and labels in `PromQL`.
fn problems(origin: &str, expressions: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (series, rest) in metrics_in(expressions) {
        let Some(declaration) = declaration_of(series) else {
            problems.push(format!("{origin}: there is no metric {series}"));
            continue;
        };
        for label in labels_in(rest) {
            if !declaration.labels.contains(&label) && !ADDED_LABELS.contains(&label) {
                problems.push(format!("{origin}: {series} has no label {label}"));
            }
        }
    }
    problems
}

fn dashboard() -> Value {
    serde_json::from_str(&text(DASHBOARD)).expect("JSON")
}

fn expressions(dashboard: &Value) -> Vec<&str> {
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().expect("an expression")).collect()
}

#[test]
fn the_dashboard_and_the_rules_name_metrics_and_labels_that_exist() {
    let mut found = problems(RULES, &text(RULES));
    found.extend(problems("deploy/prometheus/alerts.test.yml", &text("deploy/prometheus/alerts.test.yml")));
    let dashboard = dashboard();
    let expressions = expressions(&dashboard);
    assert!(expressions.len() > 20, "{expressions:?}");
    for expression in expressions {
        assert!(!metrics_in(expression).is_empty(), "{expression} names no metric");
        found.extend(problems(DASHBOARD, expression));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_misspelt_metric_or_label_is_found() {
    for wrong in [
        "rate(latchkey_request_total[5m])",
        "latchkey_store_operation_seconds",
        r#"latchkey_tokens{kind="client"}"#,
        r#"sum(latchkey_feed_age_seconds{instance="a", pool=~"b"})"#,
    ] {
        assert_eq!(problems("a test", wrong).len(), 1, "{wrong}");
    }
    let right = r#"rate(latchkey_store_operation_seconds_bucket{operation="ping", le="1", job!="x"}[5m]) / process_threads"#;
    assert_eq!(problems("a test", right), Vec::<String>::new());
}

#[test]
fn documents_name_metrics_that_exist() {
    let files = text_files();
    let documents = files.iter().filter(|file: &&TextFile| file.has_extension("md"));
    let mut unknown = Vec::new();
    for document in documents {
        for code in document.text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("latchkey_")) {
            let (name, _) = metrics_in(code)[0];
            let is_known = names::ALL.iter().any(|declaration| declaration.name == name);
            // Names of crates and modules are written alike.
            let is_metric =
                ["_total", "_seconds", "_bytes"].iter().any(|end| name.ends_with(end)) || code.contains('{');
            if is_metric && !is_known && declaration_of(name).is_none() {
                unknown.push(format!("{}: {name}", document.path));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn every_alert_is_explained() {
    let rules = text(RULES);
    let page = text("docs/operate/monitoring.md");
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    let missing: Vec<_> = alerts.iter().filter(|alert| !page.contains(&format!("| `{alert}` |"))).collect();
    assert!(missing.is_empty(), "docs/operate/monitoring.md lacks {missing:?}");
}

/// Grafana refuses panels of one id, and asks for the data source when the dashboard is imported.
#[test]
fn the_dashboard_can_be_imported() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len(), "an id is used twice");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let sources: Vec<_> = variables.iter().filter(|variable| variable["type"] == "datasource").collect();
    assert_eq!((sources.len(), &sources[0]["name"]), (1, &Value::from("datasource")));
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
    }
    let mut areas: Vec<[u64; 4]> = panels
        .iter()
        .map(|panel| ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a number")))
        .collect();
    while let Some([x, y, w, h]) = areas.pop() {
        assert!(x + w <= 24, "a panel is too wide");
        let overlaps = |[ox, oy, ow, oh]: &[u64; 4]| x < ox + ow && *ox < x + w && y < oy + oh && *oy < y + h;
        assert!(!areas.iter().any(overlaps), "panels overlap at {x}, {y}");
    }
}
