//! Handing a case over, following it, and reading it as the node shows it.

use std::time::Duration;

use serde_json::Value;

use super::node::Node;
use super::truth;
use super::wait::wait_until;

/// Longest way of a case through a few stages, containers included, with both cores busy.
pub(super) const CASE_LIMIT: Duration = Duration::from_mins(2);

impl Node {
    /// Hands a case over and says its number.
    ///
    /// # Panics
    /// When it is refused.
    pub fn submit(&self, team: &str, brief: &str) -> String {
        let opened = self.ask(&["case", "submit", "--team", team, brief]);
        let case = ["id", "case"].iter().find_map(|key| opened[*key].as_str());
        case.unwrap_or_else(|| panic!("no case in {opened}"))
            .to_owned()
    }

    /// Everything about a case.
    pub fn case(&self, case: &str) -> Value {
        self.ask(&["case", "show", case])
    }

    /// Waits until a case is as it should be, and shows it.
    pub fn wait_case(&self, case: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        wait_until(CASE_LIMIT, &format!("{case}: {what}"), || {
            let seen = self.case(case);
            if is_so(&seen) {
                Ok(seen)
            } else {
                Err(outline(&seen))
            }
        })
    }

    /// Waits until a case is closed, and shows it.
    pub fn wait_closed(&self, case: &str) -> Value {
        self.wait_case(case, "it is closed", |seen| seen["status"] == "closed")
    }

    /// Waits until a stage of a case runs, and shows the case.
    pub fn wait_running(&self, case: &str, stage: &str) -> Value {
        self.wait_case(case, &format!("stage {stage} runs"), |seen| {
            stage_of(seen, stage).is_some_and(|stage| stage["status"] == "running")
        })
    }
}

/// A stage of the case.
///
/// # Panics
/// Never: a stage that is not there is none.
pub fn stage_of<'a>(case: &'a Value, name: &str) -> Option<&'a Value> {
    let plan = case["plan"].as_array()?;
    plan.iter().find(|stage| stage["name"] == name)
}

/// The evidence of the finding of this title, as a stage's agent gave it.
///
/// # Panics
/// When the stage has no such finding.
pub fn evidence(case: &Value, stage: &str, title: &str) -> Vec<String> {
    let shown = stage_of(case, stage).unwrap_or_else(|| panic!("no stage {stage} in {case:#}"));
    let findings = shown["result"]["document"]["findings"].as_array();
    let finding = findings
        .into_iter()
        .flatten()
        .find(|finding| finding["title"] == title);
    let finding = finding.unwrap_or_else(|| panic!("no finding `{title}` of {stage} in {shown:#}"));
    let lines = finding["evidence"].as_array().into_iter().flatten();
    lines
        .filter_map(|line| line.as_str().map(str::to_owned))
        .collect()
}

/// The promise of one telling: one report, one accepted result for each stage, and no agent that
/// was started twice in one attempt.
///
/// # Panics
/// When it is broken.
pub fn is_told_once(case: &Value) {
    let broken = truth::of_one_case(case);
    assert!(broken.is_empty(), "{broken:#?} in {case:#}");
    assert_eq!(case["status"], "closed", "{case:#}");
}

/// A case in a few words, for messages.
pub(crate) fn outline(case: &Value) -> String {
    let mut said = format!("{} {}", case["status"], case["outcome"]);
    for stage in case["plan"].as_array().into_iter().flatten() {
        let words = ["name", "status", "reason"].map(|key| stage[key].to_string());
        said.push_str("; ");
        said.push_str(&words.join(" "));
    }
    said
}
