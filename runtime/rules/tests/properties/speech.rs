//! From a wish to an entry: what it means in the state as it is now.

use std::hash::{DefaultHasher, Hash, Hasher};

use rules::attempt::{Artifact, AttemptOutcome, Body, StageResult};
use rules::case::{Attachment, Brief, Report};
use rules::command::{Entry, Plan, Progress, Proposal, Request};
use rules::duty::{self, Duty, Holder, PlanFrom};
use rules::id::{AttemptId, BlobRef, CaseId, ClockMs, Epoch, NodeId, RequestId};
use rules::place::{Chooser, Placed, Placement};
use rules::stage::{Approval, Stage};
use rules::{Command, Principal, State, Who, route};

use crate::chaos;
use crate::effects;
use crate::lab::Lab;
use crate::mistake::mistake;
use crate::nodes;
use crate::people;
use crate::pool::{self, one, raw};
use crate::rooms;
use crate::wish::{Deed, Pick, Wish};

/// Of what is said of nodes, this is about a chaos run.
const CHAOS: Pick = Pick::MAX - 2;

/// The entry that a wish comes to; none where there is nothing that it could be about.
pub fn entry(lab: &mut Lab, wish: &Wish) -> Option<Entry> {
    let said = |pick: &Pick| one(&lab.log, *pick).map(|entry| Proposal::clone(&entry.proposal));
    let mut proposal = match &wish.deed {
        Deed::Elect => {
            lab.term += 1;
            return None;
        }
        Deed::Repeat(which) => {
            let again = said(which)?;
            return Some(lab.next(wish.elapsed_ms, again));
        }
        Deed::Sneak(which, how) => {
            let mut again = said(which)?;
            people::sneak(lab, &mut again, *how);
            return Some(lab.as_decided(wish.elapsed_ms, again));
        }
        Deed::Borrow(which, who) => Proposal {
            principal: pool::anybody(*who),
            ..said(which)?
        },
        Deed::Mistake(which, how) => {
            let mut proposal = said(which)?;
            mistake(&mut proposal, *how);
            proposal
        }
        Deed::Do(..)
        | Deed::Describe(..)
        | Deed::Open(..)
        | Deed::Steer(..)
        | Deed::Replace(_)
        | Deed::Join(..)
        | Deed::Node(..)
        | Deed::Target(..)
        | Deed::Effect(..)
        | Deed::People(..)
        | Deed::Talk(..)
        | Deed::Place(..)
        | Deed::Babble(_)
        | Deed::Wait => {
            let (principal, command) = sensible(lab, &wish.deed)?;
            Proposal {
                request: None,
                principal,
                wall_ms: lab.state.clock.0,
                command,
                decision: None,
            }
        }
    };
    if let Some(pick) = wish.request {
        proposal.request = Some(request(pick, lab.state.clock, &proposal.command));
    }
    Some(lab.next(wish.elapsed_ms, proposal))
}

/// A request under one of a few ids, some of which say when they were made.
fn request(pick: Pick, now: ClockMs, command: &Command) -> Request {
    let mut digest = DefaultHasher::new();
    format!("{command:?}").hash(&mut digest);
    let text = match pick % 6 {
        0 => format!("r-{pick}@{}", now.0),
        1 => format!("r-{pick}@0"),
        _ => format!("r-{}", pick / 6),
    };
    Request {
        id: RequestId::new(&text).expect("a short text is an id"),
        digest: digest.finish(),
    }
}

