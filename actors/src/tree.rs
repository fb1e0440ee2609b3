//! The root of a node's personas: hands duties out, and keeps alive whoever has any.
//!
//! | child | while | if it dies | restarts | beyond that |
//! |---|---|---|---|---|
//! | manager | this node leads, and nobody holds him dead | started again with all his duties | 10 ms doubling to 5 s | after five within half a minute another node is to lead |
//! | butler of a team, in one epoch | it has duties here, until the epoch is over | likewise | likewise | goes on at the longest wait, and says so |
//! | worker | it has duties here | likewise; its container goes on meanwhile | likewise | likewise |
//! | janitor | always | likewise | likewise | likewise |
//!
//! # Invariant
//! What a child is told adds up to exactly the duties that the state gives it.
//!
//! # Why
//! A crash loop ends no team: waiting longer and saying so loses nothing, giving up would.

mod seat;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent,
};
use rules::duty::{Duty, Holder, Subject, duties_of, subjects};
use rules::id::{TeamName, WorkerId};
use runtime::clock;

use crate::backoff::Backoff;
use crate::child::{self, Handle};
use crate::errand::Duties;
use crate::house::House;

pub use crate::child::Child;
pub use standing::Standing;

use seat::Seat;

/// What wakes the root.
pub enum RootMsg {
    /// Entries have touched these.
    Changed(BTreeSet<Subject>),
    /// This node leads in that term, or does not lead.
    Leads(Option<u64>),
    /// The wait before a child's restart is over.
    Restart(Child),
    /// A container of this worker runs that should sleep.
    SettleWorker(WorkerId),
    /// Say how the children are.
    Stand(RpcReplyPort<Vec<Standing>>),
    /// Have a child panic, because a test or an operator says so.
    Crash(Child),
    /// Hold the Manager dead, or let him live again, because a test or an operator says so.
    HoldManager(bool),
}

impl ractor::Message for RootMsg {}

/// Waits between restarts of a child: the first is not felt, the longest loads nothing.
const RESTART_WAITS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));
/// A child that lived this long is well, and its restarts are forgotten: as long as the longest wait.
const WELL_AFTER: Duration = Duration::from_secs(5);
/// Restarts in a row after which the log says that something is wrong for good.
const CRASH_LOOP: u32 = 5;

/// The root.
pub struct Root;

/// What it has in mind.
pub struct RootState {
    house: House,
    term: Option<u64>,
    seat: Seat,
    /// The duties of each subject, as they were last read.
    read: BTreeMap<Subject, Vec<(Holder, Duty)>>,
    /// The same by holder, for those who are here.
    held: BTreeMap<Holder, BTreeSet<Duty>>,
    children: BTreeMap<Child, Running>,
    by_id: BTreeMap<ActorId, Child>,
}

struct Running {
    handle: Option<Handle>,
    started: clock::BootMs,
    backoff: Backoff,
    last_death: Option<String>,
}

impl Actor for Root {
    type Msg = RootMsg;
    type State = RootState;
    type Arguments = House;

    async fn pre_start(
        &self,
        me: ActorRef<RootMsg>,
        house: House,
    ) -> Result<RootState, ActorProcessingErr> {
        let mut state = RootState {
            house,
            term: None,
            seat: Seat::default(),
            read: BTreeMap::new(),
            held: BTreeMap::new(),
            children: BTreeMap::new(),
            by_id: BTreeMap::new(),
        };
        let all: BTreeSet<Subject> = state.house.look(|state| subjects(state).collect());
        start(&me, &mut state, &Child::Janitor).await;
        changed(&me, &mut state, all).await;
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<RootMsg>,
        message: RootMsg,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RootMsg::Changed(subjects) => changed(&me, state, subjects).await,
            RootMsg::Leads(term) => seat::leads(&me, state, term).await,
            RootMsg::HoldManager(is_held) => seat::hold(&me, state, is_held).await,
            RootMsg::Restart(child) => restart(&me, state, child).await,
            RootMsg::SettleWorker(worker) => settle_worker(&me, state, worker).await,
            RootMsg::Stand(reply) => {
                // Whoever asked may have gone.
                let _ = reply.send(standing::of(state));
            }
            RootMsg::Crash(child) => crash(state, &child),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<RootMsg>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(cell, _, _) => ended(&me, state, &cell, None),
            SupervisionEvent::ActorFailed(cell, why) => {
                ended(&me, state, &cell, Some(why.to_string()));
            }
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ProcessGroupChanged(_)
            | SupervisionEvent::PidLifecycleEvent(_) => {}
        }
        Ok(())
    }
}

