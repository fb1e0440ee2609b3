//! A chaos plan: what `domo chaos run` breaks, step by step, and what must hold meanwhile.
//!
//! ```yaml
//! name: manager-failover
//! title: The node that holds the Manager is killed
//! load: 200ms                  # a canary case so often; optional, as are the next two
//! closed_within: 1m            # a canary case that takes longer was not promised
//! gap: 5s                      # longest time in which no case is acknowledged
//! steps:
//!   - wait: 5s
//!   - kill: manager            # crash, kill, freeze, cut, hang or fill, and where:
//!     for: 4s                  #   manager, butler TEAM, worker TEAM/NAME, node NAME, all, each
//!     rest: 6s                 # before the next step; optional
//!   - crash: butler sre        # a persona panics: takes no time
//!   - fill: node beta          # its disk, up to so much that is left free
//!     left: 1MiB
//!     for: 10s
//!   - load: 50ms               # from here on a canary case so often
//! ```

use std::path::Path;

use super::fields::{self, Fields};
use super::folder::{Bundle, Folder};
use super::page::Page;
use super::yaml::{self, Mark, Node, What};
use super::{Known, title};
use crate::intake;
use crate::measure::{parse_bytes, parse_ms, show_bytes, show_ms};
use crate::mistake::{Mistakes, Place, Wrong, shown};
use crate::name::Name;
use crate::near::hint;

/// A plan is read by people before they run it.
const LARGEST_PLAN_BYTES: u64 = 64 << 10;
/// As many as a run may have, for the rules.
pub const MOST_STEPS: usize = 64;
/// As long as a run may be, without what it takes to take the last fault off.
pub const LONGEST_RUN_MS: u64 = 3_300_000;
/// A canary case so often, where the plan says nothing.
const USUAL_LOAD_MS: u64 = 250;
/// Less is no load but a measurement; `domo bench` makes those.
const LOAD_MS: std::ops::RangeInclusive<u64> = 20..=60_000;
/// A canary case takes a second; with a node lost meanwhile, some ten.
const USUAL_CLOSED_WITHIN_MS: u64 = 60_000;
/// Another node leads within two seconds; this is what a person waits without asking.
const USUAL_GAP_MS: u64 = 10_000;
/// What a promise may be.
const PROMISE_MS: std::ops::RangeInclusive<u64> = 100..=3_600_000;
/// A fault or a wait: shorter ones are over before anybody notices.
const SPAN_MS: std::ops::RangeInclusive<u64> = 100..=LONGEST_RUN_MS;
/// What may be left free of a disk: nothing at all would stop the host.
const LEFT_BYTES: std::ops::RangeInclusive<u64> = 64 << 10..=1 << 50;
/// The steps that there are.
const KINDS: [&str; 8] = [
    "wait", "load", "crash", "kill", "freeze", "cut", "hang", "fill",
];

/// What is broken, and what must hold meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is called.
    pub name: Name,
    /// What people read; empty if none is given.
    pub title: String,
    /// A canary case so often at the start.
    pub load_ms: u64,
    /// Within what time each canary case must be closed.
    pub closed_within_ms: u64,
    /// The longest time in which no case is acknowledged.
    pub gap_ms: u64,
    /// Its steps; at least one of them is a fault.
    pub steps: Vec<PlanStep>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanStep {
    /// Nothing is done.
    Wait {
        /// For how long.
        for_ms: u64,
    },
    /// From here on a canary case so often.
    Load {
        /// Time between two.
        every_ms: u64,
    },
    /// Something is broken, and whole again at the end.
    Break {
        /// What is done.
        fault: Fault,
        /// Where.
        on: Target,
        /// For how long; nothing for a crash.
        for_ms: u64,
        /// Time after it before the next step.
        rest_ms: u64,
    },
}

/// What is done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A persona on it panics.
    Crash,
    /// Its daemon is killed, and started again at the end.
    Kill,
    /// Its daemon is stopped where it is.
    Freeze,
    /// It is cut off from all others.
    Cut,
    /// Its engine is stopped where it is.
    Hang,
    /// Its disk is filled.
    Fill {
        /// What is left free.
        left_bytes: u64,
    },
}

