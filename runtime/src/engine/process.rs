//! The `process` engine: boxes of this host's own processes, where no container engine is.
//!
//! ```text
//! ensure ─► domo init --launch ─► bubblewrap ─► domo init     (Bubblewrap)
//!                             └─────────────► domo init       (OwnUid, Nothing)
//! ```
//!
//! # Invariant
//!
//! What runs is read off the boxes' folders and `/proc`; this process remembers only whom it has
//! promised news. Where the daemon is root, no agent ever runs as root.

use std::collections::HashMap;
use std::fs;
use std::future::{Ready, ready};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::boxfiles::{Starting, weaknesses};
use super::bubblewrap;
use super::cgroup::Cgroups;
use super::found::{self, Found};
use super::home::{BoxRecord, Home};
use super::still::Still;
use super::turns::Turns;
use super::{
    BoxEvent, BoxId, BoxSpec, BoxState, Confinement, Description, EVENTS_LIMIT, EngineError,
    Ensured, FoundBox, Phase,
};
use crate::clock::Deadline;
use crate::init::{BOX_UIDS, BOX_UIDS_FROM, READY, oom_kills_in};
use crate::spool::{Owner, failed};

/// How this engine calls itself.
pub(super) const NAME: &str = "process";
/// How long a box may take to be ready: a loaded machine starts a process in well under a second.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// How long killed processes may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);
/// How long the groups of gone processes may be in use: their last parent is about to end.
const GROUPS_LIMIT: Duration = Duration::from_secs(2);
/// How often that is looked at: longer than a process takes to end.
const GROUPS_PAUSE: Duration = Duration::from_millis(10);
/// Most of a failed launch's words that are quoted.
const WORDS_LIMIT_CHARS: usize = 400;

