//! Skill `plan`: the butler's own agent breaks a case into stages.
//!
//! ```text
//!   instance-status ────┐
//!                       ├──► k8s-root-cause
//!   resource-bottleneck ┘
//! ```
//!
//! # Why
//! The two surveys read the recording independently, so they run side by side; the root cause is
//! weighed after both. What the team cannot do is left out, what a refusal complained about is
//! changed, and nothing else: a plan that is sent back twice for one reason is a plan not read.

mod refusals;

use std::collections::BTreeSet;

use crate::contract::{Assignment, Failure, Progress, Team};
use crate::outcome::{Finding, Outcome, Plan, PlannedStage, Severity};
use crate::phrase;

/// How long a survey of the largest recording takes at most, with room to spare.
const LIMIT_S: u64 = 120;
/// A second try helps against a lost container, a third does not.
const ATTEMPTS: u32 = 2;
/// The name of the planning itself, which no stage may bear.
const TAKEN_NAME: &str = "plan";
/// Stages for skills that this planner does not know.
const MAX_OTHER_STAGES: usize = 20;
/// The longest name of a stage.
pub const MAX_NAME_BYTES: usize = 63;

/// A stage that this planner knows.
struct Recipe {
    skill: &'static str,
    title: &'static str,
    after: &'static [&'static str],
}

const RECIPES: [Recipe; 3] = [
    Recipe {
        skill: "instance-status",
        title: "In what state are the pods and nodes?",
        after: &[],
    },
    Recipe {
        skill: "resource-bottleneck",
        title: "What is short on nodes and quotas, in numbers?",
        after: &[],
    },
    Recipe {
        skill: "k8s-root-cause",
        title: "Which of the findings explains the fault, and why not the others?",
        after: &["instance-status", "resource-bottleneck"],
    },
];

/// Makes the plan.
pub fn answer(assignment: &Assignment, progress: &mut Progress) -> Result<Outcome, Failure> {
    let team = assignment.team()?;
    let refused = assignment.refusals()?;
    let skills: BTreeSet<&str> = team
        .workers
        .iter()
        .flat_map(|w| &w.skills)
        .map(String::as_str)
        .filter(|s| *s != TAKEN_NAME)
        .collect();
    if skills.is_empty() {
        return Err(Failure::MendTeam(format!(
            "no plan is possible: no worker of team {} has a skill; give a worker at least one of {}",
            team.team,
            RECIPES.map(|r| r.skill).join(", ")
        )));
    }
    let mut notes = Vec::new();
    let mut stages = draft(&assignment.brief, &skills, &mut notes);
    let version = assignment.card.brief_version;
    if version > 1 {
        notes.push(format!(
            "the brief was amended: this plan answers version {version} of it"
        ));
        renew(&mut stages, version, assignment, &mut notes);
    }
    if !refused.trim().is_empty() {
        progress.say("An earlier plan was refused: changing what it was refused for.");
        refusals::heed(&mut stages, &refused, &mut notes);
    }
    if stages.is_empty() {
        return Err(Failure::MendTeam(format!(
            "no plan is possible: all stages were refused ({})",
            phrase::line(&refused, 200)
        )));
    }
    progress.say(&format!(
        "Planned {}.",
        phrase::count(stages.len(), "stage")
    ));
    let names = phrase::names(stages.iter().map(|s| &s.name), 8);
    let summary = format!("Plan of {}: {names}.", phrase::count(stages.len(), "stage"));
    let mut outcome = Outcome::new(summary, 0.9);
    outcome.findings.push(reasons(&team, &stages, notes));
    outcome.plan = Some(Plan { stages });
    Ok(outcome)
}

