//! `kind: playbook`: a plan written down in advance.
//!
//! ```yaml
//! kind: playbook
//! name: diagnose
//! team: sre
//! title: Why is it broken?
//! stages:
//!   - name: instance-status
//!     title: What the instances say     # optional, as is everything but name and skill or worker
//!     skill: instance-status            # or `worker: NAME`
//!     after: [other-stage]              # begins when these are done
//!     limit: 10m                        # of one attempt
//!     attempts: 2                       # until the stage has failed
//!     on_failure: continue              # or `fail`, which ends the case
//!     brief: Look at the pods first.    # added to the case's brief
//!     approval: {by: [lead, alice], note: Restarts the gateway.}
//! ```

use std::collections::BTreeSet;

use super::fields::{self, Fields};
use super::graph::check_order;
use super::page::Page;
use super::title;
use super::yaml::{Mark, Node};
use crate::agent_bounds::WALL_MS;
use crate::measure::{parse_ms, show_ms};
use crate::mistake::Wrong;
use crate::name::Name;

/// A plan is read by people; a longer one is a program.
pub const MOST_STAGES: usize = 256;
/// What fails twenty times fails again.
const MOST_ATTEMPTS: u64 = 20;
/// A stage that says nothing is tried twice: once for bad luck.
const DEFAULT_ATTEMPTS: u32 = 2;
/// The planning itself is a stage of this name.
const PLANNING: &str = "plan";
/// More approvers than this are a role.
const MOST_APPROVERS: usize = 32;
/// A note is read in a list.
const LONGEST_NOTE_BYTES: usize = 1 << 10;
/// The ledger carries no larger value.
const LONGEST_BRIEF_BYTES: usize = 16 << 10;

/// A plan written down in advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// What the playbook is called; no two of a team are called alike.
    pub name: Name,
    /// Whose playbook it is.
    pub team: Name,
    /// What people read; empty if none is given.
    pub title: String,
    /// What there is to do; at least one, in the order in which they were written, without a circle.
    pub stages: Vec<PlaybookStage>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaybookStage {
    /// What the stage is called in its playbook.
    pub name: Name,
    /// What people read; empty if none is given.
    pub title: String,
    /// Who does it.
    pub doer: Doer,
    /// The stages that must be done before.
    pub after: Vec<Name>,
    /// The time limit of one attempt; `None`: the worker's.
    pub limit_ms: Option<u64>,
    /// How many attempts there are until the stage has failed.
    pub attempts: u32,
    /// Who must approve before it begins.
    pub approval: Option<Approval>,
    /// What becomes of the case when it has failed.
    pub on_failure: OnFailure,
    /// What is added to the case's brief; empty if nothing is.
    pub brief: String,
}

/// Who does a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doer {
    /// Any worker of the team with this skill.
    Skill(Name),
    /// This worker of the team.
    Worker(Name),
}

/// Who must approve before a stage begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Any one of these; at least one.
    pub by: Vec<Approver>,
    /// What they should know; empty if nothing is said.
    pub note: String,
}

/// Who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approver {
    /// Any admin.
    Admin,
    /// A lead of the team.
    Lead,
    /// A member of the team.
    Member,
    /// This human.
    Human(Name),
}

/// What becomes of the case when a stage has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The case fails; what has not begun is skipped.
    Fail,
    /// The stages after it begin all the same.
    Continue,
}

impl Playbook {
    pub(super) fn read(
        page: &mut Page<'_>,
        fields: &mut Fields<'_>,
        name: Option<Name>,
    ) -> Option<Self> {
        let team = fields.need(page, "team", fields::name);
        let title = fields.find(page, "title", title()).unwrap_or_default();
        let mark = fields.mark_of("stages");
        let stages = fields.need(page, "stages", fields::list(MOST_STAGES, stage))?;
        check_stages(page, mark, &stages);
        let stages = stages.into_iter().map(|(_, stage)| stage).collect();
        Some(Self {
            name: name?,
            team: team?,
            title,
            stages,
        })
    }
}

