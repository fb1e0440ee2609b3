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
const MAX_NAME_BYTES: usize = 63;

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
    let refusals = assignment.refusals()?;
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
    if !refusals.trim().is_empty() {
        progress.say("An earlier plan was refused: changing what it was refused for.");
        heed(&mut stages, &refusals, &mut notes);
    }
    if stages.is_empty() {
        return Err(Failure::MendTeam(format!(
            "no plan is possible: all stages were refused ({})",
            phrase::line(&refusals, 200)
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

fn rename(stages: &mut [PlannedStage], old: &str, new: &str) {
    for stage in stages {
        if stage.name == old {
            new.clone_into(&mut stage.name);
        }
        for after in stage.after.iter_mut().filter(|a| *a == old) {
            new.clone_into(after);
        }
    }
}

/// Changes what the refusals complain about.
fn heed(stages: &mut Vec<PlannedStage>, refusals: &str, notes: &mut Vec<String>) {
    for line in refusals
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let text = line.trim_start_matches(['-', '*', ' ']);
        let shown = phrase::line(text, 200);
        match heed_one(stages, &text.to_ascii_lowercase()) {
            Some(change) => notes.push(format!("refused before ({shown}): {change}")),
            None => notes.push(format!(
                "refused before ({shown}): the stages at hand are not like that"
            )),
        }
    }
}

fn heed_one(stages: &mut Vec<PlannedStage>, text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|w| !w.is_empty())
        .collect();
    let names =
        |s: &PlannedStage| words.contains(&s.name.as_str()) || words.contains(&s.skill.as_str());
    let named: Vec<String> = stages
        .iter()
        .filter(|s| names(s))
        .map(|s| s.name.clone())
        .collect();
    let said = |any: &[&str]| any.iter().any(|w| text.contains(w));
    // A complaint that names no stage concerns all of them.
    let concerned = |s: &PlannedStage| named.is_empty() || named.contains(&s.name);
    if said(&[
        "no worker",
        "unknown skill",
        "nobody has",
        "lacks the skill",
        "has no skill",
    ]) {
        drop_stages(stages, &named);
        return (!named.is_empty()).then(|| format!("left out {}", named.join(", ")));
    }
    if said(&["circle", "cycle", "wait for each other"]) {
        stages.iter_mut().for_each(|s| s.after.clear());
        return Some("no stage waits for another".to_owned());
    }
    if said(&["not there", "unknown stage", "does not exist"]) && said(&["after", "depend"]) {
        let there: BTreeSet<String> = stages.iter().map(|s| s.name.clone()).collect();
        stages
            .iter_mut()
            .for_each(|s| s.after.retain(|a| there.contains(a)));
        return Some("stages wait only for stages of the plan".to_owned());
    }
    if said(&["taken", "reserved", "stands twice", "already used"]) {
        for old in &named {
            let new: String = format!("do-{old}").chars().take(MAX_NAME_BYTES).collect();
            rename(stages, old, &new);
        }
        return (!named.is_empty()).then(|| format!("renamed {}", named.join(", ")));
    }
    if said(&["attempts"]) {
        let most = u32::try_from(bound(text)?).ok()?.max(1);
        stages
            .iter_mut()
            .filter(|s| concerned(s))
            .for_each(|s| s.attempts = s.attempts.min(most));
        return Some(format!("at most {most} attempts"));
    }
    if said(&["limit", "too long"]) {
        let most = bound(text)?.max(1).saturating_mul(unit_s(text));
        stages
            .iter_mut()
            .filter(|s| concerned(s))
            .for_each(|s| s.limit_s = s.limit_s.min(most));
        return Some(format!("a limit of at most {most} s"));
    }
    if said(&["stages"]) {
        let most = usize::try_from(bound(text)?).ok()?.max(1);
        // The last stages are the ones that the others are for.
        let surplus: Vec<String> = stages
            .iter()
            .take(stages.len().saturating_sub(most))
            .map(|s| s.name.clone())
            .collect();
        drop_stages(stages, &surplus);
        return Some(format!("at most {most} stages"));
    }
    if said(&["title"]) {
        stages
            .iter_mut()
            .filter(|s| concerned(s))
            .for_each(|s| s.title = phrase::cut(&s.title, 40));
        return Some("shorter titles".to_owned());
    }
    None
}

fn drop_stages(stages: &mut Vec<PlannedStage>, names: &[String]) {
    stages.retain(|s| !names.contains(&s.name));
    for stage in stages {
        stage.after.retain(|a| !names.contains(a));
    }
}

/// The largest number that a complaint allows: the one after "at most", "up to", "1 to", else the
/// last.
fn bound(text: &str) -> Option<u64> {
    let number = |t: &str| -> Option<u64> {
        let from = t.find(|c: char| c.is_ascii_digit())?;
        let digits: String = t[from..].chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    for mark in [
        "at most",
        "up to",
        "1 to",
        "no more than",
        "maximum",
        "above",
        "over",
    ] {
        if let Some((_, after)) = text.split_once(mark)
            && let Some(found) = number(after)
        {
            return Some(found);
        }
    }
    let last = text
        .split(|c: char| !c.is_ascii_digit())
        .rfind(|w| !w.is_empty());
    last.and_then(|w| w.parse().ok())
}

fn unit_s(text: &str) -> u64 {
    if text.contains("day") {
        86_400
    } else if text.contains("hour") {
        3600
    } else if text.contains("minute") {
        60
    } else {
        1
    }
}
