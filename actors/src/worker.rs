//! A worker: owns one agent container and carries out the attempts that it is given.
//!
//! ```text
//! Run added   ──► errand: job from the state ─► workshop ─► finished | lost ─► entry
//! Run dropped ──► errand dropped ─► the attempt is ended in its container
//! Keep dropped ─► container stopped ─► the actor ends; a new duty brings it back
//! ```
//!
//! # Why
//! The container and what runs in it outlive this actor. One that comes back asks the workshop
//! what is there, goes on with what is still wanted, and ends the rest.

mod job;
mod talk;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rules::attempt::AttemptOutcome;
use rules::command::Progress;
use rules::duty::Duty;
use rules::id::{AttemptId, Epoch, WorkerId};
use rules::limits::{MAX_LINE_BYTES, MAX_PARALLEL};
use rules::{Command, State, Who};
use runtime::workshop::{Bench, Ended, WorkshopError};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::backoff::Backoff;
use crate::errand::{Duties, Errands};
use crate::house::{Hindrance, House};

/// What wakes a worker.
pub enum WorkerMsg {
    /// Its duties have changed.
    Serve(Duties),
    /// The workshop has these attempts of its container.
    Found(BTreeSet<AttemptId>),
    /// An attempt is ended, or the container rests.
    Settled,
    /// One of its errands panicked.
    ErrandPanicked,
    /// Panic, because a test or an operator says so.
    Crash,
}

impl ractor::Message for WorkerMsg {}

/// How long an agent runs before the ledger is told that it does: what is over sooner is told
/// with its end, so that a short attempt costs one entry.
const TOLD_AFTER: Duration = Duration::from_millis(250);
/// Waits between tries of ending an attempt or laying a container to rest.
const SETTLE_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A worker.
pub struct Worker;

/// What it is started with.
pub struct WorkerArgs {
    /// The node's means.
    pub house: House,
    /// Who it is.
    pub worker: WorkerId,
}

/// What it has in mind.
pub struct WorkerState {
    house: House,
    worker: WorkerId,
    errands: Errands,
    wanted: BTreeSet<AttemptId>,
    /// The epoch of the container that shall run.
    kept: Option<Epoch>,
    /// Attempts that are being ended, containers that are being stopped.
    settling: JoinSet<()>,
    unsettled: usize,
    /// A place for each attempt; whoever stops the container takes all places.
    places: Arc<Semaphore>,
    has_looked: bool,
}

impl Actor for Worker {
    type Msg = WorkerMsg;
    type State = WorkerState;
    type Arguments = WorkerArgs;

