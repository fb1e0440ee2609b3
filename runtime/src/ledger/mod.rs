//! The ledger: every command at its place, durable before it is answered, applied in order.
//!
//! ```text
//! propose ─► door ─► consensus ─► log ─► store (journal, fdatasync)
//!                        │ committed
//!                        ▼
//!                     machine ─► verdict, changes, closed cases ─► archive, records ─► audit
//!                        │ each 50,000 entries
//!                        ▼
//!                     snapshot ─► the log before it goes
//! ```
//!
//! # Invariant
//! openraft is named in this folder and nowhere else, and nothing of it is seen outside.

mod again;
mod answer;
mod aside;
mod block;
mod broken;
mod changes;
mod cut;
mod decide;
mod denials;
mod door;
mod erase;
mod forward;
mod ground;
mod judge;
mod keeper;
mod lacking;
mod log;
mod machine;
mod members;
mod network;
mod open;
mod options;
mod quorum;
mod raft;
mod records;
mod snapshot;
mod status;
mod tail;
#[cfg(test)]
mod tests;
mod transfer;
mod version;

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver as _;
use rules::demand;
use rules::id::{CaseId, NodeId, PolicyName, TeamName};
use rules::right::{Decision, Demand, Right};
use rules::room::RoomName;
use rules::{Principal, Proposal, Rejection, State, Verdict};
use tokio::sync::watch;

pub use again::{Laying, Origin, Remains};
pub use changes::{Changes, Watch};
pub use judge::{Judge, NoJudge};
pub use network::{Carried, Links, MAX_CALL_BYTES, NoAnswer, NoLinks};
pub use options::{Limits, OpenError, OpenOptions, ProposeError, StoreKind};
pub use quorum::Reign;
pub use status::{LedgerStatus, StorageStatus};

use crate::archive::Archive;
use crate::audit::Audit;
use crate::audit::verify::Known;
use crate::blob::Blobs;
use crate::store::{Counts, Store};
use crate::world::{self, Running};
use changes::Touched;
use denials::Denials;
use door::Door;
use machine::Machine;
use transfer::Coming;

/// How long closing waits for consensus to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// How long a new cluster of one may take to have its leader.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// A node's ledger; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: NodeId,
    links: Arc<dyn Links>,
    blobs: OnceLock<Blobs>,
    propose_limit: Duration,
    door: Door,
    judge: Arc<dyn Judge>,
    denials: Denials,
    coming: Arc<tokio::sync::Mutex<Coming>>,
    store: Store,
    machine: Machine,
    archive: Arc<Archive>,
    audit: Arc<Audit>,
    erased: erase::Erased,
    touched: Touched,
    told: watch::Sender<LedgerStatus>,
    snapshot_every: u64,
    archived_cases: u64,
    archived_ms: Option<u64>,
    tasks: Mutex<Vec<Running<()>>>,
    sleep: quorum::Sleep,
    heard: quorum::Heard,
}

impl Ledger {
    /// Opens the ledger of a folder, and applies again what it holds.
    ///
    /// The node of a cluster of one leads when this returns. A new ledger belongs to no cluster:
    /// [`Ledger::init_single`] makes it one.
    pub async fn open(options: OpenOptions) -> Result<(Self, Changes), OpenError> {
        Self::open_linked(options, Arc::new(NoLinks)).await
    }

    /// Opens the ledger of a node that has links to others; what they call is brought to
    /// [`Ledger::answer`].
    pub async fn open_linked(
        options: OpenOptions,
        links: Arc<dyn Links>,
    ) -> Result<(Self, Changes), OpenError> {
        open::open(options, links, open::Reading::Run).await
    }

    /// Answers what another node's ledger asks; none when it cannot be understood.
    pub async fn answer(&self, from: NodeId, call: &[u8]) -> Option<Vec<u8>> {
        self.0.answer(from, call).await
    }

    /// Has the blobs that a command names brought to a majority of the voters before it is proposed.
    pub fn carry(&self, blobs: Blobs) {
        let carried = self.0.blobs.set(blobs);
        debug_assert!(carried.is_ok(), "a ledger carries one node's blobs");
    }

    /// Hands leadership to another voter, or to the one that is best fit; returns once it is asked.
    pub async fn hand_over(&self, to: Option<NodeId>) -> Result<(), ProposeError> {
        self.0.hand_over(to).await
    }

