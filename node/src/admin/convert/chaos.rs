//! Chaos runs as they are asked for, and as they are shown.

use rules::State;
use rules::chaos::{Fault, On, Part, Plan, Run, Step};
use rules::id::{NodeId, WorkerId};

use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    BeginChaos, ChaosDid, ChaosFault, ChaosPart, ChaosRun, ChaosState, ChaosStep, Code, Moment,
};

/// A plan as the rules have it; `node` finds a node by its name or number.
pub(in crate::admin) fn asked(
    asked: BeginChaos,
    node: impl Fn(&str) -> Answered<NodeId>,
) -> Answered<Plan> {
    let steps = asked.steps.into_iter().enumerate();
    let steps = steps.map(|(at, step)| {
        Ok(Step {
            at_ms: step.at_ms,
            for_ms: step.for_ms,
            fault: fault(at, &step)?,
            on: on(at, &step.on, &node)?,
        })
    });
    Ok(Plan {
        name: asked.name,
        steps: steps.collect::<Answered<_>>()?,
        limit_ms: asked.limit_ms,
    })
}

fn fault(at: usize, step: &ChaosStep) -> Answered<Fault> {
    let wrong = |what: &str| {
        let what = format!("step {}: {what}", at + 1);
        Err(Refused::new(Code::Invalid, what))
    };
    Ok(match (step.fault, step.left_bytes) {
        (ChaosFault::Crash, None) => Fault::Crash,
        (ChaosFault::Kill, None) => Fault::Kill,
        (ChaosFault::Freeze, None) => Fault::Freeze,
        (ChaosFault::Cut, None) => Fault::Cut,
        (ChaosFault::Hang, None) => Fault::Hang,
        (ChaosFault::Fill, Some(left_bytes)) => Fault::Fill { left_bytes },
        (ChaosFault::Fill, None) => return wrong("how much is left free is missing: left_bytes"),
        (_, Some(_)) => return wrong("left_bytes is said of a disk that is filled only"),
    })
}

fn on(at: usize, text: &str, node: impl Fn(&str) -> Answered<NodeId>) -> Answered<On> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok(match (word, rest) {
        ("manager", "") => On::Manager,
        ("all", "") => On::All,
        ("butler", team) => On::Butler(team.parse()?),
        ("worker", worker) if worker.contains('/') => On::Worker(worker.parse::<WorkerId>()?),
        ("node", name) => On::Node(node(name)?),
        _ => {
            let text = config::mistake::shown(text);
            let what = format!("step {}: {text} is no place", at + 1);
            return Err(Refused::new(Code::Invalid, what)
                .hint("manager, butler TEAM, worker TEAM/NAME, node NAME or all"));
        }
    })
}

/// A run as it is shown.
pub(in crate::admin) fn shown(state: &State, run: &Run) -> ChaosRun {
    let name = |id: NodeId| {
        let node = state.nodes.get(&id);
        node.map_or_else(|| id.to_string(), |node| node.facts.name.clone())
    };
    let parts = run.parts.iter().map(|(id, part)| ChaosPart {
        node: id.to_string(),
        name: name(*id),
        state: match part {
            Part::Asked => ChaosState::Asked,
            Part::Armed => ChaosState::Armed,
            Part::Refused(_) => ChaosState::Refused,
            Part::Over => ChaosState::Over,
        },
        why: match part {
            Part::Refused(why) => Some(why.clone()),
            Part::Asked | Part::Armed | Part::Over => None,
        },
    });
    let did = run.did.iter().map(|(id, did)| ChaosDid {
        node: id.to_string(),
        name: name(*id),
        step: did.step,
        from: Moment::from_ms(did.from_wall_ms),
        to: Moment::from_ms(did.to_wall_ms),
        trouble: did.trouble.clone(),
    });
    ChaosRun {
        id: run.id,
        plan: run.plan.name.clone(),
        by: run.by.clone(),
        is_started: run.started.is_some(),
        is_ending: run.is_ending,
        steps: run.plan.steps.iter().map(ToString::to_string).collect(),
        parts: parts.collect(),
        did: did.collect(),
    }
}

/// The faults, with how the rules call each; the mark of a disk is one that any disk can be filled to.
pub(in crate::admin) const FAULTS: [(ChaosFault, Fault); 5] = [
    (ChaosFault::Kill, Fault::Kill),
    (ChaosFault::Freeze, Fault::Freeze),
    (ChaosFault::Cut, Fault::Cut),
    (ChaosFault::Hang, Fault::Hang),
    (ChaosFault::Fill, Fault::Fill { left_bytes: 0 }),
];