fn check_stages(page: &mut Page<'_>, mark: Mark, stages: &[(Mark, PlaybookStage)]) {
    if stages.is_empty() {
        let sentence = "a playbook has at least one stage".to_owned();
        page.wrong(mark, Wrong::Refused(sentence));
    }
    let mut seen = BTreeSet::new();
    for (mark, stage) in stages {
        if !seen.insert(&stage.name) {
            page.wrong(
                *mark,
                Wrong::Twice {
                    what: format!("the stage `{}`", stage.name),
                },
            );
        }
        if stage.name.as_str() == PLANNING {
            let sentence = format!("no stage can be called `{PLANNING}`: the planning itself is");
            page.wrong(*mark, Wrong::Refused(sentence));
        }
    }
    check_order(page, stages);
}

fn stage(page: &mut Page<'_>, _: &str, node: &Node) -> Option<(Mark, PlaybookStage)> {
    let mut fields = Fields::open(page, "a stage", node)?;
    let name = fields.need(page, "name", fields::name);
    if let Some(name) = &name {
        fields.call(&format!("stage `{name}`"));
    }
    let title = fields.find(page, "title", title()).unwrap_or_default();
    let doer = doer(page, &mut fields, node.mark);
    let after = fields.find(page, "after", fields::list(MOST_STAGES, fields::name));
    let limit_ms = fields.find(page, "limit", fields::measure(WALL_MS, parse_ms, show_ms));
    let attempts = fields.find(page, "attempts", fields::count(1..=MOST_ATTEMPTS));
    let approval = fields.find(page, "approval", approval);
    let choices = [("fail", OnFailure::Fail), ("continue", OnFailure::Continue)];
    let on_failure = fields.find(page, "on_failure", fields::choice(&choices));
    let brief = fields
        .find(page, "brief", fields::text(LONGEST_BRIEF_BYTES))
        .unwrap_or_default();
    fields.close(page);
    let stage = PlaybookStage {
        name: name?,
        title,
        doer: doer?,
        after: after.unwrap_or_default(),
        limit_ms,
        attempts: attempts.unwrap_or(DEFAULT_ATTEMPTS),
        approval,
        on_failure: on_failure.unwrap_or(OnFailure::Fail),
        brief,
    };
    Some((node.mark, stage))
}

/// A stage has either a skill or a worker.
fn doer(page: &mut Page<'_>, fields: &mut Fields<'_>, mark: Mark) -> Option<Doer> {
    let has_one = fields.has_any(&["skill", "worker"]);
    let has_both = fields.has_any(&["skill"]) && fields.has_any(&["worker"]);
    let skill = fields.find(page, "skill", fields::name).map(Doer::Skill);
    let worker = fields.find(page, "worker", fields::name).map(Doer::Worker);
    if !has_one || has_both {
        let sentence = "a stage has either a `skill` or a `worker`".to_owned();
        page.wrong(mark, Wrong::Refused(sentence));
    }
    skill.or(worker)
}

fn approval(page: &mut Page<'_>, key: &str, map: &Node) -> Option<Approval> {
    let mut fields = Fields::open(page, key, map)?;
    let mark = fields.mark_of("by");
    let by = fields.need(page, "by", fields::list(MOST_APPROVERS, approver));
    let note = fields
        .find(page, "note", fields::text(LONGEST_NOTE_BYTES))
        .unwrap_or_default();
    fields.close(page);
    let by = by?;
    if by.is_empty() {
        let sentence = "`by` names nobody: list `admin`, `lead`, `member` or humans".to_owned();
        page.wrong(mark, Wrong::Refused(sentence));
        return None;
    }
    Some(Approval { by, note })
}

fn approver(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Approver> {
    let name = fields::name(page, key, node)?;
    Some(match name.as_str() {
        "admin" => Approver::Admin,
        "lead" => Approver::Lead,
        "member" => Approver::Member,
        _ => Approver::Human(name),
    })
}
