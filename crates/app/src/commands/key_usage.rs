//! The number of secrets under each master key, as a table and as advice.

use std::collections::BTreeSet;

use latchkey_ports::{KeyId, SecretCount, SecretForm, SecretsByKey};

/// The secrets under one key.
struct Line {
    key: KeyId,
    state: State,
    /// In the order of [`SecretForm::ALL`].
    good: [u64; SecretForm::ALL.len()],
    ended: u64,
}

/// The state of a key in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Current,
    Older,
    /// Secrets are under it, and it is not configured.
    Missing,
}

/// All keys that are configured or have secrets.
pub(super) struct KeyUsage(Vec<Line>);

impl KeyUsage {
    /// Combines the configured keys, the current one first, with the counted secrets.
    pub(super) fn new(configured: &[KeyId], counted: &SecretsByKey) -> Self {
        let missing: BTreeSet<KeyId> =
            counted.keys().map(|(key, _)| *key).filter(|key| !configured.contains(key)).collect();
        let states = std::iter::once(State::Current).chain(std::iter::repeat(State::Older));
        let known = configured.iter().copied().zip(states);
        let all = known.chain(missing.into_iter().map(|key| (key, State::Missing)));
        let line = |(key, state)| {
            let count = |form| counted.get(&(key, form)).copied().unwrap_or_default();
            let counts: [SecretCount; SecretForm::ALL.len()] = SecretForm::ALL.map(count);
            let ended = counts.iter().map(|count| count.ended).sum();
            Line { key, state, good: counts.map(|count| count.good), ended }
        };
        Self(all.map(line).collect())
    }

    /// Returns the table: a line for each key below the headings.
    pub(super) fn table(&self) -> String {
        let headings = SecretForm::ALL.map(|form| format!("{:>10}", form.to_string()));
        let first = format!("{:8} {:8}{}{:>10}", "key", "state", headings.concat(), "ended");
        let lines = self.0.iter().map(|Line { key, state, good, ended }| {
            let state = match state {
                State::Current => "current",
                State::Older => "older",
                State::Missing => "missing",
            };
            let counts = good.map(|count| format!("{count:>10}")).concat();
            format!("{key} {state:8}{counts}{ended:>10}")
        });
        std::iter::once(first).chain(lines).collect::<Vec<_>>().join("\n")
    }

    /// Returns what to do about older keys and missing ones.
    pub(super) fn advice(&self) -> Vec<String> {
        self.0.iter().filter_map(Line::advice).collect()
    }
}

impl Line {
    fn advice(&self) -> Option<String> {
        let Self { key, state, good, ended } = self;
        let has_any = good.iter().any(|count| *count > 0);
        let expired = match ended {
            0 => String::new(),
            count => {
                format!(" ({count} expired secrets under it are refused in any case.)")
            }
        };
        match (state, has_any) {
            (State::Current, _) | (State::Missing, false) => None,
            (State::Older, false) => Some(format!(
                "No valid secret is under {key}: it can be taken out of LATCHKEY_MASTER_KEY, or the key file, of every \
                 process, if all of them have another key in front.{expired}"
            )),
            (State::Older, true) => Some(format!("{key} is still needed. Under it are:{}", self.remains())),
            (State::Missing, true) => Some(format!(
                "{key} is not configured. Secrets under it are not recognized and cannot be revealed until the key is added \
                 again, behind the others:{}",
                self.remains()
            )),
        }
    }

    /// Returns the secrets that remain, and how each kind moves.
    fn remains(&self) -> String {
        let what = |form| match form {
            SecretForm::Sealed => {
                "secrets and aliases of tokens that can be revealed: `latchkey keys rotate` moves them"
            }
            SecretForm::ShownOnce => {
                "secrets and aliases of show-once tokens: each moves when it is next used; rotate or delete the others"
            }
            SecretForm::PersonalToken => {
                "personal access tokens: each moves when it is next used; replace the others, or let them expire"
            }
            SecretForm::Session => "sessions: each moves when it is next used, or ends by sessions.ttl",
            SecretForm::Retired => {
                "secrets replaced by a rotation: each moves when it is next used, or its overlap ends"
            }
            SecretForm::Answer => {
                "answers kept for requests that are sent again: none moves, each is forgotten after 24 hours"
            }
            SecretForm::Webhook => "secrets of webhooks: `latchkey keys rotate` moves them",
        };
        let counts = SecretForm::ALL.into_iter().zip(self.good).filter(|(_, count)| *count > 0);
        let lines = counts.map(|(form, count)| format!("\n  {count} {}", what(form)));
        lines.collect::<Vec<_>>().concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [KeyId; 3] = [KeyId([0xaa; 4]), KeyId([0xbb; 4]), KeyId([0xcc; 4])];

    fn usage(configured: &[KeyId], counted: &[(KeyId, SecretForm, u64, u64)]) -> KeyUsage {
        let counted = counted
            .iter()
            .map(|(key, form, good, ended)| ((*key, *form), SecretCount { good: *good, ended: *ended }));
        KeyUsage::new(configured, &counted.collect())
    }

    #[test]
    fn every_key_has_a_line() {
        let [new, old, lost] = KEYS;
        let usage = usage(
            &[new, old],
            &[
                (new, SecretForm::Sealed, 12, 0),
                (old, SecretForm::Session, 3, 1),
                (old, SecretForm::Retired, 0, 1),
                (lost, SecretForm::PersonalToken, 7, 0),
            ],
        );
        let expected = "\
key      state       sealed show-once  personal  sessions   retired   answers  webhooks     ended
aaaaaaaa current         12         0         0         0         0         0         0         0
bbbbbbbb older            0         0         0         3         0         0         0         2
cccccccc missing          0         0         7         0         0         0         0         0";
        assert_eq!(usage.table(), expected);
    }

    #[test]
    fn an_older_key_can_be_removed_when_no_valid_secret_is_under_it() {
        let [new, old, _] = KEYS;
        let [advice] = <[String; 1]>::try_from(usage(&[new, old], &[]).advice()).expect("one line");
        assert!(advice.starts_with("No valid secret is under bbbbbbbb: it can be taken out"), "{advice}");
        let ended = usage(&[new, old], &[(old, SecretForm::Session, 0, 4)]).advice().concat();
        assert!(ended.contains("can be taken out") && ended.contains("4 expired secrets"), "{ended}");
    }

    #[test]
    fn the_remaining_steps_are_listed_for_each_form() {
        let [new, old, lost] = KEYS;
        let counted = SecretForm::ALL.map(|form| (old, form, 2, 0));
        let advice = usage(&[new, old], &counted).advice().concat();
        assert!(advice.starts_with("bbbbbbbb is still needed."), "{advice}");
        for word in
            ["can be revealed", "show-once", "personal", "sessions.ttl", "overlap", "24 hours", "webhooks"]
        {
            assert!(advice.contains(word), "{word}: {advice}");
        }
        let advice = usage(&[new], &[(lost, SecretForm::Sealed, 1, 0)]).advice().concat();
        assert!(advice.starts_with("cccccccc is not configured."), "{advice}");
        assert!(usage(&[new], &[(new, SecretForm::Sealed, 1, 0)]).advice().is_empty());
    }
}
