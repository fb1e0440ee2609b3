//! The status, counted once for all who ask.
//!
//! # Why
//! Many programs ask a node how it is, many times a second. Counting a hundred thousand workers
//! takes milliseconds, so it is done again only when something was applied, once for all who wait,
//! and in slices so that nothing waits long for the state. Up to some size the answer knows every
//! entry that was applied before it was asked for; a larger cluster is counted for at most a
//! twentieth of the time. The answer says which entry it was counted at.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Bytes;
use rules::State;
use rules::case::{Case, CaseStatus};
use rules::id::{CaseId, NodeId, WorkerId};
use rules::stage::Approval;
use rules::version;
use runtime::clock::{self, BootMs};
use runtime::ledger::StorageStatus;
use runtime::links::Refusal;
use tokio::runtime::Handle;

use super::chaos::Chaos;
use super::cluster_troubles;
use super::convert::team::worker_status;
use super::desk::Desk;
use super::wire::{
    BeginningView, CaseCounts, ClusterStatus, HumanWait, LedgerView, Moment, NodeLine, NodeView,
    Status, WorkerCounts, WorkerStatus,
};

/// Things that are counted while the state is held: a fraction of a millisecond.
const SLICE: usize = 4096;
/// Workers and open cases that are counted for every answer: they take less than a millisecond.
const EXACT_UP_TO: u64 = 20_000;
/// Of the time, at most one part in so many goes into counting more of them.
const PART_OF_TIME: u32 = 20;
/// How long one answer is given again while nothing was applied: ages in it are that old at most.
const SAME_FOR: Duration = Duration::from_millis(20);
/// Cases that are named as waiting for a human: a screen.
const MAX_WAITS: usize = 50;
/// Nodes that are listed.
const MAX_NODES: usize = 1000;

/// What was counted, and at which entry.
#[derive(Debug, Default)]
struct Counted {
    index: u64,
    teams: u64,
    workers: WorkerCounts,
    cases: CaseCounts,
    waits: Vec<HumanWait>,
    waits_in_all: u64,
}

#[derive(Debug)]
struct Shown {
    counted: Arc<Counted>,
    /// Until then counting is not worth its time.
    next_count_us: u64,
    made: BootMs,
    body: Bytes,
}

/// The status, as it was counted last.
#[derive(Debug, Default)]
pub(super) struct Board {
    shown: RwLock<Option<Shown>>,
    counting: tokio::sync::Mutex<()>,
}

impl Board {
    /// The status as JSON.
    pub(super) async fn body(&self, desk: &Desk) -> Bytes {
        let asked = index(desk);
        if let Some(body) = self.fresh(asked) {
            return body;
        }
        // One counts; the others wait for what it finds.
        let _counting = self.counting.lock().await;
        if let Some(body) = self.fresh(asked) {
            return body;
        }
        let (counted, next_count_us) = self.counted(desk, asked);
        let status = status(desk, &counted);
        // A shape of texts and numbers always has its JSON.
        let body = Bytes::from(serde_json::to_vec(&status).unwrap_or_default());
        let shown = Shown {
            counted,
            next_count_us,
            made: clock::boot(),
            body: body.clone(),
        };
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        body
    }

    fn fresh(&self, asked: u64) -> Option<Bytes> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        let shown = shown.as_ref()?;
        let is_counted = shown.knows(asked);
        let is_same = clock::boot().since(shown.made) < SAME_FOR;
        (is_counted && is_same).then(|| shown.body.clone())
    }

    fn counted(&self, desk: &Desk, asked: u64) -> (Arc<Counted>, u64) {
        let begun_us = clock::boot_us();
        if let Some(shown) = &*self.shown.read().unwrap_or_else(PoisonError::into_inner)
            && shown.knows(asked)
        {
            return (Arc::clone(&shown.counted), shown.next_count_us);
        }
        let counted = count(desk);
        let done_us = clock::boot_us();
        let is_small = counted.workers.total + counted.cases.not_closed() <= EXACT_UP_TO;
        let parts = if is_small { 0 } else { PART_OF_TIME };
        (
            Arc::new(counted),
            done_us + (done_us - begun_us) * u64::from(parts),
        )
    }
}

