//! The boxes of a node as the kernel sees them: which run, which stand still, without their engine.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::freezer::{Freezer, Hold, kill};
use super::home::{BoxRecord, Home};
use super::{BoxId, EngineError, FoundBox, FrozenBoxes, Phase, found};
use crate::clock::Deadline;
use crate::spool::AttemptName;

/// Time between two looks at whether what was told to stand still does; the kernel tells nobody.
const LOOK_PAUSE: Duration = Duration::from_millis(2);

/// Freezes, thaws and kills a node's boxes.
#[derive(Clone, Debug)]
pub(super) struct Still {
    home: Home,
    freezer: Freezer,
    engine: &'static str,
}

/// A running box.
struct Running {
    record: BoxRecord,
    holds: Vec<Hold>,
}

impl Still {
    /// For the boxes that `engine` has here.
    pub(super) fn new(home: Home, engine: &'static str) -> Still {
        let freezer = Freezer::find(Path::new("/sys/fs/cgroup"));
        Still {
            home,
            freezer,
            engine,
        }
    }

    /// Has everything in all boxes stand still.
    pub(super) async fn freeze_all(&self, until: Deadline) -> Result<FrozenBoxes, EngineError> {
        self.blocking(move |still| still.freeze_now(until)).await
    }

    /// Lets a box go on, but for these attempts.
    pub(super) async fn thaw(&self, id: &BoxId, but: &[AttemptName]) -> Result<(), EngineError> {
        let (id, but) = (id.clone(), but.to_vec());
        self.blocking(move |still| {
            for hold in still.holds(&id)?.into_iter().filter(Hold::is_begun) {
                for attempt in &but {
                    hold.kill_attempt(attempt.as_str());
                }
                let thawed = hold.end();
                thawed.map_err(|error| still.failing("thaw", &id, &error.to_string()))?;
            }
            Ok(())
        })
        .await
    }

    /// The boxes that stand still, or are about to.
    pub(super) async fn frozen(&self) -> Result<Vec<FoundBox>, EngineError> {
        self.blocking(|still| {
            let mut running = still.running()?;
            running.retain(|running| running.holds.iter().any(Hold::is_begun));
            let found = running.into_iter().map(|running| FoundBox {
                spool: still.home.spool(&running.record),
                id: running.record.id,
                phase: Phase::Running,
            });
            Ok(found.collect())
        })
        .await
    }

    /// Kills what is in a box, if it stands still.
    pub(super) async fn kill_frozen(&self, id: &BoxId) -> Result<(), EngineError> {
        let id = id.clone();
        self.blocking(move |still| {
            for hold in still.holds(&id)?.into_iter().filter(Hold::is_begun) {
                let killed = hold.kill();
                killed.map_err(|error| still.failing("kill", &id, &error.to_string()))?;
            }
            Ok(())
        })
        .await
    }

    /// Kills what runs in a container without its engine's knowledge, begun or not: all that is in
    /// groups of the container's id.
    pub(super) async fn kill_lost(&self, container: String) -> Result<(), EngineError> {
        self.blocking(move |_| {
            for pid in pids().filter(|_| !container.is_empty()) {
                let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"));
                if groups.unwrap_or_default().contains(&container) {
                    kill(pid);
                }
            }
            Ok(())
        })
        .await
    }

    fn freeze_now(&self, until: Deadline) -> Result<FrozenBoxes, EngineError> {
        let mut waiting = self.running()?;
        let mut frozen = FrozenBoxes::default();
        loop {
            let mut refused = HashMap::new();
            // All are told first, then all are looked at.
            for running in &waiting {
                for hold in running.holds.iter().filter(|hold| !hold.is_still()) {
                    if let Err(error) = hold.begin() {
                        refused.insert(running.record.id.clone(), error.to_string());
                    }
                }
            }
            waiting.retain(|running| {
                let is_still = running.holds.iter().all(Hold::is_still);
                if is_still {
                    frozen.halted.push(running.record.id.clone());
                }
                !is_still
            });
            if waiting.is_empty() || until.is_over() {
                let why = |id: &BoxId| refused.remove(id);
                let slow = || "it does not stand still in time".to_owned();
                let mut why = why;
                frozen.going_on = waiting
                    .into_iter()
                    .map(|running| {
                        let why = why(&running.record.id).unwrap_or_else(slow);
                        (running.record.id, why)
                    })
                    .collect();
                return Ok(frozen);
            }
            std::thread::sleep(LOOK_PAUSE);
        }
    }

    fn holds(&self, id: &BoxId) -> Result<Vec<Hold>, EngineError> {
        let running = self.running()?;
        let found = running.into_iter().find(|running| running.record.id == *id);
        Ok(found.map_or_else(Vec::new, |running| running.holds))
    }

    fn running(&self) -> Result<Vec<Running>, EngineError> {
        let records = self.home.records(self.engine)?;
        let mut inits = self.inits(&records);
        let found = records.into_iter().filter_map(|record| {
            let inits = inits.remove(&self.home.name(&record.id))?;
            let holds = inits.into_iter().map(|init| self.freezer.hold_of(init));
            Some(Running {
                holds: holds.collect(),
                record,
            })
        });
        Ok(found.collect())
    }

    /// The first processes of running boxes, by the box's name.
    fn inits(&self, records: &[BoxRecord]) -> HashMap<String, Vec<i32>> {
        if self.engine == super::docker::NAME {
            return container_inits();
        }
        let of = |record: &BoxRecord| {
            let name = self.home.name(&record.id);
            let folder = self.home.folder(&record.id);
            let found = found::find(&folder, &name, record.confinement)?;
            Some((name, vec![found.pid()]))
        };
        records.iter().filter_map(of).collect()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Still) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let still = self.clone();
        match tokio::task::spawn_blocking(move || work(&still)).await {
            Ok(done) => done,
            Err(join) => Err(EngineError::Unreachable {
                engine: self.engine,
                why: join.to_string(),
            }),
        }
    }

    fn failing(&self, verb: &'static str, id: &BoxId, why: &str) -> EngineError {
        EngineError::Failing {
            engine: self.engine,
            verb,
            subject: format!("box {id}"),
            why: why.to_owned(),
        }
    }
}

/// The first processes of all boxes that are containers on this host, by the name that their init is
/// called with.
///
/// A process that only calls itself so is in the group of its own box, or its parent is.
fn container_inits() -> HashMap<String, Vec<i32>> {
    let mut found: HashMap<String, Vec<i32>> = HashMap::new();
    for pid in pids() {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        if let [b"/domo", b"init", b"/agent", name, b""] = words.as_slice()
            && found::is_first_of_a_namespace(pid)
            && is_started_from_outside(pid)
        {
            let name = String::from_utf8_lossy(name).into_owned();
            found.entry(name).or_default().push(pid);
        }
    }
    found
}

/// All processes of this host.
fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a process is in other groups than its parent.
fn is_started_from_outside(pid: i32) -> bool {
    let groups = |pid: i32| fs::read(format!("/proc/{pid}/cgroup")).ok();
    found::parent_of(pid).is_some_and(|parent| groups(pid) != groups(parent))
}