/// Reads the duties of what was touched, and tells those whose duties have changed.
async fn changed(me: &ActorRef<RootMsg>, state: &mut RootState, touched: BTreeSet<Subject>) {
    for subject in &touched {
        if let Subject::Team(team) = subject {
            dismiss_butlers(state, team);
        }
    }
    let now: Vec<(Subject, Vec<(Holder, Duty)>)> = state.house.look(|rules| {
        touched
            .into_iter()
            .map(|subject| (duties_of(rules, &subject), subject))
            .map(|(duties, subject)| (subject, duties))
            .collect()
    });
    let mut news: BTreeMap<Holder, Duties> = BTreeMap::new();
    for (subject, duties) in now {
        let before = if duties.is_empty() {
            state.read.remove(&subject).unwrap_or_default()
        } else {
            state
                .read
                .insert(subject, duties.clone())
                .unwrap_or_default()
        };
        for (holder, duty) in &before {
            if !duties.iter().any(|(h, d)| h == holder && d == duty) {
                news.entry(holder.clone())
                    .or_default()
                    .dropped
                    .push(duty.clone());
            }
        }
        for (holder, duty) in duties {
            if !before.iter().any(|(h, d)| *h == holder && *d == duty) {
                news.entry(holder).or_default().added.push(duty);
            }
        }
    }
    for (holder, news) in news {
        tell(me, state, holder, news).await;
    }
}

/// Notes a holder's change of duties, and passes it on when the holder is here.
async fn tell(me: &ActorRef<RootMsg>, state: &mut RootState, holder: Holder, news: Duties) {
    let held = state.held.entry(holder.clone()).or_default();
    for duty in &news.dropped {
        held.remove(duty);
    }
    held.extend(news.added.iter().cloned());
    let is_idle = held.is_empty();
    if is_idle {
        state.held.remove(&holder);
    }
    if !is_here(state, &holder) {
        return;
    }
    let child = Child::Persona(holder);
    match state
        .children
        .get(&child)
        .map(|running| running.handle.as_ref())
    {
        // It may have died just now: then it is started again with all that it holds.
        Some(Some(handle)) => handle.serve(news),
        Some(None) => {}
        None if is_idle => {}
        None => start(me, state, &child).await,
    }
}

fn is_here(state: &RootState, holder: &Holder) -> bool {
    match holder {
        Holder::Manager => state.term.is_some(),
        Holder::Butler(_, node, _) | Holder::Worker(_, node) => *node == state.house.node,
    }
}

/// Starts a child and gives it all its duties.
async fn start(me: &ActorRef<RootMsg>, state: &mut RootState, child: &Child) {
    if seat::is_barred(state, child) {
        return;
    }
    let Some(spawned) = child::spawn(me, &state.house, state.term, child).await else {
        return;
    };
    let running = state
        .children
        .entry(child.clone())
        .or_insert_with(|| Running {
            handle: None,
            started: clock::boot(),
            backoff: Backoff::new(RESTART_WAITS.0, RESTART_WAITS.1),
            last_death: None,
        });
    running.started = clock::boot();
    match spawned {
        Ok(handle) => {
            state.by_id.insert(handle.cell().get_id(), child.clone());
            if let Child::Persona(holder) = child {
                let added = state.held.get(holder).into_iter().flatten().cloned();
                let duties = Duties {
                    added: added.collect(),
                    dropped: Vec::new(),
                };
                handle.serve(duties);
            }
            running.handle = Some(handle);
        }
        Err(why) => {
            tracing::error!(?child, %why, "a persona does not start");
            running.last_death = Some(why.to_string());
            running.handle = None;
            let (wait, child) = (running.backoff.next_wait(), child.clone());
            me.send_after(wait, move || RootMsg::Restart(child));
        }
    }
}

