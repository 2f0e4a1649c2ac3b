//! Tokens of the second form.

use super::*;

/// The SHA-256 of "abc" (FIPS 180-4, appendix B.1), in base64.
const VERIFIER: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
const SELECTOR: &str = "AAAAAAAAAAAAAAAAAAAAAA";

fn second(token: TokenRecord) -> SelectorTokenRecord {
    SelectorTokenRecord {
        token,
        selector: SELECTOR.to_owned(),
        verifier: VERIFIER.to_owned(),
        verifier_is_repeated: false,
        is_of_edge: false,
        was_for_all: false,
    }
}

fn of_projects(projects: &[&str]) -> TokenRecord {
    TokenRecord { projects: projects.iter().map(ToString::to_string).collect(), ..row() }
}

fn import(record: &SelectorTokenRecord, orphans: &OrphanChoice) -> (Option<IncomingToken>, Vec<Finding>) {
    let mut findings = Vec::new();
    let token = selector_token(record, &places(), orphans, time(NOW), &mut findings);
    (token, findings)
}

#[test]
fn it_comes_by_its_digest_and_its_selector() {
    for projects in [&["shop"][..], &["blog", "shop"]] {
        let (token, findings) = import(&second(of_projects(projects)), &OrphanChoice::LeaveOut);
        let token = token.expect("it comes");
        assert_eq!((scope(&token), findings), (format!("client {}:development", projects.join(",")), vec![]));
        let IncomingSecret::Sha256 { digest, selector } = token.secret else { panic!("it is not known") };
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((digest, selector), (expected.parse().expect("hex"), SELECTOR.parse().ok()));
    }
}

#[test]
fn without_projects_it_is_for_all_only_if_it_is_known_to_have_been_made_so() {
    let narrow = OrphanChoice::Narrow(ProjectId::new("blog").expect("an id"));
    for (was_for_all, left_out, kept, narrowed) in
        [(true, Some("*"), Some("*"), Some("*")), (false, None, Some("*"), Some("blog"))]
    {
        for (orphans, projects) in
            [(&OrphanChoice::LeaveOut, left_out), (&OrphanChoice::Keep, kept), (&narrow, narrowed)]
        {
            let (token, findings) = import(&SelectorTokenRecord { was_for_all, ..second(row()) }, orphans);
            let expected = projects.map(|projects| format!("client {projects}:development"));
            assert_eq!(token.as_ref().map(scope), expected, "{was_for_all} {orphans:?}");
            assert_eq!(findings.len(), usize::from(!was_for_all), "{was_for_all} {orphans:?}: {findings:?}");
        }
    }
}

#[test]
fn one_that_was_never_accepted_stays_behind() {
    let good = || second(of_projects(&["shop"]));
    let admin = TokenRecord { kind: Some("admin".to_owned()), ..row() };
    for (record, why) in [
        (SelectorTokenRecord { selector: "short".to_owned(), ..good() }, "22 characters"),
        (SelectorTokenRecord { verifier: format!("{}1", &VERIFIER[..42]), ..good() }, "no SHA-256"),
        (SelectorTokenRecord { verifier: format!("{VERIFIER}A"), ..good() }, "no SHA-256"),
        (SelectorTokenRecord { verifier_is_repeated: true, ..good() }, "another token has its verifier"),
        (second(admin), "no admin tokens"),
        (second(of_projects(&["user"])), "a personal access token"),
        (second(of_projects(&["session"])), "a session"),
    ] {
        let (token, findings) = import(&record, &OrphanChoice::Keep);
        let [found] = findings.as_slice() else { panic!("{why}: {findings:?}") };
        assert!(token.is_none() && found.outcome == Outcome::LeftOut && found.why.contains(why), "{found:?}");
    }
}

#[test]
fn one_that_an_edge_got_comes_and_is_named() {
    let of_edge = SelectorTokenRecord { is_of_edge: true, ..second(of_projects(&["shop"])) };
    let (token, findings) = import(&of_edge, &OrphanChoice::LeaveOut);
    assert!(token.is_some());
    let [found] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((found.kind, found.outcome), (RowKind::Token, Outcome::Changed));
}

fn odd_second() -> impl Strategy<Value = SelectorTokenRecord> {
    let selector =
        prop::sample::select(vec![SELECTOR, "-_v7-_v7-_v7-_v7-_v7-w", "short", "", "AAAAAAAAAAAAAAAAAAAAA="]);
    let verifier =
        prop::sample::select(vec![VERIFIER, "", "ungWv48Bz", "not base64 not base64 not base64 not base64"]);
    (odd_row(), selector, verifier, any::<[bool; 3]>()).prop_map(
        |(token, selector, verifier, [verifier_is_repeated, is_of_edge, was_for_all])| SelectorTokenRecord {
            token,
            selector: selector.to_owned(),
            verifier: verifier.to_owned(),
            verifier_is_repeated,
            is_of_edge,
            was_for_all,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// As of the first form: nothing is lost in silence, and nothing gains anything.
    #[test]
    fn no_odd_row_is_lost_in_silence_or_gains_anything(record in odd_second()) {
        let there = rights(&record.token);
        let is_orphan = record.token.projects.is_empty() && !record.was_for_all;
        let was_accepted = record.selector.len() == 22 && record.verifier == VERIFIER && !record.selector.ends_with('=');
        let (token, findings) = import(&record, &OrphanChoice::LeaveOut);
        match token {
            None => prop_assert!(findings.iter().any(|found| found.outcome == Outcome::LeftOut), "{findings:?}"),
            Some(token) => {
                prop_assert!(was_accepted && !is_orphan && token.access != TokenAccess::Admin);
                assert_not_wider(&token, there, &findings)?;
            }
        }
    }
}
