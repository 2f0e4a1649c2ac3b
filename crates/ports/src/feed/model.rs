//! A model of a store in which transactions run side by side, for tests of what reads its events.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_domain::EventId;

use super::Stamp;

#[derive(Default)]
pub(crate) struct Model {
    last_stamp: u64,
    last_number: i64,
    /// The numbers that each running transaction has drawn.
    pub(crate) running: BTreeMap<u64, Vec<i64>>,
    pub(crate) visible: BTreeSet<i64>,
}

impl Model {
    pub(crate) fn begin(&mut self) -> u64 {
        self.last_stamp += 1;
        self.running.insert(self.last_stamp, Vec::new());
        self.last_stamp
    }

    pub(crate) fn draw(&mut self, transaction: u64) {
        self.last_number += 1;
        self.running.get_mut(&transaction).expect("running").push(self.last_number);
    }

    pub(crate) fn commit(&mut self, transaction: u64) {
        let numbers = self.running.remove(&transaction).expect("running");
        self.visible.extend(numbers);
    }

    pub(crate) fn roll_back(&mut self, transaction: u64) {
        self.running.remove(&transaction).expect("running");
    }

    pub(crate) fn newest(&self) -> EventId {
        EventId(self.visible.last().copied().unwrap_or(0))
    }

    pub(crate) fn ended(&self) -> Stamp {
        self.running.keys().next().copied().map_or(self.next(), Stamp)
    }

    pub(crate) fn next(&self) -> Stamp {
        Stamp(self.last_stamp + 1)
    }
}

/// Dice that fall the same in each run.
pub(crate) fn dice() -> impl FnMut(usize) -> usize {
    let mut state = 7_u64;
    move |sides| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % u64::try_from(sides).expect("few")).expect("few")
    }
}