    async fn pre_start(
        &self,
        _me: ActorRef<WorkerMsg>,
        args: WorkerArgs,
    ) -> Result<WorkerState, ActorProcessingErr> {
        Ok(WorkerState {
            house: args.house,
            worker: args.worker,
            errands: Errands::default(),
            wanted: BTreeSet::new(),
            kept: None,
            settling: JoinSet::new(),
            unsettled: 0,
            places: Arc::new(Semaphore::new(MAX_PARALLEL as usize)),
            has_looked: false,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<WorkerMsg>,
        message: WorkerMsg,
        state: &mut WorkerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WorkerMsg::Serve(duties) => serve(&me, state, &duties),
            WorkerMsg::Found(attempts) => end_unwanted(&me, state, &attempts),
            WorkerMsg::Settled => settled(&me, state),
            WorkerMsg::ErrandPanicked => return Err("an errand panicked".into()),
            WorkerMsg::Crash => panic!("the worker was told to crash"),
        }
        Ok(())
    }
}

fn serve(me: &ActorRef<WorkerMsg>, state: &mut WorkerState, duties: &Duties) {
    for duty in &duties.dropped {
        state.errands.drop(duty);
        match duty {
            Duty::Run { attempt, epoch } => {
                state.wanted.remove(attempt);
                end(me, state, *epoch, *attempt);
            }
            Duty::Keep { epoch } if state.kept == Some(*epoch) => {
                state.kept = None;
                rest(me, state, *epoch);
            }
            Duty::Keep { .. }
            | Duty::Place { .. }
            | Duty::Route { .. }
            | Duty::Plan { .. }
            | Duty::Report { .. }
            | Duty::Answer { .. }
            | Duty::Tell { .. } => {}
        }
    }
    for duty in &duties.added {
        match duty {
            Duty::Run { attempt, epoch } => run(me, state, duty, *attempt, *epoch),
            Duty::Keep { epoch } => state.kept = Some(*epoch),
            Duty::Tell { attempt, epoch, .. } => tell(me, state, duty, *attempt, *epoch),
            Duty::Place { .. }
            | Duty::Route { .. }
            | Duty::Plan { .. }
            | Duty::Report { .. }
            | Duty::Answer { .. } => {}
        }
    }
    if !state.has_looked {
        state.has_looked = true;
        look(me, state);
    }
}

/// Begins to carry an attempt out.
fn run(
    me: &ActorRef<WorkerMsg>,
    state: &mut WorkerState,
    duty: &Duty,
    attempt: AttemptId,
    epoch: Epoch,
) {
    state.wanted.insert(attempt);
    let who = Who::Worker {
        worker: state.worker.clone(),
        epoch,
    };
    let (house, places) = (state.house.clone(), Arc::clone(&state.places));
    let stage = house.look(|state| {
        let case = state.cases.get(&attempt.case)?;
        case.attempts
            .get(&attempt.number)
            .map(|attempt| attempt.stage.to_string())
    });
    let (stage, worker) = (stage.unwrap_or_default(), &state.worker);
    let span = tracing::info_span!("run", case = %attempt.case, stage, %attempt, %worker);
    state.errands.start(
        duty,
        span,
        me,
        || WorkerMsg::ErrandPanicked,
        move || carry_out(house.clone(), Arc::clone(&places), who.clone(), attempt),
    );
}

/// Begins to see to it that an attempt's agent can read what it was told.
fn tell(
    me: &ActorRef<WorkerMsg>,
    state: &mut WorkerState,
    duty: &Duty,
    attempt: AttemptId,
    epoch: Epoch,
) {
    let (house, worker) = (state.house.clone(), state.worker.clone());
    let bench = Bench { worker, epoch };
    let span = tracing::info_span!("tell", %attempt);
    let panicked = || WorkerMsg::ErrandPanicked;
    state.errands.start(duty, span, me, panicked, move || {
        talk::tell(house.clone(), bench.clone(), attempt)
    });
}

async fn carry_out(
    house: House,
    places: Arc<Semaphore>,
    who: Who,
    attempt: AttemptId,
) -> Result<(), Hindrance> {
    let _inside = places.acquire().await;
    let Some(job) = house.look(|state| job::of(state, attempt)) else {
        return Ok(());
    };
    let job = job.complete(&house).await?;
    // A leader can believe this node again a moment before it has its lease: what is begun then
    // would be told that it may do nothing.
    house.leases.held().await;
    let runs = Notify::new();
    let is_running = || runs.notify_one();
    let tell = async {
        runs.notified().await;
        tokio::time::sleep(TOLD_AFTER).await;
        let command = Command::AdvanceAttempt {
            attempt,
            to: Progress::Running,
        };
        if let Err(hindrance) = house.say(who.clone(), command).await {
            tracing::debug!(%attempt, %hindrance, "nobody was told that it runs");
        }
        std::future::pending::<()>().await;
    };
    let mut ear = talk::Ear::new(&house, &who, &job.bench, attempt);
    let ended = tokio::select! {
        ended = house.workshop.run(&job, &is_running) => ended,
        () = tell => return Ok(()),
        () = ear.listen() => return Ok(()),
    };
    ear.hear_out().await;
    let command = match ended {
        Ok(Ended::Succeeded(result)) => Command::FinishAttempt {
            attempt,
            outcome: AttemptOutcome::Succeeded(result),
        },
        Ok(Ended::Failed(reason)) | Err(WorkshopError::Never(reason)) => {
            let outcome = AttemptOutcome::Failed {
                reason: line(reason),
            };
            Command::FinishAttempt { attempt, outcome }
        }
        Ok(Ended::Lost(reason)) => Command::LoseAttempt {
            attempt,
            reason: line(reason),
        },
        Err(WorkshopError::Later(reason)) => return Err(WorkshopError::Later(reason).into()),
    };
    house.say(who, command).await?;
    Ok(())
}

/// Ends an attempt in its container.
fn end(me: &ActorRef<WorkerMsg>, state: &mut WorkerState, epoch: Epoch, attempt: AttemptId) {
    let (house, bench) = (
        state.house.clone(),
        Bench {
            worker: state.worker.clone(),
            epoch,
        },
    );
    settle(me, state, async move {
        let mut backoff = Backoff::new(SETTLE_WAITS.0, SETTLE_WAITS.1);
        while let Err(error) = house.workshop.end(&bench, attempt).await {
            tracing::warn!(%attempt, %error, "the attempt could not be ended yet");
            tokio::time::sleep(backoff.next_wait()).await;
        }
    });
}

/// Stops the container, once nothing runs in it.
fn rest(me: &ActorRef<WorkerMsg>, state: &mut WorkerState, epoch: Epoch) {
    let (house, places) = (state.house.clone(), Arc::clone(&state.places));
    let bench = Bench {
        worker: state.worker.clone(),
        epoch,
    };
    settle(me, state, async move {
        let mut backoff = Backoff::new(SETTLE_WAITS.0, SETTLE_WAITS.1);
        loop {
            let is_kept =
                |state: &State| state.keeps_container(house.node, &bench.worker, bench.epoch);
            // In a container of an epoch that is over nothing is begun any more: what runs in the
            // present one is no matter of it.
            let alone = if house.look(is_kept) {
                Some(places.acquire_many(MAX_PARALLEL).await)
            } else {
                None
            };
            let is_awake = house.look(|state| {
                let worker = state.workers.get(&bench.worker);
                is_kept(state) && worker.is_some_and(|worker| worker.is_awake)
            });
            if is_awake {
                return;
            }
            match house.workshop.rest(&bench).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(worker = %bench.worker, %error, "the container does not stop yet");
                }
            }
            drop(alone);
            tokio::time::sleep(backoff.next_wait()).await;
        }
    });
}

