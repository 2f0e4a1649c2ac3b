//! What becomes of every kind of row that Unleash has had, against a model of what Unleash itself accepts.

mod second_form;

use std::collections::BTreeSet;

use latchkey_ports::Outcome;
use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000_000;

fn places() -> Places {
    let id = |text: &str| ProjectId::new(text).expect("an id");
    Places {
        projects: ["default", "shop", "blog"].map(|text| (text.to_owned(), id(text))).into(),
        environments: ["development", "production"]
            .map(|name| EnvironmentName::new(name).expect("a name"))
            .into(),
    }
}

fn row() -> TokenRecord {
    TokenRecord {
        name: Some("web".to_owned()),
        kind: Some("client".to_owned()),
        environment: Some("development".to_owned()),
        created: Some(NOW - 5),
        expires: None,
        seen: None,
        projects: Vec::new(),
        created_by: None,
    }
}

fn record(secret: &str) -> SecretTokenRecord {
    SecretTokenRecord {
        token: row(),
        secret: secret.to_owned(),
        alias: None,
        is_of_edge: false,
        alias_is_taken: false,
        is_alias: false,
        second_form_is_elsewhere: false,
    }
}

fn import(record: &SecretTokenRecord, orphans: &OrphanChoice) -> (Option<IncomingToken>, Vec<Finding>) {
    let mut findings = Vec::new();
    let token = token(record, &places(), orphans, time(NOW), &mut findings);
    (token, findings)
}

fn scope(token: &IncomingToken) -> String {
    let projects: Vec<_> = token.access.projects().named().iter().map(ProjectId::as_str).collect();
    let environment = token.access.environment().map_or("*", |name| name.as_str());
    format!(
        "{} {}:{environment}",
        token.access.kind(),
        if projects.is_empty() { "*".to_owned() } else { projects.join(",") }
    )
}

#[test]
fn an_ordinary_token_comes_as_it_is() {
    let row = TokenRecord {
        projects: vec!["shop".to_owned()],
        expires: Some(NOW + 9),
        seen: Some(NOW - 1),
        created_by: Some("ada@example.com".to_owned()),
        ..row()
    };
    let alias = Some("old-proxy-secret".to_owned());
    let record = SecretTokenRecord { token: row, alias, ..record("shop:development.abc") };
    let (token, findings) = import(&record, &OrphanChoice::LeaveOut);
    let token = token.expect("it comes");
    assert_eq!((scope(&token).as_str(), findings.len()), ("client shop:development", 0));
    let IncomingSecret::Plain(secret) = token.secret else { panic!("it is known") };
    assert_eq!(secret.reveal(), "shop:development.abc");
    assert_eq!(token.alias.expect("an alias").reveal(), "old-proxy-secret");
    let times = (token.created_at, token.expires_at, token.last_used_at);
    assert_eq!(times, (time(NOW - 5), Some(time(NOW + 9)), Some(time(NOW - 1))));
    assert_eq!(token.created_by.as_deref(), Some("ada@example.com"));
}

#[test]
fn a_token_without_projects_is_for_all_only_if_it_always_was() {
    let narrow = OrphanChoice::Narrow(ProjectId::new("blog").expect("an id"));
    for (secret, left_out, kept, narrowed) in [
        ("*:development.abc", Some("*"), Some("*"), Some("*")),
        ("legacy-secret", Some("*"), Some("*"), Some("*")),
        ("gone:development.abc", None, Some("*"), Some("blog")),
        ("[]:development.abc", None, Some("*"), Some("blog")),
        ("undefined:development.abc", None, Some("*"), Some("blog")),
    ] {
        for (orphans, projects) in
            [(&OrphanChoice::LeaveOut, left_out), (&OrphanChoice::Keep, kept), (&narrow, narrowed)]
        {
            let (token, findings) = import(&record(secret), orphans);
            let expected = projects.map(|projects| format!("client {projects}:development"));
            assert_eq!(token.as_ref().map(scope), expected, "{secret} {orphans:?}");
            let is_orphan = left_out.is_none();
            assert_eq!(findings.len(), usize::from(is_orphan), "{secret} {orphans:?}: {findings:?}");
        }
    }
}

