//! What the house's cluster is told at its founding: its node, its team, its playbook.

use std::collections::BTreeMap;

use rules::id::{PlaybookName, StageName};
use rules::node::NodeFacts;
use rules::stage::{Need, OnFailure, StageSpec};
use rules::team::{AgentLimits, AgentSpec, Document, PlaybookSpec, TeamSpec, WorkerSpec};

use super::house::{NODE, worker};

pub fn facts() -> NodeFacts {
    NodeFacts {
        node: NODE,
        name: "alpha".to_owned(),
        incarnation: 1,
        release: "0.1.0".to_owned(),
        knows: rules::version::NEWEST,
        engine: "none".to_owned(),
        cpu_milli: 4_000,
        memory_bytes: 8 << 30,
        labels: BTreeMap::new(),
        address: None,
    }
}

pub fn documents() -> Vec<Document> {
    let act = PlaybookName::new("act").unwrap();
    let stage = StageSpec {
        name: StageName::new("fix").unwrap(),
        title: "Fix".to_owned(),
        need: Need::Worker(worker().name),
        after: Vec::new(),
        limit_ms: Some(600_000),
        attempts: 5,
        on_failure: OnFailure::Fail,
        approval: None,
        brief: String::new(),
    };
    vec![
        Document::Team(TeamSpec {
            name: worker().team,
            title: "SRE".to_owned(),
            topics: Vec::new(),
            butler: "jeeves".parse().unwrap(),
            agent: None,
            playbook: Some(act.clone()),
            labels: BTreeMap::new(),
        }),
        Document::Worker(WorkerSpec {
            id: worker(),
            title: "Hand".to_owned(),
            agent: AgentSpec {
                kernel: "cli".to_owned(),
                image: String::new(),
                command: vec!["agent".to_owned()],
                env: BTreeMap::new(),
                soul: None,
                skills: BTreeMap::new(),
                limits: AgentLimits {
                    cpu_milli: 100,
                    memory_bytes: 64 << 20,
                    pids: 16,
                    output_bytes: 1 << 20,
                    wall_ms: 600_000,
                },
            },
            parallel: 1,
            idle_after_ms: 600_000,
            labels: BTreeMap::new(),
        }),
        Document::Playbook(PlaybookSpec {
            team: worker().team,
            name: act,
            title: "Act".to_owned(),
            stages: vec![stage],
        }),
    ]
}
