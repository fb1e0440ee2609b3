//! Sizes, durations and shares of a processor as people write them: `64MiB`, `1h30m`, `0.5`.
//!
//! # Why
//! A number without its unit is how a limit ends up a thousand times too large. So the written form
//! carries the unit, and only powers of two are taken for sizes: `64MB` is refused rather than read
//! as one of the two things that it may mean.

use thiserror::Error;

const BYTE_UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

const MS_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a measure was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MeasureError {
    /// No number stands where one belongs.
    #[error("expected a number with its unit, like {example}")]
    WriteNumber {
        /// A measure of this kind, well written.
        example: &'static str,
    },
    /// A number stands alone.
    #[error("the unit is missing: write it like {example}")]
    AddUnit {
        /// A measure of this kind, well written.
        example: &'static str,
    },
    /// The unit is none of those that are taken.
    #[error("unknown unit `{unit}`: the units are {known}")]
    ChangeUnit {
        /// What was written.
        unit: String,
        /// The units that are taken.
        known: &'static str,
    },
    /// Units stand twice, or a small one before a larger one.
    #[error("units must fall, each written once, like 1h30m")]
    OrderUnits,
    /// The measure does not fit into 64 bits.
    #[error("the number is too large")]
    Shorten,
}

const SIZE_EXAMPLE: &str = "64MiB";
const SPAN_EXAMPLE: &str = "500ms, 10m or 1h30m";
const CPU_EXAMPLE: &str = "0.5 or 2";

/// Reads a size in bytes: a whole number and one of `B`, `KiB`, `MiB`, `GiB`, `TiB`.
pub fn parse_bytes(text: &str) -> Result<u64, MeasureError> {
    let (number, rest) = leading_number(text.trim(), SIZE_EXAMPLE)?;
    let unit = rest.trim();
    if unit.is_empty() {
        return Err(MeasureError::AddUnit {
            example: SIZE_EXAMPLE,
        });
    }
    let factor = factor(unit, &BYTE_UNITS, "B, KiB, MiB, GiB, TiB")?;
    number.checked_mul(factor).ok_or(MeasureError::Shorten)
}

/// Reads a duration in milliseconds: whole numbers with falling units of `d`, `h`, `m`, `s`, `ms`.
pub fn parse_ms(text: &str) -> Result<u64, MeasureError> {
    let mut rest = text.trim();
    let mut total_ms = 0_u64;
    let mut last_factor = u64::MAX;
    loop {
        let (number, after) = leading_number(rest, SPAN_EXAMPLE)?;
        let unit_len = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_len);
        if unit.trim().is_empty() {
            return Err(MeasureError::AddUnit {
                example: SPAN_EXAMPLE,
            });
        }
        let factor = factor(unit.trim(), &MS_UNITS, "ms, s, m, h, d")?;
        if factor >= last_factor {
            return Err(MeasureError::OrderUnits);
        }
        last_factor = factor;
        let part_ms = number.checked_mul(factor).ok_or(MeasureError::Shorten)?;
        total_ms = total_ms.checked_add(part_ms).ok_or(MeasureError::Shorten)?;
        rest = next;
        if rest.is_empty() {
            return Ok(total_ms);
        }
    }
}

/// Reads a share of processors in thousandths of one: `0.5` is 500, `2` is 2000.
pub fn parse_cpu_millis(text: &str) -> Result<u64, MeasureError> {
    let wrong = || MeasureError::WriteNumber {
        example: CPU_EXAMPLE,
    };
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| MeasureError::Shorten)?;
    let part: u64 = format!("{part:0<3}").parse().map_err(|_| wrong())?;
    whole
        .checked_mul(1000)
        .and_then(|millis| millis.checked_add(part))
        .ok_or(MeasureError::Shorten)
}

/// Writes a size in the largest unit that needs no fraction; [`parse_bytes`] reads it back.
pub fn show_bytes(bytes: u64) -> String {
    let (unit, factor) = largest(bytes, &BYTE_UNITS);
    format!("{}{unit}", bytes / factor)
}

/// Writes a duration in the largest unit that needs no fraction; [`parse_ms`] reads it back.
pub fn show_ms(ms: u64) -> String {
    let (unit, factor) = largest(ms, &MS_UNITS);
    format!("{}{unit}", ms / factor)
}