fn sensible(lab: &Lab, deed: &Deed) -> Option<(Principal, Command)> {
    let state = &lab.state;
    let sam = pool::sam();
    Some(match deed {
        Deed::Do(which, how) => {
            let mut due = due(lab);
            due.retain(|Due(_, duty)| !matches!(duty, Duty::Keep { .. } | Duty::Tell { .. }));
            return one(&due, *which)?.into_command(lab, *how);
        }
        Deed::Describe(put, remove) => {
            let put = put.iter().copied().map(pool::document).collect();
            let remove = remove.iter().copied().map(pool::document_name).collect();
            (sam, Command::ApplyDocuments { put, remove })
        }
        Deed::Open(team, playbook) => (sam, open(*team, *playbook)),
        Deed::Steer(how, which, part) => (sam, steer(state, *how, *which, *part)?),
        Deed::Replace(which) => {
            let workers: Vec<_> = state.workers.keys().cloned().collect();
            let worker = one(&workers, *which)?;
            let reason = "it hangs".to_owned();
            (sam, Command::ReplaceWorker { worker, reason })
        }
        Deed::Join(node, how) => nodes::join(lab, *node, *how),
        Deed::Node(how, node, what) if *how == CHAOS => chaos::command(lab, *node, *what),
        Deed::Node(how, node, what) => return nodes::command(lab, *how, *node, *what),
        Deed::Target(how, which) => (sam, effects::describe(*how, *which)),
        Deed::Effect(how, who, what) => return effects::command(lab, *how, *who, *what),
        Deed::Talk(who, room, what) => return rooms::command(lab, *who, *room, *what),
        Deed::People(how, who, what) => people::command(lab, *how, *who, *what),
        Deed::Place(who, node, epoch) => {
            let placement = Placement {
                who: if who.is_multiple_of(3) {
                    Placed::Team(pool::team(*node))
                } else {
                    Placed::Worker(pool::worker(*who, who / 2))
                },
                epoch: Epoch(u64::from(*epoch)),
                node: NodeId(u64::from(node % 4)),
                reason: "a whim".to_owned(),
            };
            let placements = vec![placement];
            (manager(lab), Command::Place { placements })
        }
        Deed::Babble(pick) => (pool::anybody(*pick), babble(*pick)),
        Deed::Wait => (Principal::own(Who::Ledger), Command::Tick),
        Deed::Repeat(_) | Deed::Sneak(..) | Deed::Borrow(..) | Deed::Mistake(..) | Deed::Elect => {
            return None;
        }
    })
}

pub fn manager(lab: &Lab) -> Principal {
    Principal::own(Who::Manager { term: lab.term })
}

/// A duty with its holder.
#[derive(Clone)]
pub struct Due(pub Holder, pub Duty);

/// All that is due.
pub fn due(lab: &Lab) -> Vec<Due> {
    let all = duty::duties(&lab.state).into_iter();
    all.flat_map(|(holder, duties)| {
        let due = move |duty| Due(holder.clone(), duty);
        duties.into_iter().map(due)
    })
    .collect()
}

impl Due {
    /// The command by which it is done, well (0) or in another way; none where nothing can be said.
    pub fn into_command(self, lab: &Lab, how: Pick) -> Option<(Principal, Command)> {
        let state = &lab.state;
        let Self(holder, duty) = self;
        let principal = match holder {
            Holder::Manager => manager(lab),
            Holder::Butler(team, _, epoch) => Principal::own(Who::Butler { team, epoch }),
            Holder::Worker(worker, _) => {
                let epoch = state.workers.get(&worker)?.epoch;
                Principal::own(Who::Worker { worker, epoch })
            }
        };
        let command = match duty {
            Duty::Keep { .. } | Duty::Tell { .. } => return None,
            Duty::Answer { room, post } => rooms::answer(room, post),
            Duty::Place { who, epoch } => {
                let placement = Chooser::new().choose(state, &who, epoch).ok()?;
                let placements = vec![placement];
                Command::Place { placements }
            }
            Duty::Route { case } => {
                let playbook = state.cases.get(&case)?.playbook.as_ref();
                let (team, reason) = route::choose(state, "a pod", playbook).ok()?;
                Command::RouteCase { case, team, reason }
            }
            Duty::Plan {
                case,
                generation,
                from,
            } => plan(case, generation, from, how),
            Duty::Report { case, generation } => Command::ReportCase {
                case,
                generation,
                report: Box::new(report(how)),
            },
            Duty::Run { attempt, .. } => run(attempt, how),
        };
        Some((principal, command))
    }
}

fn plan(case: CaseId, generation: u32, from: PlanFrom, how: Pick) -> Command {
    let plan = match from {
        PlanFrom::Playbook(name) => Plan::Playbook(name),
        PlanFrom::Agent if how % 5 == 4 => {
            let reasons = vec!["it cannot be read".to_owned(); usize::from(how) % 30];
            return Command::RefusePlan {
                case,
                generation,
                reasons,
            };
        }
        PlanFrom::Agent => Plan::Agent(pool::stages(how)),
    };
    Command::PlanCase {
        case,
        generation,
        plan,
    }
}

fn run(attempt: AttemptId, how: Pick) -> Command {
    let outcome = match how % 12 {
        0..=5 | 11 => AttemptOutcome::Succeeded(result(how)),
        6 => {
            let reason = "exit code 1".to_owned();
            AttemptOutcome::Failed { reason }
        }
        7 => AttemptOutcome::TimedOut { limit_ms: u64::MAX },
        8 => {
            let reason = "the engine went away".to_owned();
            return Command::LoseAttempt { attempt, reason };
        }
        other => {
            let to = if other == 9 {
                Progress::Preparing
            } else {
                Progress::Running
            };
            return Command::AdvanceAttempt { attempt, to };
        }
    };
    Command::FinishAttempt { attempt, outcome }
}

