//! How lengths of time look.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Returns a short time in seconds.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Returns a long time as the configuration has it, such as `90d`.
pub(super) fn term(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        _ if seconds.is_multiple_of(DAY) => format!("{} d", seconds / DAY),
        _ if seconds.is_multiple_of(HOUR) => format!("{} h", seconds / HOUR),
        _ if seconds.is_multiple_of(MINUTE) => format!("{} min", seconds / MINUTE),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_their_largest_unit() {
        let terms = [90 * DAY, 36 * HOUR, 90, 61, 120, 0].map(|time| term(Duration::from_secs(time)));
        assert_eq!(terms, ["90 d", "36 h", "90 s", "61 s", "2 min", "0 ms"]);
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
    }
}
