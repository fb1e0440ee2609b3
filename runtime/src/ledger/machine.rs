//! The state machine: entries go in, in their order, and verdicts, changes and closed cases come out.
//!
//! # Invariant
//! An entry is applied once, after all before it; whoever reads sees the state between two entries.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::{Stream, TryStreamExt as _};
use openraft::entry::RaftPayload as _;
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};
use rules::{Entry, State, duty};
use tokio::sync::watch;

use super::changes::Touched;
use super::raft::{
    Answer, LogId, Members, Place, RaftEntry, Snapshot, SnapshotMeta, StoredMembership, Types,
};
use super::snapshot::{Covered, SnapshotFile, Snapshots};
use crate::archive::Archive;
use crate::audit::Audit;

/// The state machine; clones are handles to the same one.
#[derive(Clone, Debug)]
pub(super) struct Machine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    standing: RwLock<Standing>,
    snapshots: Snapshots,
    archive: Arc<Archive>,
    audit: Arc<Audit>,
    touched: Touched,
    applied: watch::Sender<u64>,
    /// How often people or policies changed.
    people: watch::Sender<u64>,
}

/// What the entries have come to.
#[derive(Debug, Default)]
struct Standing {
    state: State,
    last: Option<Place>,
    members_at: Option<Place>,
    members: Members,
}

impl Standing {
    fn covered(&self) -> Covered {
        Covered {
            last: self.last,
            members_at: self.members_at,
            members: self.members.clone(),
        }
    }
}

impl Machine {
    /// A machine with what the newest snapshot holds.
    pub fn new(
        snapshots: Snapshots,
        archive: Arc<Archive>,
        audit: Arc<Audit>,
        touched: Touched,
        restored: Option<(Covered, State)>,
    ) -> Self {
        let standing = restored.map_or_else(Standing::default, |(covered, state)| Standing {
            state,
            last: covered.last,
            members_at: covered.members_at,
            members: covered.members,
        });
        let applied = standing.last.map_or(0, |last| last.index);
        let people = standing.state.people.changes;
        audit.expect(standing.state.audit.count, standing.state.audit.head);
        Self(Arc::new(Inner {
            standing: RwLock::new(standing),
            snapshots,
            archive,
            audit,
            touched,
            applied: watch::Sender::new(applied),
            people: watch::Sender::new(people),
        }))
    }

    /// Looks at the state.
    pub fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.standing().state)
    }

    /// The last entry that was applied.
    pub fn last(&self) -> Option<Place> {
        self.standing().last
    }

    /// The last entry that was applied, as it grows.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.0.applied.subscribe()
    }

    /// How often people or policies changed, as that grows: an entry that changes none wakes nobody.
    pub fn people(&self) -> watch::Receiver<u64> {
        self.0.people.subscribe()
    }

    /// Who is in the cluster.
    pub fn members(&self) -> Members {
        self.standing().members.clone()
    }

    /// What a snapshot of now covers, and the state's bytes.
    ///
    /// The state is encoded under the lock that readers take: they go on, and what is to be applied
    /// waits for some milliseconds for each MiB. A clone would take as long, and twice the memory.
    pub fn picture(&self) -> Result<(Covered, Vec<u8>), crate::codec::CodecError> {
        let standing = self.standing();
        let body = crate::codec::encode_body(&standing.state)?;
        Ok((standing.covered(), body))
    }

    /// The snapshots.
    pub fn snapshots(&self) -> &Snapshots {
        &self.0.snapshots
    }

    /// Says of everything that it may have changed.
    pub fn touch_all(&self) {
        let all: Vec<duty::Subject> = self.read(|state| duty::subjects(state).collect());
        self.0.touched.add(all);
    }

    fn standing(&self) -> std::sync::RwLockReadGuard<'_, Standing> {
        let standing = self.0.standing.read();
        standing.unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies an entry that is committed; says what it may have changed too.
    pub fn apply_one(&self, entry: &RaftEntry) -> (Answer, BTreeSet<duty::Subject>) {
        let place = Place::of(&entry.log_id);
        let standing = self.0.standing.write();
        let mut standing = standing.unwrap_or_else(PoisonError::into_inner);
        standing.last = Some(place);
        let applied = match &entry.payload {
            EntryPayload::Normal(payload) => {
                let entry = Entry {
                    index: place.index,
                    term: place.term,
                    elapsed_ms: payload.elapsed_ms,
                    proposal: Arc::clone(&payload.proposal),
                    salt: payload.salt,
                };
                rules::apply(&mut standing.state, &entry)
            }
            EntryPayload::Blank | EntryPayload::Membership(_) => {
                standing.state.index = place.index;
                if let Some(members) = entry.payload.get_membership() {
                    standing.members_at = Some(place);
                    standing.members = Members::of(&members);
                }
                return (Answer::Passed, BTreeSet::new());
            }
        };
        // Before anyone can see that it has left the state: a case or a post is always in one of the two.
        let (closed, shelved) = (applied.closed, applied.shelved);
        if let Err(error) = self.0.archive.add(place.index, closed, shelved) {
            // Only a value that bincode cannot write leads here; neither cases nor posts have one.
            tracing::error!("what left the state is not in the archive: {error}");
        }
        if let Some(recorded) = &applied.recorded {
            self.0.audit.add(recorded);
        }
        self.0.tell_people(&standing.state);
        drop(standing);
        (Answer::Verdict(applied.verdict), applied.touched)
    }
}

