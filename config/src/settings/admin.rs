//! `[admin]`: the socket that people and programs speak to, and what protects it.

use std::path::PathBuf;

use super::keys::Keys;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const SECOND_MS: u64 = 1_000;

/// The settings of `[admin]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// Where the socket is; `None`: `admin.sock` in the data folder.
    pub socket: Option<PathBuf>,
    /// The permission bits of the socket, as in `chmod`.
    pub mode: u32,
    /// Connections at one time.
    pub max_connections: usize,
    /// The largest body of a request, files apart.
    pub max_body_bytes: u64,
    /// How long the head of a request may take.
    pub header_read_timeout_ms: u64,
    /// How long a request without a stream may take.
    pub request_timeout_ms: u64,
}

impl AdminSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let socket = keys.socket("admin.socket");
        Self {
            socket: (!socket.is_empty()).then(|| PathBuf::from(socket)),
            mode: keys.choice("admin.mode", &[("0600", 0o600), ("0660", 0o660)]),
            max_connections: keys.count("admin.max_connections", 1..=65_536),
            max_body_bytes: keys.bytes("admin.max_body_bytes", 64 * KIB..=256 * MIB),
            header_read_timeout_ms: keys.ms("admin.header_read_timeout_ms", 100..=300 * SECOND_MS),
            request_timeout_ms: keys.ms("admin.request_timeout_ms", SECOND_MS..=3_600 * SECOND_MS),
        }
    }
}
