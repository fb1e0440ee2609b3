//! `domo chaos plan`: which plans there are, and what one of them would do, where, and whether it could.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use config::chaos::{self, Fault, Plan, READY_MADE, Schedule, Scheduled, Target};
use config::measure::{show_bytes, show_ms};
use serde::Serialize;

use super::console::Console;
use super::print::{self, Paper};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::client::ClientError;
use crate::admin::wire::{BeginChaos, ChaosFault, ChaosStep, ChaosView, NodeLine};

/// What taking the last fault off may take: a daemon is started again, a chain of packets goes.
const OFF_MS: u64 = 30_000;

/// A cluster of the usual size, to say how long a plan takes.
const THREE: [&str; 3] = ["one", "two", "three"];

/// List the chaos plans, or check one and show what it would do
///
/// A plan is one of those that are compiled in, or a file (see the header of each in `config/chaos`).
/// With a node to ask, it says of that node whether each fault could be made there; of the others that
/// shows when a run begins, before anything is broken.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo chaos plan
  domo chaos plan manager-failover
  domo chaos plan my-plan.yaml")]
pub(crate) struct ChaosPlan {
    /// The plan's name, or its file
    plan: Option<String>,
}

/// A plan in a line.
#[derive(Debug, Serialize)]
struct PlanLine {
    name: String,
    title: String,
    /// On a cluster of three nodes.
    length_ms: u64,
}

/// A plan as it would go.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    title: String,
    closed_within_ms: u64,
    gap_ms: u64,
    length_ms: u64,
    loads: Vec<(u64, u64)>,
    steps: Vec<ChaosStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<ChaosView>,
}

impl Verb for ChaosPlan {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let Some(named) = &self.plan else {
            return list(console);
        };
        let plan = find(named)?;
        let asked = asked(console).await?;
        let (nodes, view) = match asked {
            Some((nodes, view)) => (names(&nodes), Some(view)),
            None => (vec!["each node".to_owned()], None),
        };
        let schedule = plan.schedule(&nodes);
        let shown = Shown {
            name: plan.name.to_string(),
            title: plan.title.clone(),
            closed_within_ms: plan.closed_within_ms,
            gap_ms: plan.gap_ms,
            length_ms: schedule.length_ms,
            loads: schedule.loads.clone(),
            steps: steps(&schedule),
            asked: view,
        };
        console.printer.show(&shown, people)?;
        Ok(())
    }
}

/// The node that is asked, where one answers: a plan can be looked at without.
async fn asked(console: &Console) -> Result<Option<(Vec<NodeLine>, ChaosView)>, Stop> {
    let asking = console.ask(async |client| {
        let nodes = client.nodes().await?.nodes;
        Ok((nodes, client.chaos().await?))
    });
    match asking.await {
        Ok(seen) => Ok(Some(seen)),
        Err(Stop::StartNode { socket, .. }) => {
            print::note(&format!(
                "no node answers at {socket}: where it could be done is not known"
            ));
            Ok(None)
        }
        Err(Stop::Asked(ClientError::Refused { refusal })) => {
            print::note(&format!(
                "where it could be done is not told: {}",
                refusal.error.message
            ));
            Ok(None)
        }
        Err(stop) => Err(stop),
    }
}

fn list(console: &Console) -> Result<(), Stop> {
    let mut lines = Vec::new();
    for (name, _) in READY_MADE {
        let plan = find(name)?;
        lines.push(PlanLine {
            name: name.to_owned(),
            length_ms: plan.schedule(&THREE.map(str::to_owned)).length_ms,
            title: plan.title,
        });
    }
    console.printer.show(&lines, |lines, paper| {
        let rows = lines.iter().map(|line| {
            let length = show_ms(line.length_ms);
            [line.name.clone(), length, line.title.clone()]
        });
        paper.table(["PLAN", "ON THREE NODES", "WHAT"], rows.collect())
    })?;
    Ok(())
}

