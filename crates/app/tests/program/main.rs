//! The program as its user meets it: command line, configuration, start and stop, on SQLite. What goes over the wire is
//! tried in `black_box`. All in one program, so that it is linked once.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod first_start;
#[cfg(test)]
mod home;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod server;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod two_processes;
