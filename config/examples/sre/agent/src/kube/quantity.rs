//! An amount as Kubernetes writes it: `1500m`, `3Gi`, `2e3`, `0.5`, `128974848000m`.
//!
//! # Why
//! Fixed point with nine decimals, as in Kubernetes itself: sums of requests are exact, and 3 Gi
//! against 3071 Mi is never decided by a rounding.

use std::fmt;
use std::ops::{Add, Sub};

use serde_json::Value;

const NANO: i128 = 1_000_000_000;
/// No amount goes beyond this, in nano units: sums of many stay far from overflow.
const MAX_NANO: i128 = i128::MAX >> 24;

/// An amount in billionths of its unit (cores, bytes, pieces).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Quantity(i128);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many whole units.
    pub fn whole(units: i64) -> Self {
        Self(i128::from(units) * NANO)
    }

    /// Reads an amount; absent when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let digits_end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(digits_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let nano = match scale(suffix)? {
            Scale::Binary(factor) => scaled(whole, fraction, 9)?.saturating_mul(factor),
            Scale::Decimal(exponent) => scaled(whole, fraction, exponent + 9)?,
        };
        let nano = nano.min(MAX_NANO);
        Some(Self(if negative { -nano } else { nano }))
    }

    /// Reads an amount from a JSON text or number.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Is there more than nothing?
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// How often `part` fits into this amount; none when `part` is nothing.
    pub fn times(self, part: Self) -> Option<i64> {
        (part.0 > 0).then(|| i64::try_from(self.0.div_euclid(part.0)).unwrap_or(i64::MAX))
    }

    /// So many times this amount.
    #[must_use]
    pub fn many(self, number: i64) -> Self {
        Self(
            self.0
                .saturating_mul(i128::from(number))
                .clamp(-MAX_NANO, MAX_NANO),
        )
    }

    /// This amount as a share of `whole` in percent, rounded down; 0 when `whole` is nothing.
    pub fn percent_of(self, whole: Self) -> i64 {
        if whole.0 <= 0 {
            return 0;
        }
        i64::try_from(self.0.saturating_mul(100) / whole.0).unwrap_or(i64::MAX)
    }

    /// The amount in the words that are usual for `resource`: `1500m` for CPU, `3Gi` for memory.
    pub fn shown(self, resource: &str) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nano = self.0.abs();
        if is_bytes(resource) {
            return format!("{sign}{}", bytes(nano / NANO));
        }
        if nano % NANO == 0 {
            return format!("{sign}{}", nano / NANO);
        }
        if resource.ends_with("cpu") && nano >= 1_000_000 {
            // A part of a thousandth is rounded up, as Kubernetes does.
            return format!("{sign}{}m", (nano + 999_999) / 1_000_000);
        }
        format!("{sign}{nano}n")
    }
}

/// Is `resource` counted in bytes? Also with a prefix such as `requests.`.
fn is_bytes(resource: &str) -> bool {
    let bare = resource.rsplit('.').next().unwrap_or(resource);
    matches!(bare, "memory" | "ephemeral-storage" | "storage") || resource.contains("hugepages-")
}

/// Bytes in the largest binary unit that needs at most one decimal.
fn bytes(amount: i128) -> String {
    const UNITS: [(&str, u32); 5] = [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10), ("", 0)];
    for (unit, shift) in UNITS {
        let size = 1_i128 << shift;
        if amount >= size && amount % size == 0 {
            return format!("{}{unit}", amount / size);
        }
        // Below 10 Ti a whole number of Mi says more than a rounded number of Gi.
        if amount >= size && (shift == 20 || shift == 10 || (shift == 40 && amount >= size * 10)) {
            let tenths = amount * 10 / size;
            return if tenths % 10 == 0 {
                format!("{}{unit}", tenths / 10)
            } else {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            };
        }
    }
    amount.to_string()
}

enum Scale {
    /// Times a power of 1024.
    Binary(i128),
    /// Times ten to this power.
    Decimal(i32),
}

