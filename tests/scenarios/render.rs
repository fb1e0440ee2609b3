//! The state as a person would tell it: one line for each thing, and which lines changed.

use std::collections::{BTreeMap, BTreeSet};

use rules::State;
use rules::attempt::{Attempt, AttemptOutcome, AttemptStatus};
use rules::case::{Case, CaseStatus, WaitingFor};
use rules::effect::{Effect, EffectStatus};
use rules::id::{AttemptId, ClockMs};
use rules::node::{Health, Node, Role};
use rules::stage::{Approval, Need, Stage, StageStatus};
use rules::worker::Worker;

use super::{chaos, people, rooms};

/// What is said of a thing.
#[derive(Debug, PartialEq, Eq)]
pub struct Thing {
    /// What never changes: said when it is new.
    once: String,
    /// How it is now, part by part.
    now: Vec<String>,
}

impl Thing {
    /// How it was and is, without what is as it was; the first part is always told when others
    /// came or went.
    fn change(&self, new: &Self) -> String {
        let told = |this: &[String], other: &[String]| {
            let is_alike = this.len() == other.len();
            let differing = this.iter().enumerate().filter(|(at, part)| {
                if is_alike {
                    other[*at] != **part
                } else {
                    *at == 0 || !other.contains(part)
                }
            });
            names(differing.map(|(_, part)| part))
        };
        let (old, new) = (told(&self.now, &new.now), told(&new.now, &self.now));
        format!("{old} → {new}")
    }
}

/// Everything in the state, by its name.
pub fn things(state: &State) -> BTreeMap<String, Thing> {
    let mut all = BTreeMap::new();
    let mut put = |name: String, once: &str, now: Vec<String>| {
        let once = once.to_owned();
        all.insert(name, Thing { once, now });
    };
    for (id, node) in &state.nodes {
        put(format!("node {id}"), &node.facts.name, of_node(node));
    }
    for id in &state.removed {
        put(format!("removed {id}"), "for ever", Vec::new());
    }
    for case in &state.erased {
        put(format!("texts of {case}"), "erased", Vec::new());
    }
    if state.version != State::default().version {
        put(
            "rules".to_owned(),
            "",
            vec![format!("version {}", state.version)],
        );
    }
    for (at, beginning) in state.beginnings.iter().enumerate() {
        let told = format!(
            "{} by {} with {}, {} attempts taken back, {} cases held",
            beginning.cause, beginning.by, beginning.node, beginning.attempts, beginning.held
        );
        put(format!("beginning {}", at + 1), &told, Vec::new());
    }
    of_reach(state, &mut put);
    for (name, team) in &state.teams {
        let now = vec![
            placed(team.placed.as_ref().map(|(node, _)| node)),
            format!("epoch {}", team.epoch),
            format!("butler {}", team.spec.butler),
            format!("playbooks {}", names(team.playbooks.keys())),
        ];
        put(format!("team {name}"), "", now);
        for (need, queue) in &team.queue {
            let waiting = names(queue.iter().map(|(case, stage)| format!("{case} {stage}")));
            let name = format!("queue of {name} for {}", needed(need));
            put(name, "", vec![waiting]);
        }
    }
    for (id, worker) in &state.workers {
        let (once, now) = of_worker(worker);
        put(format!("worker {id}"), once, now);
    }
    for case in state.cases.values() {
        of_case(case, &mut put);
    }
    chaos::things(state, &mut put);
    people::things(state, &mut put);
    rooms::things(state, &mut put);
    all
}

/// Targets, and tokens of nodes.
fn of_reach(state: &State, put: &mut impl FnMut(String, &str, Vec<String>)) {
    for (name, target) in &state.targets {
        let methods = target.methods.iter();
        let methods = methods.map(|(method, class)| format!("{method} {class}"));
        let now = vec![
            target.address.to_string(),
            format!("methods {}", names(methods)),
            format!("for {}", names(&target.teams)),
        ];
        let needs = target.needs_secret.then(|| "with a secret".to_owned());
        let now = now.into_iter().chain(needs).collect();
        put(format!("target {name}"), "", now);
    }
    for (name, token) in &state.tokens {
        let told = format!("minted by {} until {}", token.minted_by, clock(token.until));
        put(format!("token {name}"), &told, Vec::new());
    }
}

