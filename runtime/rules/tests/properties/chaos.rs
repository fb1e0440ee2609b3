//! What is said about a chaos run.

use rules::chaos::{Did, Fault, News, On, Part, Plan, Run, Step, Wish};
use rules::id::NodeId;
use rules::{Command, Principal, Who};

use crate::lab::Lab;
use crate::pool;
use crate::wish::Pick;

/// Somebody begins a run, ends it, or tells of it.
pub fn command(lab: &Lab, which: Pick, what: Pick) -> (Principal, Command) {
    let run = Run::of(&lab.state).map_or(7, |run| run.id);
    let node = NodeId(u64::from(which % 3));
    match what % 8 {
        0 | 1 => (pool::sam(), begin(which)),
        2 => (pool::sam(), Command::Chaos(Wish::End { run })),
        _ => {
            let news = news(what);
            let itself = Principal::own(Who::Node(node));
            (itself, Command::Chaos(Wish::Tell { node, run, news }))
        }
    }
}

fn news(what: Pick) -> News {
    match what / 8 % 4 {
        0 => News::Part(Part::Refused("it is not allowed here".to_owned())),
        1 => News::Part(Part::Over),
        2 => News::Did(Did {
            step: u32::from(what % 4),
            from_wall_ms: 1,
            to_wall_ms: 2,
            trouble: String::new(),
        }),
        _ => News::Part(Part::Armed),
    }
}

fn begin(which: Pick) -> Command {
    let on = match which % 4 {
        0 => On::Manager,
        1 => On::Butler(pool::team(which)),
        2 => On::Node(NodeId(u64::from(which / 4 % 4))),
        _ => On::All,
    };
    let step = Step {
        at_ms: 1000,
        for_ms: u64::from(which) * 100,
        fault: [Fault::Crash, Fault::Kill, Fault::Freeze][usize::from(which) % 3],
        on,
    };
    Command::Chaos(Wish::Begin(Plan {
        name: "trial".to_owned(),
        steps: vec![step],
        limit_ms: 20_000,
    }))
}