fn scale(suffix: &str) -> Option<Scale> {
    Some(match suffix {
        "" => Scale::Decimal(0),
        "n" => Scale::Decimal(-9),
        "u" | "µ" => Scale::Decimal(-6),
        "m" => Scale::Decimal(-3),
        "k" => Scale::Decimal(3),
        "M" => Scale::Decimal(6),
        "G" => Scale::Decimal(9),
        "T" => Scale::Decimal(12),
        "P" => Scale::Decimal(15),
        "E" => Scale::Decimal(18),
        "Ki" => Scale::Binary(1 << 10),
        "Mi" => Scale::Binary(1 << 20),
        "Gi" => Scale::Binary(1 << 30),
        "Ti" => Scale::Binary(1 << 40),
        "Pi" => Scale::Binary(1 << 50),
        "Ei" => Scale::Binary(1 << 60),
        _ => Scale::Decimal(suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    })
}

/// `whole.fraction` times ten to `exponent`, rounded up at the last place, as Kubernetes does.
fn scaled(whole: &str, fraction: &str, exponent: i32) -> Option<i128> {
    let exponent = usize::try_from(exponent.clamp(-64, 64) + 64).ok()?;
    let digits: String = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    // The decimal point stands after so many of the digits (may be before the first).
    let shift = i64::try_from(exponent).ok()? - 64 - i64::try_from(fraction.len()).ok()?;
    if digits.is_empty() {
        return Some(0);
    }
    if shift >= 0 {
        let shift = usize::try_from(shift).ok()?;
        if digits.len() + shift > 36 {
            return Some(MAX_NANO);
        }
        let value: i128 = digits.parse().ok()?;
        return Some(value.saturating_mul(10_i128.pow(u32::try_from(shift).ok()?)));
    }
    let drop = usize::try_from(-shift).ok()?;
    let (kept, lost) = digits.split_at(digits.len().saturating_sub(drop));
    if kept.len() > 36 {
        return Some(MAX_NANO);
    }
    let value: i128 = if kept.is_empty() {
        0
    } else {
        kept.parse().ok()?
    };
    Some(value + i128::from(lost.bytes().any(|b| b != b'0')))
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown("cpu"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nano(text: &str) -> i128 {
        Quantity::parse(text)
            .unwrap_or_else(|| panic!("{text} is an amount"))
            .0
    }

    #[test]
    fn every_suffix_of_kubernetes_is_understood() {
        for (text, units) in [
            ("0", 0),
            ("3", 3),
            ("+7", 7),
            ("1k", 1_000),
            ("1M", 1_000_000),
            ("2G", 2_000_000_000),
            ("1T", 1_000_000_000_000),
            ("1P", 1_000_000_000_000_000),
            ("1E", 1_000_000_000_000_000_000),
            ("1Ki", 1024),
            ("1.5Gi", 1_610_612_736),
            ("1Ti", 1 << 40),
            ("1Pi", 1 << 50),
            ("1Ei", 1 << 60),
            ("2e3", 2000),
            ("1E3", 1000),
            ("1e+2", 100),
            ("12e-1", 0),
            ("128974848000m", 128_974_848),
        ] {
            if text == "12e-1" {
                assert_eq!(nano(text), 1_200_000_000);
            } else {
                assert_eq!(nano(text), units * NANO, "{text}");
            }
        }
        assert_eq!(nano("100m"), 100_000_000);
        assert_eq!(nano("250u"), 250_000);
        assert_eq!(nano("5n"), 5);
        assert_eq!(nano("0.5"), 500_000_000);
        assert_eq!(nano(".5"), 500_000_000);
        assert_eq!(nano("-1500m"), -1_500_000_000);
        assert_eq!(nano("0.0000000001"), 1, "rounded up, as Kubernetes does");
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in [
            "", "m", "abc", "1.2.3", "1 Gi", "1KiB", "1e", "--1", "∞", "1K",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_amount_beyond_all_bounds_saturates() {
        let huge = Quantity::parse(&"9".repeat(200)).unwrap();
        assert!(huge + huge + huge > Quantity::whole(i64::MAX));
        assert_eq!(
            Quantity::parse("1e999999999"),
            Quantity::parse(&"9".repeat(80))
        );
        assert!(Quantity::parse("9e99999999999999").is_none());
    }

    #[test]
    fn amounts_are_shown_in_the_usual_words() {
        for (text, resource, shown) in [
            ("1500m", "cpu", "1500m"),
            ("3", "cpu", "3"),
            ("3072Mi", "memory", "3Gi"),
            ("7591690Ki", "memory", "7413.7Mi"),
            ("2725Mi", "memory", "2725Mi"),
            ("1023", "memory", "1023"),
            ("-512Mi", "memory", "-512Mi"),
            ("2", "nvidia.com/gpu", "2"),
            ("20Gi", "requests.storage", "20Gi"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().shown(resource), shown);
        }
    }
}
