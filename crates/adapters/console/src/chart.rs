//! Charts, drawn on the server as SVG.

use askama::Template;

/// The height of a chart, in its own units.
const HEIGHT: u64 = 80;
/// The width of a bar and of the room beside it.
const BAR: u64 = 8;
const STEP: u64 = 10;

/// Bars over time, each in two parts: what was accepted, and what was refused.
#[derive(Template)]
#[template(path = "chart.svg", escape = "html")]
pub(crate) struct Chart {
    /// What it shows, for people who do not see it.
    pub(crate) title: String,
    bars: Vec<Bar>,
    width: u64,
    height: u64,
}

/// What is known of one interval.
pub(crate) struct Column {
    /// What its tooltip says.
    pub(crate) label: String,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
}

struct Bar {
    label: String,
    x: u64,
    accepted: Part,
    refused: Part,
}

struct Part {
    y: u64,
    height: u64,
}

impl Chart {
    /// Returns a chart of columns, in order.
    pub(crate) fn of(title: String, columns: Vec<Column>) -> Self {
        let most = columns.iter().map(|column| column.accepted.saturating_add(column.refused)).max();
        let most = most.unwrap_or(0).max(1);
        let width = u64::try_from(columns.len()).unwrap_or(0).max(1) * STEP;
        // What happened at all is seen: at least one unit.
        let scaled = |count: u64| {
            let units = u128::from(count) * u128::from(HEIGHT) / u128::from(most);
            u64::try_from(units).unwrap_or(HEIGHT).max(u64::from(count > 0))
        };
        let bars = columns.into_iter().zip(0..).map(|(column, place)| {
            let refused = scaled(column.refused);
            let accepted = scaled(column.accepted).min(HEIGHT - refused);
            Bar {
                label: column.label,
                x: place * STEP + (STEP - BAR) / 2,
                accepted: Part { y: HEIGHT - accepted, height: accepted },
                refused: Part { y: HEIGHT - accepted - refused, height: refused },
            }
        });
        Self { title, bars: bars.collect(), width, height: HEIGHT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fit_and_the_smallest_is_seen() {
        let column = |accepted, refused| Column { label: "an hour".to_owned(), accepted, refused };
        let chart = Chart::of("Uses".to_owned(), vec![column(1, 0), column(u64::MAX, 1), column(0, 0)]);
        let parts: Vec<_> = chart.bars.iter().map(|bar| (bar.accepted.height, bar.refused.height)).collect();
        assert_eq!(parts, [(1, 0), (79, 1), (0, 0)]);
        assert!(chart.render().expect("an image").contains("<title>Uses</title>"));
    }
}
