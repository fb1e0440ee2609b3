//! What Majordomo costs on this machine: figures printed by the product itself.
//!
//! ```text
//! domo bench case ─┬─► domo node run (a data folder of its own) ◄── admin socket ── clients
//!                  └─► domo bench stub-agent ◄── jobs ── the node's workshop
//! ```
//!
//! # Invariant
//! A bench changes nothing that it did not make: its nodes have folders of their own, and ends what
//! it started, also when it is interrupted.
//!
//! # Why
//! Everything is measured from outside, on a process as users run it, through the interface that
//! users have; only the agents are stubs, because their time is not Majordomo's. Each sheet holds
//! what the disk allows in the same run, so that figures of different hours can be compared.

pub mod agent;
pub mod audit;
pub mod bound;
pub mod case;
pub mod cluster;
mod container_calls;
mod crowd;
pub mod idle;
mod load;
pub mod no_spools;
mod own_node;
pub mod policy;
mod processes;
mod raw;
pub mod reads;
pub mod restart;
pub mod sheet;
pub mod start;
mod statistics;
pub mod stub;
pub mod submit;
pub mod workers;

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::admin::client::ClientError;

pub use own_node::Ground;
pub use sheet::{Figure, Limit, Sheet};
pub use statistics::per as times;

/// Why a figure could not be measured, named after where to look.
#[derive(Debug, Error)]
pub enum BenchError {
    /// A file, folder or process cannot be used.
    #[error("cannot use {what}")]
    Io {
        /// Which one.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The node that is measured refused or was lost.
    #[error("the node that is measured does not answer as it should")]
    Asked(#[from] ClientError),
    /// The node that is measured did not come up.
    #[error("the node that is measured did not come up; the end of its log:\n{log}")]
    NotUp {
        /// The last lines that it wrote.
        log: String,
    },
    /// What was waited for did not come in time.
    #[error("{what} within {limit_s} s; last seen: {seen}")]
    Late {
        /// What did not happen.
        what: &'static str,
        /// How long it was waited for.
        limit_s: u64,
        /// How things stood.
        seen: String,
    },
    /// Something ended that should have gone on.
    #[error("{0}")]
    Ended(String),
}

impl BenchError {
    /// For a failed use of something on this machine.
    fn io(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::Io { what, source }
    }

    /// For a task that panicked.
    fn task(error: &tokio::task::JoinError) -> Self {
        Self::Ended(format!("a part of the bench ended early: {error}"))
    }
}

/// Where benches keep their nodes' folders, unless told otherwise.
pub fn usual_folder() -> PathBuf {
    std::env::temp_dir()
}
