//! The workshop of a real node: boxes of its engine, spoken to through their spools.
//!
//! # Invariant
//! What an attempt has come to stands in its spool. Every step looks there first, so that a daemon
//! which died between any two of them goes on where the spool says.

mod hand_in;
mod left;
mod speech;
mod still;
mod take_out;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rules::id::{AttemptId, CaseId, Epoch, NodeId, TeamName, WorkerId, WorkerName};
use tokio::sync::broadcast::error::RecvError;

use super::{Bench, Doing, Ended, Frozen, Job, Left, Said, Told, Workshop, WorkshopError};
use crate::blob::{BlobError, Blobs};
use crate::clock::Deadline;
use crate::engine::{BoxEvent, BoxId, BoxLimits, BoxSpec, Engine, EngineError, Image};
use crate::gateway::{Gateway, Pass};
use crate::kernel;
use crate::spool::{
    AttemptName, AttemptObserved, CONTRACT_VERSION, Cancel, Spool, SpoolError, SpoolWatcher,
};

/// How often a box is looked after while an attempt runs in it, whatever the engine's news say.
const LOOK_AFTER: Duration = Duration::from_secs(10);
/// Time for a sleeping box's init to end politely.
const REST_GRACE: Duration = Duration::from_secs(10);
/// Longest wait for an ended attempt's exit, beyond its own grace: then its box is stopped.
const EXIT_WAIT: Duration = Duration::from_secs(30);
/// The largest brief or SOUL that a kernel is shown as text; the file itself is whole.
const SHOWN_TEXT_BYTES: usize = 1 << 20;

/// Boxes of an engine.
pub struct Boxes {
    engine: Arc<dyn Engine>,
    blobs: Blobs,
    watcher: SpoolWatcher,
    cluster: String,
    node: NodeId,
    gateway: Gateway,
    grace_ms: u64,
    /// What ended attempts had left when it was counted last.
    left_bytes: AtomicU64,
}

impl Boxes {
    /// The boxes of this node of this cluster; inside a tokio runtime.
    pub fn new(
        engine: Arc<dyn Engine>,
        blobs: Blobs,
        cluster: String,
        node: NodeId,
        gateway: Gateway,
        grace_ms: u64,
    ) -> Self {
        let watcher = SpoolWatcher::new();
        Self {
            engine,
            blobs,
            watcher,
            cluster,
            node,
            gateway,
            grace_ms,
            left_bytes: AtomicU64::new(0),
        }
    }

    /// What ended attempts had left here when it was counted last.
    pub fn left_bytes(&self) -> u64 {
        self.left_bytes.load(Ordering::Relaxed)
    }

    /// The spool of a worker's present box, where it has one here.
    pub async fn spool_of(&self, bench: &Bench) -> Result<Option<Spool>, WorkshopError> {
        let found = self.engine.find(&self.box_id(bench)).await;
        Ok(found
            .map_err(|error| passing(&error))?
            .map(|found| found.spool))
    }

    fn box_id(&self, bench: &Bench) -> BoxId {
        BoxId {
            cluster: self.cluster.clone(),
            node: self.node.0,
            team: bench.worker.team.to_string(),
            worker: bench.worker.name.to_string(),
            epoch: bench.epoch.0,
        }
    }

    fn spec(&self, job: &Job) -> BoxSpec {
        let takes = job.agent.limits;
        BoxSpec {
            id: self.box_id(&job.bench),
            image: match job.agent.image.as_str() {
                "" | "scratch" => Image::Scratch,
                name => Image::Named(name.to_owned()),
            },
            limits: BoxLimits {
                memory_bytes: takes.memory_bytes,
                cpu_millis: takes.cpu_milli,
                processes: takes.pids,
                file_bytes: takes.output_bytes,
                attempts: job.parallel.into(),
                ..BoxLimits::default()
            },
            programs: hand_in::own_program(&job.agent),
        }
    }