fn result(how: Pick) -> StageResult {
    let artifact = Artifact {
        name: if how % 64 == 1 { "../x" } else { "a.txt" }.to_owned(),
        blob: blob(how),
    };
    StageResult {
        summary: "found".repeat(if how % 128 == 8 { 2000 } else { 1 }),
        document: Body::Inline("{}".to_owned()),
        artifacts: vec![artifact],
    }
}

fn report(how: Pick) -> Report {
    Report {
        summary: "all of it".to_owned(),
        root_cause: (how.is_multiple_of(2)).then(|| "a cause".to_owned()),
        recommendation: None,
        impact: (how % 16 == 1).then(|| "x".repeat(5000)),
        document: Body::Inline("{}".to_owned()),
        markdown: Body::Blob(blob(how)),
    }
}

fn blob(how: Pick) -> BlobRef {
    BlobRef {
        sha256: [how; 32],
        bytes: 1,
    }
}

fn brief(text: &str) -> Brief {
    let text = Body::Inline(text.to_owned());
    Brief { text }
}

fn open(team: Pick, playbook: Pick) -> Command {
    Command::OpenCase {
        team: (!team.is_multiple_of(4)).then(|| pool::team(team)),
        title: "a pod is Pending".to_owned(),
        brief: brief(if team == 255 { " " } else { "look" }),
        attachments: Vec::new(),
        playbook: (playbook.is_multiple_of(3)).then(|| pool::playbook(playbook / 3)),
    }
}

fn steer(state: &State, how: Pick, which: Pick, name: Pick) -> Option<Command> {
    let cases: Vec<CaseId> = state.cases.keys().copied().collect();
    let case = one(&cases, which)?;
    let reason = "a human's reason".to_owned();
    let mut stages: Vec<_> = state.cases[&case].all_stages().collect();
    let is_asked = |stage: &&Stage| stage.approval == Approval::Asked;
    if how % 16 > 10 && stages.iter().any(is_asked) {
        stages.retain(is_asked);
    }
    let part = one(&stages, name)
        .filter(|_| name < 240)
        .map_or_else(|| pool::stage_name(name), |stage| stage.spec.name.clone());
    Some(match how % 16 {
        0 => Command::CancelCase { case, reason },
        1..=3 => Command::PauseCase { case, reason },
        4..=6 => Command::ResumeCase { case },
        7 | 8 => Command::AmendCase {
            case,
            brief: brief("look again"),
            attachments: vec![Attachment {
                path: format!("a-{how}.txt"),
                blob: blob(how),
            }],
        },
        9 | 10 => Command::AnswerStage {
            case,
            stage: part,
            result: result(how),
        },
        11 | 12 => Command::RejectStage {
            case,
            stage: part,
            reason,
        },
        _ => Command::ApproveStage {
            case,
            stage: part,
            note: reason,
        },
    })
}

/// Something that nobody in their senses would say.
fn babble(pick: Pick) -> Command {
    let huge = "x".repeat(200_000);
    let case = CaseId(u64::from(pick) << 56);
    let (stage, number) = (raw(&huge), u32::MAX);
    match pick % 9 {
        0 => Command::OpenCase {
            team: Some(raw("")),
            title: huge.clone(),
            brief: brief(&huge),
            attachments: Vec::new(),
            playbook: Some(raw(&huge)),
        },
        1 => Command::AnswerStage {
            case: CaseId(1),
            stage,
            result: result(pick),
        },
        2 => Command::RouteCase {
            case: CaseId(1),
            team: raw("../.."),
            reason: huge,
        },
        3 => Command::LoseAttempt {
            attempt: AttemptId { case, number },
            reason: huge,
        },
        4 => Command::PlanCase {
            case: CaseId(1),
            generation: number,
            plan: Plan::Playbook(raw("\u{0}")),
        },
        5 => Command::RefusePlan {
            case: CaseId(1),
            generation: 1,
            reasons: vec![huge; 3],
        },
        6 => Command::ReplaceWorker {
            worker: pool::worker(pick, pick),
            reason: huge,
        },
        7 => Command::CancelCase { case, reason: huge },
        _ => Command::ApplyDocuments {
            put: (0..pick)
                .map(|at| pool::document([7, at, at, at]))
                .collect(),
            remove: vec![pool::document_name([pick, pick, pick]); 2],
        },
    }
}
