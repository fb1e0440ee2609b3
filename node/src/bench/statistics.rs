//! What is computed from many measurements: percentiles, and the times at which an open loop asks.
//!
//! # Why
//! All measurements are kept and sorted at the end: a million of them are eight megabytes, and no
//! percentile is an estimate.

use std::time::Duration;

/// Measured times in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    sorted_us: Vec<u64>,
}

impl Samples {
    /// Sorts what was measured.
    pub fn new(mut measured_us: Vec<u64>) -> Self {
        measured_us.sort_unstable();
        Self {
            sorted_us: measured_us,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sorted_us.len()
    }

    /// The time in microseconds that `percent` of all measurements do not exceed (nearest rank);
    /// 0 of none.
    pub fn percentile_us(&self, percent: f64) -> f64 {
        let count = self.sorted_us.len();
        if count == 0 {
            return 0.0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank among measurements that fit into memory"
        )]
        let rank = (percent / 100.0 * count as f64).ceil() as usize;
        as_f64(self.sorted_us[rank.clamp(1, count) - 1])
    }

    /// Half of all are not slower than this, in milliseconds.
    pub fn p50_ms(&self) -> f64 {
        self.percentile_us(50.0) / 1e3
    }

    /// All but one in a hundred are not slower than this, in milliseconds.
    pub fn p99_ms(&self) -> f64 {
        self.percentile_us(99.0) / 1e3
    }

    /// The slowest one, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.sorted_us.last().map_or(0.0, |us| as_f64(*us) / 1e3)
    }
}

/// When an open loop asks: at a steady rate, whatever becomes of what was asked before.
///
/// # Why
/// A client that waits for an answer before it asks again asks less while the system is slow, and
/// leaves out just what it came to measure (coordinated omission; the word is Gil Tene's). Here the
/// time of each question is known beforehand, and its latency counts from then.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    rate_per_s: f64,
    count: u64,
}

impl Schedule {
    /// Questions at `rate_per_s` for so long.
    pub fn new(rate_per_s: f64, span: Duration) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of questions, not negative and far below the limit"
        )]
        let count = (rate_per_s.max(0.0) * span.as_secs_f64()).floor() as u64;
        Self { rate_per_s, count }
    }

    /// How many questions there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// When the question of that number (from 0) is due, after the beginning.
    pub fn due(&self, number: u64) -> Duration {
        Duration::from_secs_f64(as_f64(number) / self.rate_per_s.max(f64::MIN_POSITIVE))
    }
}

/// A count as a number to compute with; exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts, bytes and microseconds of a benchmark stay far below 2^53"
)]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}

/// How often `part` goes into `whole`; 0 where there is no part.
pub fn per(whole: f64, part: f64) -> f64 {
    if part > 0.0 { whole / part } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "small whole numbers are exact")]
    fn a_percentile_is_the_nearest_measurement_above() {
        let samples = Samples::new((1..=200).rev().collect());
        assert_eq!(samples.percentile_us(50.0), 100.0);
        assert_eq!(samples.percentile_us(99.0), 198.0);
        assert_eq!(samples.percentile_us(99.9), 200.0);
        assert_eq!(samples.percentile_us(0.0), 1.0);
        assert_eq!(samples.max_ms(), 0.2);
        let few = Samples::new(vec![7, 3]);
        assert_eq!(
            (few.percentile_us(50.0), few.percentile_us(99.0)),
            (3.0, 7.0)
        );
    }

    #[test]
    fn of_no_measurements_every_percentile_is_nothing() {
        let none = Samples::default();
        assert_eq!((none.percentile_us(99.0), none.max_ms()), (0.0, 0.0));
    }

    #[test]
    fn an_open_loop_asks_at_its_rate_to_the_end() {
        let schedule = Schedule::new(400.0, Duration::from_secs(5));
        assert_eq!(schedule.count(), 2000);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1), Duration::from_micros(2500));
        assert_eq!(schedule.due(1999), Duration::from_micros(4_997_500));
    }

    #[test]
    fn an_open_loop_without_a_rate_asks_nothing() {
        assert_eq!(Schedule::new(0.0, Duration::from_secs(5)).count(), 0);
        assert_eq!(Schedule::new(-1.0, Duration::from_secs(5)).count(), 0);
    }
}