    async fn carry_out(
        &self,
        job: &Job,
        started: &(dyn Fn() + Send + Sync),
    ) -> Result<Ended, WorkshopError> {
        let kernel = kernel::by_name(&job.agent.kernel).ok_or_else(|| {
            let (name, known) = (&job.agent.kernel, kernel::NAMES.join(", "));
            WorkshopError::Never(format!("there is no kernel {name}; there are {known}"))
        })?;
        let name = spool_name(job.attempt)?;
        let spec = self.spec(job);
        let mut news = self.engine.events();
        let found = self.engine.ensure(&spec).await;
        let found = found.map_err(|error| passing(&error))?;
        let (spool, mut is_out_of_memory) = (found.spool, found.was_out_of_memory);
        let watch = loop {
            match observe(&spool, &name).await? {
                AttemptObserved::NotStarted { is_ordered: false } => {
                    // Whatever its box died of before is no matter of this attempt's.
                    is_out_of_memory = false;
                    self.order(job, kernel.as_ref(), &spool, &name).await?;
                }
                AttemptObserved::NotStarted { is_ordered: true } | AttemptObserved::Running => {
                    self.let_in(job, &spool, &name);
                    break self.watcher.attempt(&spool, &name);
                }
                AttemptObserved::Exited(exit) => {
                    let ended = self.read(kernel.as_ref(), &spool, &name, &exit).await?;
                    return Ok(take_out::told(
                        ended,
                        &exit,
                        is_out_of_memory,
                        &job.agent.limits,
                    ));
                }
            }
        };
        let mut look_after = Deadline::after(LOOK_AFTER);
        loop {
            match observe(&spool, &name).await? {
                AttemptObserved::Exited(exit) => {
                    let ended = self.read(kernel.as_ref(), &spool, &name, &exit).await?;
                    return Ok(take_out::told(
                        ended,
                        &exit,
                        is_out_of_memory,
                        &job.agent.limits,
                    ));
                }
                AttemptObserved::Running => started(),
                AttemptObserved::NotStarted { .. } => {}
            }
            let is_box_in_doubt = tokio::select! {
                () = watch.changed() => look_after.is_over(),
                of_memory = doubt(&mut news, &spec.id) => {
                    is_out_of_memory |= of_memory;
                    true
                }
            };
            if is_box_in_doubt {
                look_after = Deadline::after(LOOK_AFTER);
                // A box that had ended is started again; its init says what was lost.
                let found = self.engine.ensure(&spec).await;
                is_out_of_memory |= found.map_err(|error| passing(&error))?.was_out_of_memory;
            }
        }
    }

    /// Opens the attempt's way out, unless it is open.
    fn let_in(&self, job: &Job, spool: &Spool, name: &AttemptName) {
        let pass = Pass {
            bench: job.bench.clone(),
            attempt: job.attempt,
        };
        if let Err(error) = self.gateway.let_in(&pass, spool, name) {
            tracing::warn!(attempt = %job.attempt, %error, "its agent has no way out");
        }
    }

    async fn end_attempt(&self, bench: &Bench, attempt: AttemptId) -> Result<(), WorkshopError> {
        let name = spool_name(attempt)?;
        let Some(spool) = self.spool_of(bench).await? else {
            self.gateway.let_out(attempt);
            return Ok(());
        };
        let watch = self.watcher.attempt(&spool, &name);
        let cancel = Cancel {
            version: CONTRACT_VERSION,
            reason: "its stage is over".to_owned(),
            grace_ms: None,
        };
        if !matches!(observe(&spool, &name).await?, AttemptObserved::Exited(_)) {
            let (to, of) = (spool.clone(), name.clone());
            blocking(move || to.cancel(&of, &cancel)).await?;
            let limit = EXIT_WAIT + Duration::from_millis(self.grace_ms);
            let exited = async {
                loop {
                    match observe(&spool, &name).await? {
                        AttemptObserved::Exited(_)
                        | AttemptObserved::NotStarted { is_ordered: false } => return Ok(()),
                        AttemptObserved::NotStarted { .. } | AttemptObserved::Running => {}
                    }
                    let id = self.box_id(bench);
                    let found = self
                        .engine
                        .find(&id)
                        .await
                        .map_err(|error| passing(&error))?;
                    if found.is_none_or(|found| found.phase == crate::engine::Phase::Stopped) {
                        return Ok(());
                    }
                    watch.changed().await;
                }
            };
            if let Ok(ended) = tokio::time::timeout(limit, exited).await {
                ended?;
            } else {
                let why = format!("attempt {attempt} does not end; its box is stopped");
                tracing::warn!(worker = %bench.worker, "{why}");
                let id = self.box_id(bench);
                let stopped = self.engine.stop(&id, Duration::ZERO).await;
                stopped.map_err(|error| passing(&error))?;
            }
        }
        self.gateway.let_out(attempt);
        let spool = spool.clone();
        blocking(move || left::discard_oldest(&spool)).await
    }
}

