//! Checks of the repository itself: links and paths in documents, wording, the import graph of every crate, and the
//! dependencies. They read files and `cargo metadata`, and need neither a database nor a network.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod docstrings;
#[cfg(test)]
mod import_cycles;
#[cfg(test)]
mod licenses;
#[cfg(test)]
mod links;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod reference_pages;
#[cfg(test)]
mod rust_source;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod wording;
