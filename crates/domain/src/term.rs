//! Spans of time in whole seconds, as policies and rotations have them.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::IsoDuration;

/// A span of time in a policy or between rotations, in whole seconds: from one second to [`Term::MAX_DAYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Term(NonZeroU32);

/// The span is too short or too long, or not in whole seconds, or the text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a duration from PT1S to P{}D in whole seconds, such as P90D", Term::MAX_DAYS)]
pub struct InvalidTerm;

impl Term {
    /// The maximum, in days: ten years.
    pub const MAX_DAYS: u64 = 3_650;
    const MAX_SECONDS: u64 = Self::MAX_DAYS * 86_400;

    /// Returns a term of that length.
    pub fn new(span: Duration) -> Result<Self, InvalidTerm> {
        let seconds = Some(span.as_secs()).filter(|seconds| *seconds <= Self::MAX_SECONDS);
        let whole =
            seconds.filter(|_| span.subsec_nanos() == 0).and_then(|seconds| u32::try_from(seconds).ok());
        whole.and_then(NonZeroU32::new).map(Self).ok_or(InvalidTerm)
    }

    /// Returns its length.
    pub fn span(self) -> Duration {
        Duration::from_secs(self.0.get().into())
    }
}

/// As in ISO 8601.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&IsoDuration::new(self.span()), f)
    }
}

/// Reads a duration of ISO 8601.
impl FromStr for Term {
    type Err = InvalidTerm;

    fn from_str(text: &str) -> Result<Self, InvalidTerm> {
        Self::new(text.parse::<IsoDuration>().map_err(|_| InvalidTerm)?.span())
    }
}

impl From<Term> for String {
    fn from(term: Term) -> Self {
        term.to_string()
    }
}

impl TryFrom<String> for Term {
    type Error = InvalidTerm;

    fn try_from(text: String) -> Result<Self, InvalidTerm> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_has_bounds() {
        let term = |days: u64| Term::new(Duration::from_secs(days * 86_400)).expect("a term");
        for (text, days) in [("P1D", 1), ("PT24H", 1), ("P2W", 14), ("P3650D", 3_650)] {
            assert_eq!(text.parse(), Ok(term(days)), "{text}");
        }
        for text in ["PT0S", "P3651D", "90d", "", "P1M"] {
            assert_eq!(text.parse::<Term>(), Err(InvalidTerm), "{text}");
        }
        assert_eq!(Term::new(Duration::from_millis(1_500)), Err(InvalidTerm));
        assert_eq!(Term::new(Duration::from_millis(999)), Err(InvalidTerm));
    }
}
