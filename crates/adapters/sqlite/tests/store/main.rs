//! What is SQLite's own about the store: files, locks, migrations, dropped futures, broken rows. What every store does,
//! the conformance suite tests.

#[cfg(test)]
mod cancellation;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod counts;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod inconsistency;
#[cfg(test)]
mod integrity;
#[cfg(test)]
mod locking;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod opening;
