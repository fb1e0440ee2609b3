//! Reading a case as the node shows it.

use serde_json::Value;

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

/// How often the history has this kind of line; for one stage, or for the whole case.
pub fn history(case: &Value, kind: &str, stage: Option<&str>) -> usize {
    let lines = case["history"].as_array().into_iter().flatten();
    let is_meant =
        |line: &&Value| line["kind"] == kind && stage.is_none_or(|stage| line["stage"] == stage);
    lines.filter(is_meant).count()
}

/// The promise of one telling: one report, one accepted result for each stage, and no agent that
/// was started twice in one attempt.
///
/// # Panics
/// When it is broken.
pub fn is_told_once(case: &Value) {
    assert_eq!(history(case, "opened", None), 1, "{case:#}");
    assert_eq!(history(case, "closed", None), 1, "{case:#}");
    for stage in case["plan"].as_array().into_iter().flatten() {
        let name = stage["name"].as_str().unwrap_or_default();
        let done = history(case, "done", Some(name)) + history(case, "answered", Some(name));
        // A plan that was sent back was a result too; the next one is of another attempt.
        let sent_back = case["plan_refusals"].as_array().map_or(0, Vec::len);
        let before = if name == "plan" { sent_back } else { 0 };
        let is_done = usize::from(stage["status"] == "done");
        assert_eq!(done, before + is_done, "results of {name} in {case:#}");
        let said = stage["result"]["summary"].as_str().unwrap_or_default();
        assert!(
            !said.contains("started") || said.contains("started 1 times"),
            "{name}: {said}"
        );
    }
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
