//! A recording of a cluster: every Kubernetes object found anywhere under the attachments.
//!
//! # Invariant
//! No file ends the work: a file that is no Kubernetes JSON is named as not used, a damaged one is
//! named with the place of the damage, and the objects before the damage count.

mod document;
mod walk;

use std::path::Path;

use crate::kube::cluster::Cluster;
use crate::outcome::{Finding, Severity};
use crate::phrase;

/// More files than this are not opened.
const MAX_FILES: usize = 10_000;
/// The largest file: the size of the largest blob that a case can carry.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// All files together: what a case can carry.
const MAX_ALL_BYTES: u64 = 256 * 1024 * 1024;
/// So many names are listed in a finding.
const MAX_NAMED_FILES: usize = 20;

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Use {
    /// So many objects were taken from it.
    Used(usize),
    /// Nothing in it is of Kubernetes.
    NotUsed(String),
    /// It is of Kubernetes but ends or breaks in the middle.
    Damaged {
        /// Objects before the damage.
        objects: usize,
        /// What and where.
        damage: String,
    },
}

/// A cluster and where it came from.
#[derive(Debug, Default)]
pub struct Recording {
    /// The objects.
    pub cluster: Cluster,
    files: Vec<(String, Use)>,
}

impl Recording {
    /// Reads everything under `folder`.
    pub fn read(folder: &Path) -> Self {
        let mut recording = Self::default();
        let (paths, complaints) = walk::files(folder, MAX_FILES);
        let mut read_bytes = 0_u64;
        for path in paths {
            let name = path
                .strip_prefix(folder)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            let bytes = std::fs::metadata(&path).map_or(0, |m| m.len());
            let used = if bytes > MAX_FILE_BYTES {
                Use::NotUsed(format!("larger than {} MiB", MAX_FILE_BYTES >> 20))
            } else if read_bytes + bytes > MAX_ALL_BYTES {
                Use::NotUsed(format!(
                    "all files are larger than {} MiB",
                    MAX_ALL_BYTES >> 20
                ))
            } else {
                read_bytes += bytes;
                match std::fs::read(&path) {
                    Ok(bytes) => document::read(&name, bytes, &mut recording.cluster),
                    Err(error) => Use::NotUsed(format!("cannot be read: {error}")),
                }
            };
            recording.files.push((name, used));
        }
        recording.files.extend(
            complaints
                .into_iter()
                .map(|(n, why)| (n, Use::NotUsed(why))),
        );
        recording.cluster.finish();
        recording
    }

    /// Is there nothing to diagnose? Events alone tell nothing about the present.
    pub fn is_empty(&self) -> bool {
        let c = &self.cluster;
        c.nodes.is_empty() && c.pods.is_empty() && c.claims.is_empty() && c.workloads.is_empty()
    }

    /// Was part of the recording lost?
    pub fn is_damaged(&self) -> bool {
        self.files
            .iter()
            .any(|(_, used)| matches!(used, Use::Damaged { .. }))
    }

    /// `137 objects (4 nodes, 22 pods, 1 claim, 109 events)`.
    pub fn shown(&self) -> String {
        let c = &self.cluster;
        format!(
            "{} ({}, {}, {}, {}, {})",
            phrase::count(c.objects(), "object"),
            phrase::count(c.nodes.len(), "node"),
            phrase::count(c.pods.len(), "pod"),
            phrase::count(c.claims.len(), "claim"),
            phrase::count(c.classes.len(), "storage class"),
            phrase::count(c.events.len(), "event")
        )
    }

    /// What the reader must know about the files: damage as a warning, the rest as information.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let damaged: Vec<String> = self.files.iter().filter_map(damage_line).collect();
        if !damaged.is_empty() {
            let title = format!(
                "The recording is incomplete: {} damaged",
                phrase::count(damaged.len(), "file")
            );
            let detail = "The objects before the damage were used; objects that are missing may \
                          change the diagnosis. Record the cluster again.";
            let lines = damaged.into_iter().take(MAX_NAMED_FILES);
            findings.push(Finding::new(Severity::Warning, title, detail).with(lines));
        }
        let unused: Vec<String> = self.files.iter().filter_map(unused_line).collect();
        if !unused.is_empty() {
            let title = format!("{} not used", phrase::count(unused.len(), "file"));
            let detail = "These attachments hold no Kubernetes objects in JSON.";
            let lines = unused.into_iter().take(MAX_NAMED_FILES);
            findings.push(Finding::new(Severity::Info, title, detail).with(lines));
        }
        findings
    }

    /// One line for each file that was used.
    pub fn sources(&self) -> Vec<String> {
        let used = |(name, used): &(String, Use)| match used {
            Use::Used(n) => Some(format!("{name}: {}", phrase::count(*n, "object"))),
            Use::NotUsed(_) | Use::Damaged { .. } => None,
        };
        self.files
            .iter()
            .filter_map(used)
            .take(MAX_NAMED_FILES)
            .collect()
    }
}

fn damage_line((name, used): &(String, Use)) -> Option<String> {
    match used {
        Use::Damaged { objects, damage } => Some(format!(
            "{name}: {damage}; {} before it used",
            phrase::count(*objects, "object")
        )),
        Use::Used(_) | Use::NotUsed(_) => None,
    }
}

fn unused_line((name, used): &(String, Use)) -> Option<String> {
    match used {
        Use::NotUsed(why) => Some(format!("{name}: {why}")),
        Use::Used(_) | Use::Damaged { .. } => None,
    }
}
