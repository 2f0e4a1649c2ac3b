//! Runs the conformance suite against the memory store.

use std::future::{Ready, ready};

use latchkey_memory::MemoryStore;
use latchkey_storage_conformance::{Fixture, samples};

fn fixture() -> Ready<Fixture> {
    ready(Fixture::new(MemoryStore::new(samples::moment(0))))
}

latchkey_storage_conformance::suite!(fixture);