/// Which nodes a fault is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Where the Manager is at that time.
    Manager,
    /// Where a team's butler is at that time.
    Butler(Name),
    /// Where a worker is at that time.
    Worker {
        /// Its team.
        team: Name,
        /// Its name.
        name: Name,
    },
    /// That node, by its name or number.
    Node(String),
    /// All nodes at once.
    All,
    /// One node after the other.
    Each,
}

/// Reads a plan from a file.
pub fn load_plan(path: &Path) -> Result<Plan, Mistakes> {
    let file = path.display().to_string();
    let mut mistakes = Mistakes::default();
    match intake::read(path, "a chaos plan", LARGEST_PLAN_BYTES) {
        Ok(bytes) => match intake::text(&bytes) {
            Ok(text) => return parse_plan(&file, text),
            Err(wrong) => mistakes.add(Place::File(file), wrong),
        },
        Err(wrong) => mistakes.add(Place::File(file), wrong),
    }
    Err(mistakes)
}

/// Reads a plan from its text; `file` is what messages call it.
pub fn parse_plan(file: &str, text: &str) -> Result<Plan, Mistakes> {
    let mut mistakes = Mistakes::default();
    let trees = yaml::grow(file, text, &mut mistakes);
    let [tree] = trees.as_slice() else {
        if mistakes.is_empty() {
            let sentence = format!("it holds {} documents; a plan is one", trees.len());
            mistakes.add(Place::File(file.to_owned()), Wrong::Refused(sentence));
        }
        return Err(mistakes);
    };
    let mut folder = Folder::in_memory(&Bundle::default());
    let mut page = Page {
        file,
        number: tree.number,
        folder: &mut folder,
        known: &Known { kernels: &[] },
        mistakes: &mut mistakes,
    };
    let plan = plan(&mut page, &tree.root);
    match plan {
        Some(plan) => mistakes.or(plan),
        None => Err(mistakes),
    }
}

fn plan(page: &mut Page<'_>, root: &Node) -> Option<Plan> {
    let mut fields = Fields::open(page, "the plan", root)?;
    let name = fields.need(page, "name", fields::name);
    let title = fields.find(page, "title", title()).unwrap_or_default();
    let load_ms = fields.find(page, "load", span(LOAD_MS));
    let closed_within_ms = fields.find(page, "closed_within", span(PROMISE_MS));
    let gap_ms = fields.find(page, "gap", span(PROMISE_MS));
    let mark = fields.mark_of("steps");
    let steps = fields.need(page, "steps", fields::list(MOST_STEPS, step));
    fields.close(page);
    let steps = steps?;
    check(page, mark, &steps);
    Some(Plan {
        name: name?,
        title,
        load_ms: load_ms.unwrap_or(USUAL_LOAD_MS),
        closed_within_ms: closed_within_ms.unwrap_or(USUAL_CLOSED_WITHIN_MS),
        gap_ms: gap_ms.unwrap_or(USUAL_GAP_MS),
        steps,
    })
}

/// A plan breaks something, and is over in time.
fn check(page: &mut Page<'_>, mark: Mark, steps: &[PlanStep]) {
    let breaks = |step: &PlanStep| matches!(step, PlanStep::Break { .. });
    if !steps.iter().any(breaks) {
        let sentence = "it breaks nothing: a plan has at least one fault".to_owned();
        page.wrong(mark, Wrong::Refused(sentence));
    }
    let length_ms = steps.iter().map(PlanStep::length_ms);
    if length_ms.fold(0, u64::saturating_add) > LONGEST_RUN_MS {
        let most = show_ms(LONGEST_RUN_MS);
        let sentence = format!("its steps take more than {most}: make it shorter, or two plans");
        page.wrong(mark, Wrong::Refused(sentence));
    }
}

impl PlanStep {
    /// How long it takes; one that goes from node to node takes as long for each of them.
    pub fn length_ms(&self) -> u64 {
        match self {
            Self::Wait { for_ms } => *for_ms,
            Self::Load { .. } => 0,
            Self::Break {
                for_ms, rest_ms, ..
            } => for_ms.saturating_add(*rest_ms),
        }
    }
}

