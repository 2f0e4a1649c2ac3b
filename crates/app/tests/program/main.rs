//! The program from its user's point of view: command line, configuration, start and stop, on SQLite. `black_box` tests
//! its wire. All in one program, so that it is linked once.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod first_pages;
#[cfg(test)]
mod first_start;
#[cfg(test)]
mod hostile_clients;
#[cfg(test)]
mod import_keys;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod scan;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod token_commands;
mod tools;
#[cfg(test)]
mod two_listeners;
#[cfg(test)]
mod two_processes;
#[cfg(test)]
mod webhook_commands;