    /// Makes a new ledger the ledger of a cluster of one; says whether it was new.
    pub async fn init_single(&self) -> Result<bool, ProposeError> {
        let raft = self.0.door.raft();
        let is_initialized = raft.is_initialized().await;
        if is_initialized.map_err(|_| ProposeError::Stopped)? {
            return Ok(false);
        }
        let members = std::collections::BTreeSet::from([self.0.node.0]);
        let initialized = raft.initialize(members).await;
        initialized.map_err(|_| ProposeError::Stopped)?;
        let wait = raft.wait(Some(INIT_LIMIT));
        wait.current_leader(self.0.node.0, "the first leader")
            .await
            .map_err(|_| ProposeError::NoLeader { leader: None })?;
        Ok(true)
    }

    /// Brings a command before the cluster and gives its verdict, once it is durable and applied.
    pub async fn propose(&self, proposal: Proposal) -> Result<Verdict, ProposeError> {
        self.0.propose(proposal).await
    }

    /// Whether somebody may have what they demand, as it is applied here; what is denied is noted.
    pub fn allows(&self, asker: &Principal, demands: Vec<Demand>) -> Result<(), Rejection> {
        let judge = &self.0.judge;
        self.noted(
            asker,
            &self.read(|state| judge.decide(state, asker, demands)),
        )
    }

    /// The same where it takes part in mending the organisation's policies.
    pub fn allows_policies(&self, asker: &Principal, demand: Demand) -> Result<(), Rejection> {
        let (judge, demands) = (&self.0.judge, vec![demand]);
        let decision = self.read(|state| judge.decide_on_policies(state, asker, demands));
        self.noted(asker, &decision)
    }

    fn noted(&self, asker: &Principal, decision: &Decision) -> Result<(), Rejection> {
        let Some(rejection) = demand::refusal(decision) else {
            return Ok(());
        };
        let is_team = |team: &TeamName| self.read(|state| state.teams.contains_key(team));
        let denials = &self.0.denials;
        denials.note(asker.to_string(), &rejection, is_team);
        Err(rejection)
    }

    /// Whether somebody may have what they demand, on a state that is held; nothing is noted.
    pub fn may(&self, state: &State, asker: &Principal, demand: Demand) -> bool {
        let decision = self.0.judge.decide(state, asker, vec![demand]);
        decision.is_allowed()
    }

    /// Notes that somebody was turned away whom nobody knows.
    pub fn note_stranger(&self, who: String) {
        self.0.denials.note_strangers(who, None, 1);
    }

    /// Notes that somebody was turned away so often who would have spoken for a node.
    pub fn note_intruder(&self, who: String, count: u64) {
        let right = Some(Right::SpeakForNode);
        self.0.denials.note_strangers(who, right, count);
    }

    /// What is wrong with a policy of the organisation, in words.
    pub fn policy_faults(&self, name: &PolicyName, text: &str) -> Vec<String> {
        self.0.judge.faults(name, text)
    }