#[test]
fn types_are_those_of_every_version() {
    for (kind, environment, expected) in [
        ("CLIENT", Some("production"), Some("client *:production")),
        ("backend", Some("development"), Some("client *:development")),
        ("Frontend", Some("development"), Some("frontend *:development")),
        ("admin", None, Some("admin *:*")),
        ("admin", Some("*"), Some("admin *:*")),
        ("client", None, None),
        ("frontend", Some("*"), None),
        ("client", Some("gone"), None),
        ("proxy", Some("development"), None),
    ] {
        let row =
            TokenRecord { kind: Some(kind.to_owned()), environment: environment.map(str::to_owned), ..row() };
        let record = SecretTokenRecord { token: row, ..record("*:development.abc") };
        let (token, findings) = import(&record, &OrphanChoice::LeaveOut);
        assert_eq!(token.as_ref().map(scope).as_deref(), expected, "{kind} {environment:?}");
        assert_eq!(findings.len(), usize::from(expected.is_none()), "{findings:?}");
    }
}

#[test]
fn an_alias_that_can_be_guessed_or_belongs_to_another_token_stays_behind() {
    for (alias, is_of_edge, is_taken) in [
        ("ee_development", false, false),
        ("old", true, false),
        ("old", false, true),
        ("user:x", false, false),
        ("a b", false, false),
    ] {
        let alias = Some(alias.to_owned());
        let row =
            SecretTokenRecord { alias, is_of_edge, alias_is_taken: is_taken, ..record("*:development.abc") };
        let (token, findings) = import(&row, &OrphanChoice::LeaveOut);
        assert!(token.expect("it comes").alias.is_none());
        let [found] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((found.kind, found.outcome), (RowKind::Alias, Outcome::LeftOut));
    }
    // An alias that is the secret itself is none.
    let row =
        SecretTokenRecord { alias: Some("*:development.abc".to_owned()), ..record("*:development.abc") };
    assert_eq!(import(&row, &OrphanChoice::LeaveOut).1, []);
}

#[test]
fn an_endless_time_is_none_and_one_before_all_times_has_ended() {
    for (expires, expected) in [(i64::MAX, None), (-i64::MAX, Some(time(i64::MIN)))] {
        let row = TokenRecord { expires: Some(expires), ..row() };
        let record = SecretTokenRecord { token: row, ..record("*:development.abc") };
        assert_eq!(import(&record, &OrphanChoice::LeaveOut).0.expect("it comes").expires_at, expected);
    }
}

#[test]
fn a_text_of_the_second_form_is_no_secret_of_the_first_where_the_server_has_both() {
    let secret = format!("*:development.v2_{}_{}", "S".repeat(22), "R".repeat(43));
    for elsewhere in [false, true] {
        let of_token = SecretTokenRecord { second_form_is_elsewhere: elsewhere, ..record(&secret) };
        let (token, findings) = import(&of_token, &OrphanChoice::LeaveOut);
        assert_eq!((token.is_none(), findings.len()), (elsewhere, usize::from(elsewhere)));
        let of_alias = SecretTokenRecord {
            alias: Some(secret.clone()),
            second_form_is_elsewhere: elsewhere,
            ..record("*:development.abc")
        };
        let (token, findings) = import(&of_alias, &OrphanChoice::LeaveOut);
        assert_eq!(token.expect("it comes").alias.is_none(), elsewhere);
        assert_eq!(findings.len(), usize::from(elsewhere));
    }
}

/// What Unleash lets a token do: its kind, its projects (none: all) and its environment (none: all).
type Rights = (TokenKind, BTreeSet<String>, Option<String>);

fn rights(row: &TokenRecord) -> Option<Rights> {
    if row.expires.is_some_and(|end| end <= NOW) {
        return None;
    }
    let kind = row.kind.as_deref()?.parse().ok()?;
    let environment = row.environment.clone().filter(|name| name != ALL);
    let (projects, environment) = if kind == TokenKind::Admin {
        (BTreeSet::new(), None)
    } else {
        (row.projects.iter().cloned().collect(), environment)
    };
    Some((kind, projects, environment))
}