impl Inner {
    /// Wakes those whose rights may be others now, where people or policies changed.
    fn tell_people(&self, state: &State) {
        let changes = state.people.changes;
        self.people.send_if_modified(|told| {
            let is_new = *told != changes;
            *told = changes;
            is_new
        });
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let covered = self.standing().covered();
        Ok((covered.last.map(Place::log_id), covered.membership()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<Types>, io::Error>> + Unpin + OptionalSend,
    {
        let applied = &self.0.applied;
        let mut touched = BTreeSet::new();
        while let Some((entry, responder)) = entries.try_next().await? {
            let (answer, more) = self.apply_one(&entry);
            // A node that has not joined holds no version back: it must not go on with rules that it
            // does not know.
            self.read(super::version::check).map_err(io::Error::other)?;
            touched.extend(more);
            // Known at once, so that who is answered finds it; told once for all of them.
            applied.send_if_modified(|applied| {
                *applied = entry.log_id.index();
                false
            });
            if let Some(responder) = responder {
                responder.send(answer);
            }
        }
        // After those who wait for their answers.
        if !touched.is_empty() {
            self.0.touched.add(touched);
        }
        applied.send_modify(|_| ());
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self::SnapshotBuilder {
        self.clone()
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: SnapshotFile,
    ) -> Result<(), io::Error> {
        let snapshots = self.0.snapshots.clone();
        let wanted = meta.last_log_id.as_ref().map(Place::of);
        let archive = Arc::clone(&self.0.archive);
        let reading = crate::world::blocking(move || {
            // The log that was cut before, too: a snapshot that is there without its cut would be
            // followed by entries that another leader has overruled.
            archive.before_jump().map_err(io::Error::other)?;
            snapshots.take_in(&snapshot, wanted)
        });
        let (covered, state) = reading.await??;
        super::version::check(&state).map_err(io::Error::other)?;
        let applied = covered.last.map_or(0, |last| last.index);
        // What is gone with the old state must be looked at again too, or its duties would go on.
        let before: Vec<duty::Subject> = self.read(|state| duty::subjects(state).collect());
        self.0.audit.expect(state.audit.count, state.audit.head);
        self.0.archive.doubt(true);
        let standing = self.0.standing.write();
        *standing.unwrap_or_else(PoisonError::into_inner) = Standing {
            state,
            last: covered.last,
            members_at: covered.members_at,
            members: covered.members,
        };
        // Before anyone is told that it is applied: whoever waits for that looks again at who may.
        self.read(|state| self.0.tell_people(state));
        self.0.applied.send_replace(applied);
        self.0.touched.add(before);
        self.touch_all();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        Ok(self.0.snapshots.current().map(|(covered, file)| Snapshot {
            meta: covered.meta(),
            snapshot: file,
        }))
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    type SnapshotData = SnapshotFile;

    /// Gives the snapshot that is there: it was made before consensus was told to ask for it, since
    /// a snapshot that fails here, because the disk is full, would end consensus for good.
    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let current = self.get_current_snapshot().await?;
        Ok(current.unwrap_or_else(|| Snapshot {
            meta: SnapshotMeta::default(),
            snapshot: SnapshotFile::none(),
        }))
    }
}

impl Covered {
    fn membership(&self) -> StoredMembership {
        let at = self.members_at.map(Place::log_id);
        StoredMembership::new(at, self.members.clone().membership())
    }

    fn meta(&self) -> SnapshotMeta {
        SnapshotMeta {
            last_log_id: self.last.map(Place::log_id),
            last_membership: self.membership(),
        }
    }
}
