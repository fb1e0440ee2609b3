//! How much and how little an agent may be given: one place for the settings and for the documents.

use std::ops::RangeInclusive;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const SECOND_MS: u64 = 1_000;
const DAY_MS: u64 = 86_400_000;

/// Processors in thousandths of one: less than a hundredth never finishes, and no host has more.
pub(crate) const CPU_MILLIS: RangeInclusive<u64> = 10..=1_024_000;
/// Memory: below this not even a shell starts.
pub(crate) const MEMORY_BYTES: RangeInclusive<u64> = 8 * MIB..=4 * TIB;
/// Processes and threads: the container's init, the agent and a child need a few.
pub(crate) const PIDS: RangeInclusive<u64> = 4..=65_536;
/// What one attempt writes: a report fits into the least.
pub(crate) const OUTPUT_BYTES: RangeInclusive<u64> = 64 * KIB..=16 * GIB;
/// The time limit of an attempt: what takes more than a week is no attempt but a service.
pub(crate) const WALL_MS: RangeInclusive<u64> = SECOND_MS..=7 * DAY_MS;
/// Without work for so long, a worker sleeps.
pub(crate) const IDLE_AFTER_MS: RangeInclusive<u64> = SECOND_MS..=30 * DAY_MS;
/// Between the polite signal and the kill; zero kills at once.
pub(crate) const GRACE_MS: RangeInclusive<u64> = 0..=600 * SECOND_MS;