/// Runs boxes as processes of this host.
#[derive(Debug)]
pub(super) struct ProcessEngine {
    home: Home,
    confinement: Confinement,
    bwrap: Option<PathBuf>,
    cgroups: Option<Cgroups>,
    pub(super) events: broadcast::Sender<BoxEvent>,
    pub(super) still: Still,
    /// The tasks that wait for each running box's end.
    watched: Mutex<HashMap<BoxId, Watch>>,
    turns: Turns,
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ProcessEngine {
    pub(super) fn new(home: Home, confinement: Confinement) -> ProcessEngine {
        let is_root = nix::unistd::geteuid().is_root();
        let mount = Path::new("/sys/fs/cgroup");
        let cgroups = is_root.then(|| Cgroups::find(mount)).flatten();
        cgroups.iter().for_each(Cgroups::sweep);
        ProcessEngine {
            still: Still::new(home.clone(), NAME),
            home,
            confinement,
            bwrap: bubblewrap::find(),
            cgroups,
            events: broadcast::Sender::new(EVENTS_LIMIT),
            watched: Mutex::default(),
            turns: Turns::new(),
        }
    }

    pub(super) async fn ensure_now(&self, spec: &BoxSpec) -> Result<BoxState, EngineError> {
        self.home.check(spec)?;
        let _turn = self.turns.of(&self.home.short(&spec.id)).await;
        let known = self.home.record(&spec.id);
        if let Some(record) = &known
            && let Some(found) = self.init_of(record)
        {
            self.watch(record, found);
            return Ok(BoxState::new(Ensured::Adopted, self.home.spool(record)));
        }
        let ensured = if known.is_some() {
            Ensured::Started
        } else {
            Ensured::Created
        };
        let same = known.filter(|record| record.confinement == self.confinement);
        let owner = same.map_or_else(|| self.new_owner(), |record| record.owner);
        let record = BoxRecord {
            version: 1,
            id: spec.id.clone(),
            engine: NAME.to_owned(),
            confinement: self.confinement,
            owner,
            domo: self.home.domo.clone(),
        };
        let spool = self.home.lay_out(&record)?;
        self.home.write(&record)?;
        if self.confinement == Confinement::OwnUid {
            self.sweep(&record).await?;
        }
        self.remove_groups(&spec.id).await?;
        self.start(spec, &record).await?;
        let Some(found) = self.init_of(&record) else {
            return Err(failing(
                "start",
                &spec.id,
                "its first process ended at once",
            ));
        };
        self.watch(&record, found);
        Ok(BoxState::new(ensured, spool))
    }

    /// Starts the init of a laid-out box, and waits until it serves.
    async fn start(&self, spec: &BoxSpec, record: &BoxRecord) -> Result<(), EngineError> {
        let folder = self.home.folder(&spec.id);
        let groups = match &self.cgroups {
            Some(cgroups) => {
                let made = cgroups.make(&self.home.short(&spec.id), &spec.limits);
                Some(made.map_err(|error| failing("limit", &spec.id, &error.to_string()))?)
            }
            None => None,
        };
        let starting = Starting {
            home: &self.home,
            spec,
            record,
            groups: groups.as_ref(),
            bwrap: self.bwrap.as_deref(),
        };
        let launch = starting.write_files()?;
        let words = folder.join("init.err");
        let errors = fs::File::create(&words).map_err(|source| failed(&words, source))?;
        let mut command = Command::new(&self.home.domo);
        command.args(["init", "--launch"]).arg(launch);
        command.env_clear().current_dir("/").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(errors);
        let spawned = command.spawn();
        let mut child = spawned.map_err(|error| failing("start", &spec.id, &error.to_string()))?;
        let mut said = Vec::new();
        if let Some(out) = child.stdout.take() {
            let most = u64::try_from(READY.len()).unwrap_or(u64::MAX);
            // Silence, by time or by an end, is judged below.
            let _ = tokio::time::timeout(READY_LIMIT, out.take(most).read_to_end(&mut said)).await;
        }
        // Whoever reaps it, this task or the next daemon's init, nobody waits for it.
        tokio::spawn(async move { child.wait().await });
        if said == READY {
            return Ok(());
        }
        let told = fs::read_to_string(&words).unwrap_or_default();
        let told: String = told.trim().chars().take(WORDS_LIMIT_CHARS).collect();
        let why = if told.is_empty() {
            "it was not ready in time".to_owned()
        } else {
            told
        };
        if let Some(found) = self.init_of(record) {
            found.kill(record.confinement);
        }
        Err(failing("start", &spec.id, &why))
    }

    /// The user of a new box: one that nobody else is, where the daemon may choose.
    fn new_owner(&self) -> Owner {
        let own = Owner {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        };
        if own.uid != 0 || self.confinement == Confinement::Nothing {
            return own;
        }
        let uid = self.home.free_uid(BOX_UIDS_FROM..BOX_UIDS_FROM + BOX_UIDS);
        Owner { uid, gid: uid }
    }

    fn init_of(&self, record: &BoxRecord) -> Option<Found> {
        let folder = self.home.folder(&record.id);
        found::find(&folder, &self.home.name(&record.id), record.confinement)
    }

    /// Promises news of the end of a box, once.
    fn watch(&self, record: &BoxRecord, found: Found) {
        let id = record.id.clone();
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.get(&id).is_some_and(|watch| !watch.0.is_finished()) {
            return;
        }
        let events = self.events.clone();
        let group = self
            .cgroups
            .as_ref()
            .map(|c| c.memory_of(&self.home.short(&id)));
        let kills = move || oom_kills_in(group.as_ref()?);
        let before = kills();
        let task = tokio::spawn({
            let id = id.clone();
            async move {
                found.ended().await;
                // Nobody listens: then nobody is to be told.
                let _ = events.send(BoxEvent::Ended {
                    id,
                    oom: kills() > before,
                });
            }
        });
        watched.insert(id, Watch(task));
    }

    pub(super) async fn stop_now(&self, id: &BoxId, grace: Duration) -> Result<(), EngineError> {
        let _turn = self.turns.of(&self.home.short(id)).await;
        let Some(record) = self.home.record(id) else {
            return Ok(());
        };
        if let Some(found) = self.init_of(&record) {
            found.signal(Signal::TERM);
            if !found.ended_within(grace).await {
                self.kill(&record, &found).await?;
            }
        }
        // What a daemon that died was just starting is known by its groups alone.
        self.remove_groups(id).await
    }

    async fn kill(&self, record: &BoxRecord, found: &Found) -> Result<(), EngineError> {
        found.kill(record.confinement);
        if found.ended_within(GONE_LIMIT).await {
            return Ok(());
        }
        Err(failing(
            "kill",
            &record.id,
            "its first process does not end; it may hang in the disk",
        ))
    }

    pub(super) async fn remove_now(&self, id: &BoxId) -> Result<(), EngineError> {
        let _turn = self.turns.of(&self.home.short(id)).await;
        if let Some(record) = self.home.record(id) {
            if let Some(found) = self.init_of(&record) {
                self.kill(&record, &found).await?;
            }
            if record.confinement == Confinement::OwnUid {
                self.sweep(&record).await?;
            }
        }
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
        self.remove_groups(id).await?;
        let (home, id) = (self.home.clone(), id.clone());
        let removed = tokio::task::spawn_blocking(move || home.remove(&id)).await;
        removed.unwrap_or(Ok(())).map_err(EngineError::from)
    }

    async fn remove_groups(&self, id: &BoxId) -> Result<(), EngineError> {
        let Some(cgroups) = &self.cgroups else {
            return Ok(());
        };
        let deadline = Deadline::after(GROUPS_LIMIT);
        // The sandbox's own parent ends a moment after its child; the kernel tells nobody when.
        while !cgroups.remove(&self.home.short(id)) {
            if deadline.is_over() {
                return Err(failing("remove", id, "its control group is still in use"));
            }
            tokio::time::sleep(GROUPS_PAUSE).await;
        }
        Ok(())
    }

    /// Kills every process of a box's own user.
    async fn sweep(&self, record: &BoxRecord) -> Result<(), EngineError> {
        let mut command = std::process::Command::new(&self.home.domo);
        command
            .args(["init", "--sweep"])
            .env_clear()
            .current_dir("/");
        // With the user given, the standard library gives up the daemon's groups as well.
        command.uid(record.owner.uid).gid(record.owner.gid);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let swept = Command::from(command).status().await;
        match swept {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failing("sweep", &record.id, &status.to_string())),
            Err(error) => Err(failing("sweep", &record.id, &error.to_string())),
        }
    }

