//! Where a node keeps its boxes: names, folders, records, and the copy of `domo` that they run.
//!
//! ```text
//! <data>/bin/domo-<mark>           this release's binary, for agents of any user to run
//! <data>/boxes/<short>/box.json    which box this is, and which user its programs are
//!                     /in /out /run    its spool
//! ```
//!
//! # Invariant
//!
//! A box's folder and container are named by a digest of cluster, node, team, worker, epoch and
//! data folder: two nodes on one host, or two clusters of one name, never take each other's.
//!
//! # Why
//!
//! The binary is copied because an upgrade in place must not change the init under a running
//! agent, and because the place it was installed to may be closed to the agent's user.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BoxId, BoxSpec, Confinement, EngineError};
use crate::spool::{
    Inside, Owner, Spool, SpoolError, failed, make_folder, remove_tree, to_json, write_whole,
};

/// Longest readable part of a container's name, for each of cluster, team and worker.
const NAME_PART_CHARS: usize = 20;
/// Smallest memory limit: below it not even a shell starts reliably.
const MEMORY_AT_LEAST_BYTES: u64 = 8 << 20;
/// Most host folders that are shown to a box.
const PROGRAMS_LIMIT: usize = 32;
/// Host folders that are never shown, nor anything in them.
const NEVER_SHOWN: [&str; 6] = ["/proc", "/sys", "/dev", "/run", "/var/run", "/boot"];

/// `box.json`: what a box is, for a daemon that finds its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BoxRecord {
    pub(super) version: u32,
    pub(super) id: BoxId,
    /// Which engine has it.
    pub(super) engine: String,
    pub(super) confinement: Confinement,
    pub(super) owner: Owner,
    /// The `domo` that it runs.
    pub(super) domo: PathBuf,
}

/// The boxes of one node.
#[derive(Clone, Debug)]
pub(super) struct Home {
    data: PathBuf,
    boxes: PathBuf,
    pub(super) domo: PathBuf,
    cluster: String,
    node: u64,
    /// Tells this data folder from any other on the host.
    pub(super) mark: String,
}

impl Home {
    /// Opens the folders below `data`, copies `binary` where it is not yet, and removes what an
    /// interrupted removal has left.
    pub(super) fn open(
        data: &Path,
        binary: &Path,
        cluster: &str,
        node: u64,
    ) -> Result<Home, EngineError> {
        let data = fs::canonicalize(data).map_err(|source| failed(data, source))?;
        let (boxes, programs) = (data.join("boxes"), data.join("bin"));
        make_folder(&boxes, 0o711)?;
        make_folder(&programs, 0o755)?;
        let domo = copy_once(binary, &programs)?;
        let mark = digest(&[&data.to_string_lossy()]);
        let home = Home {
            data,
            boxes,
            domo,
            cluster: cluster.to_owned(),
            node,
            mark,
        };
        home.sweep(&programs);
        Ok(home)
    }

    /// Twelve characters that name a box on this host.
    pub(super) fn short(&self, id: &BoxId) -> String {
        let (node, epoch) = (id.node.to_string(), id.epoch.to_string());
        digest(&[&self.mark, &id.cluster, &node, &id.team, &id.worker, &epoch])
    }

    /// The container's name: readable, and unique by its end.
    pub(super) fn name(&self, id: &BoxId) -> String {
        let part = |text: &str| -> String {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            text.chars()
                .take(NAME_PART_CHARS)
                .map(|c| if is_plain(c) { c } else { '-' })
                .collect()
        };
        let (cluster, team, worker) = (part(&id.cluster), part(&id.team), part(&id.worker));
        format!(
            "domo-{cluster}-{team}-{worker}-{}-{}",
            id.epoch,
            self.short(id)
        )
    }

    pub(super) fn folder(&self, id: &BoxId) -> PathBuf {
        self.boxes.join(self.short(id))
    }

    /// Is it a box of this node of this cluster?
    pub(super) fn is_ours(&self, id: &BoxId) -> bool {
        id.cluster == self.cluster && id.node == self.node
    }

    /// The record of a box, when it has a whole one.
    pub(super) fn record(&self, id: &BoxId) -> Option<BoxRecord> {
        read_json::<BoxRecord>(&self.folder(id).join("box.json")).filter(|found| found.id == *id)
    }

    pub(super) fn write(&self, record: &BoxRecord) -> Result<(), SpoolError> {
        write_whole(
            &self.folder(&record.id),
            "box.json",
            &to_json(record),
            0o600,
        )
    }

