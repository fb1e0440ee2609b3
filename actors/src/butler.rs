//! A team's butler: plans its cases and writes their reports.
//!
//! # Why
//! What follows from a plan without judgement (which stage may begin, which worker is free) is
//! the rules' own; the butler does what needs reading and writing: an agent's answer becomes a
//! plan, the results become a report.
//!
//! # Invariant
//! A butler is of one epoch from its start to its end and speaks in no other: what one that was
//! replaced still has to say is refused by the rules, also where its successor is beside it.

mod markdown;
mod plan;
mod report;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rules::case::{Case, Report};
use rules::command::Plan;
use rules::duty::{Duty, PlanFrom};
use rules::id::{CaseId, Epoch, TeamName};
use rules::{Command, Who};

use crate::errand::{Duties, Errands};
use crate::house::{Hindrance, House};

pub(crate) use report::compose;

/// What wakes a butler.
pub enum ButlerMsg {
    /// Its duties have changed.
    Serve(Duties),
    /// One of its errands panicked.
    ErrandPanicked,
    /// Panic, because a test or an operator says so.
    Crash,
}

impl ractor::Message for ButlerMsg {}

/// A butler.
pub struct Butler;

/// What it is started with.
pub struct ButlerArgs {
    /// The node's means.
    pub house: House,
    /// Its team.
    pub team: TeamName,
    /// The epoch in which it speaks, as long as it lives.
    pub epoch: Epoch,
}

/// What it has in mind.
pub struct ButlerState {
    house: House,
    me: Who,
    errands: Errands,
}

impl Actor for Butler {
    type Msg = ButlerMsg;
    type State = ButlerState;
    type Arguments = ButlerArgs;

    async fn pre_start(
        &self,
        _me: ActorRef<ButlerMsg>,
        args: ButlerArgs,
    ) -> Result<ButlerState, ActorProcessingErr> {
        Ok(ButlerState {
            house: args.house,
            me: Who::Butler {
                team: args.team,
                epoch: args.epoch,
            },
            errands: Errands::default(),
        })
    }

    async fn handle(
        &self,
        me: ActorRef<ButlerMsg>,
        message: ButlerMsg,
        state: &mut ButlerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ButlerMsg::Serve(duties) => serve(&me, state, duties),
            ButlerMsg::ErrandPanicked => return Err("an errand panicked".into()),
            ButlerMsg::Crash => panic!("the butler was told to crash"),
        }
        Ok(())
    }
}

fn serve(me: &ActorRef<ButlerMsg>, state: &mut ButlerState, duties: Duties) {
    for duty in duties.dropped {
        state.errands.drop(&duty);
    }
    for duty in duties.added {
        let (house, who) = (state.house.clone(), state.me.clone());
        let panicked = || ButlerMsg::ErrandPanicked;
        match duty.clone() {
            Duty::Plan {
                case,
                generation,
                from,
            } => {
                let span = tracing::info_span!("plan", %case);
                state.errands.start(&duty, span, me, panicked, move || {
                    plan_case(house.clone(), who.clone(), case, generation, from.clone())
                });
            }
            Duty::Report { case, generation } => {
                let span = tracing::info_span!("report", %case);
                state.errands.start(&duty, span, me, panicked, move || {
                    report_case(house.clone(), who.clone(), case, generation)
                });
            }
            Duty::Place { .. }
            | Duty::Route { .. }
            | Duty::Keep { .. }
            | Duty::Run { .. }
            | Duty::Answer { .. }
            | Duty::Tell { .. } => {}
        }
    }
}

async fn plan_case(
    house: House,
    me: Who,
    id: CaseId,
    generation: u32,
    from: PlanFrom,
) -> Result<(), Hindrance> {
    let command = match from {
        PlanFrom::Playbook(name) => Command::PlanCase {
            case: id,
            generation,
            plan: Plan::Playbook(name),
        },
        PlanFrom::Agent => {
            let Some(case) = open_case(&house, id) else {
                return Ok(());
            };
            match plan::read(&house, &case).await? {
                Ok(stages) => Command::PlanCase {
                    case: id,
                    generation,
                    plan: Plan::Agent(stages),
                },
                Err(reasons) => Command::RefusePlan {
                    case: id,
                    generation,
                    reasons,
                },
            }
        }
    };
    let outcome = house.say(me, command).await?;
    tracing::debug!(case = %id, ?outcome, "planned");
    Ok(())
}

async fn report_case(house: House, me: Who, id: CaseId, generation: u32) -> Result<(), Hindrance> {
    let Some(case) = open_case(&house, id) else {
        return Ok(());
    };
    let Some(ending) = case.ending else {
        return Ok(());
    };
    let report: Report = compose(&house, &case, ending).await?;
    let report = Box::new(report);
    house
        .say(
            me,
            Command::ReportCase {
                case: id,
                generation,
                report,
            },
        )
        .await?;
    tracing::info!(case = %id, outcome = %ending, "reported");
    Ok(())
}

fn open_case(house: &House, id: CaseId) -> Option<Case> {
    house.look(|state| state.cases.get(&id).cloned())
}
