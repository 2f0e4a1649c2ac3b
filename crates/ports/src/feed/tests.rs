use std::collections::BTreeSet;

use super::{
    model::{Model, dice},
    *,
};

fn read(model: &Model, position: &FeedPosition, limit: u32) -> FeedReading {
    let missing: BTreeSet<i64> = position.missing().map(|id| id.0).collect();
    let is_asked = |id: &&i64| **id > position.newest().0 || missing.contains(*id);
    FeedReading {
        newest: model.newest(),
        changes: model
            .visible
            .iter()
            .filter(is_asked)
            .take(to_usize(limit.into()) + 1 + missing.len())
            .copied()
            .map(change)
            .collect(),
        ended: model.ended(),
        next: model.next(),
        ..FeedReading::default()
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).expect("64 bits")
}

fn change(id: i64) -> Change {
    Change { id: EventId(id), kind: EventKind::ApiTokenCreated, subject: None }
}

/// A follower, and what it has seen since its first page.
struct Follower {
    position: FeedPosition,
    seen: Vec<i64>,
    last: Continuity,
}

impl Follower {
    fn new(model: &Model) -> Self {
        let page = FeedPosition::default().advance(read(model, &FeedPosition::default(), 0), 0);
        Self { position: page.position, seen: Vec::new(), last: page.continuity }
    }

    fn follow(&mut self, model: &Model) -> Continuity {
        let page = self.position.advance(read(model, &self.position, 100), 100);
        self.seen.extend(page.changes.iter().map(|change| change.id.0));
        (self.position, self.last) = (page.position, page.continuity);
        self.last
    }
}

#[test]
fn a_lower_number_that_becomes_visible_later_is_read_then() {
    let mut model = Model::default();
    let mut follower = Follower::new(&model);
    let (slow, fast) = (model.begin(), model.begin());
    model.draw(slow);
    model.draw(fast);
    model.commit(fast);
    assert_eq!((follower.follow(&model), &follower.seen[..]), (Continuity::Unbroken, &[2][..]));
    assert_eq!(follower.follow(&model), Continuity::Unbroken);
    model.commit(slow);
    assert_eq!((follower.follow(&model), &follower.seen[..]), (Continuity::Unbroken, &[2, 1][..]));
    assert_eq!(follower.position.missing().count(), 0);
    assert_eq!((follower.follow(&model), follower.seen.len()), (Continuity::Unbroken, 2), "each once");
}

#[test]
fn a_number_that_was_rolled_back_is_given_up_when_its_transaction_must_have_ended() {
    let mut model = Model::default();
    let mut follower = Follower::new(&model);
    let (slow, fast) = (model.begin(), model.begin());
    model.draw(slow);
    model.draw(fast);
    model.commit(fast);
    let bystander = model.begin();
    assert_eq!(follower.follow(&model), Continuity::Unbroken);
    model.roll_back(slow);
    assert_eq!(follower.follow(&model), Continuity::Unbroken, "the bystander could own it");
    assert_eq!(follower.position.missing().collect::<Vec<_>>(), [EventId(1)]);
    model.roll_back(bystander);
    assert_eq!(follower.follow(&model), Continuity::Broken, "it may also have been deleted");
    assert_eq!(follower.follow(&model), Continuity::Unbroken);
    assert_eq!((follower.seen, follower.position.missing().count()), (vec![2], 0));
}

#[test]
fn what_ran_when_a_follower_began_is_not_missed() {
    let mut model = Model::default();
    let (slow, fast) = (model.begin(), model.begin());
    model.draw(slow);
    model.draw(fast);
    model.commit(fast);
    let mut follower = Follower::new(&model);
    assert_eq!((follower.last, follower.follow(&model)), (Continuity::Broken, Continuity::Broken));
    model.commit(slow);
    assert_eq!(follower.follow(&model), Continuity::Broken, "the number of the slow one is not known");
    assert_eq!((follower.follow(&model), follower.seen), (Continuity::Unbroken, vec![]));
}

