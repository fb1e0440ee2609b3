//! What protects a node from its clients: each limit with its name and its reason.

use std::time::Duration;

use config::settings::Settings;

/// The head of a request: many times the longest path with the longest names, and little enough for
/// thousands of connections that each send half of one.
pub const HEAD_BYTES: usize = 16 << 10;
/// Header lines of a request: a plain client sends five.
pub const HEADERS: usize = 64;
/// Of all connections, the part that one user may hold, so that nobody locks the others out.
const PER_USER_OF_ALL: (usize, usize) = (3, 4);
/// All bodies of requests in memory at one time: sixteen of the largest, thousands of usual ones.
const BODIES_TIMES_LARGEST: u64 = 16;
/// Connections that are told why they are refused; beyond them one is told in passing.
pub const TOLD_REFUSALS: usize = 256;
/// How long a refused connection is listened to, so that its client can read why.
pub const REFUSAL_LINGER: Duration = Duration::from_secs(2);
/// Bytes of a refused request that are taken off the line, so that its client reads the answer.
pub const DRAIN_BYTES: u64 = 256 << 20;
/// The longest that taking them off lasts.
pub const DRAIN_TIME: Duration = Duration::from_secs(2);
/// A body that stands still for so long has no sender any more.
const BODY_STANDSTILL: Duration = Duration::from_secs(15);
/// How deep lists and objects of a body may lie in each other: what the JSON reader bears.
pub const JSON_DEPTH: u64 = 128;
/// A body slower than this, in bytes for each second of patience, is a sender that holds a place.
pub const SLOWEST_BODY_BYTES: u64 = 16 << 10;
/// A client that has not taken a byte of its answer for so long is gone: a pager may wait so long.
pub const WRITE_STANDSTILL: Duration = Duration::from_mins(2);
/// How often a quiet stream shows that it is there; so a client that is gone is noticed.
pub const QUIET: Duration = Duration::from_secs(15);
/// How long open connections have to finish when the daemon stops.
pub const STOP_GRACE: Duration = Duration::from_secs(3);
/// Attempts whose logs one stream follows at one time: a team's worth.
pub const FOLLOWED: usize = 256;
/// Bytes of a blob that are sent at a time; each open download holds two pieces.
pub const PIECE_BYTES: usize = 64 << 10;

/// The limits that the settings choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorLimits {
    /// Connections at one time: `max_connections`.
    pub connections: usize,
    /// Of these, one user's: `connections_per_user`.
    pub per_user: usize,
    /// How long the head of a request may take: `header_read_timeout_ms`.
    pub head_read: Duration,
    /// How long a body may stand still.
    pub body_standstill: Duration,
    /// How long a request without a stream may take: `request_timeout_ms`.
    pub request: Duration,
    /// The largest body of a request, uploads apart: `max_body_bytes`.
    pub body_bytes: u64,
    /// All such bodies together: `bodies_bytes`.
    pub bodies_bytes: u64,
    /// Watched cases, followed logs and downloads at one time: `streams`.
    pub streams: usize,
    /// Uploads at one time: `uploads`.
    pub uploads: usize,
    /// One blob: `blob_bytes`.
    pub blob_bytes: u64,
    /// What ended attempts may leave: `spools_bytes`.
    pub spools_bytes: u64,
    /// The text of a case: `brief_bytes`.
    pub brief_bytes: u64,
    /// All attachments of a case: `case_bytes`.
    pub case_bytes: u64,
    /// Files attached to a case: `attachments_per_case`.
    pub attachments: usize,
}

impl DoorLimits {
    /// The limits of a node with these settings, on a host that lets it have so many open files.
    pub fn of(settings: &Settings, open_files: u64) -> Self {
        // Half of the files stay for the ledger, the engine and the streams' own.
        let most = usize::try_from(open_files / 2).unwrap_or(usize::MAX).max(8);
        let connections = settings.admin.max_connections.min(most);
        let (part, of_all) = PER_USER_OF_ALL;
        Self {
            connections,
            per_user: (connections.saturating_mul(part) / of_all).max(1),
            head_read: Duration::from_millis(settings.admin.header_read_timeout_ms),
            body_standstill: BODY_STANDSTILL,
            request: Duration::from_millis(settings.admin.request_timeout_ms),
            body_bytes: settings.admin.max_body_bytes,
            bodies_bytes: settings
                .admin
                .max_body_bytes
                .saturating_mul(BODIES_TIMES_LARGEST),
            streams: settings.limits.streams,
            uploads: settings.limits.uploads,
            blob_bytes: settings.limits.blob_bytes,
            spools_bytes: settings.limits.spools_bytes,
            brief_bytes: settings.limits.brief_bytes,
            case_bytes: settings.limits.case_bytes,
            attachments: settings.limits.attachments_per_case,
        }
    }
}

/// How many files this process may have open; raises its soft limit to its hard one first.
pub fn open_files() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    /// What every system allows.
    const LEAST: u64 = 256;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return LEAST;
    };
    if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        hard
    } else {
        soft
    }
}
