//! The agent contract, version 1, as a daemon sees it: files, exit codes, limits.

use std::fs;
use std::process::ExitCode;

use agent::outcome::Outcome;
use serde_json::json;

use super::desk::Desk;
use super::kit::{crashing, member, node, pod};

fn is_success(code: ExitCode) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

fn written(desk: &Desk) -> Outcome {
    serde_json::from_slice(&fs::read(desk.output().join("result.json")).unwrap()).unwrap()
}

#[test]
fn every_skill_writes_one_result_and_its_progress() {
    for skill in agent::SKILLS {
        let desk = Desk::recorded("mse-gateway", "pod mse-gateway-0 is Pending");
        desk.put(
            "team.json",
            json!({"team": "sre",
            "workers": [{"name": "w", "skills": ["k8s-root-cause"]}]})
            .to_string(),
        );
        desk.put(
            "case.json",
            json!({"version": 1, "case": "c-1", "stage": skill, "skill": skill,
            "attempt": 1, "brief_version": 1})
            .to_string(),
        );
        assert!(
            is_success(agent::run(skill, &desk.input(), &desk.output())),
            "{skill}"
        );
        let outcome = written(&desk);
        assert_eq!(outcome.version, 1);
        assert!(!outcome.summary.is_empty() && outcome.summary.len() <= 600);
        assert_eq!(outcome.plan.is_some(), skill == "plan");
        let progress = fs::read_to_string(desk.output().join("progress.log")).unwrap();
        assert!(
            progress.lines().count() >= 1 && progress.ends_with('\n'),
            "{progress}"
        );
        let left: Vec<_> = fs::read_dir(desk.output())
            .unwrap()
            .flatten()
            .map(|e| e.file_name())
            .collect();
        assert_eq!(
            left.len(),
            2,
            "nothing but the result and the progress: {left:?}"
        );
    }
}

#[test]
fn no_fault_found_is_a_success() {
    let desk = Desk::recorded("healthy", "");
    assert!(is_success(agent::run(
        "k8s-root-cause",
        &desk.input(),
        &desk.output()
    )));
    assert!(written(&desk).root_cause.is_none());
}

#[test]
fn what_cannot_be_done_is_a_failure_with_one_line() {
    let refused = |skill: &str, desk: &Desk| {
        let failure = agent::diagnose(
            skill,
            &desk.input(),
            &mut agent::contract::Progress::silent(),
        )
        .unwrap_err()
        .to_string();
        assert!(
            !failure.contains('\n')
                && !is_success(agent::run(skill, &desk.input(), &desk.output()))
        );
        assert!(!desk.output().join("result.json").exists());
        failure
    };
    let desk = Desk::new();
    let said = refused("mind-reading", &desk);
    assert!(
        said.contains("unknown skill `mind-reading`") && said.contains("k8s-root-cause"),
        "{said}"
    );
    desk.put("case.json", json!({"version": 9}).to_string());
    assert!(refused("plan", &desk).contains("version 9"));
    desk.put("case.json", "{half");
    assert!(refused("k8s-root-cause", &desk).contains("case.json"));
    let desk = Desk::new();
    fs::remove_dir_all(desk.input()).unwrap();
    assert!(refused("instance-status", &desk).contains("MAJORDOMO_IN"));
}

#[test]
fn an_output_folder_that_is_not_there_is_a_failure() {
    let desk = Desk::recorded("healthy", "");
    fs::remove_dir_all(desk.output()).unwrap();
    assert!(!is_success(agent::run(
        "instance-status",
        &desk.input(),
        &desk.output()
    )));
}

#[test]
fn without_a_recording_the_result_says_what_to_attach() {
    for skill in ["k8s-root-cause", "instance-status", "resource-bottleneck"] {
        let desk = Desk::new();
        desk.put("brief.md", "pod web-0 is Pending");
        desk.put("attachments/notes.md", "it broke at noon");
        let answer = desk.ask(skill);
        answer.has(
            &answer.text(),
            &["kubectl get nodes,pods", "notes.md: text, not JSON"],
        );
        assert!(answer.0.confidence < 0.1);
        assert!(
            !answer.0.summary.contains("o fault found"),
            "{}",
            answer.0.summary
        );
    }
}

#[test]
fn the_cause_is_weighed_with_the_results_of_earlier_stages() {
    let desk = Desk::recorded("mse-gateway", "pod mse-gateway-0 is Pending");
    for skill in ["instance-status", "resource-bottleneck"] {
        let result = desk.ask(skill).text();
        desk.put(&format!("results/{skill}.json"), result);
    }
    let by_hand = json!({"version": 1, "summary": "the switch was replaced", "findings": [
        {"title": "Uplink lost", "detail": "d", "severity": "critical", "evidence": []}],
        "root_cause": null, "recommendation": null, "impact": null, "confidence": 0.5});
    desk.put("results/network.json", by_hand.to_string());
    desk.put("results/broken.json", "{\"version\": 1, \"summ");
    let answer = desk.ask("k8s-root-cause");
    let text = answer.text();
    answer.because(&["Shortage of cpu and memory"]);
    answer.has(
        &text,
        &[
            "stage instance-status: mse-gateway-0 is not in the recording",
            "3 faults confirmed by the recording",
            "stage network also says: Uplink lost",
            "not used: stage broken",
        ],
    );
}

#[test]
fn without_a_recording_earlier_results_are_all_there_is() {
    let desk = Desk::new();
    let result = Desk::recorded("oom", "").ask("instance-status").text();
    desk.put("results/instance-status.json", result);
    let answer = desk.ask("k8s-root-cause");
    answer.because(&["OOMKilled"]);
    assert!(answer.0.confidence <= 0.5);
}

#[test]
fn a_huge_cluster_of_faults_stays_within_the_limits_of_a_result() {
    let mut items = vec![node("n1", "1000", "4000Gi")];
    let words = "the disk is on fire and nobody comes ".repeat(100);
    items.extend((0..120).map(|i| {
        crashing(
            member(&format!("app{i}-0"), "1", "1Gi"),
            "n1",
            1,
            "Error",
            &words,
        )
    }));
    items.extend((0..120).map(|i| pod(&format!("wait{i}"), "9999", "1Gi")));
    let desk = Desk::with("", &items);
    for skill in ["k8s-root-cause", "instance-status", "resource-bottleneck"] {
        let answer = desk.ask(skill);
        assert!(answer.0.findings.len() <= 50, "{}", answer.0.findings.len());
        assert!(answer.0.json().len() <= 256 * 1024);
        for finding in &answer.0.findings {
            assert!(
                finding
                    .evidence
                    .iter()
                    .all(|line| line.len() <= 300 && !line.contains('\n'))
            );
        }
    }
}