    pub(super) fn found_boxes(&self) -> Ready<Result<Vec<FoundBox>, EngineError>> {
        let seen = |record| self.seen(record);
        let records = self.home.records(NAME);
        ready(records.map(|records| records.into_iter().map(seen).collect()))
    }

    pub(super) fn found_box(&self, id: &BoxId) -> Ready<Result<Option<FoundBox>, EngineError>> {
        ready(Ok(self.home.record(id).map(|record| self.seen(record))))
    }

    fn seen(&self, record: BoxRecord) -> FoundBox {
        let running = self.init_of(&record);
        let phase = if running.is_some() {
            Phase::Running
        } else {
            Phase::Stopped
        };
        if let Some(running) = running {
            self.watch(&record, running);
        }
        FoundBox {
            spool: self.home.spool(&record),
            id: record.id,
            phase,
        }
    }

    pub(super) fn describe(&self) -> Ready<Result<Description, EngineError>> {
        let version = match (&self.bwrap, self.confinement) {
            (Some(path), Confinement::Bubblewrap) => path.display().to_string(),
            _ => "this host".to_owned(),
        };
        ready(Ok(Description {
            engine: NAME.to_owned(),
            version,
            confinement: self.confinement,
            weaknesses: weaknesses(self.confinement, self.cgroups.is_some()),
        }))
    }
}

fn failing(verb: &'static str, id: &BoxId, why: &str) -> EngineError {
    EngineError::Failing {
        engine: NAME,
        verb,
        subject: format!("box {id}"),
        why: why.to_owned(),
    }
}
