//! `[agents]`: what an agent gets where its worker's document says nothing else.

use super::keys::Keys;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const SECOND_MS: u64 = 1_000;
const DAY_MS: u64 = 86_400_000;

/// The settings of `[agents]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// Processors, in thousandths of one.
    pub cpu_millis: u32,
    /// Memory with everything that the agent starts.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Everything that one attempt writes.
    pub output_bytes: u64,
    /// The time limit of an attempt.
    pub wall_ms: u64,
    /// Between the polite signal and the kill.
    pub grace_ms: u64,
    /// Without work for so long, a worker sleeps.
    pub idle_after_ms: u64,
}

impl AgentSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        Self {
            cpu_millis: keys.cpu_millis("agents.cpu", 10..=1_024_000),
            memory_bytes: keys.bytes("agents.memory_bytes", 8 * MIB..=4 * TIB),
            pids: keys.count("agents.pids", 4..=65_536),
            output_bytes: keys.bytes("agents.output_bytes", 64 * KIB..=16 * GIB),
            wall_ms: keys.ms("agents.wall_ms", SECOND_MS..=7 * DAY_MS),
            grace_ms: keys.ms("agents.grace_ms", 0..=600 * SECOND_MS),
            idle_after_ms: keys.ms("agents.idle_after_ms", SECOND_MS..=30 * DAY_MS),
        }
    }
}
