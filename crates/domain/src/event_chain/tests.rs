use std::{net::IpAddr, slice};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Actor, EventId, EventKind, Origin, ProjectId, ProjectSet, Subject, Timestamp, TokenId, UserId};

fn snapshot(value: Value) -> Option<Snapshot> {
    Snapshot::from_record(value)
}

fn projects(ids: &[&str]) -> ProjectScope {
    let ids: Vec<_> = ids.iter().map(|id| ProjectId::new(id).expect("an id")).collect();
    ProjectScope::Only(ProjectSet::new(ids).expect("some"))
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("in range")
}

fn sample() -> Event {
    let record = NewEvent {
        projects: Some(projects(&["a", "b"])),
        environment: EnvironmentName::new("production").ok(),
        subject: Some(Subject::Token(TokenId::new(at(5), [7; 10]))),
        before: snapshot(json!({"name": "x", "list": [1, null, true], "in": {"b": 1, "a": 2}})),
        after: snapshot(json!({"name": "y"})),
        ..NewEvent::new(
            EventKind::ApiTokenUpdated,
            Actor::User { id: UserId(7), name: "ed".to_owned() },
            Origin::new("192.0.2.7".parse::<IpAddr>().ok(), Some("curl")),
            at(1_700_000_000_000),
        )
    };
    Event { id: EventId(5), record }
}

fn with(change: impl FnOnce(&mut Event)) -> Event {
    let mut event = sample();
    change(&mut event);
    event
}

/// Computed in Python, from the description of the format. If this changes, all chains look altered.
#[test]
fn the_hash_is_known() {
    let hash = ChainHash::START.link(&[sample()]);
    assert_eq!(hash.to_string(), "353cada84e196e702d88dd3a097dd97449886f2beb6651c0d4b272dc85675c55");
}

#[test]
fn every_field_and_the_order_are_hashed() {
    let record = |change: fn(&mut NewEvent)| with(|event| change(&mut event.record));
    let others = [
        with(|event| event.id = EventId(6)),
        record(|one| one.kind = EventKind::ApiTokenRotated),
        record(|one| one.actor = Actor::User { id: UserId(8), name: "ed".to_owned() }),
        record(|one| one.actor = Actor::User { id: UserId(7), name: "edd".to_owned() }),
        record(|one| one.origin.address = None),
        record(|one| one.origin.address = "192.0.2.8".parse().ok()),
        record(|one| one.origin.user_agent = None),
        record(|one| one.origin.user_agent = Some(String::new())),
        record(|one| one.at = at(1_700_000_000_001)),
        record(|one| one.projects = None),
        record(|one| one.projects = Some(ProjectScope::All)),
        record(|one| one.projects = Some(projects(&["a"]))),
        record(|one| one.projects = Some(projects(&["b", "a"]))),
        record(|one| one.environment = None),
        record(|one| one.subject = None),
        record(|one| one.before = None),
        record(|one| one.after = None),
        record(|one| std::mem::swap(&mut one.before, &mut one.after)),
        record(|one| one.after = snapshot(json!({"name": "y", "more": null}))),
        record(|one| one.after = snapshot(json!({"name": ["y"]}))),
        record(|one| one.after = snapshot(json!({}))),
    ];
    let mut hashes: Vec<String> =
        others.iter().map(|one| ChainHash::START.link(slice::from_ref(one)).to_string()).collect();
    hashes.push(ChainHash::START.link(&[sample()]).to_string());
    hashes.push(ChainHash::START.link(&[]).to_string());
    hashes.push(ChainHash::START.link(&[sample(), others[0].clone()]).to_string());
    hashes.push(ChainHash::START.link(&[others[0].clone(), sample()]).to_string());
    hashes.push(ChainHash([1; 32]).link(&[sample()]).to_string());
    let all = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}

fn hash_of(value: &Value) -> ChainHash {
    ChainHash::START.link(&[with(|event| event.record.after = snapshot(json!({"value": value})))])
}

/// PostgreSQL's `jsonb` keeps a number as decimal digits, SQLite as it was written.
#[test]
fn numbers_are_hashed_by_their_value() {
    let read = |text: &str| hash_of(&serde_json::from_str(text).expect("JSON"));
    for equal in [
        &["100", "1e2", "100.0", "1.00e+2"][..],
        &["0", "-0", "-0.0", "0e5"],
        &["0.0000001", "1e-7"],
        &["1e18", "1000000000000000000"],
        &["1152921504606847000", "1.152921504606847e18"],
        &["1e300", &format!("1{}", "0".repeat(300))],
    ] {
        for one in equal {
            assert_eq!(read(one), read(equal[0]), "{one}");
        }
    }
    assert_ne!(read("1"), read("\"1\""));
    assert_ne!(read("1"), read("-1"));
    assert_ne!(read("1"), read("true"));
}

#[test]
fn the_order_of_members_does_not_matter() {
    let read = |text: &str| hash_of(&serde_json::from_str(text).expect("JSON"));
    assert_eq!(read(r#"{"a": 1, "b": {"c": 2, "d": 3}}"#), read(r#"{"b": {"d": 3, "c": 2}, "a": 1}"#));
    assert_ne!(read(r#"{"a": 1, "b": 2}"#), read(r#"{"a": 2, "b": 1}"#));
}

proptest! {
    /// As text that one database writes and the other does not.
    #[test]
    fn a_number_is_the_same_with_an_exponent_and_without(digits in 1_u64..1_000_000_000_000_000, exponent in -250_i32..250) {
        let read = |text: &str| hash_of(&serde_json::from_str(text).expect("JSON"));
        let places = usize::try_from(exponent.unsigned_abs()).expect("few");
        let plain = if exponent < 0 {
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            format!("{whole}.{fraction}")
        } else {
            format!("{digits}{}", "0".repeat(places))
        };
        prop_assert_eq!(read(&format!("{digits}e{exponent}")), read(&plain), "{}", plain);
    }

    #[test]
    fn a_hash_is_read_back(bytes in any::<[u8; 32]>()) {
        let hash = ChainHash(bytes);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
    }
}

#[test]
fn other_text_is_no_hash() {
    for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
        assert_eq!(text.parse::<ChainHash>(), Err(InvalidChainHash));
    }
}