/// Does something that outlasts its duty; the actor stays until it is done.
fn settle(
    me: &ActorRef<WorkerMsg>,
    state: &mut WorkerState,
    work: impl Future<Output = ()> + Send + 'static,
) {
    let me = me.clone();
    state.unsettled += 1;
    state.settling.spawn(async move {
        work.await;
        let _ = me.cast(WorkerMsg::Settled);
    });
}

fn settled(me: &ActorRef<WorkerMsg>, state: &mut WorkerState) {
    state.unsettled = state.unsettled.saturating_sub(1);
    while state.settling.try_join_next().is_some() {}
    if state.unsettled == 0 && state.errands.is_empty() && state.kept.is_none() {
        me.stop(None);
    }
}

/// Asks the workshop what is left of the time before this actor.
fn look(me: &ActorRef<WorkerMsg>, state: &mut WorkerState) {
    let (house, worker, kept) = (state.house.clone(), state.worker.clone(), state.kept);
    let found = me.clone();
    settle(me, state, async move {
        let present = house.look(|state| state.workers.get(&worker).map(|w| w.epoch));
        let Some(epoch) = kept.or(present) else {
            return;
        };
        let bench = Bench { worker, epoch };
        match house.workshop.attempts(&bench).await {
            Ok(attempts) => {
                let _ = found.cast(WorkerMsg::Found(attempts));
            }
            Err(error) => tracing::warn!(worker = %bench.worker, %error, "nobody knows what runs"),
        }
    });
    if kept.is_none() {
        let epoch = state
            .house
            .look(|s| s.workers.get(&state.worker).map(|w| w.epoch));
        if let Some(epoch) = epoch {
            rest(me, state, epoch);
        }
    }
}

fn end_unwanted(me: &ActorRef<WorkerMsg>, state: &mut WorkerState, found: &BTreeSet<AttemptId>) {
    let epoch = state
        .house
        .look(|s| s.workers.get(&state.worker).map(|w| w.epoch));
    let Some(epoch) = state.kept.or(epoch) else {
        return;
    };
    for attempt in found.difference(&state.wanted.clone()) {
        end(me, state, epoch, *attempt);
    }
}

/// A reason as one line within the limit of the rules.
fn line(reason: String) -> String {
    if reason.len() <= MAX_LINE_BYTES {
        return reason;
    }
    let mut end = MAX_LINE_BYTES - '…'.len_utf8();
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &reason[..end])
}
