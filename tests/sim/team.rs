//! Who works in a trial: two teams, one with a playbook, one whose butler plans.

use std::collections::BTreeMap;

use rules::Command;
use rules::attempt::{AttemptOutcome, Body, StageResult};
use rules::case::{Brief, Report};
use rules::stage::{Need, OnFailure, StageSpec};
use rules::team::{AgentLimits, AgentSpec, Document, PlaybookSpec, TeamSpec, WorkerSpec};

pub fn name<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).expect("it is a name")
}

pub fn described() -> Command {
    let team = |team: &str, topic: &str, playbook: Option<&str>| {
        Document::Team(TeamSpec {
            name: name(team),
            title: "a team".to_owned(),
            topics: vec![topic.to_owned()],
            butler: name("bob"),
            agent: playbook.is_none().then(|| agent("plan")),
            playbook: playbook.map(name),
            labels: BTreeMap::new(),
        })
    };
    let worker = |team: &str, own: &str| {
        let id = rules::id::WorkerId {
            team: name(team),
            name: name(own),
        };
        Document::Worker(WorkerSpec {
            id,
            title: "a worker".to_owned(),
            agent: agent("look"),
            parallel: 2,
            idle_after_ms: 2_000,
            labels: BTreeMap::new(),
        })
    };
    let put = vec![
        Document::Playbook(PlaybookSpec {
            team: name("red"),
            name: name("usual"),
            title: "as usual".to_owned(),
            stages: stages(),
        }),
        team("red", "pod", Some("usual")),
        team("blue", "disk", None),
        worker("red", "w1"),
        worker("red", "w2"),
        worker("blue", "w1"),
    ];
    Command::ApplyDocuments {
        put,
        remove: Vec::new(),
    }
}

fn agent(skill: &str) -> AgentSpec {
    AgentSpec {
        kernel: "cli".to_owned(),
        command: vec!["agent".to_owned()],
        image: "scratch".to_owned(),
        env: BTreeMap::new(),
        soul: None,
        skills: BTreeMap::from([(name(skill), Vec::new())]),
        limits: AgentLimits {
            cpu_milli: 500,
            memory_bytes: 1 << 20,
            pids: 10,
            output_bytes: 1 << 20,
            wall_ms: 600_000,
        },
    }
}

pub fn stages() -> Vec<StageSpec> {
    let stage = |own: &str, after: &[&str]| StageSpec {
        name: name(own),
        title: format!("stage {own}"),
        need: Need::Skill(name("look")),
        after: after.iter().copied().map(name).collect(),
        limit_ms: Some(20_000),
        attempts: 3,
        approval: None,
        on_failure: OnFailure::Fail,
        brief: String::new(),
    };
    vec![stage("s1", &[]), stage("s2", &["s1"])]
}

pub fn brief(text: String) -> Brief {
    let text = Body::Inline(text);
    Brief { text }
}

pub fn succeeded(by: &str) -> AttemptOutcome {
    AttemptOutcome::Succeeded(StageResult {
        summary: format!("found by {by}"),
        document: Body::Inline("{}".to_owned()),
        artifacts: Vec::new(),
    })
}

pub fn report(by: &str) -> Report {
    Report {
        summary: format!("all of it, by {by}"),
        root_cause: None,
        recommendation: None,
        impact: None,
        document: Body::Inline("{}".to_owned()),
        markdown: Body::Inline("# all".to_owned()),
    }
}