fn accepted_there(record: &SecretTokenRecord) -> Option<Rights> {
    rights(&record.token).filter(|_| !record.secret.starts_with("user:"))
}

/// Checks that a token came with the very scope that it had there, or with less, which is said.
fn assert_not_wider(
    token: &IncomingToken,
    there: Option<Rights>,
    findings: &[Finding],
) -> Result<(), TestCaseError> {
    let is_expired = token.expires_at.is_some_and(|end| end <= time(NOW));
    prop_assert_eq!(is_expired, there.is_none());
    if let Some((kind, projects, environment)) = there {
        prop_assert_eq!(token.access.kind(), kind);
        prop_assert_eq!(token.access.environment().map(ToString::to_string), environment);
        let here: BTreeSet<String> =
            token.access.projects().named().iter().map(ToString::to_string).collect();
        prop_assert!(here.is_subset(&projects));
        prop_assert_eq!(here.is_empty(), projects.is_empty());
        prop_assert!(here == projects || findings.iter().any(|found| found.kind == RowKind::Token));
    }
    Ok(())
}

fn odd_row() -> impl Strategy<Value = TokenRecord> {
    let name = prop::sample::select(vec![None, Some(""), Some("web"), Some("a\u{0}b"), Some("  ")]);
    let kind = prop::sample::select(vec![
        None,
        Some("client"),
        Some("CLIENT"),
        Some("backend"),
        Some("frontend"),
        Some("admin"),
        Some("odd"),
    ]);
    let environment =
        prop::sample::select(vec![None, Some("*"), Some("development"), Some("gone"), Some("a b")]);
    let projects = prop::sample::subsequence(vec!["default", "shop", "blog", "not an id"], 0..4);
    let expires = prop::sample::select(vec![None, Some(NOW - 1), Some(NOW), Some(NOW + 1), Some(i64::MAX)]);
    (name, kind, environment, projects, expires).prop_map(|(name, kind, environment, projects, expires)| {
        TokenRecord {
            name: name.map(str::to_owned),
            kind: kind.map(str::to_owned),
            environment: environment.map(str::to_owned),
            projects: projects.into_iter().map(str::to_owned).collect(),
            expires,
            ..row()
        }
    })
}

fn odd_record() -> impl Strategy<Value = SecretTokenRecord> {
    let secret = prop::sample::select(vec![
        "*:development.x",
        "shop:development.x",
        "[]:production.x",
        "undefined:development.x",
        "legacy",
        "user:x",
        "*:*.x",
        "with blank",
        "",
    ]);
    let alias = prop::sample::select(vec![None, Some("old"), Some("ee_development"), Some("")]);
    (odd_row(), secret, alias, any::<[bool; 4]>()).prop_map(
        |(token, secret, alias, [is_of_edge, alias_is_taken, is_alias, second_form_is_elsewhere])| {
            SecretTokenRecord {
                token,
                secret: secret.to_owned(),
                alias: alias.map(str::to_owned),
                is_of_edge,
                alias_is_taken,
                is_alias,
                second_form_is_elsewhere,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the row: a token comes with the very scope that it had, or less, which is said; what does not come is said;
    /// and what was not accepted there is not accepted here.
    #[test]
    fn no_odd_row_is_lost_in_silence_or_gains_anything(row in odd_record()) {
        let there = accepted_there(&row);
        let is_orphan = row.token.projects.is_empty() && row.secret.contains(':') && !row.secret.starts_with("*:");
        let (token, findings) = import(&row, &OrphanChoice::LeaveOut);
        match token {
            None => prop_assert!(findings.iter().any(|found| found.kind == RowKind::Token), "{findings:?}"),
            Some(token) => {
                prop_assert!(!is_orphan || token.access == TokenAccess::Admin);
                assert_not_wider(&token, there, &findings)?;
            }
        }
    }
}

/// With the secret, which is no real one here.
impl std::fmt::Debug for SecretTokenRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretTokenRecord")
            .field("secret", &self.secret)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
