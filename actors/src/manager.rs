//! The Manager: gives teams and workers their nodes, and cases without a team their team; says of
//! nodes how they are.
//!
//! # Why
//! He holds no state: what is without a place or a team is a duty, read off the state by whichever
//! node leads. All placements that are due go into one entry, chosen with each other in view.

mod answer;
mod deed;
mod draft;
mod plain;

use std::collections::BTreeSet;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rules::case::{Case, CaseOutcome, Report};
use rules::duty::Duty;
use rules::id::CaseId;
use rules::limits::MAX_PLACEMENTS;
use rules::node::Health;
use rules::place::{Chooser, Placed};
use rules::{Command, Outcome, Who, route};
use runtime::lease::Opinion;

use crate::butler::compose;
use crate::errand::{Duties, Errands};
use crate::house::{Hindrance, House};

pub use plain::PlainCommands;

/// What wakes the Manager.
pub enum ManagerMsg {
    /// His duties have changed.
    Serve(Duties),
    /// Look again for what has no place yet.
    PlaceWaiting,
    /// A round of placing has ended; whether it came to anything.
    Placed(bool),
    /// Judge the nodes.
    Judge,
    /// The nodes are judged.
    Judged,
    /// One of his errands panicked.
    ErrandPanicked,
    /// Panic, because a test or an operator says so.
    Crash,
}

impl ractor::Message for ManagerMsg {}

/// How soon he looks again for a place for what had none: a node that joins wakes him sooner.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often he judges the nodes: a part of what it takes a node to become suspect.
const JUDGE_EVERY: Duration = Duration::from_millis(250);
/// How much of a brief is read to find its team.
const ROUTED_TEXT_BYTES: usize = 64 * 1024;

/// The Manager.
pub struct Manager;

/// What he is started with.
pub struct ManagerArgs {
    /// The node's means.
    pub house: House,
    /// The term in which he acts.
    pub term: u64,
}

/// What he has in mind.
pub struct ManagerState {
    house: House,
    term: u64,
    errands: Errands,
    homeless: BTreeSet<Duty>,
    is_placing: bool,
    is_judging: bool,
}

impl Actor for Manager {
    type Msg = ManagerMsg;
    type State = ManagerState;
    type Arguments = ManagerArgs;

