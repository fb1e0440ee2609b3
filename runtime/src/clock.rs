//! The only reader of clocks: the boot clock for everything that decides, the wall clock for display.
//!
//! # Invariant
//!
//! No other file of the workspace names `Instant::now` or `SystemTime`.
//!
//! # Why
//!
//! `CLOCK_BOOTTIME` goes on counting while the machine sleeps and cannot be set by anyone, so a
//! deadline measured on it never comes too late. `CLOCK_MONOTONIC`, which `Instant` reads, stands
//! still in suspend; the wall clock jumps, and can be made to on purpose.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::world::stand_in;

/// A point on this machine's boot clock, in milliseconds since it was started.
///
/// Means nothing on another machine, nor after a reboot.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct BootMs(pub u64);

impl BootMs {
    /// How long after `earlier` this is; nothing when it is not after it.
    pub fn since(self, earlier: BootMs) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This point moved on by `by`, at most to the end of the clock.
    #[must_use]
    pub fn plus(self, by: Duration) -> BootMs {
        BootMs(
            self.0
                .saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z, for people, tokens and cron; never for safety.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WallMs(pub u64);

/// A point on the boot clock at which something is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(BootMs);

impl Deadline {
    /// The deadline that is `limit` away from now.
    pub fn after(limit: Duration) -> Deadline {
        Deadline(boot().plus(limit))
    }

    /// What is left of it; zero once it is over.
    pub fn left(self) -> Duration {
        self.0.since(boot())
    }

    /// Is it over?
    pub fn is_over(self) -> bool {
        self.left().is_zero()
    }
}

/// Now, on the boot clock.
pub fn boot() -> BootMs {
    BootMs(u64::try_from(booted().as_millis()).unwrap_or(u64::MAX))
}

/// Now, on the boot clock, in microseconds: for measuring, not for deciding.
pub fn boot_us() -> u64 {
    u64::try_from(booted().as_micros()).unwrap_or(u64::MAX)
}

/// Now, on the clock that timers go by: it stands still while the machine sleeps.
pub fn awake() -> Duration {
    match stand_in() {
        Some(world) => world.boot(),
        None => read(ClockId::CLOCK_MONOTONIC),
    }
}

/// How long this machine has slept since it was started.
///
/// Whoever measures with a clock that stands still in sleep looks here whether that was long ago.
pub fn slept() -> Duration {
    if stand_in().is_some() {
        return Duration::ZERO;
    }
    read(ClockId::CLOCK_BOOTTIME).saturating_sub(read(ClockId::CLOCK_MONOTONIC))
}

/// How far this process takes the wall clock for another time than it shows.
static AHEAD_MS: AtomicI64 = AtomicI64::new(0);

/// Takes the wall clock for so many seconds later than it shows, or earlier: what a wrongly set one
/// does to this process, and to no other.
pub fn set_wall_ahead(by_s: i32) {
    AHEAD_MS.store(i64::from(by_s) * 1000, Ordering::Relaxed);
}

/// How many seconds the wall clock is taken for later than it shows.
pub fn wall_ahead_s() -> i32 {
    i32::try_from(AHEAD_MS.load(Ordering::Relaxed) / 1000).unwrap_or(0)
}

/// Now, on the wall clock.
pub fn wall() -> WallMs {
    if let Some(world) = stand_in() {
        return WallMs(world.wall_ms());
    }
    let shown = u64::try_from(read(ClockId::CLOCK_REALTIME).as_millis()).unwrap_or(u64::MAX);
    WallMs(shown.saturating_add_signed(AHEAD_MS.load(Ordering::Relaxed)))
}

fn booted() -> Duration {
    match stand_in() {
        Some(world) => world.boot(),
        None => read(ClockId::CLOCK_BOOTTIME),
    }
}

fn read(clock: ClockId) -> Duration {
    // Both clocks exist on every Linux since 2.6.39; the call has no other way to fail.
    clock_gettime(clock).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_far_away_is_not_over_and_one_at_once_is() {
        assert!(!Deadline::after(Duration::from_mins(1)).is_over());
        assert!(Deadline::after(Duration::ZERO).is_over());
    }

    #[test]
    fn the_boot_clock_never_goes_back() {
        let first = boot();
        assert!(boot() >= first);
        assert_eq!(
            first.since(first.plus(Duration::from_secs(1))),
            Duration::ZERO
        );
    }

    #[test]
    fn the_wall_clock_is_in_this_century() {
        assert!(wall().0 > 1_700_000_000_000);
    }
}