    /// Looks at the state as it is applied here; keep it short, nothing is applied meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        self.0.machine.read(look)
    }

    /// Waits until this node has applied everything that was committed when it was asked.
    pub async fn linearize(&self) -> Result<(), ProposeError> {
        self.0.linearize().await
    }

    /// The place of the last entry that was applied here, as it grows.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.0.machine.applied()
    }

    /// How often people or policies changed, as that grows.
    pub fn people(&self) -> watch::Receiver<u64> {
        self.0.machine.people()
    }

    /// Wakes whoever follows a case when it changes; begin it before looking at the case.
    pub fn watch_case(&self, case: CaseId) -> Watch {
        self.0.touched.watch(case)
    }

    /// Wakes whoever follows a room, and the cases of its team.
    pub fn watch_room(&self, room: RoomName) -> Watch {
        self.0.touched.watch_room(room)
    }

    /// How it is doing.
    pub fn status(&self) -> LedgerStatus {
        self.0.status()
    }

    /// Who leads, as far as this node knows, and whether it is the only voter itself.
    pub fn leader(&self) -> (Option<NodeId>, bool) {
        self.0.leader()
    }

    /// In which term this node leads, and when a quorum last said so; none where it does not lead.
    ///
    /// Unlike [`LedgerStatus::is_leader`], an effect may rest on it: no other node leads in a later
    /// term before the moment that it names.
    pub fn reign(&self) -> Option<Reign> {
        self.0.reign()
    }

    /// Who leads and how the disk is, as that changes; the counts are those of that moment.
    pub fn watch_status(&self) -> watch::Receiver<LedgerStatus> {
        self.0.told.subscribe()
    }

    /// The closed cases.
    pub fn archive(&self) -> &Archive {
        &self.0.archive
    }

    /// The term and the bytes of the state as it is applied here. Blocks for as long as that takes.
    pub fn picture(&self) -> Result<(u64, Vec<u8>), crate::codec::CodecError> {
        let (covered, state) = self.0.machine.picture()?;
        Ok((covered.last.map_or(0, |last| last.term), state))
    }

    /// How many closed cases are kept.
    pub fn archived_cases(&self) -> u64 {
        self.0.archived_cases
    }

    /// The records of all that was asked.
    pub fn audit(&self) -> &Arc<Audit> {
        &self.0.audit
    }

    /// What its store has done since it was opened: groups, batches, further syncs.
    pub fn counts(&self) -> Counts {
        self.0.store.counts()
    }

    /// Makes a snapshot now, and cuts the log behind it.
    pub async fn snapshot(&self) -> std::io::Result<()> {
        self.0.snapshot().await
    }

    /// Stops it; what was answered is durable already. Takes at most a few seconds.
    pub async fn close(self) {
        self.0.close().await;
    }
}

/// The head of the record in the newest snapshot of a ledger's folder, without opening the ledger.
pub fn head_of_snapshot(dir: &Path) -> std::io::Result<Option<Known>> {
    let dir = dir.join("snapshots");
    if !dir.is_dir() {
        return Ok(None);
    }
    let found = snapshot::Snapshots::open(&dir)?;
    Ok(found.newest.map(|(_, state)| Known {
        count: state.audit.count,
        head: state.audit.head,
        whose: format!("the newest snapshot in {}", dir.display()),
    }))
}

impl Inner {
    fn is_leader(&self) -> bool {
        self.door.raft().is_leader()
    }

    fn status(&self) -> LedgerStatus {
        // Before the metrics are held: it looks at them itself.
        let is_unheard = self.is_unheard();
        let metrics = self.door.raft().metrics();
        let metrics = metrics.borrow_watched();
        let server = self.door.raft().server_metrics();
        let server = server.borrow_watched();
        let leader = server.current_leader.map(NodeId);
        let leader = leader.filter(|leader| {
            if *leader == self.node {
                server.state == ServerState::Leader && !is_unheard
            } else {
                self.heard.is_lately()
            }
        });
        let counts = self.store.counts();
        LedgerStatus {
            term: server.vote.leader_id.term,
            leader,
            is_leader: leader == Some(self.node),
            voters: server.membership_config.voter_ids().map(NodeId).collect(),
            applied: self.machine.last().map_or(0, |last| last.index),
            committed: metrics.local_committed.map_or(0, |place| place.index()),
            is_changing: server
                .membership_config
                .membership()
                .get_joint_config()
                .len()
                > 1,
            purged: metrics.purged.as_ref().map_or(0, openraft::LogId::index),
            last_log: metrics.last_log_index.unwrap_or(0),
            snapshot_index: self.machine.snapshots().index(),
            log_bytes: self.store.disk_bytes(),
            syncs: counts.groups + counts.settles,
            storage: self.store.status().borrow().clone(),
        }
    }

    async fn close(&self) {
        self.tell_last_denials().await;
        self.door.close();
        let tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        for task in tasks {
            task.abort();
        }
        // The store first: it gives up what a disk that refuses keeps from being durable.
        let store = self.store.clone();
        let closed = world::blocking(move || store.close());
        if world::timeout(CLOSE_LIMIT, self.door.raft().shutdown())
            .await
            .is_err()
        {
            tracing::warn!("consensus did not end within {CLOSE_LIMIT:?}");
        }
        drop(closed.await);
        // What is lost of them a replay brings again.
        let audit = Arc::clone(&self.audit);
        drop(world::blocking(move || audit.sync()).await);
        self.touched.end();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.store.end();
        self.touched.end();
    }
}