    async fn pre_start(
        &self,
        me: ActorRef<ManagerMsg>,
        args: ManagerArgs,
    ) -> Result<ManagerState, ActorProcessingErr> {
        me.send_interval(JUDGE_EVERY, || ManagerMsg::Judge);
        Ok(ManagerState {
            house: args.house,
            term: args.term,
            errands: Errands::default(),
            homeless: BTreeSet::new(),
            is_placing: false,
            is_judging: false,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<ManagerMsg>,
        message: ManagerMsg,
        state: &mut ManagerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ManagerMsg::Serve(duties) => serve(&me, state, duties),
            ManagerMsg::PlaceWaiting => place_waiting(&me, state),
            ManagerMsg::Placed(is_progress) => placed(&me, state, is_progress),
            ManagerMsg::Judge => judge_nodes(&me, state),
            ManagerMsg::Judged => state.is_judging = false,
            ManagerMsg::ErrandPanicked => return Err("an errand panicked".into()),
            ManagerMsg::Crash => panic!("the Manager was told to crash"),
        }
        Ok(())
    }
}

fn serve(me: &ActorRef<ManagerMsg>, state: &mut ManagerState, duties: Duties) {
    for duty in duties.dropped {
        state.homeless.remove(&duty);
        state.errands.drop(&duty);
    }
    for duty in duties.added {
        let (house, term) = (state.house.clone(), state.term);
        match &duty {
            Duty::Place { .. } => {
                state.homeless.insert(duty);
            }
            Duty::Route { case } => {
                let case = *case;
                let panicked = || ManagerMsg::ErrandPanicked;
                let span = tracing::info_span!("route", %case);
                state.errands.start(&duty, span, me, panicked, move || {
                    route(house.clone(), term, case)
                });
            }
            Duty::Report { case, generation } => {
                let (case, generation) = (*case, *generation);
                let span = tracing::info_span!("report", %case);
                let close = move || close_unrouted(house.clone(), term, case, generation);
                state
                    .errands
                    .start(&duty, span, me, || ManagerMsg::ErrandPanicked, close);
            }
            Duty::Answer { room, post } => {
                let (room, post) = (room.clone(), *post);
                let span = tracing::info_span!("answer", %room, post);
                let answer = move || answer::answer(house.clone(), term, room.clone(), post);
                state
                    .errands
                    .start(&duty, span, me, || ManagerMsg::ErrandPanicked, answer);
            }
            Duty::Plan { .. } | Duty::Keep { .. } | Duty::Run { .. } | Duty::Tell { .. } => {}
        }
    }
    place_waiting(me, state);
}

/// Starts a round of placing, one at a time.
fn place_waiting(me: &ActorRef<ManagerMsg>, state: &mut ManagerState) {
    if state.is_placing || state.homeless.is_empty() {
        return;
    }
    state.is_placing = true;
    let (house, term, me) = (state.house.clone(), state.term, me.clone());
    let homeless: Vec<Duty> = state
        .homeless
        .iter()
        .take(MAX_PLACEMENTS)
        .cloned()
        .collect();
    tokio::spawn(async move {
        let is_progress = match place(&house, term, homeless).await {
            Ok(placed) => placed > 0,
            Err(hindrance) => {
                tracing::debug!(
                    error = crate::errand::chain(&hindrance),
                    "placing is hindered"
                );
                false
            }
        };
        let _ = me.cast(ManagerMsg::Placed(is_progress));
    });
}

/// Goes on with the next round: at once after progress, else after a while.
fn placed(me: &ActorRef<ManagerMsg>, state: &mut ManagerState, is_progress: bool) {
    state.is_placing = false;
    if is_progress {
        // The duties that were met leave the set by their entry; what is left goes on then.
        place_waiting(me, state);
    } else if !state.homeless.is_empty() {
        me.send_after(LOOK_AGAIN, || ManagerMsg::PlaceWaiting);
    }
}

async fn place(house: &House, term: u64, homeless: Vec<Duty>) -> Result<usize, Hindrance> {
    let placements = house.look(|state| {
        let mut chooser = Chooser::new();
        let mut chosen = Vec::new();
        for duty in homeless {
            let Duty::Place { who, epoch } = duty else {
                continue;
            };
            match chooser.choose(state, &who, epoch) {
                Ok(placement) => chosen.push(placement),
                Err(why) => tracing::debug!(who = %name(&who), why = why.0, "has no place"),
            }
        }
        chosen
    });
    if placements.is_empty() {
        return Ok(0);
    }
    let count = placements.len();
    house
        .say(Who::Manager { term }, Command::Place { placements })
        .await?;
    Ok(count)
}

/// Starts a round of judging, one at a time.
fn judge_nodes(me: &ActorRef<ManagerMsg>, state: &mut ManagerState) {
    if state.is_judging {
        return;
    }
    let opinions = state.house.leases.opinions();
    if opinions.is_empty() {
        return;
    }
    state.is_judging = true;
    let (house, term, me) = (state.house.clone(), state.term, me.clone());
    tokio::spawn(async move {
        for opinion in opinions {
            judge(&house, term, opinion).await;
        }
        let _ = me.cast(ManagerMsg::Judged);
    });
}

/// Says how a node is. Whoever is called down is granted no lease from before it is said.
async fn judge(house: &House, term: u64, opinion: Opinion) {
    let (node, incarnation, health) = (opinion.node, opinion.incarnation, opinion.health);
    if health == Health::Down && !house.leases.condemn(node, incarnation) {
        return;
    }
    let reason = opinion.reason;
    tracing::info!(%node, %health, reason, "a node is judged");
    let command = Command::JudgeNode {
        node,
        incarnation,
        health,
        reason,
    };
    // What was not taken is seen again by the next round.
    if let Err(hindrance) = house.say(Who::Manager { term }, command).await {
        tracing::warn!(%node, error = crate::errand::chain(&hindrance), "the node is not judged yet");
    }
}

fn name(who: &Placed) -> String {
    match who {
        Placed::Team(team) => format!("team {team}"),
        Placed::Worker(worker) => format!("worker {worker}"),
    }
}

async fn route(house: House, term: u64, id: CaseId) -> Result<(), Hindrance> {
    let case = house.look(|state| state.cases.get(&id).cloned());
    let Some(case) = case else { return Ok(()) };
    let mut text = case.title.clone();
    if let Some(brief) = case.briefs.last() {
        text.push('\n');
        text.push_str(&house.text(&brief.text, ROUTED_TEXT_BYTES).await?);
    }
    let (team, reason) = house
        .look(|state| route::choose(state, &text, case.playbook.as_ref()))
        .map_err(Hindrance::Wait)?;
    house
        .say(
            Who::Manager { term },
            Command::RouteCase {
                case: id,
                team,
                reason,
            },
        )
        .await?;
    Ok(())
}

/// Closes a case that ended before it had a team.
async fn close_unrouted(
    house: House,
    term: u64,
    id: CaseId,
    generation: u32,
) -> Result<(), Hindrance> {
    let Some(case) = house.look(|state| state.cases.get(&id).cloned()) else {
        return Ok(());
    };
    let report = report(&house, &case).await?;
    let command = Command::ReportCase {
        case: id,
        generation,
        report: Box::new(report),
    };
    let outcome = house.say(Who::Manager { term }, command).await?;
    debug_assert_eq!(outcome, Outcome::Done);
    Ok(())
}

async fn report(house: &House, case: &Case) -> Result<Report, Hindrance> {
    let ending = case.ending.unwrap_or(CaseOutcome::Cancelled);
    compose(house, case, ending).await
}
