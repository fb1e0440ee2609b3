//! What bounds the gateway: each limit with its name in the settings.

use std::time::Duration;

/// The head of a request: more than any honest client sends.
pub(super) const HEAD_BYTES: usize = 32 << 10;
/// Lines in a head.
pub(super) const HEAD_LINES: usize = 100;
/// Longest own key of an agent; with it the whole request stays well within a head.
pub(super) const OWN_KEY_BYTES: usize = 255;
/// Bytes that one unit of the room for bodies stands for.
pub(super) const ROOM_UNIT_BYTES: u64 = 1 << 10;

/// The limits that a node's settings give its gateway.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Connections of one attempt at one time.
    pub connections_per_attempt: usize,
    /// The body of one request.
    pub body_bytes: u64,
    /// The bodies of all requests together.
    pub bodies_bytes: u64,
    /// For the head of a request.
    pub head_limit: Duration,
    /// For the way to a target, its handshake too.
    pub connect_limit: Duration,
    /// For the head of a target's answer.
    pub answer_limit: Duration,
    /// Without a byte of a body, in either direction.
    pub standstill: Duration,
}

/// Pause after a connection could not be accepted: the process may be out of descriptors.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_per_attempt: 32,
            body_bytes: 8 << 20,
            bodies_bytes: 64 << 20,
            head_limit: Duration::from_secs(10),
            connect_limit: Duration::from_secs(10),
            answer_limit: Duration::from_mins(5),
            standstill: Duration::from_mins(5),
        }
    }
}
