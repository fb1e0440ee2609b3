//! The small files by which the daemon and a box's init speak: order, cancel, started, exit.
//!
//! ```text
//! daemon writes                     init writes
//! in/<attempt>/order.json   ──►     run/<attempt>/started.json   (once, before the spawn)
//! in/<attempt>/cancel.json  ──►     run/<attempt>/exit.json      (once, by rename)
//! ```
//!
//! # Why
//!
//! Files, not a socket: either side may be killed or replaced at any instruction, and the other
//! reads where things stand from what lies there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SpoolError;

/// The version of the contract that this release speaks.
pub const CONTRACT_VERSION: u32 = 1;

/// Longest name of an attempt: with the folder before it, a socket path in it stays under 107.
pub const ATTEMPT_NAME_LIMIT_BYTES: usize = 40;

/// The name of one attempt's folders: lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttemptName(String);

impl AttemptName {
    /// Takes a name when it is safe as a single path component.
    ///
    /// # Errors
    /// [`SpoolError::BadName`] when it is empty, too long or has another character.
    pub fn new(name: &str) -> Result<AttemptName, SpoolError> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=ATTEMPT_NAME_LIMIT_BYTES).contains(&name.len());
        if fits && name.bytes().all(is_plain) {
            Ok(AttemptName(name.to_owned()))
        } else {
            Err(SpoolError::BadName {
                name: name.chars().take(80).collect(),
            })
        }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for AttemptName {
    type Error = SpoolError;

    fn try_from(name: String) -> Result<AttemptName, SpoolError> {
        AttemptName::new(&name)
    }
}

impl From<AttemptName> for String {
    fn from(name: AttemptName) -> String {
        name.0
    }
}

/// What init is told to run; written last, by rename, so that it is whole or absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// [`CONTRACT_VERSION`].
    pub version: u32,
    /// The program (as the box sees it) and its arguments.
    pub argv: Vec<String>,
    /// The whole environment but `HOME`, `PATH` and what begins with `MAJORDOMO_`, which init adds.
    pub env: BTreeMap<String, String>,
    /// A file under the attempt's `in/` that becomes standard input; none is `/dev/null`.
    pub stdin: Option<String>,
    /// What the attempt may use.
    pub limits: AttemptLimits,
    /// Whether it may run while others of its box do. One that may not has the box for itself.
    #[serde(default)]
    pub is_alongside: bool,
    /// The socket to the gateway as the box sees it, for which init offers a loopback port.
    #[serde(default)]
    pub gateway: Option<PathBuf>,
}

/// What one attempt may use; each limit is reported by its name when it is hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptLimits {
    /// Stored bytes of standard output, and as many of standard error; more is counted only.
    pub log_bytes: u64,
    /// Bytes of the attempt's writable folders, all files together.
    pub out_bytes: u64,
    /// Files and folders in the attempt's writable folders.
    pub out_entries: u64,
    /// Time between the polite end (SIGTERM) and the kill.
    pub grace_ms: u64,
    /// Running time after which init ends the attempt by itself, with the daemon or without;
    /// time in which the box was frozen does not count.
    pub time_limit_ms: Option<u64>,
}

impl Default for AttemptLimits {
    fn default() -> AttemptLimits {
        AttemptLimits {
            log_bytes: 4 << 20,
            out_bytes: 256 << 20,
            out_entries: 10_000,
            grace_ms: 5_000,
            time_limit_ms: None,
        }
    }
}

/// The daemon's wish that an attempt end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// [`CONTRACT_VERSION`].
    pub version: u32,
    /// Why, for the log.
    pub reason: String,
    /// Overrides the order's grace when it is given.
    pub grace_ms: Option<u64>,
}

/// Init's mark that the order was taken up: an order is started at most once, ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// [`CONTRACT_VERSION`].
    pub version: u32,
    /// When, on the machine's boot clock.
    pub at_boot_ms: u64,
}

/// How an attempt ended, as init saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// [`CONTRACT_VERSION`].
    pub version: u32,
    /// How the agent's first process ended.
    pub ending: Ending,
    /// Why it was ended from outside, when it was.
    pub stopped: Option<Stopped>,
    /// Did the kernel kill a process of the attempt for memory?
    pub oom: bool,
    /// Standard output, stored in `run/<attempt>/stdout.log`.
    pub stdout: Captured,
    /// Standard error, stored in `run/<attempt>/stderr.log`.
    pub stderr: Captured,
    /// Bytes in the attempt's writable folders at its end.
    pub out_bytes: u64,
    /// Processes that were still there when the first one had ended, and were killed.
    pub left_behind: u32,
    /// Running time.
    pub duration_ms: u64,
}

impl Exit {
    /// The exit of an attempt of which nothing is known but that it is over.
    pub fn bare(ending: Ending) -> Exit {
        Exit {
            version: CONTRACT_VERSION,
            ending,
            stopped: None,
            oom: false,
            stdout: Captured::default(),
            stderr: Captured::default(),
            out_bytes: 0,
            left_behind: 0,
            duration_ms: 0,
        }
    }

    /// Did the program itself say that all went well?
    pub fn is_clean(&self) -> bool {
        self.ending == Ending::Code(0) && self.stopped.is_none()
    }
}

/// How the agent's first process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It ended by itself with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It never ran, for this reason.
    NotStarted(String),
    /// It was running, and then its box was gone: what it did is unknown.
    Lost,
}

/// Why an attempt was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// The daemon asked for it.
    Cancelled,
    /// Its time limit was over.
    TimeLimit,
    /// It wrote more into its folders than it may.
    OutLimit,
    /// The whole box was told to stop.
    BoxStopped,
}

/// What became of one output stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// Bytes in the log file.
    pub stored_bytes: u64,
    /// Bytes beyond the limit, read and thrown away.
    pub dropped_bytes: u64,
}