/// A child has ended: by itself when it had nothing to do, else it comes back.
fn ended(me: &ActorRef<RootMsg>, state: &mut RootState, cell: &ActorCell, why: Option<String>) {
    let Some(child) = state.by_id.remove(&cell.get_id()) else {
        return;
    };
    let Some(running) = state.children.get_mut(&child) else {
        return;
    };
    running.handle = None;
    let has_duties = match &child {
        Child::Janitor => true,
        Child::Persona(holder) => state.held.contains_key(holder),
    };
    match why {
        None if !has_duties => {
            state.children.remove(&child);
        }
        None => {
            // It stopped for want of work while work was on its way to it.
            let _ = me.cast(RootMsg::Restart(child));
        }
        Some(why) => {
            if clock::boot().since(running.started) > WELL_AFTER {
                running.backoff = Backoff::new(RESTART_WAITS.0, RESTART_WAITS.1);
            }
            let wait = running.backoff.next_wait();
            let restarts = running.backoff.tries();
            if restarts >= CRASH_LOOP {
                tracing::error!(?child, why, restarts, "a persona crashes again and again");
            } else {
                tracing::warn!(?child, why, "a persona died and is started again");
            }
            running.last_death = Some(why);
            if child == Child::Persona(Holder::Manager) {
                seat::crashed(state);
            }
            me.send_after(wait, move || RootMsg::Restart(child));
        }
    }
}

async fn restart(me: &ActorRef<RootMsg>, state: &mut RootState, child: Child) {
    let is_wanted = match &child {
        Child::Janitor => true,
        Child::Persona(Holder::Manager) => state.term.is_some(),
        Child::Persona(holder) => is_here(state, holder) && state.held.contains_key(holder),
    };
    if !is_wanted {
        state.children.remove(&child);
        return;
    }
    if state
        .children
        .get(&child)
        .is_some_and(|running| running.handle.is_none())
    {
        start(me, state, &child).await;
    }
}

/// Ends the butlers of a team that are of another epoch than its present one.
fn dismiss_butlers(state: &mut RootState, team: &TeamName) {
    let house = &state.house;
    let present = house.look(|rules| rules.teams.get(team).map(|team| team.epoch));
    let mut children: Vec<Child> = state.children.keys().cloned().collect();
    children.retain(|child| match child {
        Child::Persona(Holder::Butler(of, _, epoch)) => of == team && Some(*epoch) != present,
        Child::Persona(_) | Child::Janitor => false,
    });
    for butler in children {
        dismiss(state, &butler);
    }
}

/// Ends a child for good: what it was about to say belongs to a term or an epoch that is over.
fn dismiss(state: &mut RootState, child: &Child) {
    if let Some(running) = state.children.remove(child)
        && let Some(handle) = running.handle
    {
        state.by_id.remove(&handle.cell().get_id());
        // Killed, not stopped: a stop would let it finish its sentence.
        handle.cell().kill();
    }
}

/// Brings a worker without duties back, so that it lays its container to rest.
async fn settle_worker(me: &ActorRef<RootMsg>, state: &mut RootState, worker: WorkerId) {
    let child = Child::Persona(Holder::Worker(worker, state.house.node));
    if !state.children.contains_key(&child) {
        start(me, state, &child).await;
    }
}

fn crash(state: &RootState, child: &Child) {
    let running = state.children.get(child);
    if let Some(handle) = running.and_then(|running| running.handle.as_ref()) {
        handle.crash();
    }
}
