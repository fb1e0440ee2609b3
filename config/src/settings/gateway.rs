//! `[gateway]`: the agents' only way out of this node.

use std::path::PathBuf;

use super::keys::Keys;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const HOUR_MS: u64 = 3_600_000;

/// The settings of `[gateway]`; the reasons stand in the default file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// A file with authorities that are trusted beside the system's.
    pub authorities: Option<PathBuf>,
    /// Connections of one attempt.
    pub connections_per_attempt: usize,
    /// The body of one request.
    pub body_bytes: u64,
    /// The bodies of all requests together.
    pub bodies_bytes: u64,
    /// For the head of a request.
    pub head_ms: u64,
    /// For the way to a target.
    pub connect_ms: u64,
    /// For the head of a target's answer.
    pub answer_ms: u64,
    /// Without a byte of a body.
    pub standstill_ms: u64,
}

impl GatewaySettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let authorities = keys.text("gateway.authorities", 4096);
        let read = Self {
            authorities: (!authorities.is_empty()).then(|| PathBuf::from(authorities)),
            connections_per_attempt: keys.count("gateway.connections_per_attempt", 1..=1_024),
            body_bytes: keys.bytes("gateway.body_bytes", 64 * KIB..=GIB),
            bodies_bytes: keys.bytes("gateway.bodies_bytes", MIB..=16 * GIB),
            head_ms: keys.ms("gateway.head_ms", 100..=300_000),
            connect_ms: keys.ms("gateway.connect_ms", 100..=300_000),
            answer_ms: keys.ms("gateway.answer_ms", 1_000..=HOUR_MS),
            standstill_ms: keys.ms("gateway.standstill_ms", 1_000..=HOUR_MS),
        };
        if read.bodies_bytes < read.body_bytes {
            let sentence = "`gateway.bodies_bytes` is below `gateway.body_bytes`: no body of that \
                            size would ever fit";
            keys.refuse("gateway.bodies_bytes", sentence.to_owned());
        }
        read
    }
}
