//! Runs contestants in turns and summarizes their samples.

use serde::Serialize;

use crate::load::{Load, Request, Sample, settled};
use crate::options::Options;

/// A server under load, with the request that it receives.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// The name in the report.
    pub name: String,
    pub request: Request,
}

impl Contestant {
    /// Returns the same contestant for another kind of load, named in the report.
    #[must_use]
    pub fn asked(&self, how: &str) -> Self {
        Self { name: format!("{}, {how}", self.name), request: self.request.clone() }
    }
}

/// The samples of one contestant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    pub name: String,
    /// One sample per round.
    pub samples: Vec<Sample>,
}

/// The median and the range of a set of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The median; for an even count, the mean of the middle two.
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// Returns the spread of these numbers, or `None` if there are none.
    #[must_use]
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let lower = if sorted.len().is_multiple_of(2) { *sorted.get(middle.checked_sub(1)?)? } else { upper };
        Some(Self { median: f64::midpoint(lower, upper), min: *sorted.first()?, max: *sorted.last()? })
    }
}

impl Series {
    /// Returns the spread of one figure over the rounds.
    #[must_use]
    pub fn spread(&self, figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples.iter().map(figure))
    }

    /// Returns the ratio of a figure to that of another series that took turns with this one: the median of the ratios
    /// of the rounds. Comparing within a round cancels changes in the machine's speed. Returns NaN without rounds.
    #[must_use]
    pub fn in_relation_to(&self, other: &Self, figure: impl Fn(&Sample) -> f64) -> f64 {
        let rounds = self.samples.iter().zip(&other.samples);
        Spread::of(rounds.map(|(own, other)| figure(own) / figure(other)))
            .map_or(f64::NAN, |spread| spread.median)
    }

    /// Returns the median of the requests per second, 0 without rounds.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.spread(|sample| sample.requests_per_second).map_or(0.0, |spread| spread.median)
    }
}

/// Runs one round of each contestant in turn, repeatedly, so that other load on the machine affects all of them alike.
///
/// # Errors
/// When a request to a contestant fails.
pub async fn take_turns(
    contestants: &[Contestant],
    load: &impl Load,
    options: &Options,
    progress: impl Fn(&str),
) -> anyhow::Result<Vec<Series>> {
    let mut all = Vec::new();
    for contestant in contestants {
        progress(&format!("warm-up: {}", contestant.name));
        load.run(&contestant.request, options.warm_up.max(1)).await?;
        settled(&contestant.request).await?;
        all.push(Series { name: contestant.name.clone(), samples: Vec::new() });
    }
    for round in 1..=options.rounds {
        for (contestant, series) in contestants.iter().zip(&mut all) {
            let sample = load.run(&contestant.request, options.seconds).await?;
            settled(&contestant.request).await?;
            progress(&format!(
                "round {round}/{}: {}: {:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms",
                options.rounds, contestant.name, sample.requests_per_second, sample.p50_ms, sample.p99_ms
            ));
            series.samples.push(sample);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_the_rounds() {
        let series = |rates: &[f64]| {
            let sample = |rate: &f64| Sample { requests_per_second: *rate, p50_ms: 1.0, p99_ms: 1.0 };
            Series { name: String::new(), samples: rates.iter().map(sample).collect() }
        };
        // In the second round, the machine was half as fast for both.
        let (own, other) = (series(&[90.0, 45.0, 80.0]), series(&[100.0, 50.0, 100.0]));
        let ratio = own.in_relation_to(&other, |sample| sample.requests_per_second);
        assert!((ratio - 0.9).abs() < 1e-9, "{ratio}");
        assert!(series(&[]).in_relation_to(&other, |sample| sample.p99_ms).is_nan());
    }

    #[test]
    fn the_median_is_the_middle_number_or_the_mean_of_the_middle_two() {
        let spread = |numbers: &[f64]| Spread::of(numbers.iter().copied());
        assert_eq!(spread(&[]), None);
        let expected = |median, min, max| Some(Spread { median, min, max });
        assert_eq!(spread(&[3.0]), expected(3.0, 3.0, 3.0));
        assert_eq!(spread(&[5.0, 1.0, 2.0]), expected(2.0, 1.0, 5.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 8.0]), expected(3.0, 1.0, 8.0));
    }
}