impl Workshop for Boxes {
    fn run<'a>(&'a self, job: &'a Job, started: &'a (dyn Fn() + Send + Sync)) -> Doing<'a, Ended> {
        Box::pin(self.carry_out(job, started))
    }

    fn end<'a>(&'a self, bench: &'a Bench, attempt: AttemptId) -> Doing<'a, ()> {
        Box::pin(self.end_attempt(bench, attempt))
    }

    fn tell<'a>(&'a self, bench: &'a Bench, attempt: AttemptId, told: &'a [Told]) -> Doing<'a, ()> {
        Box::pin(speech::tell(self, bench, attempt, told))
    }

    fn said<'a>(&'a self, bench: &'a Bench, attempt: AttemptId, from: u64) -> Doing<'a, Said> {
        Box::pin(speech::said(self, bench, attempt, from))
    }

    fn attempts<'a>(&'a self, bench: &'a Bench) -> Doing<'a, BTreeSet<AttemptId>> {
        Box::pin(async move {
            let Some(spool) = self.spool_of(bench).await? else {
                return Ok(BTreeSet::new());
            };
            let names = blocking(move || spool.attempts()).await?;
            Ok(names.iter().filter_map(attempt_id).collect())
        })
    }

    fn rest<'a>(&'a self, bench: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async move {
            self.engine
                .stop(&self.box_id(bench), REST_GRACE)
                .await
                .map_err(|error| passing(&error))
        })
    }

    fn benches(&self) -> Doing<'_, Vec<Bench>> {
        Box::pin(async move {
            let found = self.engine.list().await.map_err(|error| passing(&error))?;
            Ok(found
                .into_iter()
                .filter_map(|found| bench(&found.id))
                .collect())
        })
    }

    fn clear<'a>(&'a self, bench: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async move {
            self.gateway.clear(bench);
            self.engine
                .remove(&self.box_id(bench))
                .await
                .map_err(|error| passing(&error))
        })
    }

    fn left(&self) -> Doing<'_, Vec<Left>> {
        Box::pin(left::left(self))
    }

    fn discard<'a>(&'a self, bench: &'a Bench, attempt: AttemptId) -> Doing<'a, ()> {
        Box::pin(left::discard(self, bench, attempt))
    }

    fn freeze(&self, until: Deadline) -> Doing<'_, Frozen> {
        Box::pin(still::freeze(self, until))
    }

    fn frozen(&self) -> Doing<'_, Vec<Bench>> {
        Box::pin(still::frozen(self))
    }

    fn thaw<'a>(&'a self, bench: &'a Bench, wanted: &'a BTreeSet<AttemptId>) -> Doing<'a, ()> {
        Box::pin(still::thaw(self, bench, wanted))
    }
}

fn bench(id: &BoxId) -> Option<Bench> {
    let team = TeamName::new(&id.team).ok()?;
    let name = WorkerName::new(&id.worker).ok()?;
    Some(Bench {
        worker: WorkerId { team, name },
        epoch: Epoch(id.epoch),
    })
}

/// The name of an attempt's folders: `c7-2` for `c-7.2`.
pub fn spool_name(attempt: AttemptId) -> Result<AttemptName, WorkshopError> {
    AttemptName::new(&format!("c{}-{}", attempt.case.0, attempt.number))
        .map_err(|error| WorkshopError::Never(error.to_string()))
}

/// The attempt whose folders have that name.
pub fn attempt_id(name: &AttemptName) -> Option<AttemptId> {
    let (case, number) = name.as_str().strip_prefix('c')?.split_once('-')?;
    Some(AttemptId {
        case: CaseId(case.parse().ok()?),
        number: number.parse().ok()?,
    })
}

/// Returns when the engine's news leave it open whether the box still runs: whether it ended for
/// want of memory.
async fn doubt(news: &mut tokio::sync::broadcast::Receiver<BoxEvent>, id: &BoxId) -> bool {
    loop {
        match news.recv().await {
            Ok(BoxEvent::Ended { id: ended, oom }) if ended == *id => return oom,
            Ok(BoxEvent::Regained) | Err(RecvError::Lagged(_)) => return false,
            Ok(BoxEvent::Ended { .. } | BoxEvent::Lost) => {}
            Err(RecvError::Closed) => std::future::pending::<()>().await,
        }
    }
}

async fn observe(spool: &Spool, name: &AttemptName) -> Result<AttemptObserved, WorkshopError> {
    let (spool, name) = (spool.clone(), name.clone());
    blocking(move || spool.observe(&name)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, WorkshopError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| passing(&error.into())),
        Err(join) => Err(WorkshopError::Later(join.to_string())),
    }
}

fn passing(error: &EngineError) -> WorkshopError {
    let is_passing = error.is_passing();
    let mut line = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    if is_passing {
        WorkshopError::Later(line)
    } else {
        WorkshopError::Never(line)
    }
}

fn unread(error: &BlobError) -> WorkshopError {
    WorkshopError::Later(format!("a blob cannot be read or written: {error}"))
}