fn reasons(team: &Team, stages: &[PlannedStage], notes: Vec<String>) -> Finding {
    let who = |skill: &str| {
        let able = team
            .workers
            .iter()
            .filter(|w| w.skills.iter().any(|s| s == skill));
        phrase::names(able.map(|w| &w.name), 4)
    };
    let lines = stages.iter().map(|s| {
        let after = if s.after.is_empty() {
            "at once".to_owned()
        } else {
            format!("after {}", phrase::names(&s.after, 8))
        };
        format!("{}: {after}, by {}: {}", s.name, who(&s.skill), s.title)
    });
    let title = format!(
        "Planned {} for team {}",
        phrase::count(stages.len(), "stage"),
        team.team
    );
    let detail = "Surveys run side by side, the root cause is weighed after them.";
    Finding::new(Severity::Info, title, detail)
        .with(lines.collect::<Vec<_>>())
        .with(notes)
}

/// The stages that the brief asks for and the team can do.
fn draft(brief: &str, skills: &BTreeSet<&str>, notes: &mut Vec<String>) -> Vec<PlannedStage> {
    let text = brief.to_ascii_lowercase();
    let only_status = asks_only_for_status(&text);
    let mut stages: Vec<PlannedStage> = Vec::new();
    for recipe in &RECIPES {
        if only_status && recipe.skill != "instance-status" && skills.contains("instance-status") {
            continue;
        }
        if skills.contains(recipe.skill) {
            let there = |name: &&&str| stages.iter().any(|s| s.name == ***name);
            let after = recipe
                .after
                .iter()
                .filter(there)
                .map(|s| (*s).to_owned())
                .collect();
            stages.push(stage(recipe.skill, recipe.title.to_owned(), after));
        } else {
            notes.push(format!(
                "left out {}: no worker of the team has that skill",
                recipe.skill
            ));
        }
    }
    if only_status {
        notes.push("the brief asks for the state only".to_owned());
    }
    let known = |s: &&&str| !RECIPES.iter().any(|r| r.skill == **s);
    let none_known = stages.is_empty();
    let others = skills
        .iter()
        .filter(known)
        .filter(|s| none_known || text.contains(**s));
    for skill in others.take(MAX_OTHER_STAGES) {
        let because = if none_known {
            "the team has it"
        } else {
            "the brief names it"
        };
        notes.push(format!("added {skill}: {because}"));
        stages.push(stage(
            skill,
            format!("What {skill} can say about the case"),
            Vec::new(),
        ));
    }
    stages
}

/// "Only the status, please": nothing about causes.
fn asks_only_for_status(text: &str) -> bool {
    let words: BTreeSet<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let has = |any: &[&str]| any.iter().any(|w| words.contains(w));
    has(&["only", "just"])
        && has(&["status", "state", "states"])
        && !has(&[
            "why",
            "cause",
            "causes",
            "diagnose",
            "diagnosis",
            "root",
            "reason",
            "explain",
        ])
}

fn stage(skill: &str, title: String, after: Vec<String>) -> PlannedStage {
    PlannedStage {
        name: name_of(skill),
        skill: skill.to_owned(),
        title,
        after,
        limit_s: LIMIT_S,
        attempts: ATTEMPTS,
    }
}

/// A stage's name made from a skill's: small letters, digits and single dashes.
fn name_of(skill: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let mut name: String = skill.chars().map(plain).collect();
    name.truncate(MAX_NAME_BYTES);
    let name = name.trim_matches('-');
    if name.is_empty() {
        "stage".to_owned()
    } else {
        name.to_owned()
    }
}

/// Results for an older brief stand under their names: what is to be done again gets a new one.
fn renew(
    stages: &mut [PlannedStage],
    version: u64,
    assignment: &Assignment,
    notes: &mut Vec<String>,
) {
    let (done, _) = assignment.results();
    let renamed: Vec<(String, String)> = stages
        .iter()
        .filter(|s| done.contains_key(&s.name))
        .map(|s| (s.name.clone(), format!("{}-v{version}", s.name)))
        .collect();
    for (old, new) in &renamed {
        notes.push(format!(
            "{old} was done for an earlier version of the brief: done again as {new}"
        ));
        rename(stages, old, new);
    }
}

pub fn rename(stages: &mut [PlannedStage], old: &str, new: &str) {
    for stage in stages {
        if stage.name == old {
            new.clone_into(&mut stage.name);
        }
        for after in stage.after.iter_mut().filter(|a| *a == old) {
            new.clone_into(after);
        }
    }
}
