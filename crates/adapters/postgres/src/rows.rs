//! Rows, and how they become domain values: the one place where the store's contents are checked against the domain.
//!
//! A row that breaks a rule is an [`Inconsistency`] that names table, column and row, never a panic.

#![expect(clippy::ref_option_ref, reason = "diesel's `Insertable` makes `&Option<&T>`")]

mod columns;
mod events;
mod master_keys;
mod personal_tokens;
mod places;
mod roles;
mod sessions;
mod tokens;
mod users;

use std::fmt::Display;

use chrono::{DateTime, Utc};
use latchkey_domain::Timestamp;
use latchkey_ports::Inconsistency;

pub(crate) use events::{EventRow, NewEventRow};
pub(crate) use master_keys::{RekeyedRow, SecretCountRow, TokenSecretsRow, secrets_by_key};
pub(crate) use personal_tokens::{NewPersonalTokenRow, PersonalTokenRow};
pub(crate) use places::{
    EnvironmentOverviewRow, EnvironmentRow, NewEnvironmentRow, NewProjectRow, ProjectOverviewRow, ProjectRow,
};
pub(crate) use roles::{GrantRow, MembershipRow, NewRoleRow, RoleRow, grants, members, roles};
pub(crate) use sessions::{NewSessionRow, SessionRow, login_failures};
pub(crate) use tokens::{NewTokenRow, TokenRow, good_until};
pub(crate) use users::{AccountRow, ChangedUserRow, NewUserRow, UserRow};

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

    fn moment(&self, column: &'static str, moment: DateTime<Utc>) -> Result<Timestamp, Inconsistency> {
        self.column(column, Timestamp::new(moment))
    }

    fn optional_moment(
        &self,
        column: &'static str,
        moment: Option<DateTime<Utc>>,
    ) -> Result<Option<Timestamp>, Inconsistency> {
        moment.map(|moment| self.moment(column, moment)).transpose()
    }

    fn number(&self, column: &'static str, count: i64) -> Result<u64, Inconsistency> {
        self.column(column, u64::try_from(count))
    }
}

/// Rows as domain values.
pub(crate) fn all<R, T>(rows: Vec<R>) -> Result<Vec<T>, Inconsistency>
where
    T: TryFrom<R, Error = Inconsistency>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// The row that was found, if one was, as a domain value.
pub(crate) fn found<R, T>(row: Option<R>) -> Result<Option<T>, Inconsistency>
where
    T: TryFrom<R, Error = Inconsistency>,
{
    row.map(T::try_from).transpose()
}
