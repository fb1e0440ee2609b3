//! Reading a case as the node shows it.

use serde_json::Value;

use super::truth;

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
