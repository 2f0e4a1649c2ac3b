//! Notices: what those who look after a token are told of, each once.

use std::{collections::BTreeSet, fmt, time::Duration};

use serde_json::json;

use crate::{
    ApiToken, EventKind, Hour, Policy, PolicyRule, RotationMark, Snapshot, Term, Timestamp, TokenId, Unused,
};

/// What a notice is about, with all that makes it another one than those before: a new expiry has new notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeCause {
    /// The token ends at that moment, which is at most so many days away; with 0, it has ended.
    Expiring { at: Timestamp, days: u16 },
    /// The token ended at that moment, and clients still use it.
    ExpiredInUse { ended: Timestamp },
    /// The token was not used since that moment.
    Unused { since: Timestamp },
    /// The token breaks a rule of its policy; `max_lifetime` by an end that is beyond what that allows.
    PolicyViolated { rule: PolicyRule, beyond: Option<(Term, Option<Timestamp>)> },
    /// The secret of the token is to be rotated since that moment.
    RotationDue { at: Timestamp },
}

/// The key under which a notice of a token is recorded, once.
impl fmt::Display for NoticeCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expiring { at, days } => write!(f, "expiring/{}/{days}", at.millis()),
            Self::ExpiredInUse { ended } => write!(f, "expired-in-use/{}", ended.millis()),
            Self::Unused { since } => write!(f, "unused/{}", since.millis()),
            Self::PolicyViolated { rule, beyond: None } => write!(f, "policy/{rule}"),
            Self::PolicyViolated { rule, beyond: Some((term, Some(end))) } => {
                write!(f, "policy/{rule}/{term}/{}", end.millis())
            }
            Self::PolicyViolated { rule, beyond: Some((term, None)) } => {
                write!(f, "policy/{rule}/{term}/never")
            }
            Self::RotationDue { at } => write!(f, "rotation/{}", at.millis()),
        }
    }
}

impl NoticeCause {
    /// Returns the kind of the event by which it is recorded.
    pub fn event_kind(self) -> EventKind {
        match self {
            Self::Expiring { .. } => EventKind::ApiTokenExpiring,
            Self::ExpiredInUse { .. } => EventKind::ApiTokenExpiredInUse,
            Self::Unused { .. } => EventKind::ApiTokenUnused,
            Self::PolicyViolated { .. } => EventKind::ApiTokenPolicyViolated,
            Self::RotationDue { .. } => EventKind::ApiTokenRotationDue,
        }
    }
}

/// A notice of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Notice {
    pub token: TokenId,
    pub cause: NoticeCause,
}

impl Snapshot {
    /// Returns the snapshot of a token with what a notice is about.
    #[must_use]
    pub fn with_notice(self, cause: NoticeCause) -> Self {
        match cause {
            NoticeCause::Expiring { days, .. } => self.with_member("days", json!(days)),
            // The snapshot has the end.
            NoticeCause::ExpiredInUse { .. } => self,
            NoticeCause::Unused { since } => self.with_moment("unusedSince", Some(since)),
            NoticeCause::PolicyViolated { rule, .. } => self.with_member("rule", json!(rule.as_str())),
            NoticeCause::RotationDue { at } => self.with_moment("rotationDueAt", Some(at)),
        }
    }
}

/// The numbers of days before the end of a token at which there is a notice of it; 0 is the end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeDays([Option<u16>; NoticeDays::MAX]);

/// There are too many numbers of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there can be at most {} numbers of days", NoticeDays::MAX)]
pub struct TooManyNoticeDays;

impl NoticeDays {
    /// The maximum number of notices of one end.
    pub const MAX: usize = 8;
    /// The maximum number of days.
    pub const MAX_DAYS: u16 = 365;
    /// No notice.
    pub const NONE: Self = Self([None; Self::MAX]);

    /// Returns these numbers of days, in any order.
    ///
    /// # Errors
    /// There are more than [`NoticeDays::MAX`] different ones.
    pub fn new(days: impl IntoIterator<Item = u16>) -> Result<Self, TooManyNoticeDays> {
        let days: BTreeSet<_> = days.into_iter().collect();
        if days.len() > Self::MAX {
            return Err(TooManyNoticeDays);
        }
        let mut days = days.into_iter();
        Ok(Self([(); Self::MAX].map(|()| days.next())))
    }

    /// Returns the numbers, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u16> + use<> {
        self.0.into_iter().flatten()
    }

    /// Returns the last end of a token of which there can be a notice at that moment; `None` if there are no notices.
    pub fn horizon(&self, now: Timestamp) -> Option<Timestamp> {
        now.plus(days(self.iter().last()?)).ok()
    }
}

/// How long a notice that a token has ended is news. What ended earlier, before there were notices or while no server ran, has none.
const NEWS: Duration = Duration::from_secs(7 * 86_400);

