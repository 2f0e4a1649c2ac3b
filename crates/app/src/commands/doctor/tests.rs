use super::*;

/// Returns the only finding as `level check: text`.
fn finding(look: impl FnOnce(&mut Report)) -> String {
    let mut report = Report::default();
    look(&mut report);
    let [Finding { level, check, text }] = report.0.as_slice() else {
        panic!("one finding expected: {report:?}");
    };
    format!("{level:?} {check}: {text}")
}

// The limits are written out here, not taken from the constants, so that a changed limit fails these tests.

#[test]
fn clocks_agree_up_to_two_seconds_in_both_directions() {
    let agrees = "Ok clock: agrees with that of the database".to_owned();
    let differs = |by| {
        format!(
            "Warning clock: it differs from that of the database by {by}: \
             synchronize both (chrony or systemd-timesyncd)"
        )
    };
    let hour = 3_600_000;
    // The response took 400 ms, so the later limit counts from the end of that time.
    let (before, after) = (1_800_000_000_000, 1_800_000_000_400);
    for (database, expected) in [
        (before - hour, differs("3600s")),
        (before - 2_001, differs("2.001s")),
        (before - 2_000, agrees.clone()),
        (before, agrees.clone()),
        (after, agrees.clone()),
        (after + 2_000, agrees),
        (after + 2_001, differs("2.001s")),
        (after + hour, differs("3600s")),
    ] {
        let [before, after] = [before, after].map(Timestamp::saturating_from_millis);
        assert_eq!(finding(|report| clock(report, before, database, after)), expected, "{database}");
    }
}

#[test]
fn a_slow_response_is_no_clock_skew() {
    let [before, after] = [0, 60_000].map(Timestamp::saturating_from_millis);
    let finding = finding(|report| clock(report, before, 30_000, after));
    assert!(finding.starts_with("Ok clock: "), "{finding}");
}

#[test]
fn little_free_space_is_a_warning_and_almost_none_an_error() {
    let (little, none) = (1 << 30, 64 << 20);
    for (free, expected) in [
        (0, "Error disk: 0 MiB are free for the database: make room, or writes fail"),
        (none - 1, "Error disk: 63 MiB are free for the database: make room, or writes fail"),
        (none, "Warning disk: 64 MiB are free for the database: make room"),
        (little - 1, "Warning disk: 1023 MiB are free for the database: make room"),
        (little, "Ok disk: 1024 MiB are free for the database"),
        (u64::MAX, "Ok disk: 17592186044415 MiB are free for the database"),
    ] {
        assert_eq!(finding(|report| disk(report, Ok(free))), expected, "{free}");
    }
}

#[test]
fn unknown_free_space_is_a_warning() {
    let finding = finding(|report| disk(report, Err(io::Error::other("no such device"))));
    assert_eq!(finding, "Warning disk: its free space is unknown: no such device");
}
