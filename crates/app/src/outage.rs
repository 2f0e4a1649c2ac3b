//! When an outage is logged: once when it begins and once when it ends, however often it is observed.

/// Whether something is failing.
#[derive(Debug, Default)]
pub(crate) struct Outage(bool);

/// The beginning or the end of an outage.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Transition<B, E = ()> {
    Began(B),
    Ended(E),
}

impl Outage {
    /// Takes the outcome of an attempt and returns whether an outage began or ended with it.
    pub(crate) fn observe<E>(&mut self, outcome: Result<(), E>) -> Option<Transition<E>> {
        let was_failing = std::mem::replace(&mut self.0, outcome.is_err());
        match outcome {
            Err(error) if !was_failing => Some(Transition::Began(error)),
            Ok(()) if was_failing => Some(Transition::Ended(())),
            _ => None,
        }
    }
}

/// Whether responses come from stale cache entries, and how many did.
#[derive(Debug, Default)]
pub(crate) struct StaleResponses {
    /// The total when the database was last available.
    before: u64,
    reported: bool,
}

impl StaleResponses {
    /// Takes the result of a poll of the database and the total of stale responses since the start. The end comes with
    /// the number of stale responses in this outage.
    pub(crate) fn observe(&mut self, is_available: bool, total: u64) -> Option<Transition<(), u64>> {
        let count = total.saturating_sub(self.before);
        if count == 0 {
            return None;
        }
        if is_available {
            *self = Self { before: total, reported: false };
            return Some(Transition::Ended(count));
        }
        (!std::mem::replace(&mut self.reported, true)).then_some(Transition::Began(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_reported_when_it_begins_and_when_it_ends() {
        let mut outage = Outage::default();
        let reported =
            [Ok(()), Err(1), Err(2), Ok(()), Ok(()), Err(3)].map(|outcome| outage.observe(outcome));
        let (one, three) = (Transition::Began(1), Transition::Began(3));
        assert_eq!(reported, [None, Some(one), None, Some(Transition::Ended(())), None, Some(three)]);
    }

    #[test]
    fn stale_responses_are_reported_with_the_first_and_counted_after_the_last() {
        let mut stale = StaleResponses::default();
        let reported =
            [(true, 0), (false, 0), (false, 2), (false, 7), (true, 9), (true, 9), (false, 10), (true, 10)]
                .map(|(is_available, total)| stale.observe(is_available, total));
        let (began, ended) = (|| Some(Transition::Began(())), |count| Some(Transition::Ended(count)));
        assert_eq!(reported, [None, None, began(), None, ended(9), None, began(), ended(1)]);
    }
}
