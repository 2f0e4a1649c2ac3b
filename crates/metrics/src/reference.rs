//! `docs/reference/metrics.md`, made of the declarations.

use std::fmt::Write as _;

use crate::{declaration::Kind, names::ALL};

const HEAD: &str = "\
# Metrics

For operators who set up dashboards and alerts. This page is generated from the declarations in `crates/metrics`.

`GET /metrics` serves these in the text format of Prometheus (0.0.4), without credentials; `GET /internal-backstage/prometheus`,
the path that Unleash has, serves the same. With `metrics.listen` they are served on that address alone. Each process reports its
own values since its start. A metric is absent until its first value. A dashboard, alert rules and what they mean are in
[monitoring](../operate/monitoring.md).

No label carries a name that a user chose, a project, an address or a secret, and no label has an unbounded number of values.

| metric | type | meaning |
| --- | --- | --- |
";

/// Returns `docs/reference/metrics.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let mut scales: Vec<&[f64]> = Vec::new();
    for declaration in ALL {
        let labels = match declaration.labels {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        let (name, kind) = (declaration.name, declaration.kind);
        // Writing to a string does not fail.
        let _ = writeln!(page, "| `{name}{labels}` | {} | {} |", kind.as_str(), declaration.help());
        if let Kind::Histogram(buckets) = kind
            && !scales.contains(&buckets)
        {
            scales.push(buckets);
        }
    }
    page.push_str("\nUpper bounds of the buckets of histograms:\n\n");
    for buckets in scales {
        let metrics = ALL.iter().filter(|declaration| declaration.kind == Kind::Histogram(buckets));
        let metrics: Vec<_> = metrics.map(|declaration| format!("`{}`", declaration.name)).collect();
        let bounds: Vec<_> = buckets.iter().map(ToString::to_string).collect();
        let _ = writeln!(page, "- {}: {}", metrics.join(", "), bounds.join(", "));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_page_follows_the_declarations() {
        let kept = include_str!("../../../docs/reference/metrics.md");
        let renew = "cargo run -p latchkey-metrics --example reference > docs/reference/metrics.md";
        assert!(kept == reference(), "docs/reference/metrics.md is out of date: run `{renew}`");
    }

    #[test]
    fn names_are_unique_and_say_their_kind() {
        let mut names = BTreeSet::new();
        for declaration in ALL {
            let name = declaration.name;
            assert!(names.insert(name), "{name} is declared twice");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), declaration.kind == Kind::Counter, "{name}");
            if let Kind::Histogram(buckets) = declaration.kind {
                assert!(buckets.is_sorted() && !buckets.is_empty(), "{name}");
            }
        }
    }
}
