//! Kernels: how one kind of agent is configured, started and read.
//!
//! ```text
//! brief, SOUL, skills ──order──► Start (argv, environment, files) ──► spool ──► the agent
//!                                                                                 │
//! AttemptOutcome ◄──read── Exit + out/ ◄──────────────────────────────────────────┘
//! ```
//!
//! # Invariant
//!
//! A kernel is pure: it reads no clock and starts nothing; what it wants written it returns.
//!
//! # Why
//!
//! One kernel, one file: the adapters are where other people's formats change, so each must be
//! readable, and testable, on its own.

pub mod cli;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::redact::redacted;
use crate::spool::result::ParsedResult;
use crate::spool::{
    AttemptLimits, AttemptName, CONTRACT_VERSION, Collected, Content, Ending, Exit, InFile, Inside,
    Order, Stopped,
};

pub use cli::CliKernel;

/// Longest reason of a failure: it stands in the ledger.
pub const REASON_LIMIT_BYTES: usize = 2_000;
/// How much of an agent's last words on standard error a reason quotes.
const LAST_WORDS_BYTES: usize = 600;

/// A skill that is given to an agent: a folder with `SKILL.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// Its folder's name.
    pub name: String,
    /// The text of its `SKILL.md`.
    pub text: String,
}

/// All that a kernel may know of the attempt that it starts.
#[derive(Clone, Debug)]
pub struct AttemptContext {
    /// The attempt's name in the spool.
    pub attempt: AttemptName,
    /// Where the programs in the box see its parts.
    pub inside: Inside,
    /// The brief, as it stands in `brief.md`.
    pub brief: String,
    /// The stage's own task, when the plan gives one.
    pub task: Option<String>,
    /// Who the agent is, as it stands in `SOUL.md`.
    pub soul: Option<String>,
    /// What the agent can do.
    pub skills: Vec<Skill>,
    /// The worker's settings for its kernel.
    pub settings: KernelSettings,
}

/// What a worker's description says to its kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelSettings {
    /// The program and its arguments; `{in}`, `{out}`, `{home}`, `{domo}`, `{brief}` and `{task}`
    /// stand for what they name, and a program called `domo` for the one in the box.
    pub command: Vec<String>,
    /// Environment variables, with the same words.
    pub env: BTreeMap<String, String>,
    /// Does the agent get the brief on standard input?
    pub brief_on_stdin: bool,
}

/// How to start an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// The program, as the box sees it, and its arguments.
    pub argv: Vec<String>,
    /// Its environment, besides what init adds.
    pub env: BTreeMap<String, String>,
    /// What it reads from standard input; none is nothing.
    pub stdin: Option<Vec<u8>>,
    /// The agent's own configuration files, relative to its HOME.
    pub home_files: Vec<(String, Vec<u8>)>,
}

/// Name of the file in `in/` that becomes standard input.
const STDIN_FILE: &str = "stdin";

impl Start {
    /// The files for `in/` and the order that goes with them.
    pub fn into_order(self, limits: AttemptLimits) -> (Vec<InFile>, Order) {
        let mut files = Vec::new();
        for (path, bytes) in self.home_files {
            files.push(InFile {
                path: format!("home/{path}"),
                content: Content::Bytes(bytes),
            });
        }
        let stdin = self.stdin.map(|bytes| {
            files.push(InFile {
                path: STDIN_FILE.into(),
                content: Content::Bytes(bytes),
            });
            STDIN_FILE.to_owned()
        });
        let order = Order {
            version: CONTRACT_VERSION,
            argv: self.argv,
            env: self.env,
            stdin,
            limits,
            is_alongside: false,
            gateway: None,
        };
        (files, order)
    }
}

/// Why a kernel cannot start this agent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KernelError {
    /// The worker's description must be changed.
    #[error("the {kernel} kernel cannot start this worker: {why}")]
    BadSettings {
        /// Which kernel.
        kernel: &'static str,
        /// What is wrong with them.
        why: String,
    },
}

/// What came out of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptOutcome {
    /// A result within the contract's limits.
    Succeeded {
        /// The result.
        result: Box<ParsedResult>,
    },
    /// None, for this reason.
    Failed {
        /// Why.
        reason: FailReason,
    },
}

