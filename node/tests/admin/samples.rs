//! What tests describe and report: one team, one report, one result.

use std::collections::BTreeMap;

use node::admin::wire::{
    AgentDocument, AgentLimits, Document, Needs, OnFailure, PlaybookDocument, Stage, TeamDocument,
    WorkerDocument,
};
use rules::attempt::Body;
use rules::id::BlobRef;

/// The team `sre` with one worker and a playbook of one stage.
pub fn team() -> Vec<Document> {
    let agent = AgentDocument {
        kernel: "cli".to_owned(),
        command: vec!["domo".to_owned(), "example".to_owned()],
        image: "scratch".to_owned(),
        env: BTreeMap::new(),
        soul: None,
        skills: BTreeMap::from([("status".to_owned(), BTreeMap::new())]),
        limits: AgentLimits::default(),
    };
    vec![
        Document::Team(TeamDocument {
            name: "sre".to_owned(),
            title: "Site reliability".to_owned(),
            topics: Vec::new(),
            butler: "sre-bot".to_owned(),
            agent: None,
            playbook: Some("diagnose".to_owned()),
            labels: BTreeMap::new(),
        }),
        Document::Worker(WorkerDocument {
            team: "sre".to_owned(),
            name: "looker".to_owned(),
            title: "Looks".to_owned(),
            agent,
            parallel: 4,
            idle_after_ms: None,
            labels: BTreeMap::new(),
        }),
        Document::Playbook(PlaybookDocument {
            team: "sre".to_owned(),
            name: "diagnose".to_owned(),
            title: "Why is it broken?".to_owned(),
            stages: vec![Stage {
                name: "look".to_owned(),
                title: "Look".to_owned(),
                needs: Needs::Skill("status".to_owned()),
                after: Vec::new(),
                limit_ms: None,
                attempts: 2,
                approval: None,
                on_failure: OnFailure::Fail,
                brief: String::new(),
            }],
        }),
    ]
}

/// A report with these texts.
pub fn report(document: Body, markdown: Body) -> rules::case::Report {
    rules::case::Report {
        summary: "it was the disk".to_owned(),
        root_cause: Some("the disk".to_owned()),
        recommendation: None,
        impact: None,
        document,
        markdown,
    }
}

/// A result of a few words.
pub fn result(summary: &str, artifact: Option<(&str, BlobRef)>) -> rules::attempt::StageResult {
    let artifact = artifact.map(|(name, blob)| rules::attempt::Artifact {
        name: name.to_owned(),
        blob,
    });
    rules::attempt::StageResult {
        summary: summary.to_owned(),
        document: Body::Inline(format!("{{\"summary\":\"{summary}\"}}")),
        artifacts: artifact.into_iter().collect(),
    }
}