impl Shown {
    /// Whether it can answer who asked when that entry was applied.
    fn knows(&self, asked: u64) -> bool {
        self.counted.index >= asked || clock::boot_us() < self.next_count_us
    }
}

fn index(desk: &Desk) -> u64 {
    desk.ledger.read(|state| state.index)
}

fn count(desk: &Desk) -> Counted {
    let mut counted = Counted {
        index: index(desk),
        ..Counted::default()
    };
    let mut last: Option<WorkerId> = None;
    loop {
        let (seen, next) = desk
            .ledger
            .read(|state| count_workers(state, last.take(), &mut counted));
        last = next;
        if seen < SLICE {
            break;
        }
    }
    let mut last = CaseId(0);
    loop {
        let (seen, next) = desk.ledger.read(|state| {
            counted.teams = state.teams.len() as u64;
            counted.cases.closed = state.closed_cases;
            count_cases(state, last, &mut counted)
        });
        last = next;
        if seen < SLICE {
            return counted;
        }
    }
}

fn count_workers(
    state: &State,
    last: Option<WorkerId>,
    counted: &mut Counted,
) -> (usize, Option<WorkerId>) {
    let from = last.map_or(Bound::Unbounded, Bound::Excluded);
    let (mut seen, mut next) = (0, None);
    for (id, worker) in state.workers.range((from, Bound::Unbounded)).take(SLICE) {
        seen += 1;
        counted.workers.total += 1;
        match worker_status(worker) {
            WorkerStatus::Homeless => counted.workers.homeless += 1,
            WorkerStatus::Asleep => counted.workers.asleep += 1,
            WorkerStatus::Idle => counted.workers.idle += 1,
            WorkerStatus::Busy | WorkerStatus::Unnamed => counted.workers.busy += 1,
        }
        if seen == SLICE {
            next = Some(id.clone());
        }
    }
    (seen, next)
}

fn count_cases(state: &State, last: CaseId, counted: &mut Counted) -> (usize, CaseId) {
    let (mut seen, mut next) = (0, last);
    let after = (Bound::Excluded(last), Bound::Unbounded);
    for (id, case) in state.cases.range(after).take(SLICE) {
        (seen, next) = (seen + 1, *id);
        match case.status {
            CaseStatus::Open => counted.cases.open += 1,
            CaseStatus::Planned => counted.cases.planned += 1,
            CaseStatus::Running => counted.cases.running += 1,
            CaseStatus::Waiting(_) => counted.cases.waiting += 1,
            CaseStatus::Reporting => counted.cases.reporting += 1,
            // A closed case has left the state.
            CaseStatus::Closed(_) => {}
        }
        if let Some(wait) = wait(case) {
            counted.waits_in_all += 1;
            if counted.waits.len() < MAX_WAITS {
                counted.waits.push(wait);
            }
        }
    }
    (seen, next)
}

/// What a case wants of a human.
fn wait(case: &Case) -> Option<HumanWait> {
    let asked = case.all_stages().filter(|stage| {
        stage.approval == Approval::Asked && !stage.status.is_final() && case.ending.is_none()
    });
    let stages: Vec<String> = asked.map(|stage| stage.spec.name.to_string()).collect();
    let id = case.id;
    let hint = match stages.first() {
        Some(stage) => format!("domo case approve {id} {stage}, or domo case reject {id} {stage}"),
        None if case.is_paused && case.ending.is_none() => format!("domo case resume {id}"),
        None => return None,
    };
    Some(HumanWait {
        case: id.to_string(),
        team: case.team.as_ref().map(ToString::to_string),
        title: case.title.clone(),
        stages,
        hint,
    })
}

