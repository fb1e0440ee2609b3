//! Opening a ledger: snapshot, log, state, consensus, in this order.
//!
//! # Invariant
//! Consensus is started only on what was read whole: identity, snapshot and every record of the log.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use openraft::entry::RaftPayload as _;
use openraft::{Config, SnapshotPolicy};
use rules::id::NodeId;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::block::LogFault;
use super::changes::{Changes, Touched};
use super::decide::Decider;
use super::denials::Denials;
use super::door::{Door, Raft, UnderWay};
use super::log::Log;
use super::machine::Machine;
use super::network::{Links, Network};
use super::options::{OpenError, OpenOptions};
use super::raft::Members;
use super::snapshot::Snapshots;
use super::status::{LedgerStatus, StorageStatus};
use super::transfer::Coming;
use super::{Inner, Ledger, again, keeper};
use crate::archive::{Archive, ArchiveError};
use crate::audit::Audit;
use crate::codec;
use crate::store::{ADVICE, Batch, Space, Store, StoreError, StoreOptions};
use crate::world;

/// How long the leader of a cluster of one may take to be one again: an election, and what is left
/// of its log to be applied.
const LEAD_LIMIT: Duration = Duration::from_mins(10);
const IDENTITY_KEY: &[u8] = b"identity";

/// What a ledger is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It goes on: what is known to be committed counts.
    Run,
    /// It goes on for the entry which says that it began again.
    Record,
    /// All of it is looked at, and nothing is kept of what may never count.
    Look,
    /// All of it counts from now on.
    Seize,
}

impl Reading {
    fn is_all(self) -> bool {
        matches!(self, Self::Look | Self::Seize)
    }
}

/// Whose ledger it is.
#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    node: NodeId,
}

/// What was read of a ledger.
pub(super) struct Opened {
    pub store: Store,
    archive: Arc<Archive>,
    pub audit: Arc<Audit>,
    pub machine: Machine,
    pub log: Log,
    pub members: Members,
    /// Entries that are not known to be committed.
    pub uncommitted: u64,
    touched: Touched,
    changes: Changes,
}

/// Opens a ledger, and waits until the node of a cluster of one leads.
pub(super) async fn open(
    options: OpenOptions,
    links: Arc<dyn Links>,
    reading: Reading,
) -> Result<(Ledger, Changes), OpenError> {
    let under_way = UnderWay::default();
    let (read_with, counted) = (options.clone(), under_way.clone());
    let opened = world::blocking(move || read(&read_with, counted, reading)).await;
    let opened =
        opened.map_err(|error| failed("read the ledger", std::io::Error::other(error)))??;
    let raft = start(&options, &opened, Arc::clone(&links)).await?;
    let is_alone = is_alone(options.node, &opened.members);
    let denials = Denials::default();
    let inner = Arc::new(Inner {
        node: options.node,
        links,
        blobs: OnceLock::new(),
        propose_limit: Duration::from_millis(options.limits.propose_ms),
        coming: Arc::new(tokio::sync::Mutex::new(Coming::new(
            opened.machine.snapshots().coming(),
        ))),
        door: Door::new(
            raft.clone(),
            opened.store.clone(),
            options.limits,
            under_way,
            Decider::new(
                Arc::clone(&options.judge),
                opened.machine.clone(),
                denials.clone(),
            ),
        ),
        judge: options.judge,
        denials,
        store: opened.store,
        machine: opened.machine,
        archive: opened.archive,
        audit: opened.audit,
        erased: super::erase::Erased::default(),
        touched: opened.touched,
        told: watch::Sender::new(nothing_yet()),
        snapshot_every: options.snapshot_every,
        archived_cases: options.limits.archived_cases,
        archived_ms: options.limits.archived_ms,
        tasks: Mutex::default(),
        sleep: super::quorum::Sleep::default(),
        heard: super::quorum::Heard::default(),
    });
    if is_alone {
        lead(&raft).await?;
    }
    inner.told.send_replace(inner.status());
    inner.machine.touch_all();
    let tasks = keeper::start(&inner);
    inner
        .tasks
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .extend(tasks);
    Ok((Ledger(inner), opened.changes))
}

/// Reads what the folder holds, and applies what is known to be committed, or all of it; lets go of
/// it where it is refused. Blocks.
pub(super) fn read(
    options: &OpenOptions,
    under_way: UnderWay,
    reading: Reading,
) -> Result<Opened, OpenError> {
    let store = Store::open(&StoreOptions {
        dir: options.dir.join("store"),
        kind: options.store,
        free_bytes: options.limits.free_bytes,
        journal_bytes: options.journal_bytes,
    })?;
    read_store(options, store.clone(), under_way, reading).inspect_err(|_| store.close())
}

