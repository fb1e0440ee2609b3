//! Reads the plan out of the answer of the butler's own agent.
//!
//! ```json
//! {"plan": {"stages": [{"name": "look", "skill": "logs", "title": "read the logs", "after": [],
//!                       "limit_s": 600, "attempts": 2, "brief": "only the last hour"}]}}
//! ```
//!
//! # Why
//! Here only the form is read. Whether it is a plan (a graph without circles, within limits, that
//! the team can carry out) is the rules' to say, for playbooks and agents alike.

use rules::case::Case;
use rules::id::{SkillName, StageName, WorkerName};
use rules::stage::{ApprovalSpec, Approver, Need, OnFailure, StageSpec};
use runtime::spool::result::{ParsedResult, RESULT_LIMIT_BYTES};
use serde::Deserialize;

use crate::house::{Hindrance, House};

/// The attempts of a stage whose plan names none.
const USUAL_ATTEMPTS: u32 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanForm {
    stages: Vec<StageForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageForm {
    name: String,
    #[serde(default)]
    title: String,
    skill: Option<String>,
    worker: Option<String>,
    #[serde(default)]
    after: Vec<String>,
    limit_s: Option<u64>,
    attempts: Option<u32>,
    #[serde(default)]
    brief: String,
    #[serde(default)]
    on_failure: FailureForm,
    /// Roles or people who must let the stage begin.
    approval: Option<ApprovalForm>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FailureForm {
    #[default]
    Fail,
    Continue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalForm {
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    note: String,
}

/// The stages that the agent planned, or what is wrong with its answer.
pub(super) async fn read(
    house: &House,
    case: &Case,
) -> Result<Result<Vec<StageSpec>, Vec<String>>, Hindrance> {
    let result = case
        .planning
        .as_ref()
        .and_then(|planning| planning.result.as_ref());
    let Some(result) = result else {
        return Err(Hindrance::Wait("the planning has no result".to_owned()));
    };
    let document = house.text(&result.document, RESULT_LIMIT_BYTES).await?;
    Ok(stages(&document))
}

/// The stages in a result document.
fn stages(document: &str) -> Result<Vec<StageSpec>, Vec<String>> {
    let result: ParsedResult =
        serde_json::from_str(document).map_err(|why| vec![format!("not a result: {why}")])?;
    let Some(plan) = result.plan else {
        return Err(vec![
            "result.json has no \"plan\": {\"stages\": […]}".to_owned(),
        ]);
    };
    let plan: PlanForm =
        serde_json::from_value(plan).map_err(|why| vec![format!("plan: {why}")])?;
    let mut faults = Vec::new();
    let mut stages = Vec::new();
    for form in plan.stages {
        let name = form.name.clone();
        match stage(form) {
            Ok(stage) => stages.push(stage),
            Err(why) => faults.push(format!("stage {name:?}: {why}")),
        }
    }
    if faults.is_empty() {
        Ok(stages)
    } else {
        Err(faults)
    }
}

fn stage(form: StageForm) -> Result<StageSpec, String> {
    let bad = |bad: rules::id::BadName| bad.to_string();
    let need = match (&form.skill, &form.worker) {
        (Some(skill), None) => Need::Skill(SkillName::new(skill).map_err(bad)?),
        (None, Some(worker)) => Need::Worker(WorkerName::new(worker).map_err(bad)?),
        (Some(_), Some(_)) | (None, None) => {
            return Err("name either a skill or a worker".to_owned());
        }
    };
    let after = form
        .after
        .iter()
        .map(|name| StageName::new(name).map_err(bad));
    let approval = form.approval.map(|approval| ApprovalSpec {
        by: approval.by.into_iter().map(approver).collect(),
        note: approval.note,
    });
    Ok(StageSpec {
        name: StageName::new(&form.name).map_err(bad)?,
        title: if form.title.is_empty() {
            form.name
        } else {
            form.title
        },
        need,
        after: after.collect::<Result<_, _>>()?,
        limit_ms: form.limit_s.map(|limit_s| limit_s.saturating_mul(1000)),
        attempts: form.attempts.unwrap_or(USUAL_ATTEMPTS),
        approval,
        on_failure: match form.on_failure {
            FailureForm::Fail => OnFailure::Fail,
            FailureForm::Continue => OnFailure::Continue,
        },
        brief: form.brief,
    })
}

/// `admin`, `lead` and `member` are roles; any other word is a person.
fn approver(word: String) -> Approver {
    match rules::id::HumanName::new(&word) {
        Ok(human) if !matches!(word.as_str(), "admin" | "lead" | "member") => {
            Approver::Human(human)
        }
        Ok(_) | Err(_) => Approver::Role(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_of_an_agent_is_read_with_its_usual_limits() {
        let stages = stages(
            r#"{"summary":"s","plan":{"stages":[
                {"name":"look","skill":"logs"},
                {"name":"mend","worker":"smith","after":["look"],"limit_s":5,"attempts":1}]}}"#,
        )
        .unwrap();
        // As long as its worker's agent may take.
        assert_eq!((stages[0].limit_ms, stages[1].limit_ms), (None, Some(5000)));
        assert_eq!(
            stages[1].need,
            Need::Worker(WorkerName::new("smith").unwrap())
        );
        assert_eq!(stages[1].after, vec![StageName::new("look").unwrap()]);
    }

    #[test]
    fn an_answer_without_a_plan_says_what_is_missing() {
        let reasons = stages(r#"{"summary":"I would rather not"}"#).unwrap_err();
        assert!(reasons[0].contains("plan"), "{reasons:?}");
    }

    #[test]
    fn every_bad_stage_is_named() {
        let reasons = stages(
            r#"{"summary":"s","plan":{"stages":[
                {"name":"Look","skill":"logs"},{"name":"mend"}]}}"#,
        )
        .unwrap_err();
        assert_eq!(reasons.len(), 2, "{reasons:?}");
    }
}