#[test]
fn more_changes_than_the_limit_are_not_read_one_by_one() {
    let mut model = Model::default();
    let mut follower = Follower::new(&model);
    let slow = model.begin();
    model.draw(slow);
    let many = model.begin();
    (0..101).for_each(|_| model.draw(many));
    model.commit(many);
    assert_eq!((follower.follow(&model), follower.seen.len()), (Continuity::Broken, 0));
    model.commit(slow);
    assert_eq!(follower.follow(&model), Continuity::Broken, "the slow one was drawn before");
    assert_eq!(follower.follow(&model), Continuity::Unbroken);
}

#[test]
fn the_memory_of_a_position_is_bounded() {
    let mut model = Model::default();
    let mut follower = Follower::new(&model);
    let slow = model.begin();
    (0..=FeedPosition::MAX_MISSING).for_each(|_| model.draw(slow));
    let fast = model.begin();
    model.draw(fast);
    model.commit(fast);
    assert_eq!((follower.follow(&model), follower.position.missing().count()), (Continuity::Broken, 0));
    assert_eq!(follower.follow(&model), Continuity::Broken, "as long as the slow one runs");
    model.commit(slow);
    assert_eq!(follower.follow(&model), Continuity::Broken);
    assert_eq!(follower.follow(&model), Continuity::Unbroken);
}

#[test]
fn another_database_and_numbers_that_go_back_are_another_history() {
    let reading = |newest, origin: Option<&str>| FeedReading {
        newest: EventId(newest),
        origin: origin.map(str::to_owned),
        ..FeedReading::default()
    };
    let FeedPage { position, .. } = FeedPosition::default().advance(reading(5, Some("a/1")), 10);
    let continuity = |reading| position.advance(reading, 10).continuity;
    assert_eq!(continuity(reading(5, Some("a/1"))), Continuity::Unbroken);
    assert_eq!(continuity(reading(5, None)), Continuity::Unbroken, "it cannot be told");
    assert_eq!(continuity(reading(5, Some("a/2"))), Continuity::OtherHistory);
    assert_eq!(continuity(reading(4, Some("a/1"))), Continuity::OtherHistory);
    let unknown = position.advance(reading(5, None), 10).position;
    assert_eq!(unknown.advance(reading(5, Some("a/2")), 10).continuity, Continuity::OtherHistory);
}

#[test]
fn every_page_says_how_far_behind_it_is() {
    let lag = Duration::from_secs(3);
    let reading = |newest| FeedReading { newest: EventId(newest), lag, ..FeedReading::default() };
    let first = FeedPosition::default().advance(reading(5), 10);
    let next = first.position.advance(reading(5), 10);
    let back = first.position.advance(reading(4), 10);
    assert_eq!([first.lag, next.lag, back.lag], [lag; 3]);
}

/// Whatever the order of commits, a follower has seen exactly what is visible, and pages are broken only for numbers that
/// never appear.
#[test]
fn every_change_is_seen_once() {
    let mut roll = dice();
    let mut model = Model::default();
    let mut follower = Follower::new(&model);
    let (mut rolled_back, mut broken) = (0, 0);
    for _ in 0..3_000 {
        let running: Vec<u64> = model.running.keys().copied().collect();
        let some = running.get(roll(running.len().max(1))).copied();
        match (roll(10), some) {
            (0..=2, _) if running.len() < 16 => drop(model.begin()),
            (3..=5, Some(one)) => model.draw(one),
            (6..=7, Some(one)) => model.commit(one),
            (8, Some(one)) if roll(10) == 0 => {
                rolled_back += model.running[&one].len();
                model.roll_back(one);
            }
            _ => {
                broken += usize::from(follower.follow(&model) == Continuity::Broken);
                let mut seen = follower.seen.clone();
                seen.sort_unstable();
                assert!(seen.iter().eq(&model.visible), "a change was missed, or seen twice");
            }
        }
    }
    assert!((1..=rolled_back).contains(&broken), "{broken} broken pages, {rolled_back} numbers rolled back");
    assert!(model.visible.len() > 500, "little was done");
}