    /// The records of all boxes that `engine` has here.
    pub(super) fn records(&self, engine: &str) -> Result<Vec<BoxRecord>, EngineError> {
        let entries = fs::read_dir(&self.boxes).map_err(|source| failed(&self.boxes, source))?;
        let read = |entry: fs::DirEntry| read_json::<BoxRecord>(&entry.path().join("box.json"));
        let mut found: Vec<BoxRecord> = entries
            .flatten()
            .filter_map(read)
            .filter(|record| self.is_ours(&record.id) && record.engine == engine)
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The spool of a box, as it was laid out.
    pub(super) fn spool(&self, record: &BoxRecord) -> Spool {
        Spool::at(self.folder(&record.id), record.owner, self.inside(record))
    }

    /// The spool of a container whose record may be lost.
    pub(super) fn spool_of_container(&self, id: &BoxId, owner: Owner) -> Spool {
        Spool::at(self.folder(id), owner, Inside::own_root())
    }

    /// The cluster and the node whose home this is.
    pub(super) fn whose(&self) -> (String, u64) {
        (self.cluster.clone(), self.node)
    }

    /// Lays the spool of a box out.
    pub(super) fn lay_out(&self, record: &BoxRecord) -> Result<Spool, SpoolError> {
        Spool::lay_out(self.folder(&record.id), record.owner, self.inside(record))
    }

    /// A user id that no box here has; by chance, so that other nodes of this host have others.
    pub(super) fn free_uid(&self, among: Range<u32>) -> u32 {
        let records = self.records(super::process::NAME).unwrap_or_default();
        loop {
            let uid = rand::random_range(among.clone());
            if records.iter().all(|record| record.owner.uid != uid) {
                return uid;
            }
        }
    }

    /// Removes a box's folder, in one step for everyone who looks.
    pub(super) fn remove(&self, id: &BoxId) -> Result<(), SpoolError> {
        let folder = self.folder(id);
        let gone = self.boxes.join(format!(".gone-{}", self.short(id)));
        remove_tree(&gone).map_err(|source| failed(&gone, source))?;
        match fs::rename(&folder, &gone) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&folder, error)),
            Ok(()) | Err(_) => remove_tree(&gone).map_err(|source| failed(&gone, source)),
        }
    }

    /// Refuses what can never work, with what to change.
    pub(super) fn check(&self, spec: &BoxSpec) -> Result<(), EngineError> {
        let refuse = |why: String, cure: &str| {
            Err(EngineError::Refused {
                why,
                cure: cure.to_owned(),
            })
        };
        if !self.is_ours(&spec.id) {
            let why = format!("box {} is of another node or cluster", spec.id);
            return refuse(why, "ask the node that it was placed on");
        }
        if spec.limits.memory_bytes < MEMORY_AT_LEAST_BYTES {
            let why = format!(
                "a memory limit of {} bytes is too small",
                spec.limits.memory_bytes
            );
            return refuse(why, "give the worker at least 8 MiB");
        }
        if spec.limits.cpu_millis < 10 || spec.limits.processes < 4 {
            let why = "less than 0.01 cores or 4 processes is too little".to_owned();
            return refuse(why, "give the worker more");
        }
        if spec.programs.len() > PROGRAMS_LIMIT {
            return refuse(
                "too many program folders".into(),
                "give at most 32, or one above them",
            );
        }
        for shown in &spec.programs {
            let Ok(real) = fs::canonicalize(shown) else {
                return refuse(
                    format!("{} is not there", shown.display()),
                    "make it, or leave it out",
                );
            };
            let is_closed = NEVER_SHOWN.iter().any(|closed| real.starts_with(closed))
                || real.starts_with(&self.data)
                || self.data.starts_with(&real);
            if is_closed || !shown.is_absolute() {
                let why = format!("{} is not shown to agents", shown.display());
                return refuse(why, "put the agent's program into a folder of its own");
            }
        }
        Ok(())
    }

    fn inside(&self, record: &BoxRecord) -> Inside {
        match record.confinement {
            Confinement::Container | Confinement::Bubblewrap => Inside::own_root(),
            Confinement::OwnUid | Confinement::Nothing => Inside {
                root: self.folder(&record.id),
                domo: record.domo.clone(),
                gateway: self.folder(&record.id).join("gateway"),
            },
        }
    }

    fn sweep(&self, programs: &Path) {
        let all = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in all(&self.boxes) {
            if entry.file_name().to_string_lossy().starts_with(".gone-") {
                // Tried again at the next start.
                let _ = remove_tree(&entry.path());
            }
        }
        let records = all(&self.boxes).filter_map(|entry| {
            read_json::<BoxRecord>(&entry.path().join("box.json")).map(|record| record.domo)
        });
        let in_use: Vec<PathBuf> = records.chain([self.domo.clone()]).collect();
        for entry in all(programs) {
            if !in_use.contains(&entry.path()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Copies `binary` into `programs`, named by what it is, unless it is there.
fn copy_once(binary: &Path, programs: &Path) -> Result<PathBuf, SpoolError> {
    let seen = fs::metadata(binary).map_err(|source| failed(binary, source))?;
    let stamp = [seen.dev(), seen.ino(), seen.size()].map(|number| number.to_string());
    let changed = format!("{}.{}", seen.mtime(), seen.mtime_nsec());
    let mark = digest(&[&stamp[0], &stamp[1], &stamp[2], &changed]);
    let domo = programs.join(format!("domo-{mark}"));
    if !domo.exists() {
        let fresh = programs.join(format!(".domo-{mark}"));
        let copy = fs::copy(binary, &fresh).and_then(|_| {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
            fs::File::open(&fresh)?.sync_all()?;
            fs::rename(&fresh, &domo)
        });
        copy.map_err(|source| failed(&fresh, source))?;
    }
    Ok(domo)
}

/// Twelve hexadecimal characters that stand for `parts`.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length before each, so that two lists never run into the same bytes.
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let whole = hash.finalize();
    whole
        .iter()
        .take(6)
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