fn read_store(
    options: &OpenOptions,
    store: Store,
    under_way: UnderWay,
    reading: Reading,
) -> Result<Opened, OpenError> {
    check_identity(&store, options)?;
    if reading == Reading::Run && again::is_begun(&store)? {
        return Err(OpenError::HalfRecovered);
    }
    let archive = Arc::new(Archive::open(store.clone())?);
    let audit = Audit::open(&options.audit);
    let audit = Arc::new(audit.map_err(|error| failed("open the records", error))?);
    if reading.is_all() {
        // Entries of which nobody knows whether they are committed are looked at first.
        audit.hold();
    }
    if reading == Reading::Look {
        archive.close();
    }
    let (touched, changes) = Touched::new();
    let found = Snapshots::open(&options.dir.join("snapshots"));
    let found = found.map_err(|error| failed("read a snapshot", error))?;
    let covered = found.newest.as_ref().and_then(|(covered, _)| covered.last);
    let machine = Machine::new(
        found.snapshots,
        Arc::clone(&archive),
        Arc::clone(&audit),
        touched.clone(),
        found.newest,
    );
    let after = covered.map(|last| last.index);
    machine.read(super::version::check).map_err(newer)?;
    let (mut members, mut uncommitted) = (machine.members(), 0);
    let log = Log::open(store.clone(), under_way, |entry, is_committed| {
        if Some(entry.log_id.index()) <= after {
            return;
        }
        if let Some(changed) = entry.payload.get_membership() {
            members = Members::of(&changed);
        }
        uncommitted += u64::from(!is_committed);
        if is_committed || reading.is_all() {
            machine.apply_one(entry);
        }
    })?;
    machine.read(super::version::check).map_err(newer)?;
    for fault in &found.faults {
        tracing::warn!("a snapshot is damaged and not used: {fault}");
    }
    if let Some(begins) = log.begins().filter(|begins| after < Some(*begins)) {
        return Err(damaged(format!(
            "the log begins behind entry {begins}, and the newest snapshot that is whole ends with \
             entry {} {}",
            after.unwrap_or(0),
            found.faults.join("; ")
        )));
    }
    Ok(Opened {
        store,
        archive,
        audit,
        machine,
        log,
        members,
        uncommitted,
        touched,
        changes,
    })
}

async fn start(
    options: &OpenOptions,
    opened: &Opened,
    links: Arc<dyn Links>,
) -> Result<Raft, OpenError> {
    let config = Config {
        cluster_name: "domo".to_owned(),
        heartbeat_interval: options.heartbeat_ms,
        election_timeout_min: options.election_ms.start,
        election_timeout_max: options.election_ms.end,
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: options.kept_entries,
        enable_pre_vote: Some(true),
        // A start is a term of its own: what a Manager of the one before still says is then stale.
        enable_leader_restore: Some(false),
        ..Config::default()
    };
    let stopped = |error| failed("start consensus", std::io::Error::other(error));
    let config = config
        .validate()
        .map_err(|error| failed("start consensus", std::io::Error::other(error)))?;
    let raft = Raft::new(
        options.node.0,
        Arc::new(config),
        Network {
            links,
            snapshots: opened.machine.snapshots().clone(),
        },
        opened.log.clone(),
        opened.machine.clone(),
    );
    raft.await.map_err(stopped)
}

/// Has the only voter elected at once, and waits until it has applied its whole log.
async fn lead(raft: &Raft) -> Result<(), OpenError> {
    let stopped = |error| failed("start consensus", std::io::Error::other(error));
    let elected = raft.trigger().elect(false).await;
    elected.map_err(|error| failed("start consensus", std::io::Error::other(error)))?;
    raft.wait_for_recovery(Some(LEAD_LIMIT))
        .await
        .map(drop)
        .map_err(stopped)
}

fn is_alone(node: NodeId, members: &Members) -> bool {
    let mut voters = members.voters.iter().flatten();
    voters.next() == Some(&node.0) && voters.next().is_none()
}

/// Refuses another node's ledger; a new one becomes this node's.
pub(super) fn check_identity(store: &Store, options: &OpenOptions) -> Result<(), OpenError> {
    let Some(sealed) = store.get(Space::Meta, IDENTITY_KEY)? else {
        let identity = Identity { node: options.node };
        let sealed = codec::encode(codec::IDENTITY, &identity)
            .map_err(|error| failed("write whose ledger it is", std::io::Error::other(error)))?;
        let mut batch = Batch::default();
        batch.put(Space::Meta, IDENTITY_KEY, sealed);
        // Durable before anything that follows it in the journal.
        return Ok(store.submit(batch, |_| ())?);
    };
    let identity: Identity = codec::decode(codec::IDENTITY, &sealed)
        .map_err(|error| damaged(format!("whose ledger it is: {error}")))?;
    if identity.node != options.node {
        return Err(OpenError::OtherNode {
            dir: options.dir.clone(),
            found: identity.node,
            expected: options.node,
        });
    }
    Ok(())
}

fn nothing_yet() -> LedgerStatus {
    LedgerStatus {
        term: 0,
        leader: None,
        is_leader: false,
        voters: std::collections::BTreeSet::new(),
        applied: 0,
        committed: 0,
        is_changing: false,
        purged: 0,
        last_log: 0,
        snapshot_index: 0,
        log_bytes: 0,
        syncs: 0,
        storage: StorageStatus::Ok,
    }
}

pub(super) fn damaged(place: String) -> OpenError {
    OpenError::Damaged {
        place,
        advice: ADVICE.to_owned(),
    }
}

fn newer(why: String) -> OpenError {
    failed("use the ledger", std::io::Error::other(why))
}

pub(super) fn failed(what: &'static str, source: std::io::Error) -> OpenError {
    OpenError::Failed { what, source }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InUse { dir } => Self::InUse { dir },
            StoreError::Damaged { place, advice } => Self::Damaged {
                place,
                advice: advice.to_owned(),
            },
            StoreError::Failed { what, source } => Self::Failed { what, source },
            other @ (StoreError::TooLarge { .. }
            | StoreError::Refusing { .. }
            | StoreError::Closed) => failed("open the store", std::io::Error::other(other)),
        }
    }
}

impl From<LogFault> for OpenError {
    fn from(fault: LogFault) -> Self {
        match fault {
            LogFault::Damaged(place) => damaged(place),
            LogFault::Store(error) => error.into(),
        }
    }
}

impl From<ArchiveError> for OpenError {
    fn from(error: ArchiveError) -> Self {
        damaged(error.to_string())
    }
}