/// Writes a share of processors; [`parse_cpu_millis`] reads it back.
pub fn show_cpu_millis(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn leading_number<'a>(
    text: &'a str,
    example: &'static str,
) -> Result<(u64, &'a str), MeasureError> {
    let digits_len = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(digits_len);
    if digits.is_empty() {
        return Err(MeasureError::WriteNumber { example });
    }
    let number = digits.parse().map_err(|_| MeasureError::Shorten)?;
    Ok((number, rest))
}

fn factor(unit: &str, units: &[(&str, u64)], known: &'static str) -> Result<u64, MeasureError> {
    let found = units.iter().find(|(name, _)| *name == unit);
    found
        .map(|(_, factor)| *factor)
        .ok_or_else(|| MeasureError::ChangeUnit {
            unit: crate::mistake::shown(unit),
            known,
        })
}

fn largest<'a>(amount: u64, units: &[(&'a str, u64)]) -> (&'a str, u64) {
    let smallest = units
        .iter()
        .copied()
        .min_by_key(|(_, factor)| *factor)
        .unwrap_or(("", 1));
    let fits = |(_, factor): &(&str, u64)| amount > 0 && amount.is_multiple_of(*factor);
    units.iter().copied().find(fits).unwrap_or(smallest)
}

#[cfg(test)]
mod tests {
    use super::{
        MeasureError, parse_bytes, parse_cpu_millis, parse_ms, show_bytes, show_cpu_millis, show_ms,
    };

    #[test]
    fn sizes_are_read_in_powers_of_two() {
        assert_eq!(parse_bytes("64MiB"), Ok(64 << 20));
        assert_eq!(parse_bytes(" 1 KiB "), Ok(1024));
        assert_eq!(parse_bytes("7B"), Ok(7));
    }

    #[test]
    fn a_size_with_a_doubtful_unit_is_refused() {
        let error = parse_bytes("64MB").unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown unit `MB`: the units are B, KiB, MiB, GiB, TiB"
        );
        assert!(parse_bytes("1.5GiB").is_err());
    }

    #[test]
    fn a_number_alone_is_asked_for_its_unit() {
        assert!(matches!(
            parse_bytes("64"),
            Err(MeasureError::AddUnit { .. })
        ));
        assert!(matches!(parse_ms("5"), Err(MeasureError::AddUnit { .. })));
    }

    #[test]
    fn durations_add_up() {
        assert_eq!(parse_ms("1h30m"), Ok(5_400_000));
        assert_eq!(parse_ms("1m500ms"), Ok(60_500));
        assert_eq!(parse_ms("1d"), Ok(86_400_000));
    }

    #[test]
    fn a_duration_with_rising_or_doubled_units_is_refused() {
        assert_eq!(parse_ms("30m1h"), Err(MeasureError::OrderUnits));
        assert_eq!(parse_ms("1m1m"), Err(MeasureError::OrderUnits));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(
            parse_bytes("99999999999999999999B"),
            Err(MeasureError::Shorten)
        );
        assert_eq!(
            parse_bytes("18014398509481984TiB"),
            Err(MeasureError::Shorten)
        );
        assert_eq!(
            parse_ms("18446744073709551615d"),
            Err(MeasureError::Shorten)
        );
    }

    #[test]
    fn negative_and_empty_measures_are_refused() {
        for text in ["", " ", "-1s", "s", "1 5s", "é"] {
            assert!(parse_ms(text).is_err(), "{text:?} was taken");
        }
        assert!(parse_bytes("-1B").is_err());
    }

    #[test]
    fn processors_are_read_in_thousandths() {
        assert_eq!(parse_cpu_millis("0.5"), Ok(500));
        assert_eq!(parse_cpu_millis("2"), Ok(2000));
        assert_eq!(parse_cpu_millis("1.125"), Ok(1125));
        for text in ["", ".", ".5", "1.", "1.2345", "-1", "1e3", "nan"] {
            assert!(parse_cpu_millis(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for amount in [0, 1, 999, 1000, 1024, 60_000, 5_400_000, 1 << 26, u64::MAX] {
            assert_eq!(parse_bytes(&show_bytes(amount)), Ok(amount));
            assert_eq!(parse_ms(&show_ms(amount)), Ok(amount));
            let millis = amount / 1000;
            assert_eq!(parse_cpu_millis(&show_cpu_millis(millis)), Ok(millis));
        }
        assert_eq!(show_bytes(64 << 20), "64MiB");
        assert_eq!(show_ms(1500), "1500ms");
        assert_eq!(show_cpu_millis(500), "0.5");
    }
}
