//! The built program from outside: the real binary, real databases, real HTTP. One module per promise; the modules that
//! they share come first. All in one program, so that it is linked once.

#[cfg(test)]
mod database;
#[cfg(test)]
mod neighbors;
#[cfg(test)]
mod nginx;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod remote_server;

#[cfg(test)]
mod admin_races;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod beside_unleash;
#[cfg(test)]
mod dead_database;
#[cfg(test)]
mod deployment;
#[cfg(test)]
mod dropped_requests;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod error_lines;
#[cfg(test)]
mod event_streams;
#[cfg(test)]
mod gateways;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_replay;
#[cfg(test)]
mod guessing;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod key_rotation;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod last_seen;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod long_lists;
#[cfg(test)]
mod lost_key;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod permission_matrix;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod pooled;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reasons;
#[cfg(test)]
mod replica_list;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod reverse_proxies;
#[cfg(test)]
mod rotation_ends;
#[cfg(test)]
mod secrets_at_rest;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod stale_cache;
#[cfg(test)]
mod token_routes;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod unleash_defects;
#[cfg(test)]
mod unleash_import;
#[cfg(test)]
mod verifiers;
#[cfg(test)]
mod webhooks;