/// The plan of that name, or in that file.
pub(crate) fn find(named: &str) -> Result<Plan, Stop> {
    let is_name = !named.contains(['/', '.']);
    let compiled_in = READY_MADE.iter().find(|(name, _)| *name == named);
    let read = match compiled_in {
        Some((name, text)) => chaos::parse_plan(name, text),
        None if is_name && !Path::new(named).exists() => {
            let names = READY_MADE.map(|(name, _)| name);
            let near = config::near::hint(named, names);
            let shown = config::mistake::shown(named);
            return Err(Stop::rephrase(
                format!("there is no plan `{shown}`{near}"),
                format!(
                    "`domo chaos plan` lists them ({}), or name a file",
                    names.join(", ")
                ),
            ));
        }
        None => chaos::load_plan(Path::new(named)),
    };
    read.map_err(|mistakes| Stop::MendAll {
        what: "the plan has mistakes; nothing is done".to_owned(),
        mistakes,
    })
}

/// What nodes are called.
pub(crate) fn names(nodes: &[NodeLine]) -> Vec<String> {
    nodes.iter().map(|node| node.name.clone()).collect()
}

/// A plan as a node is asked to begin it.
pub(crate) fn wanted(plan: &Plan, schedule: &Schedule) -> BeginChaos {
    BeginChaos {
        name: plan.name.to_string(),
        steps: steps(schedule),
        limit_ms: schedule.length_ms + OFF_MS,
    }
}

fn steps(schedule: &Schedule) -> Vec<ChaosStep> {
    schedule.faults.iter().map(step).collect()
}

fn step(fault: &Scheduled) -> ChaosStep {
    let (kind, left_bytes) = match fault.fault {
        Fault::Crash => (ChaosFault::Crash, None),
        Fault::Kill => (ChaosFault::Kill, None),
        Fault::Freeze => (ChaosFault::Freeze, None),
        Fault::Cut => (ChaosFault::Cut, None),
        Fault::Hang => (ChaosFault::Hang, None),
        Fault::Fill { left_bytes } => (ChaosFault::Fill, Some(left_bytes)),
    };
    ChaosStep {
        at_ms: fault.at_ms,
        for_ms: fault.for_ms,
        fault: kind,
        left_bytes,
        on: match &fault.on {
            Target::Manager => "manager".to_owned(),
            Target::Butler(team) => format!("butler {team}"),
            Target::Worker { team, name } => format!("worker {team}/{name}"),
            Target::Node(name) => format!("node {name}"),
            Target::All | Target::Each => "all".to_owned(),
        },
    }
}

/// A step in words.
pub(crate) fn told(step: &ChaosStep) -> String {
    let on = match step.on.as_str() {
        "manager" if step.fault == ChaosFault::Crash => "the Manager".to_owned(),
        "manager" => "the node of the Manager".to_owned(),
        "all" => "all nodes".to_owned(),
        on if on.starts_with("node ") || step.fault == ChaosFault::Crash => on.to_owned(),
        on => format!("the node of {on}"),
    };
    match (step.fault, step.left_bytes) {
        (ChaosFault::Crash, _) => format!("crash {on}"),
        (ChaosFault::Kill, _) => format!("kill {on}"),
        (ChaosFault::Freeze, _) => format!("freeze {on}"),
        (ChaosFault::Cut, _) => format!("cut off {on}"),
        (ChaosFault::Hang, _) => format!("hang the engine of {on}"),
        (ChaosFault::Fill, left) => {
            let left = show_bytes(left.unwrap_or_default());
            format!("fill the disk of {on} up to {left}")
        }
    }
}

fn people(shown: &Shown, paper: &Paper) -> String {
    let mut text = format!("{}: {}\n\n", shown.name, shown.title);
    let rows = shown.steps.iter().map(|step| {
        let here = match &shown.asked {
            None => "-".to_owned(),
            Some(view) if !view.is_allowed => "its settings do not allow it".to_owned(),
            Some(view) => match view.lacks.get(&step.fault) {
                Some(why) => why.clone(),
                None => "can be done".to_owned(),
            },
        };
        let stays = if step.for_ms == 0 {
            "-".to_owned()
        } else {
            show_ms(step.for_ms)
        };
        [show_ms(step.at_ms), stays, told(step), here]
    });
    let node = shown.asked.as_ref().map_or("HERE", |view| &view.name);
    text.push_str(&paper.table(["AT", "FOR", "WHAT", node], rows.collect()));
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\nover after {}; each canary case closed within {}, one acknowledged at least every {}\n",
        show_ms(shown.length_ms),
        show_ms(shown.closed_within_ms),
        show_ms(shown.gap_ms)
    );
    text
}
