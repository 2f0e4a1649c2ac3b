//! What a log says of an outage: a line when it begins and a line when it ends, and not ten a second.

/// Whether something fails at the moment.
#[derive(Debug, Default)]
pub(crate) struct Outage(bool);

/// A change for the worse or the better.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn<B, E = ()> {
    Began(B),
    Ended(E),
}

impl Outage {
    pub(crate) fn after<E>(&mut self, outcome: Result<(), E>) -> Option<Turn<E>> {
        let was_failing = std::mem::replace(&mut self.0, outcome.is_err());
        match outcome {
            Err(error) if !was_failing => Some(Turn::Began(error)),
            Ok(()) if was_failing => Some(Turn::Ended(())),
            _ => None,
        }
    }
}

/// Whether answers are being given from stale memory, and how many were.
#[derive(Debug, Default)]
pub(crate) struct StaleAnswers {
    /// How many there had been when all was well for the last time.
    before: u64,
    told: bool,
}

impl StaleAnswers {
    /// To be called after each try to reach the database, with how many there have been since the start. The end comes
    /// with how many there were in this outage.
    pub(crate) fn after(&mut self, is_reached: bool, total: u64) -> Option<Turn<(), u64>> {
        let given = total.saturating_sub(self.before);
        if given == 0 {
            return None;
        }
        if is_reached {
            *self = Self { before: total, told: false };
            return Some(Turn::Ended(given));
        }
        (!std::mem::replace(&mut self.told, true)).then_some(Turn::Began(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_and_when_it_ends() {
        let mut outage = Outage::default();
        let told = [Ok(()), Err(1), Err(2), Ok(()), Ok(()), Err(3)].map(|outcome| outage.after(outcome));
        let (one, three) = (Turn::Began(1), Turn::Began(3));
        assert_eq!(told, [None, Some(one), None, Some(Turn::Ended(())), None, Some(three)]);
    }

    #[test]
    fn stale_answers_are_told_when_the_first_is_given_and_counted_when_the_last_was() {
        let mut stale = StaleAnswers::default();
        let told =
            [(true, 0), (false, 0), (false, 2), (false, 7), (true, 9), (true, 9), (false, 10), (true, 10)]
                .map(|(is_reached, total)| stale.after(is_reached, total));
        let (began, ended) = (|| Some(Turn::Began(())), |count| Some(Turn::Ended(count)));
        assert_eq!(told, [None, None, began(), None, ended(9), None, began(), ended(1)]);
    }
}