/// Why an attempt failed; its text is for people and at most [`REASON_LIMIT_BYTES`] long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailReason {
    /// What kind of failure.
    pub kind: FailKind,
    /// The whole sentence, with the agent's last words where there are any.
    pub text: String,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailKind {
    /// The program said so by its exit code.
    ExitCode,
    /// A signal ended it.
    Signal,
    /// The kernel killed it for memory.
    OutOfMemory,
    /// Its time limit was over.
    TimeLimit,
    /// It wrote more than it may.
    OutputLimit,
    /// It ended well and left no result.
    NoResult,
    /// It left a result that cannot be used.
    BadResult,
    /// It never ran.
    NotStarted,
    /// It was ended from outside: cancelled, or its box was stopped.
    Cancelled,
    /// Its box was gone: what it did is unknown.
    Lost,
}

impl fmt::Display for FailReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl FailReason {
    /// A failure with its sentence.
    pub fn new(kind: FailKind, text: &str) -> FailReason {
        FailReason {
            kind,
            // The agent's last words are in it: whatever they are.
            text: cut(&redacted(text.to_owned()), REASON_LIMIT_BYTES),
        }
    }
}

/// Knows how one kind of agent is configured, started and read.
pub trait Kernel: Send + Sync + fmt::Debug {
    /// Its name in settings: `cli`, `hermes` …
    fn name(&self) -> &'static str;

    /// Turns brief, SOUL and skills into the agent's own configuration and command line.
    ///
    /// # Errors
    /// [`KernelError`] when the worker's description does not fit this kernel.
    fn order(&self, context: &AttemptContext) -> Result<Start, KernelError>;

    /// Reads what the agent left as an outcome.
    fn read(&self, exit: &Exit, out: &Collected) -> AttemptOutcome;
}

/// The kernel of this name.
pub fn by_name(name: &str) -> Option<Box<dyn Kernel>> {
    match name {
        "cli" => Some(Box::new(CliKernel)),
        _ => None,
    }
}

/// The names of all kernels, for messages.
pub const NAMES: &[&str] = &["cli"];

/// The failure that the exit alone tells, whatever the kernel; none when the program ended well.
pub fn failure_of(exit: &Exit, out: &Collected) -> Option<FailReason> {
    if let Some(stopped) = exit.stopped {
        return Some(match stopped {
            Stopped::Cancelled => FailReason::new(FailKind::Cancelled, "cancelled"),
            Stopped::BoxStopped => {
                FailReason::new(FailKind::Cancelled, "its box was stopped while it ran")
            }
            Stopped::TimeLimit => FailReason::new(
                FailKind::TimeLimit,
                &format!(
                    "stopped at its time limit, after {} s",
                    exit.duration_ms / 1_000
                ),
            ),
            Stopped::OutLimit => FailReason::new(
                FailKind::OutputLimit,
                &format!(
                    "stopped because it wrote too much: {} bytes",
                    exit.out_bytes
                ),
            ),
        });
    }
    let last_words = || last_words(&out.stderr_text(1 << 20));
    match &exit.ending {
        Ending::Code(0) => None,
        Ending::NotStarted(why) => Some(FailReason::new(FailKind::NotStarted, why)),
        Ending::Lost => {
            let text = "its box was gone while it ran, what it did is unknown";
            Some(FailReason::new(FailKind::Lost, text))
        }
        Ending::Code(_) | Ending::Signal(_) if exit.oom => Some(FailReason::new(
            FailKind::OutOfMemory,
            &format!(
                "out of memory: the kernel killed a process of it{}",
                last_words()
            ),
        )),
        Ending::Code(code) => Some(FailReason::new(
            FailKind::ExitCode,
            &format!("ended with exit code {code}{}", last_words()),
        )),
        Ending::Signal(signal) => Some(FailReason::new(
            FailKind::Signal,
            &format!("killed by signal {signal}{}", last_words()),
        )),
    }
}

/// The end of what was said on standard error, as the second half of a sentence.
fn last_words(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        return String::new();
    }
    let mut from = text.len().saturating_sub(LAST_WORDS_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let is_plain = |c: &char| !c.is_control() || *c == '\n';
    format!(
        "; it said: {}",
        text[from..].chars().filter(is_plain).collect::<String>()
    )
}

fn cut(text: &str, limit: usize) -> String {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
