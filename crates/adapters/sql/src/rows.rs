//! Rows and their conversion to and from the domain: the one place where what is stored is checked against the rules of
//! the domain. A row that breaks one is an [`Inconsistency`] that names table, column and row.
//!
//! Rows that one store reads from a table and the other from a view implement no `Selectable`; a macro beside each lists
//! its columns.

#![expect(clippy::ref_option_ref, reason = "diesel's `Insertable` makes `&Option<&T>`")]

mod access;
mod answers;
mod budgets;
mod events;
mod groups;
mod mail;
mod notices;
mod policies;
mod projects;
mod replicas;
mod seals;
mod secrets;
mod sessions;
mod tokens;
mod usage;
mod webhooks;

use std::{fmt::Display, str::FromStr};

use latchkey_domain::Timestamp;
use latchkey_ports::Inconsistency;

pub use self::{
    access::{
        AccountRow, ChangedRoleRow, ChangedUserRow, GrantRow, MembershipRow, NewMembershipRow, NewUserRow,
        RoleRow, UserRow, account_of_login, grants, holdings, members, role_permissions, roles,
    },
    answers::{AnswerRow, answers_kept_since},
    budgets::{RateGrantRow, RateRow, TakenUsesRow, UsesRow, amount, uses_left},
    events::{ChangeRow, EventRow, NewEventProjectRow, NewEventRow, NewSnapshot, event_projects},
    groups::{
        ChangedGroupRow, GroupMemberRow, GroupRoleRow, GroupRow, GroupsWithRoles, NewGroupRoleRow,
        group_members, groups,
    },
    mail::{DigestRow, EndedMailRow, MailItemRow, NewMailItemRow, day_number, mail_items},
    notices::{NewNoticeRow, NoticeRow, notice_times},
    policies::{NewPolicyRow, PolicyRow, kept_policy},
    projects::{
        EnvironmentOverviewRow, EnvironmentRow, NewEnvironmentRow, NewProjectEnvironmentRow, NewProjectRow,
        ProjectOverviewRow, ProjectRow,
    },
    replicas::ReplicaRow,
    seals::{EventSealRow, NewEventSealRow},
    secrets::{
        ChangedSecretRow, RetiredSecretRow, SecretCountRow, TokenSecretsRow, retired_secret_end,
        secrets_by_key,
    },
    sessions::{
        LoginFailuresRow, NewPersonalTokenRow, NewSessionRow, PersonalTokenRow, SessionRow,
        login_failures_forgotten, login_key,
    },
    tokens::{
        ChangeableTokenRow, ChangedTokenRow, NewTokenRow, ProjectIds, TokenRow, projects_by_token,
        token_projects,
    },
    usage::{AddressRow, LastHourRow, UseCountRow, UsedTokenRow, use_counts},
    webhooks::{
        ChangedWebhookRow, DeliveryRow, EndedAttemptRow, NewDeliveryRow, NewWebhookRow, RedeliveredRow,
        WebhookRow, lanes, new_deliveries,
    },
};
use crate::columns::{Bytes, DbTime, Parsed};

/// Returns the inconsistency of one value.
pub fn inconsistency(
    table: &'static str,
    column: &'static str,
    row: impl Display,
    fault: impl Display,
) -> Inconsistency {
    Inconsistency { table, column, row: row.to_string(), fault: fault.to_string() }
}

/// Converts rows.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn all<R, T>(rows: Vec<R>) -> Result<Vec<T>, Inconsistency>
where
    T: TryFrom<R, Error = Inconsistency>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// Converts the row that was found, if any.
///
/// # Errors
/// The row's [`Inconsistency`].
pub fn optional<R, T>(row: Option<R>) -> Result<Option<T>, Inconsistency>
where
    T: TryFrom<R, Error = Inconsistency>,
{
    row.map(T::try_from).transpose()
}

/// One row, by the name under which an operator finds it.
struct Row<K> {
    table: &'static str,
    key: K,
}

impl<K: Display> Row<K> {
    fn inconsistency(&self, column: &'static str, fault: impl Display) -> Inconsistency {
        inconsistency(self.table, column, &self.key, fault)
    }

    fn column<T, E: Display>(&self, column: &'static str, value: Result<T, E>) -> Result<T, Inconsistency> {
        value.map_err(|fault| self.inconsistency(column, fault))
    }

    fn parsed<T>(&self, column: &'static str, Parsed(value): Parsed<T>) -> Result<T, Inconsistency>
    where
        T: FromStr<Err: Display>,
    {
        self.column(column, value)
    }

    fn optional<T>(&self, column: &'static str, value: Option<Parsed<T>>) -> Result<Option<T>, Inconsistency>
    where
        T: FromStr<Err: Display>,
    {
        value.map(|value| self.parsed(column, value)).transpose()
    }

    fn list<T>(&self, column: &'static str, values: Vec<Parsed<T>>) -> Result<Vec<T>, Inconsistency>
    where
        T: FromStr<Err: Display>,
    {
        values.into_iter().map(|value| self.parsed(column, value)).collect()
    }

    fn bytes<const N: usize>(
        &self,
        column: &'static str,
        Bytes(value): Bytes<N>,
    ) -> Result<[u8; N], Inconsistency> {
        self.column(column, value)
    }

    fn time(&self, column: &'static str, DbTime(millis): DbTime) -> Result<Timestamp, Inconsistency> {
        self.column(column, Timestamp::from_millis(millis))
    }

    fn optional_time(
        &self,
        column: &'static str,
        time: Option<DbTime>,
    ) -> Result<Option<Timestamp>, Inconsistency> {
        time.map(|time| self.time(column, time)).transpose()
    }

    fn count(&self, column: &'static str, count: i64) -> Result<u64, Inconsistency> {
        self.column(column, u64::try_from(count))
    }
}
