//! How old a message is when it is looked at: two boot clocks compared, without agreeing on a time.
//!
//! ```text
//! sender's clock   ──●sent────────────────►        sample = here − sent = way + difference
//! receiver's clock ────────●here──────────►        age    = sample − the smallest sample
//! ```
//!
//! # Invariant
//! A message is never taken for younger than it is by more than the shortest way that a message
//! between the two took lately.
//!
//! # Why
//! A process that was stopped finds in its socket what its peers gave up on long ago. A budget that
//! is counted from when a message is read would let all of it be carried out at once.

use std::time::Duration;

/// The smallest sample is forgotten by one part in so many of the time that passes: clocks run apart
/// by less, and a stop of a minute moves it by a twentieth of a second only.
const DRIFT: i64 = 1000;
/// A message that comes so much sooner than any before it was not quicker: a clock stood still.
const LEAP_US: i64 = 1_000_000;
/// Samples until a leap is told from a first message that was slow.
const SETTLED: u32 = 4;

/// What is known of a peer's clock.
#[derive(Debug, Default)]
pub(super) struct Age {
    least: Option<Least>,
}

#[derive(Clone, Copy, Debug)]
struct Least {
    sample_us: i64,
    at_us: u64,
    count: u32,
}

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aged {
    /// It is this old.
    Old(Duration),
    /// One of the clocks stood still or was wound: the link is to be made anew.
    Leapt,
}

impl Age {
    /// Takes notice of a message that says when it was sent, on the sender's clock.
    pub fn of(&mut self, sent_us: u64, here_us: u64) -> Aged {
        let sample_us = here_us.wrapping_sub(sent_us).cast_signed();
        let Some(least) = &mut self.least else {
            self.least = Some(Least {
                sample_us,
                at_us: here_us,
                count: 1,
            });
            return Aged::Old(Duration::ZERO);
        };
        let passed = i64::try_from(here_us.saturating_sub(least.at_us)).unwrap_or(i64::MAX);
        let risen = least.sample_us.saturating_add(passed / DRIFT);
        if least.count >= SETTLED && sample_us < risen.saturating_sub(LEAP_US) {
            return Aged::Leapt;
        }
        *least = Least {
            sample_us: risen.min(sample_us),
            at_us: least.at_us.max(here_us),
            count: least.count.saturating_add(1),
        };
        let age_us = sample_us.saturating_sub(least.sample_us);
        Aged::Old(Duration::from_micros(u64::try_from(age_us).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The receiver's clock is an hour behind the sender's, the way takes 100 µs.
    const BEHIND_US: u64 = 3_600_000_000;

    fn settled() -> Age {
        let mut age = Age::default();
        for at in 1..=10_u64 {
            let at = at * 500_000;
            assert_eq!(age.of(at + BEHIND_US, at + 100), Aged::Old(Duration::ZERO));
        }
        age
    }

    #[test]
    fn a_message_that_was_on_its_way_for_long_is_old_whatever_the_clocks_say() {
        let mut age = settled();
        let Aged::Old(old) = age.of(5_500_000 + BEHIND_US, 7_500_100) else {
            panic!("a leap was seen");
        };
        assert!(old > Duration::from_millis(1_990) && old <= Duration::from_secs(2));
    }

    #[test]
    fn what_waited_while_the_receiver_was_stopped_is_old_down_to_the_last_message() {
        let mut age = settled();
        // Stopped for a minute; then all is read at once.
        for sent in (6..65).rev() {
            let Aged::Old(old) = age.of(sent * 1_000_000 + BEHIND_US, 66_000_000) else {
                panic!("a leap was seen");
            };
            let truth = Duration::from_secs(66 - sent);
            assert!(
                old + Duration::from_millis(100) > truth,
                "{old:?} for {truth:?}"
            );
        }
    }

    #[test]
    fn clocks_that_run_apart_make_nothing_old() {
        let mut age = Age::default();
        for second in 1..10_000_u64 {
            let here = second * 1_000_000;
            // The sender's clock is slower by 500 parts in a million.
            let sent = here - here / 2_000;
            let Aged::Old(old) = age.of(sent, here) else {
                panic!("a leap was seen");
            };
            assert!(old < Duration::from_millis(1), "{old:?} after {second} s");
        }
    }

    #[test]
    fn a_receiver_whose_clock_stood_still_sees_the_leap() {
        let mut age = settled();
        assert_eq!(age.of(65_000_000 + BEHIND_US, 5_500_100), Aged::Leapt);
    }

    #[test]
    fn a_slow_first_message_is_no_leap() {
        let mut age = Age::default();
        assert_eq!(age.of(0, 3_000_000), Aged::Old(Duration::ZERO));
        assert_eq!(age.of(3_000_000, 3_000_100), Aged::Old(Duration::ZERO));
    }
}
