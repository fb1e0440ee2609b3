//! Beginning a new cluster from a backup: the folder becomes the one of its first node.
//!
//! # Invariant
//! The backup is read to its end before anything is written; what is written is taken away again
//! when the rest fails. The folder is a node's only once the new cluster's first entry is durable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::settings::Settings;
use rules::beginning::Cause;
use rules::{Command, Principal, Proposal, Rejection, Who};
use runtime::audit::begin;
use runtime::backup::{self, BackupError, Contents};
use runtime::clock;
use runtime::ledger::{Ledger, OpenError};
use runtime::links::{ClusterName, Keys};
use runtime::policy::BadMatrix;
use thiserror::Error;

use super::enroll::{EnrollError, Enrolled, KEYS, Site};
use super::identity::{self, Home, IdentityError};
use super::open_ledger::open_options;

/// Why no cluster begins from a backup, or from what is left of one.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// The permission matrix that was compiled in cannot be read.
    #[error(transparent)]
    Matrix(#[from] BadMatrix),
    /// The folder is used by another or not empty.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The backup cannot be used, or not be taken in.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The node's keys cannot be made.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// The ledger cannot be used.
    #[error("the ledger cannot be used")]
    Ledger(#[from] OpenError),
    /// The rules refuse it.
    #[error("the rules refuse it")]
    Refused(#[source] Rejection),
    /// There is nothing to recover.
    #[error("{0}")]
    Needless(String),
    /// The work broke off.
    #[error("the work broke off: {0}")]
    BrokeOff(String),
}

/// Makes a new folder that of the first node of a new cluster, which knows all that the backup does.
pub async fn restore(
    file: PathBuf,
    settings: &Settings,
    site: Site,
    by: String,
) -> Result<(Enrolled, Contents), RestoreError> {
    let data = settings.node.data.clone();
    identity::check_new(&data)?;
    let contents = {
        let file = file.clone();
        beside(move || Ok(backup::check(&file)?)).await?
    };
    let reserved = identity::reserve(&data)?;
    let made = make(&file, settings, site, by, &contents, reserved).await;
    if made.is_err() {
        identity::clear(&data);
    }
    made.map(|enrolled| (enrolled, contents))
}

async fn make(
    file: &Path,
    settings: &Settings,
    site: Site,
    by: String,
    contents: &Contents,
    reserved: identity::Reserved,
) -> Result<Enrolled, RestoreError> {
    let data = &settings.node.data;
    let node = contents.next_node;
    let cluster = identity::new_cluster();
    let options = open_options(settings, node)?;
    {
        let (file, options, blobs) = (file.to_owned(), options.clone(), data.join("blobs"));
        beside(move || Ok(backup::restore(&file, &options, blobs)?)).await?;
    }
    let enrolled = Enrolled {
        cluster: cluster.clone(),
        node: node.0,
        advertise: site.reached_at(None),
    };
    let cause = Cause::Restored {
        cluster: contents.head.cluster.clone(),
        index: contents.head.index,
        taken_wall_ms: contents.head.taken_wall_ms,
    };
    let command = Command::BeginAgain {
        node,
        name: site.name.clone(),
        cause,
        by,
    };
    record(options, command).await?;
    let name = ClusterName::new(&cluster).map_err(EnrollError::from)?;
    let keys = Keys::found(&data.join(KEYS), &name, node).map_err(EnrollError::from)?;
    let vouched = begin::vouch(&data.join("audit"), node, &keys);
    vouched.map_err(|error| RestoreError::BrokeOff(error.to_string()))?;
    let home = Home {
        name: site.name,
        listen: site.listen,
        advertise: enrolled.advertise.clone(),
        is_founder: true,
        peers: BTreeMap::new(),
    };
    reserved.settle(&cluster, node.0, home)?;
    Ok(enrolled)
}

/// Records that the cluster begins again, as its first entry.
pub(super) async fn record(
    options: runtime::ledger::OpenOptions,
    command: Command,
) -> Result<(), RestoreError> {
    let proposal = Proposal {
        request: None,
        principal: Principal::own(Who::Node(options.node)),
        wall_ms: clock::wall().0,
        command,
        decision: None,
    };
    let verdict = Ledger::record(options, proposal).await?;
    verdict.map(drop).map_err(RestoreError::Refused)
}

/// Does what blocks on the disk.
pub(super) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RestoreError> + Send + 'static,
) -> Result<T, RestoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| RestoreError::BrokeOff(error.to_string()))?
}
