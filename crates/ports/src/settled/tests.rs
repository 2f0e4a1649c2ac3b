use super::*;
use crate::feed::model::{Model, dice};

/// A reader that remembers the number of the last event.
#[derive(Default)]
struct Reader {
    settlement: Settlement,
    after: EventId,
    seen: Vec<i64>,
}

impl Reader {
    /// Reads until nothing more is settled, in portions.
    fn read(&mut self, model: &Model) {
        loop {
            let start = self.settlement.start(self.after).0;
            let visible = model.visible.iter().copied().filter(|id| *id > start).take(3).map(EventId);
            let reading = SettledReading {
                newest: model.newest(),
                visible: visible.collect(),
                ended: model.ended(),
                next: model.next(),
            };
            self.settlement = self.settlement.advance(self.after, &reading);
            let settled = self.settlement.settled().0;
            let portion =
                model.visible.iter().copied().filter(|id| (self.after.0 + 1..=settled).contains(id));
            let portion: Vec<i64> = portion.take(3).collect();
            let Some(last) = portion.last() else { return };
            self.after = EventId(*last);
            self.seen.extend(portion);
        }
    }
}

#[test]
fn a_higher_number_waits_for_a_lower_one() {
    let (mut model, mut reader) = (Model::default(), Reader::default());
    let (slow, fast) = (model.begin(), model.begin());
    model.draw(slow);
    model.draw(fast);
    model.commit(fast);
    for _ in 0..3 {
        reader.read(&model);
        assert_eq!((&reader.seen[..], reader.settlement.is_pending()), (&[][..], true));
    }
    model.commit(slow);
    reader.read(&model);
    assert_eq!((&reader.seen[..], reader.settlement.is_pending()), (&[1, 2][..], false));
}

#[test]
fn numbers_without_a_gap_wait_for_no_transaction() {
    let (mut model, mut reader) = (Model::default(), Reader::default());
    let bystander = model.begin();
    let one = model.begin();
    model.draw(one);
    model.draw(one);
    model.commit(one);
    reader.read(&model);
    assert_eq!(reader.seen, [1, 2]);
    model.draw(bystander);
    let other = model.begin();
    model.draw(other);
    model.commit(other);
    reader.read(&model);
    assert_eq!(reader.seen, [1, 2], "the third may come");
    model.commit(bystander);
    reader.read(&model);
    assert_eq!(reader.seen, [1, 2, 3, 4]);
}

#[test]
fn a_number_that_was_rolled_back_is_passed_when_its_transaction_must_have_ended() {
    let (mut model, mut reader) = (Model::default(), Reader::default());
    let (slow, bystander, fast) = (model.begin(), model.begin(), model.begin());
    model.draw(slow);
    model.draw(fast);
    model.commit(fast);
    reader.read(&model);
    model.roll_back(slow);
    reader.read(&model);
    assert!(reader.seen.is_empty(), "the bystander could own it");
    let later = model.begin();
    model.roll_back(bystander);
    reader.read(&model);
    assert_eq!(reader.seen, [2], "what began after the reading has no lower number");
    model.commit(later);
}

#[test]
fn numbers_that_go_back_settle_anew() {
    let reading = |newest, ended| SettledReading {
        newest: EventId(newest),
        ended: Stamp(ended),
        next: Stamp(9),
        ..SettledReading::default()
    };
    let settlement = Settlement::default().advance(EventId(0), &reading(8, 9));
    assert_eq!((settlement.settled(), settlement.is_pending()), (EventId(8), false));
    let back = settlement.advance(EventId(8), &reading(5, 3));
    assert_eq!((back.settled(), back.is_pending()), (EventId(0), true));
    assert_eq!(back.advance(EventId(0), &reading(5, 9)), Settlement::up_to(EventId(5)));
}

/// Whatever the order of commits, a reader sees each event once, in order, and waits no longer than it must.
#[test]
fn every_event_is_read_once_in_order() {
    let mut roll = dice();
    let (mut model, mut reader) = (Model::default(), Reader::default());
    let mut early = 0;
    for _ in 0..3_000 {
        let running: Vec<u64> = model.running.keys().copied().collect();
        let some = running.get(roll(running.len().max(1))).copied();
        match (roll(10), some) {
            (0..=2, _) if running.len() < 16 => drop(model.begin()),
            (3..=5, Some(one)) => model.draw(one),
            (6..=7, Some(one)) => model.commit(one),
            (8, Some(one)) if roll(10) == 0 => model.roll_back(one),
            _ => {
                let before = reader.seen.len();
                reader.read(&model);
                let read = model.visible.iter().take(reader.seen.len());
                assert!(reader.seen.iter().eq(read), "an event was missed, or read twice");
                early += usize::from(!running.is_empty() && reader.seen.len() > before);
            }
        }
    }
    assert!(early > 10, "events are read beside running transactions");
    for one in model.running.keys().copied().collect::<Vec<_>>() {
        model.commit(one);
    }
    reader.read(&model);
    assert!(reader.seen.iter().eq(&model.visible));
    assert!(reader.seen.len() > 500, "little was done");
}