fn status(desk: &Desk, counted: &Counted) -> Status {
    let ledger = desk.ledger.status();
    let reign = desk.reign.borrow().clone();
    let (node, nodes, (rules_version, rules_held_by), beginnings) = desk.ledger.read(|state| {
        let lines = state
            .nodes
            .iter()
            .take(MAX_NODES)
            .map(|(id, node)| node_line(&ledger.voters, *id, node));
        (
            own(desk, state),
            lines.collect::<Vec<_>>(),
            rules(state),
            state.beginnings.iter().map(beginning).collect(),
        )
    });
    let cluster = ClusterStatus {
        leader: ledger.leader.map(|leader| leader.to_string()),
        term: ledger.term,
        leader_since: ledger.leader.map(|_| Moment::from_ms(reign.since.0)),
        leader_because: reign.because(desk.ledger.read(|state| state.nodes.len())),
        nodes,
        rules_version,
        rules_held_by,
        beginnings,
    };
    let mut troubles = desk
        .ledger
        .read(|state| cluster_troubles::of(&ledger, state, &refusals(desk)));
    troubles.extend(desk.chaos.iter().flat_map(Chaos::troubles));
    troubles.extend(desk.troubles.now());
    troubles.extend(desk.here.troubles());
    troubles.extend(super::near::troubles(desk));
    let is_writable = ledger.storage == StorageStatus::Ok && ledger.leader.is_some();
    Status {
        node,
        cluster,
        ledger: LedgerView {
            last_index: ledger.last_log,
            committed_index: ledger.committed,
            applied_index: ledger.applied,
            age_ms: desk.age_ms(),
            is_writable,
            syncs: ledger.syncs,
        },
        teams: counted.teams,
        workers: counted.workers.clone(),
        cases: counted.cases.clone(),
        counted_index: counted.index,
        waits: counted.waits.clone(),
        waits_in_all: counted.waits_in_all,
        troubles,
    }
}

/// Who refuses this node, or is refused by it.
fn refusals(desk: &Desk) -> BTreeMap<NodeId, Refusal> {
    let links = desk.links.as_ref().map(|links| links.borrow().clone());
    let links = links.unwrap_or_default().into_iter();
    links
        .filter_map(|(id, link)| Some((id, link.refusal?)))
        .collect()
}

fn beginning(known: &rules::beginning::Beginning) -> BeginningView {
    BeginningView {
        index: known.index,
        at: Moment::from_ms(known.wall_ms),
        node: known.node.to_string(),
        cause: known.cause.to_string(),
        by: known.by.clone(),
        gone: known.gone.iter().map(ToString::to_string).collect(),
        attempts: known.attempts,
        held: known.held,
    }
}

/// The version of the rules, and who keeps it from the newest one that is known here.
fn rules(state: &State) -> (u32, Vec<String>) {
    let held_by = version::held_by(state, version::NEWEST).take(MAX_NODES);
    let names = held_by.map(|node| node.facts.name.clone());
    (state.version, names.collect())
}

fn own(desk: &Desk, state: &State) -> NodeView {
    let facts = state.nodes.get(&desk.node).map(|node| &node.facts);
    let said = |text: Option<&String>| text.cloned().unwrap_or_default();
    NodeView {
        id: desk.node.to_string(),
        name: said(facts.map(|facts| &facts.name)),
        release: env!("CARGO_PKG_VERSION").to_owned(),
        engine: said(facts.map(|facts| &facts.engine)),
        started: Moment::from_ms(desk.started.0),
        tasks: Handle::try_current()
            .map_or(0, |runtime| runtime.metrics().num_alive_tasks() as u64),
    }
}

/// A node in a line.
pub(super) fn node_line(
    voters: &BTreeSet<NodeId>,
    id: NodeId,
    node: &rules::node::Node,
) -> NodeLine {
    NodeLine {
        id: id.to_string(),
        name: node.facts.name.clone(),
        release: node.facts.release.clone(),
        rules_known: node.facts.knows,
        health: node.health.to_string(),
        is_drained: node.is_drained(),
        role: node.role.to_string(),
        is_voter: voters.contains(&id),
        address: node.facts.address.clone(),
        butlers: node.butlers.len() as u64,
        workers: node.workers.len() as u64,
        cpu_promised_milli: node.cpu_promised_milli,
        cpu_milli: node.facts.cpu_milli,
        memory_promised_bytes: node.memory_promised_bytes,
        memory_bytes: node.facts.memory_bytes,
    }
}
