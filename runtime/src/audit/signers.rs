//! Who signs a cluster's checkpoints, as it is written down: the cluster's name and its authority's
//! certificate, which is no secret.
//!
//! ```text
//! signers.jsonl   {"cluster":"…","authority":"3082…"}      one line for each authority it ever had
//! ```
//!
//! # Why
//! It stands beside an archive so that whoever takes over the archive has it. It proves something only
//! where it was kept elsewhere too: whoever rewrites a whole archive writes this anew as well.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::checkpoint::unhex_all;
use super::line::hex;
use crate::disk;
use crate::links::{ClusterName, Signers};

const FILE: &str = "signers.jsonl";

/// An authority, and the cluster that is named in its nodes' certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The cluster's name.
    pub cluster: String,
    /// The authority's certificate in DER, in hexadecimal digits.
    pub authority: String,
}

impl Authority {
    /// Writes down who signs.
    pub fn of(signers: &Signers) -> Self {
        Self {
            cluster: signers.cluster().to_string(),
            authority: hex(signers.authority()),
        }
    }

    /// Who signs, if it can be read.
    pub fn signers(&self) -> Option<Signers> {
        let cluster = ClusterName::new(&self.cluster).ok()?;
        Signers::new(cluster, unhex_all(&self.authority)?)
    }
}

/// Adds who signs to a folder, unless it is there; durable when this returns.
pub(super) fn keep(dir: &Path, signers: &Signers) -> io::Result<()> {
    let path = dir.join(FILE);
    let line = serde_json::to_string(&Authority::of(signers)).map_err(io::Error::other)?;
    let kept = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        kept => kept?,
    };
    if kept.lines().any(|known| known == line) {
        return Ok(());
    }
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?;
    // Half a line that a death has left stays one of its own.
    let end = if kept.is_empty() || kept.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    file.write_all([end, &line, "\n"].concat().as_bytes())?;
    file.sync_all()?;
    disk::sync_folder(dir)
}
