//! Consumers of events: the statement that both stores run.

/// Moves the consumer `$1` to the event `$2`, if it is at the event `$3`; one that is missing is at 0. Another transaction that moves it
/// is waited for.
pub const MOVE_CONSUMER: &str = "\
    INSERT INTO event_consumers AS kept (name, last_event) \
    SELECT $1, $2 WHERE $3 = 0 OR EXISTS (SELECT 1 FROM event_consumers WHERE name = $1) \
    ON CONFLICT (name) DO UPDATE SET last_event = excluded.last_event WHERE kept.last_event = $3";
