//! Times and durations as people type and read them.

use std::time::Duration;

use config::measure::parse_ms;

use crate::admin::wire::{Moment, parse_moment_ms};

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// From so many days on a date says more.
const LAST_RELATIVE_DAY: u64 = 60;

/// How long ago a moment was.
pub(crate) fn ago(now_ms: u64, then_ms: u64) -> String {
    match now_ms.saturating_sub(then_ms) {
        0..SECOND_MS => "now".to_owned(),
        past if past < LAST_RELATIVE_DAY * DAY_MS => format!("{} ago", rough(past)),
        _ => Moment::from_ms(then_ms).at.chars().take(10).collect(),
    }
}

/// A duration in its largest unit, rounded down.
pub(crate) fn rough(ms: u64) -> String {
    match ms {
        0..MINUTE_MS => format!("{}s", ms / SECOND_MS),
        MINUTE_MS..HOUR_MS => format!("{}m", ms / MINUTE_MS),
        HOUR_MS..DAY_MS => format!("{}h", ms / HOUR_MS),
        _ => format!("{}d", ms / DAY_MS),
    }
}

/// Reads a duration such as `90s` or `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let ms = parse_ms(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_millis(ms))
}

/// Reads a point in time: RFC 3339 in UTC, or a duration, which is counted back from now.
pub(crate) fn since(text: &str) -> Result<Since, String> {
    if let Some(ms) = parse_moment_ms(text) {
        return Ok(Since::At(ms));
    }
    parse_ms(text).map(Since::Ago).map_err(|_| {
        "this is no time: give one like `2h` (so long ago), `2026-03-01` or `2026-03-01T09:30Z`"
            .to_owned()
    })
}

/// A point in time as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// Milliseconds since 1970.
    At(u64),
    /// Milliseconds before now.
    Ago(u64),
}

impl Since {
    /// The same as RFC 3339, where now is `now_ms`.
    pub(crate) fn at(self, now_ms: u64) -> String {
        let ms = match self {
            Self::At(ms) => ms,
            Self::Ago(ms) => now_ms.saturating_sub(ms),
        };
        Moment::from_ms(ms).at
    }
}

#[cfg(test)]
mod tests {
    use super::{Since, ago, duration, since};
    use std::time::Duration;

    #[test]
    fn the_largest_unit_is_enough_for_people() {
        let now = 200 * super::DAY_MS;
        for (past, said) in [
            (0, "now"),
            (59_999, "59s ago"),
            (60_000, "1m ago"),
            (7_200_000, "2h ago"),
            (3 * super::DAY_MS, "3d ago"),
            (100 * super::DAY_MS, "1970-04-11"),
        ] {
            assert_eq!(ago(now, now - past), said);
        }
        assert_eq!(ago(5, 10_000), "now", "another host's clock may be ahead");
    }

    #[test]
    fn a_time_is_a_date_or_so_long_ago() {
        assert_eq!(since("2h"), Ok(Since::Ago(7_200_000)));
        assert_eq!(since("1970-01-02"), Ok(Since::At(86_400_000)));
        assert_eq!(Since::Ago(1_000).at(3_000), "1970-01-01T00:00:02.000Z");
        assert!(since("yesterday").unwrap_err().contains("2h"));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(duration("5").is_err());
    }
}
