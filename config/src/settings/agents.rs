//! `[agents]`: what an agent gets where its worker's document says nothing else.

use super::keys::Keys;
use crate::agent_bounds as bounds;

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
            cpu_millis: keys.cpu_millis("agents.cpu", bounds::CPU_MILLIS),
            memory_bytes: keys.bytes("agents.memory_bytes", bounds::MEMORY_BYTES),
            pids: keys.count("agents.pids", bounds::PIDS),
            output_bytes: keys.bytes("agents.output_bytes", bounds::OUTPUT_BYTES),
            wall_ms: keys.ms("agents.wall_ms", bounds::WALL_MS),
            grace_ms: keys.ms("agents.grace_ms", bounds::GRACE_MS),
            idle_after_ms: keys.ms("agents.idle_after_ms", bounds::IDLE_AFTER_MS),
        }
    }
}
