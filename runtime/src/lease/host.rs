//! A host's side of its lease: when it asked, what it was granted, how long that lasts.
//!
//! # Invariant
//! The lease is counted from the moment at which the renewal was *sent*, on this host's own boot
//! clock: whatever delays the answer shortens the lease and never lengthens it.

use std::collections::VecDeque;
use std::time::Duration;

use super::LEASE;
use crate::clock::BootMs;

/// Renewals whose answer is remembered: more than are sent before a silent leader is left.
const MAX_ASKED: usize = 16;

/// A host's lease; it reads no clock.
#[derive(Clone, Debug, Default)]
pub struct Host {
    last_number: u64,
    asked: VecDeque<(u64, BootMs)>,
    ends: Option<BootMs>,
}

impl Host {
    /// A renewal is about to be sent: the number that its answer will carry.
    pub fn ask(&mut self, now: BootMs) -> u64 {
        self.last_number += 1;
        if self.asked.len() == MAX_ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back((self.last_number, now));
        self.last_number
    }

    /// A renewal was granted for so long, at most [`LEASE`]; one that is not known grants nothing.
    pub fn granted(&mut self, number: u64, lease: Duration) {
        let asked = self.asked.iter().position(|(asked, _)| *asked == number);
        let Some((_, sent)) = asked.and_then(|place| self.asked.remove(place)) else {
            return;
        };
        let ends = sent.plus(lease.min(LEASE));
        self.ends = self.ends.max(Some(ends));
    }

    /// When the lease ends, or has ended; none where there never was one.
    pub fn ends(&self) -> Option<BootMs> {
        self.ends
    }

    /// Whether the lease is still good.
    pub fn holds(&self, now: BootMs) -> bool {
        self.ends.is_some_and(|ends| now < ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_counted_from_the_sending_and_a_late_answer_adds_nothing() {
        let mut host = Host::default();
        let first = host.ask(BootMs(1_000));
        let second = host.ask(BootMs(1_500));
        assert!(!host.holds(BootMs(1_500)), "nothing was granted yet");
        host.granted(second, LEASE);
        assert_eq!(host.ends(), Some(BootMs(4_500)));
        host.granted(first, LEASE);
        host.granted(second, Duration::from_mins(1));
        host.granted(77, LEASE);
        assert_eq!(host.ends(), Some(BootMs(4_500)));
        assert!(host.holds(BootMs(4_499)) && !host.holds(BootMs(4_500)));
    }

    #[test]
    fn no_leader_can_grant_more_than_this_release_takes() {
        let mut host = Host::default();
        let number = host.ask(BootMs(0));
        host.granted(number, Duration::from_hours(1));
        assert!(!host.holds(BootMs(0).plus(LEASE)));
    }
}