/// Returns that many days.
fn days(number: u16) -> Duration {
    Duration::from_secs(u64::from(number) * 86_400)
}

impl ApiToken {
    /// Returns the notice that the token ends soon, or has ended: that of the lowest number of days that is reached. A number counts
    /// only if the token was created earlier: one that lives for an hour has no notice that it ends within three days. A disabled
    /// token has none.
    pub fn expiry_notice(&self, notices: NoticeDays, now: Timestamp) -> Option<NoticeCause> {
        let at = self.expires_at.filter(|_| self.attributes.enabled.is_on())?;
        let mut reached = notices.iter().filter_map(|number| Some((number, at.minus(days(number)).ok()?)));
        let (days, since) = reached.find(|(_, since)| *since <= now)?;
        let is_news = if days == 0 { at.plus(NEWS).is_ok_and(|old| old > now) } else { now < at };
        (is_news && since > self.created_at).then_some(NoticeCause::Expiring { at, days })
    }

    /// Whether the token ends within the highest of these numbers of days, and has neither ended nor been disabled.
    pub fn is_expiring(&self, notices: NoticeDays, now: Timestamp) -> bool {
        let end = self.expires_at.filter(|_| self.attributes.enabled.is_on());
        end.zip(notices.horizon(now)).is_some_and(|(end, latest)| now < end && end <= latest)
    }

    /// Returns the earliest end of which there can still be a notice at that moment.
    pub fn earliest_expiry_noticed(now: Timestamp) -> Option<Timestamp> {
        now.minus(NEWS).ok()
    }

    /// Returns the notice that the token has ended and is used all the same, if its last refused use was not before the hour of
    /// that end.
    pub fn expired_in_use_notice(&self, last_refused: Hour, now: Timestamp) -> Option<NoticeCause> {
        let ended = self.expires_at.filter(|_| self.attributes.enabled.is_on())?;
        let is_used = ended <= now && last_refused >= Hour::of(ended);
        is_used.then_some(NoticeCause::ExpiredInUse { ended })
    }

    /// Returns when its secret is to be rotated next; `None` if it is not to be.
    pub fn rotation_due_at(&self) -> Option<Timestamp> {
        let last = self.attributes.rotated.map_or(self.created_at, RotationMark::at);
        last.plus(self.attributes.rotate_every?.span()).ok()
    }

    /// Returns the notice that the secret is to be rotated by now. An expired or disabled token has none.
    pub fn rotation_notice(&self, now: Timestamp) -> Option<NoticeCause> {
        let at = self.rotation_due_at()?;
        let is_in_use = self.attributes.enabled.is_on() && !self.is_expired_at(now);
        (is_in_use && at <= now).then_some(NoticeCause::RotationDue { at })
    }
}

impl Unused {
    /// Returns the notice that a token was not used for so long that it is to be noticed. It is of those tokens that can be disabled.
    pub fn notice_of(self, token: &ApiToken, now: Timestamp) -> Option<NoticeCause> {
        let since = token.unused_since();
        let is_meant = token.can_be_disused(now) && token.attributes.enabled.is_on();
        let is_due = self.notice().is_some_and(|notice| since.plus(notice.span()).is_ok_and(|at| at <= now));
        (is_meant && is_due).then_some(NoticeCause::Unused { since })
    }

    /// Whether a token can be disabled, as far as that waits for the notice of it, which was recorded at that moment: users have the
    /// time between the notice and the disabling, however late the notice was.
    pub fn is_noticed_enough(self, noticed: Option<Timestamp>, now: Timestamp) -> bool {
        let Some((notice, disable)) = self.notice().zip(self.disable()) else { return true };
        let between = disable.span().saturating_sub(notice.span());
        noticed.is_some_and(|at| at.plus(between).is_ok_and(|end| end <= now))
    }
}

impl Policy {
    /// Whether there is a rule that tokens can break.
    pub fn has_rules(self) -> bool {
        self.max_lifetime.is_some()
            || self.require_expiry
            || self.require_description
            || !self.allow_all_projects
    }

    /// Returns a notice of each rule that a token breaks. A token that has expired breaks none any more.
    pub fn violation_notices(self, token: &ApiToken, now: Timestamp) -> Vec<NoticeCause> {
        if token.is_expired_at(now) {
            return Vec::new();
        }
        let notice = |rule| {
            let beyond = self.max_lifetime.filter(|_| rule == PolicyRule::MaxLifetime);
            NoticeCause::PolicyViolated { rule, beyond: beyond.map(|term| (term, token.expires_at)) }
        };
        self.violations(token, now).into_iter().map(notice).collect()
    }
}

#[cfg(test)]
mod tests;
