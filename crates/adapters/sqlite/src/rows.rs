//! Rows, and how they become domain values: the one place where the store's contents are checked against the domain.
//!
//! A row that breaks a rule is an [`Inconsistency`] that names table, column and row, never a panic.

#![expect(clippy::ref_option_ref, reason = "diesel's `Insertable` makes `&Option<&T>`")]

mod events;
mod people;
mod places;
mod tokens;

use std::fmt::Display;

use latchkey_domain::Timestamp;
use latchkey_ports::{Inconsistency, SecretDigest};

pub(crate) use events::{EventProjectRow, EventRow, NewEventRow, events};
pub(crate) use people::{
    GrantRow, NewPersonalTokenRow, NewUserRow, PersonalTokenRow, RoleRow, UserRow, grants, roles,
};
pub(crate) use places::{EnvironmentRow, NewProjectRow, ProjectRow};
pub(crate) use tokens::{LinkRow, NewTokenRow, TokenRow, tokens_of_project};

/// One row, by the name that an operator finds it under.
struct Row<K> {
    table: &'static str,
    key: K,
}

impl<K: Display> Row<K> {
    fn inconsistency(&self, column: &'static str, fault: impl Display) -> Inconsistency {
        Inconsistency { table: self.table, column, row: self.key.to_string(), fault: fault.to_string() }
    }

    /// What a column says in the domain.
    fn column<T, E: Display>(&self, column: &'static str, value: Result<T, E>) -> Result<T, Inconsistency> {
        value.map_err(|fault| self.inconsistency(column, fault))
    }

    fn moment(&self, column: &'static str, millis: i64) -> Result<Timestamp, Inconsistency> {
        self.column(column, Timestamp::from_millis(millis))
    }

    fn optional_moment(
        &self,
        column: &'static str,
        millis: Option<i64>,
    ) -> Result<Option<Timestamp>, Inconsistency> {
        millis.map(|millis| self.moment(column, millis)).transpose()
    }

    fn bytes<const N: usize>(&self, column: &'static str, bytes: &[u8]) -> Result<[u8; N], Inconsistency> {
        self.column(column, <[u8; N]>::try_from(bytes))
    }

    fn digest(&self, column: &'static str, bytes: &[u8]) -> Result<SecretDigest, Inconsistency> {
        self.bytes(column, bytes).map(SecretDigest)
    }
}