fn of_node(node: &Node) -> Vec<String> {
    let mut now = vec![
        match node.health {
            Health::Up => "up".to_owned(),
            health @ (Health::Suspect | Health::Down) => {
                format!("{health} ({})", node.health_because)
            }
        },
        format!("{}m promised", node.cpu_promised_milli),
        format!("{} MiB promised", node.memory_promised_bytes >> 20),
        format!("{} workers", node.workers.len()),
        format!("{} butlers", node.butlers.len()),
    ];
    if let Some(why) = &node.drained {
        now.push(format!("drained ({why})"));
    }
    if node.role != Role::Auto {
        now.push(node.role.to_string());
    }
    if let Some(way_out) = &node.way_out {
        now.push(format!("secrets {}", names(&way_out.secrets)));
        now.extend((!way_out.is_confined).then(|| "unconfined".to_owned()));
    }
    now
}

fn of_worker(worker: &Worker) -> (&'static str, Vec<String>) {
    let doing = match (worker.is_awake, worker.idle_since) {
        (false, None) if worker.running.is_empty() => "asleep".to_owned(),
        (true, Some(since)) if worker.running.is_empty() => {
            let until = since.plus(worker.spec.idle_after_ms);
            format!("idle till {}", clock(until))
        }
        (true, None) => format!("runs {}", names(&worker.running)),
        _ => "NEITHER ASLEEP NOR AWAKE".to_owned(),
    };
    let once = if worker.is_butler_slot {
        "the butler's own agent"
    } else {
        ""
    };
    let now = vec![
        placed(worker.placed.as_ref().map(|(node, _)| node)),
        format!("epoch {}", worker.epoch),
        format!("{} at once", worker.spec.parallel),
        doing,
    ];
    (once, now)
}

fn of_case(case: &Case, put: &mut impl FnMut(String, &str, Vec<String>)) {
    let id = case.id;
    let generation = format!("generation {}", case.generation);
    put(id.to_string(), "", vec![status(case), generation]);
    if let Some(team) = &case.team {
        put(format!("{id} is of"), &format!("team {team}"), Vec::new());
    }
    let brief = vec![
        format!("version {}", case.brief_version()),
        format!("{} attachments", case.attachments.len()),
    ];
    put(format!("{id} brief"), "", brief);
    for (at, reasons) in case.plan_refusals.iter().enumerate() {
        let name = format!("{id} plan was sent back, time {}", at + 1);
        put(name, "", vec![reasons.join("; ")]);
    }
    for stage in case.all_stages() {
        let name = format!("{id} {}", stage.spec.name);
        put(name, "", of_stage(stage));
    }
    for (key, effect) in &case.effects {
        let intent = &effect.intent;
        let once = format!("{} {} on {}", intent.class, intent.method, intent.target);
        put(format!("effect {key}"), &once, of_effect(effect));
    }
    for post in &case.thread.posts {
        put(
            format!("{id} post {}", post.number),
            &rooms::told(post),
            Vec::new(),
        );
    }
    for (number, attempt) in &case.attempts {
        let number = *number;
        let id = AttemptId { case: id, number };
        let (once, now) = of_attempt(attempt);
        put(id.to_string(), &once, vec![now]);
    }
}

fn status(case: &Case) -> String {
    match case.status {
        CaseStatus::Open => "open".to_owned(),
        CaseStatus::Planned => "planned".to_owned(),
        CaseStatus::Running => "running".to_owned(),
        CaseStatus::Waiting(WaitingFor::Approval) => "waiting for an approval".to_owned(),
        CaseStatus::Waiting(WaitingFor::Resume) => "paused".to_owned(),
        CaseStatus::Waiting(WaitingFor::Settlement) => "waiting for a settlement".to_owned(),
        CaseStatus::Reporting => {
            let ending = case
                .ending
                .map(|ending| ending.to_string())
                .unwrap_or_default();
            match &case.ending_reason {
                Some(reason) => format!("reporting ({ending}: {reason})"),
                None => format!("reporting ({ending})"),
            }
        }
        CaseStatus::Closed(outcome) => format!("closed ({outcome})"),
    }
}

fn of_stage(stage: &Stage) -> Vec<String> {
    let mut parts = vec![
        match stage.status {
            StageStatus::Pending => "pending",
            StageStatus::Parked => "parked",
            StageStatus::Assigned => "assigned",
            StageStatus::Running => "running",
            StageStatus::Done => "done",
            StageStatus::Failed => "failed",
            StageStatus::Skipped => "skipped",
        }
        .to_owned(),
    ];
    if stage.generation > 1 {
        parts.push(format!("generation {}", stage.generation));
    }
    match &stage.approval {
        Approval::NotAsked => {}
        Approval::Asked => parts.push("approval asked".to_owned()),
        Approval::Given { by, .. } => parts.push(format!("approved by {by}")),
    }
    if let Some(number) = stage.attempt {
        parts.push(format!("attempt {number}"));
    }
    if stage.failed_attempts > 0 {
        parts.push(format!("{} failed", stage.failed_attempts));
    }
    if stage.lost_attempts > 0 {
        parts.push(format!("{} lost", stage.lost_attempts));
    }
    if let Some(result) = &stage.result {
        parts.push(format!("{:?}", shortened(&result.summary)));
    }
    if let Some(reason) = &stage.reason {
        parts.push(format!("because {}", shortened(reason)));
    }
    parts
}

