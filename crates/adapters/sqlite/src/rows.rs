//! Rows, and how they become domain values: the one place where the store's contents are checked against the domain.
//!
//! A row that breaks a rule is an [`Inconsistency`] that names table, column and row, never a panic.

#![expect(clippy::ref_option_ref, reason = "diesel's `Insertable` makes `&Option<&T>`")]

mod access;
mod events;
mod master_keys;
mod people;
mod personal_tokens;
mod places;
mod sessions;
mod tokens;

use std::fmt::Display;

use latchkey_domain::Timestamp;
use latchkey_ports::{Inconsistency, SecretDigest};

pub(crate) use access::{ChangedRoleRow, GrantRow, NewRoleRow, RoleRow, grants, members, roles};
pub(crate) use events::{EventProjectRow, EventRow, NewEventRow, events};
pub(crate) use master_keys::{SecretCountRow, TokenSecretsRow, secrets_by_key};
pub(crate) use people::{AccountRow, ChangedUserRow, NewUserRow, UserRow, account};
pub(crate) use personal_tokens::{NewPersonalTokenRow, PersonalTokenRow};
pub(crate) use places::{
    EnvironmentOverviewRow, EnvironmentRow, NewEnvironmentRow, NewProjectRow, ProjectEnvironmentRow,
    ProjectOverviewRow, ProjectRow, environment_overview, project_overviews,
};
pub(crate) use sessions::{LoginFailuresRow, NewSessionRow, SessionRow, login_key};
pub(crate) use tokens::{
    ChangedSecretRow, LinkRow, NewTokenRow, RetiredSecretRow, TokenRow, end_of_retired_secret,
    tokens_of_project, tokens_with_links,
};

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

    /// How many there are; no row is none.
    fn number(&self, column: &'static str, number: Option<i64>) -> Result<u64, Inconsistency> {
        self.column(column, u64::try_from(number.unwrap_or(0)))
    }

    fn bytes<const N: usize>(&self, column: &'static str, bytes: &[u8]) -> Result<[u8; N], Inconsistency> {
        self.column(column, <[u8; N]>::try_from(bytes))
    }

    fn digest(&self, column: &'static str, bytes: &[u8]) -> Result<SecretDigest, Inconsistency> {
        self.bytes(column, bytes).map(SecretDigest)
    }
}
