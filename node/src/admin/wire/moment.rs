//! A point in time for people: RFC 3339 in UTC, and the same as milliseconds for programs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const DAY_MS: u64 = 24 * 3_600_000;
/// The last day that has a four-digit year: later ones are shown as that one.
const LAST_DAY: u64 = 2_932_896;

/// A point in time by the wall clock of the node that took the command in. It decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// RFC 3339, UTC, with milliseconds.
    #[schema(example = "2026-03-01T09:30:00.250Z")]
    pub at: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ms: u64,
}

impl Moment {
    /// The moment so many milliseconds after the beginning of 1970.
    pub fn from_ms(ms: u64) -> Self {
        let (days, in_day) = (ms / DAY_MS, ms % DAY_MS);
        let (year, month, day) = civil(days.min(LAST_DAY));
        let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
        let (second, milli) = (in_day / 1_000 % 60, in_day % 1_000);
        let at =
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z");
        Self { at, ms }
    }
}

/// Reads a moment: RFC 3339 in UTC (`2026-03-01`, `2026-03-01T09:30Z`, with seconds and fraction),
/// or milliseconds since 1970. `None` for anything else.
pub fn parse_moment_ms(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, time.strip_suffix(['Z', 'z'])?),
        None => (text, "00:00"),
    };
    let mut parts = date.splitn(3, '-');
    let year = number(parts.next()?, 4, 1970..=9999)?;
    let month = number(parts.next()?, 2, 1..=12)?;
    let day = number(parts.next()?, 2, 1..=31)?;
    let days = days(year, month, day);
    if civil(days) != (year, month, day) {
        return None;
    }
    Some(days * DAY_MS + in_day_ms(time)?)
}

fn in_day_ms(time: &str) -> Option<u64> {
    let mut parts = time.splitn(3, ':');
    let hour = number(parts.next()?, 2, 0..=23)?;
    let minute = number(parts.next()?, 2, 0..=59)?;
    let (second, milli) = match parts.next() {
        None => (0, 0),
        Some(text) => {
            let (second, fraction) = text.split_once('.').unwrap_or((text, "0"));
            let is_plain = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
            let digits: String = fraction.chars().chain("00".chars()).take(3).collect();
            let milli = if is_plain {
                digits.parse().ok()?
            } else {
                return None;
            };
            (number(second, 2, 0..=59)?, milli)
        }
    };
    Some(hour * 3_600_000 + minute * 60_000 + second * 1_000 + milli)
}

fn number(text: &str, digits: usize, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
    let is_plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    let number = if is_plain {
        text.parse().ok()?
    } else {
        return None;
    };
    range.contains(&number).then_some(number)
}

/// The date of a day counted from 1970-01-01, after Howard Hinnant's `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The day of a date from 1970 on, counted from 1970-01-01, after Hinnant's `days_from_civil`.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * march_month + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Moment, parse_moment_ms};

    #[test]
    fn known_moments_are_shown_as_everyone_shows_them() {
        for (ms, at) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Moment::from_ms(ms).at, at);
            assert_eq!(parse_moment_ms(at), Some(ms));
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in 0..146_097 {
            let ms = day * DAY_MS + 1;
            assert_eq!(parse_moment_ms(&Moment::from_ms(ms).at), Some(ms));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "x",
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-01-01T24:00Z",
            "2026-01-01T10:00",
            "1969-12-31",
            "2026-01-01T10:00:00.Z",
            "2026-01-01T10:00:00+02:00",
            "99999999999999999999",
        ] {
            assert_eq!(parse_moment_ms(text), None, "{text}");
        }
        assert_eq!(
            parse_moment_ms("2026-01-01 10:00Z"),
            parse_moment_ms("2026-01-01T10:00:00.0Z")
        );
        assert!(!Moment::from_ms(u64::MAX).at.is_empty());
    }
}