fn of_effect(effect: &Effect) -> Vec<String> {
    let now = match &effect.status {
        EffectStatus::Intended => "intended".to_owned(),
        EffectStatus::Done { answer } => format!("done ({answer})"),
        EffectStatus::NotDone { reason } => format!("not done ({reason})"),
        EffectStatus::Settled {
            was_done,
            by,
            reason,
        } => {
            let not = if *was_done { "" } else { "not " };
            format!("{not}done, says {by} ({reason})")
        }
    };
    vec![now, format!("by attempt {}", effect.attempt)]
}

fn of_attempt(attempt: &Attempt) -> (String, String) {
    let once = format!(
        "{} by {} at epoch {} on {}, brief {}, until {}",
        attempt.stage,
        attempt.worker,
        attempt.epoch,
        attempt.node,
        attempt.brief_version,
        clock(attempt.deadline)
    );
    let now = match attempt.status {
        AttemptStatus::Assigned => "assigned",
        AttemptStatus::Preparing => "preparing",
        AttemptStatus::Running => "running",
        AttemptStatus::Lost => "lost",
        AttemptStatus::Superseded => "superseded",
        AttemptStatus::Cancelled => "cancelled",
        AttemptStatus::Finished => match attempt.outcome {
            Some(AttemptOutcome::Succeeded(_)) => "succeeded",
            Some(AttemptOutcome::Failed { .. }) => "failed",
            Some(AttemptOutcome::TimedOut { .. }) => "timed out",
            None => "FINISHED WITHOUT AN OUTCOME",
        },
    };
    (once, now.to_owned())
}

/// What is otherwise, line by line; of a case that was closed, no more than that.
pub fn difference(
    before: &BTreeMap<String, Thing>,
    after: &BTreeMap<String, Thing>,
    closed: &[Case],
) -> Vec<String> {
    let archived = |name: &str| {
        closed.iter().find(|case| {
            name.strip_prefix(&case.id.to_string())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '.']))
        })
    };
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut lines = Vec::new();
    for name in all {
        match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => lines.push(format!("{name}: {}", old.change(new))),
            (None, Some(new)) if new.now.is_empty() => lines.push(format!("{name} {}", new.once)),
            (None, Some(new)) => {
                let once = Some(&new.once).filter(|once| !once.is_empty());
                let told = names(once.into_iter().chain(&new.now));
                lines.push(format!("{name}: new: {told}"));
            }
            (Some(old), None) => match archived(name) {
                Some(case) if *name == case.id.to_string() => {
                    let was = names(&old.now);
                    lines.push(format!("{name}: {was} → {}, archived", status(case)));
                }
                Some(_) => {}
                None => lines.push(format!("{name}: gone")),
            },
            (None, None) => {}
        }
    }
    lines
}

fn placed(node: Option<impl std::fmt::Display>) -> String {
    node.map_or("not placed".to_owned(), |node| format!("on {node}"))
}

/// What a stage needs, in words.
pub fn needed(need: &Need) -> String {
    match need {
        Need::Skill(skill) => format!("skill {skill}"),
        Need::Worker(worker) => format!("worker {worker}"),
        Need::Butler => "the butler".to_owned(),
    }
}

/// The ledger's time, such as `1m30s`.
pub fn clock(at: ClockMs) -> String {
    let (minutes, seconds) = (at.0 / 60_000, at.0 % 60_000 / 1000);
    if minutes == 0 {
        format!("{seconds}s")
    } else {
        format!("{minutes}m{seconds:02}s")
    }
}

/// Names with commas between them.
pub fn names<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}

/// A text that fits onto a line.
pub fn shortened(text: &str) -> String {
    if text.chars().count() <= LINE {
        return text.to_owned();
    }
    let start: String = text.chars().take(LINE).collect();
    format!("{start}… ({} bytes)", text.len())
}

/// Characters of a text that a line shows.
const LINE: usize = 160;
