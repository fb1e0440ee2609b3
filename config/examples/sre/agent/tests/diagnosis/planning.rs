//! The butler's own agent: plans, refusals, amended briefs.

use agent::outcome::PlannedStage;
use serde_json::json;

use super::desk::Desk;

fn team(skills: &[&str]) -> String {
    let workers: Vec<_> = skills
        .iter()
        .map(|s| json!({"name": format!("w-{s}"), "skills": [s]}))
        .collect();
    json!({"team": "sre", "workers": workers}).to_string()
}

const ALL: [&str; 3] = ["instance-status", "resource-bottleneck", "k8s-root-cause"];

fn desk(brief: &str, skills: &[&str]) -> Desk {
    let desk = Desk::new();
    desk.put("brief.md", brief).put("team.json", team(skills));
    desk
}

fn stages(desk: &Desk) -> Vec<PlannedStage> {
    desk.ask("plan").0.plan.unwrap().stages
}

fn names(stages: &[PlannedStage]) -> Vec<&str> {
    stages.iter().map(|s| s.name.as_str()).collect()
}

#[test]
fn the_surveys_run_side_by_side_and_the_cause_is_weighed_after_both() {
    let stages = stages(&desk("pod mse-gateway-0 is Pending", &ALL));
    assert_eq!(names(&stages), ALL);
    assert!(stages[0].after.is_empty() && stages[1].after.is_empty());
    assert_eq!(stages[2].after, ["instance-status", "resource-bottleneck"]);
    assert!(
        stages
            .iter()
            .all(|s| s.limit_s > 0 && s.attempts > 0 && !s.title.is_empty())
    );
}

#[test]
fn what_nobody_can_do_is_not_planned() {
    let stages = stages(&desk("why?", &["k8s-root-cause", "instance-status"]));
    assert_eq!(names(&stages), ["instance-status", "k8s-root-cause"]);
    assert_eq!(stages[1].after, ["instance-status"]);
}

#[test]
fn a_team_with_other_skills_gets_a_stage_for_each() {
    let stages = stages(&desk("look", &["log-search", "Trace Reader"]));
    assert_eq!(names(&stages), ["trace-reader", "log-search"]);
    assert_eq!(stages[0].skill, "Trace Reader");
}

#[test]
fn a_skill_that_the_brief_names_is_planned_too() {
    let stages = stages(&desk(
        "also do log-search",
        &[&ALL[..], &["log-search", "idle"]].concat(),
    ));
    assert!(names(&stages).contains(&"log-search") && !names(&stages).contains(&"idle"));
}

#[test]
fn a_question_about_the_state_only_needs_one_stage() {
    assert_eq!(
        names(&stages(&desk("just the status of the pods, please", &ALL))),
        ["instance-status"]
    );
    assert_eq!(
        stages(&desk("only tell me why the status is bad", &ALL)).len(),
        3
    );
}

#[test]
fn a_team_without_skills_is_a_clear_failure() {
    let desk = desk("why?", &[]);
    let failure = agent::diagnose(
        "plan",
        &desk.input(),
        &mut agent::contract::Progress::silent(),
    )
    .unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("no worker of team sre has a skill"),
        "{failure}"
    );
    let bare = Desk::new();
    let failure = agent::diagnose(
        "plan",
        &bare.input(),
        &mut agent::contract::Progress::silent(),
    )
    .unwrap_err();
    assert!(
        failure.to_string().contains("team.json is missing"),
        "{failure}"
    );
}

#[test]
fn refusals_change_what_they_complain_about() {
    let refused = |reason: &str| {
        let desk = desk("why?", &ALL);
        desk.put("refusals.md", format!("# Refused\n\n- {reason}\n"));
        desk
    };
    let plan = stages(&refused(
        "stage resource-bottleneck: no worker of team sre has the skill resource-bottleneck",
    ));
    assert_eq!(names(&plan), ["instance-status", "k8s-root-cause"]);
    assert_eq!(plan[1].after, ["instance-status"]);
    let plan = stages(&refused(
        "stage instance-status has a limit of 120 s, at most 60 s are allowed",
    ));
    assert_eq!((plan[0].limit_s, plan[1].limit_s), (60, 120));
    let plan = stages(&refused("stage k8s-root-cause has 1 to 1 attempts"));
    assert_eq!(plan[2].attempts, 1);
    let plan = stages(&refused("a plan has at most 1 stages"));
    assert_eq!(names(&plan), ["k8s-root-cause"]);
    assert!(plan[0].after.is_empty());
    let plan = stages(&refused(
        "stages wait for each other in a circle: k8s-root-cause",
    ));
    assert!(plan.iter().all(|s| s.after.is_empty()));
    let plan = stages(&refused(
        "stage name instance-status is taken by the planning itself",
    ));
    assert_eq!(plan[0].name, "do-instance-status");
    assert!(plan[2].after.contains(&"do-instance-status".to_owned()));
    let answer = refused("the moon is full").ask("plan");
    assert_eq!(answer.0.plan.as_ref().unwrap().stages.len(), 3);
    answer.has(&answer.text(), &["refused before (the moon is full)"]);
}

#[test]
fn an_amended_brief_does_again_what_was_done_for_the_old_one() {
    let desk = desk("now look at the store", &ALL);
    desk.put(
        "case.json",
        json!({"version": 1, "case": "c-1", "stage": "plan", "skill": "plan",
        "attempt": 1, "brief_version": 2})
        .to_string(),
    );
    let done = json!({"version": 1, "summary": "s", "findings": [], "root_cause": null,
        "recommendation": null, "impact": null, "confidence": 0.9});
    desk.put("results/instance-status.json", done.to_string());
    let answer = desk.ask("plan");
    let stages = &answer.0.plan.as_ref().unwrap().stages;
    assert_eq!(
        names(stages),
        [
            "instance-status-v2",
            "resource-bottleneck",
            "k8s-root-cause"
        ]
    );
    assert_eq!(
        stages[2].after,
        ["instance-status-v2", "resource-bottleneck"]
    );
    answer.has(&answer.text(), &["version 2"]);
}
