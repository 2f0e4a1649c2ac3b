//! The console in a real browser: Chromium, driven by `chromedriver`, against the real binary. A line in the browser's log, a page wider
//! than the screen or a rule of accessibility that is broken fails a test.
//!
//! `driver` speaks the protocol, `browser` does what a visitor does, `inspection` looks for what is wrong with a page, and `site` is a server with users. `pages`
//! lists the pages; every other module tests a promise. `vendor` has axe-core (MPL-2.0), which checks accessibility. `just screens` runs `screens`.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod inspection;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod site;

#[cfg(test)]
mod dialogs;
#[cfg(test)]
mod first_visit;
#[cfg(test)]
mod hostile_names;
#[cfg(test)]
mod interruptions;
#[cfg(test)]
mod keyboard;
#[cfg(test)]
mod narrow;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod token_life;
#[cfg(test)]
mod two_browsers;
#[cfg(test)]
mod visits;