fn step(page: &mut Page<'_>, _: &str, node: &Node) -> Option<PlanStep> {
    let mut fields = Fields::open(page, "a step", node)?;
    let named: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| fields.has_any(&[kind]))
        .collect();
    fields.know(&KINDS);
    let [kind] = named.as_slice() else {
        let sentence = if named.is_empty() {
            let found = first_key(node);
            let near = found.map_or_else(String::new, |key| hint(key, KINDS));
            format!("a step is one of {}{near}", KINDS.join(", "))
        } else {
            format!("a step is one thing: this one is {}", named.join(" and "))
        };
        page.wrong(node.mark, Wrong::Refused(sentence));
        return None;
    };
    let step = match *kind {
        "wait" => fields
            .need(page, "wait", span(SPAN_MS))
            .map(|for_ms| PlanStep::Wait { for_ms }),
        "load" => fields
            .need(page, "load", span(LOAD_MS))
            .map(|every_ms| PlanStep::Load { every_ms }),
        kind => broken(page, &mut fields, kind, node.mark),
    };
    fields.close(page);
    step
}

fn broken(
    page: &mut Page<'_>,
    fields: &mut Fields<'_>,
    kind: &str,
    mark: Mark,
) -> Option<PlanStep> {
    let (key, fault) = match kind {
        "crash" => ("crash", Some(Fault::Crash)),
        "kill" => ("kill", Some(Fault::Kill)),
        "freeze" => ("freeze", Some(Fault::Freeze)),
        "cut" => ("cut", Some(Fault::Cut)),
        "hang" => ("hang", Some(Fault::Hang)),
        _ => {
            let bytes = fields::measure(LEFT_BYTES, parse_bytes, show_bytes);
            let left = fields.need(page, "left", bytes);
            ("fill", left.map(|left_bytes| Fault::Fill { left_bytes }))
        }
    };
    let on = fields.need(page, key, target);
    let is_crash = kind == "crash";
    let for_ms = if is_crash {
        Some(0)
    } else {
        fields.need(page, "for", span(SPAN_MS))
    };
    let rest_ms = fields.find(page, "rest", span(SPAN_MS)).unwrap_or(0);
    let is_persona = |on: &Target| {
        matches!(
            on,
            Target::Manager | Target::Butler(_) | Target::Worker { .. }
        )
    };
    if is_crash && on.as_ref().is_some_and(|on| !is_persona(on)) {
        let sentence = "only a persona crashes: manager, butler TEAM or worker TEAM/NAME";
        page.wrong(mark, Wrong::Refused(sentence.to_owned()));
    }
    Some(PlanStep::Break {
        fault: fault?,
        on: on?,
        for_ms: for_ms?,
        rest_ms,
    })
}

fn target(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Target> {
    const WORDS: [&str; 6] = ["manager", "butler", "worker", "node", "all", "each"];
    let text = fields::text(super::LONGEST_TITLE_BYTES)(page, key, node)?;
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    let read = match (word, rest) {
        ("manager", "") => Ok(Target::Manager),
        ("all", "") => Ok(Target::All),
        ("each", "") => Ok(Target::Each),
        ("butler", team) => named(team, "butler TEAM").map(Target::Butler),
        ("worker", worker) => match worker.split_once('/') {
            Some((team, name)) => named(team, "worker TEAM/NAME").and_then(|team| {
                let name = named(name, "worker TEAM/NAME")?;
                Ok(Target::Worker { team, name })
            }),
            None => Err("allowed: worker TEAM/NAME".to_owned()),
        },
        ("node", name) if !name.is_empty() && !name.contains(' ') => {
            Ok(Target::Node(name.to_owned()))
        }
        _ => Err(format!(
            "allowed: manager, butler TEAM, worker TEAM/NAME, node NAME, all, each{}",
            hint(word, WORDS.into_iter().filter(|known| *known != word))
        )),
    };
    match read {
        Ok(target) => Some(target),
        Err(allowed) => {
            page.out_of_range(key, &text, allowed, node.mark);
            None
        }
    }
}

fn named(text: &str, form: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| format!("allowed: {form}; `{}`: {error}", shown(text)))
}

fn first_key(node: &Node) -> Option<&str> {
    match &node.what {
        What::Map(pairs) => pairs.first().map(|(key, _)| key.text.as_str()),
        What::Scalar { .. } | What::List(_) | What::Spoiled => None,
    }
}

fn span(
    range: std::ops::RangeInclusive<u64>,
) -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<u64> {
    fields::measure(range, parse_ms, show_ms)
}
