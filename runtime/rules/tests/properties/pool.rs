//! What random conversations are about: two teams, a few workers, playbooks of every shape.

use std::collections::BTreeMap;

use rules::id::{
    HumanName, NodeId, PlaybookName, SkillName, StageName, TeamName, WorkerId, WorkerName,
};
use rules::node::NodeFacts;
use rules::stage::{ApprovalSpec, Need, OnFailure, StageSpec};
use rules::team::{
    AgentLimits, AgentSpec, Document, DocumentName, PlaybookSpec, SkillFile, TeamSpec, WorkerSpec,
};
use rules::{Principal, Who};

use crate::wish::Pick;

/// One of some.
pub fn one<T: Clone>(of: &[T], pick: Pick) -> Option<T> {
    (!of.is_empty()).then(|| of[usize::from(pick) % of.len()].clone())
}

/// A name, be it one or not: what comes over a wire was not made by `new`.
pub fn raw<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).expect("a text is a name")
}

pub fn team(pick: Pick) -> TeamName {
    raw(["red", "blue"][usize::from(pick) % 2])
}

/// A worker's name; two of them are butlers' names too.
fn worker_name(pick: Pick) -> WorkerName {
    raw(["w1", "w2", "w3", "bob", "w1", "w2", "w3", "bot"][usize::from(pick) % 8])
}

pub fn worker(in_team: Pick, name: Pick) -> WorkerId {
    WorkerId {
        team: team(in_team),
        name: worker_name(name),
    }
}

pub fn playbook(pick: Pick) -> PlaybookName {
    raw(["p1", "p2"][usize::from(pick) % 2])
}

pub fn sam() -> Principal {
    Principal::human(HumanName::new("sam").expect("sam is a name"))
}

/// Everybody who might say something.
pub fn anybody(pick: Pick) -> Principal {
    let mut principal = Principal::own(match pick % 6 {
        0 => Who::Human(raw("Nobody At All")),
        1 => Who::Ledger,
        2 => Who::Node(NodeId(u64::from(pick / 6))),
        3 => Who::Manager {
            term: u64::from(pick / 6 % 3),
        },
        4 => Who::Butler {
            team: team(pick / 6),
            epoch: rules::id::Epoch(u64::from(pick / 12)),
        },
        _ => Who::Worker {
            worker: worker(pick / 6, pick / 12),
            epoch: rules::id::Epoch(u64::from(pick / 24)),
        },
    });
    if pick.is_multiple_of(7) {
        principal.on_behalf_of = HumanName::new("sam").ok();
    }
    principal
}

/// What the first node says of itself.
pub fn facts(how: Pick) -> NodeFacts {
    NodeFacts {
        node: NodeId(1),
        name: "host-1".to_owned(),
        incarnation: u64::from(how % 4) + 1,
        release: "0.1.0".to_owned(),
        knows: 1 + u32::from(how) % (rules::version::NEWEST + 1),
        engine: "process".to_owned(),
        cpu_milli: if how.is_multiple_of(13) { 0 } else { 4000 },
        memory_bytes: if how.is_multiple_of(17) {
            u64::MAX
        } else {
            8 << 30
        },
        labels: labels(how / 4),
        address: None,
    }
}

fn labels(pick: Pick) -> BTreeMap<String, String> {
    let zone = ("zone".to_owned(), "a".to_owned());
    (pick.is_multiple_of(3))
        .then_some(zone)
        .into_iter()
        .collect()
}

/// Any document.
pub fn document([kind, a, b, c]: [Pick; 4]) -> Document {
    match kind % 16 {
        0..=2 => Document::Team(TeamSpec {
            name: team(a),
            title: "a team".to_owned(),
            topics: vec!["pod".to_owned()],
            butler: worker_name(3 + b % 2 * 4),
            agent: (!b.is_multiple_of(3)).then(|| agent(c / 2, c)),
            playbook: (b % 5 < 2).then(|| playbook(b)),
            labels: labels(c % 7),
        }),
        3..=9 => Document::Worker(WorkerSpec {
            id: worker(a, a / 2),
            title: if c.is_multiple_of(31) {
                "t"
            } else {
                "a worker"
            }
            .to_owned(),
            agent: agent(b, c),
            parallel: [1, 1, 1, 1, 2, 2, 3, 10_000, 0][usize::from(c) % 9],
            idle_after_ms: [0, 1_000, 60_000, 60_000, u64::MAX][usize::from(c / 7) % 5],
            labels: labels(c % 7),
        }),
        10..=14 => Document::Playbook(PlaybookSpec {
            team: team(a),
            name: playbook(b),
            title: "a playbook".to_owned(),
            stages: stages(c),
        }),
        _ => Document::Worker(WorkerSpec {
            id: WorkerId {
                team: team(a),
                name: raw(BABBLE[usize::from(b) % BABBLE.len()]),
            },
            title: "x".repeat(100_000),
            agent: agent(255, c),
            parallel: u32::MAX,
            idle_after_ms: 0,
            labels: BTreeMap::new(),
        }),
    }
}

/// What a conversation begins with: two teams, one with playbooks, one whose butler plans.
pub fn beginning() -> Vec<Document> {
    let mut documents = vec![
        document([10, 0, 0, 7]),
        document([10, 0, 1, 57]),
        document([0, 0, 0, 1]),
        document([0, 1, 2, 1]),
    ];
    // Who can do what: a, a and b, b; a and b.
    for (team, name, skills) in [(0, 0, 1), (0, 1, 3), (0, 2, 2), (1, 0, 3)] {
        documents.push(Document::Worker(WorkerSpec {
            id: worker(team, name),
            title: "a worker".to_owned(),
            agent: agent(skills, 1),
            parallel: 1,
            idle_after_ms: 60_000,
            labels: BTreeMap::new(),
        }));
    }
    documents
}

/// Texts that are no names.
const BABBLE: [&str; 5] = ["", "../..", "A b", "-", "\u{0}\u{202e}"];

/// The name of any document.
pub fn document_name([kind, a, b]: [Pick; 3]) -> DocumentName {
    match kind % 3 {
        0 => DocumentName::Team(team(a)),
        1 => DocumentName::Worker(worker(a, b)),
        _ => DocumentName::Playbook(team(a), playbook(b)),
    }
}

fn agent(skills: Pick, how: Pick) -> AgentSpec {
    let mut all: BTreeMap<SkillName, Vec<SkillFile>> = BTreeMap::new();
    for (bit, skill) in ["a", "b", "c"].into_iter().enumerate() {
        if skills & (1 << bit) != 0 {
            all.insert(raw(skill), Vec::new());
        }
    }
    if skills == 255 {
        all.insert(raw("../../etc"), Vec::new());
    }
    AgentSpec {
        kernel: "cli".to_owned(),
        command: vec![
            if how.is_multiple_of(5) {
                "other"
            } else {
                "agent"
            }
            .to_owned(),
        ],
        image: "scratch".to_owned(),
        env: BTreeMap::new(),
        soul: None,
        skills: all,
        limits: AgentLimits {
            cpu_milli: if how % 29 == 28 { u64::MAX } else { 500 },
            memory_bytes: if how % 37 == 36 { u64::MAX } else { 1 << 20 },
            pids: 10,
            output_bytes: 1 << 20,
            wall_ms: 600_000,
        },
    }
}

pub fn stage_name(pick: Pick) -> StageName {
    raw(["s1", "s2", "s3", "s4", "plan", "missing"][usize::from(pick) % 6])
}

fn stage(name: &str, skill: &str, after: &[&str]) -> StageSpec {
    StageSpec {
        name: raw(name),
        title: format!("stage {name}"),
        need: Need::Skill(raw(skill)),
        after: after.iter().copied().map(raw).collect(),
        limit_ms: Some(30_000),
        attempts: 2,
        approval: None,
        on_failure: OnFailure::Fail,
        brief: String::new(),
    }
}

/// A plan of any shape, now and then a wrong one.
pub fn stages(pick: Pick) -> Vec<StageSpec> {
    let asked = Some(ApprovalSpec {
        by: Vec::new(),
        note: "may it?".to_owned(),
    });
    let mut stages = match pick % 16 {
        0..=2 => vec![stage("s1", "a", &[])],
        3 | 4 => vec![stage("s1", "a", &[]), stage("s2", "b", &["s1"])],
        5..=8 => vec![
            stage("s1", "a", &[]),
            stage("s2", "a", &["s1"]),
            stage("s3", "b", &["s1"]),
            stage("s4", "a", &["s2", "s3"]),
        ],
        9..=11 => vec![
            stage("s1", "a", &[]),
            stage("s2", "b", &[]),
            stage("s3", "a", &["s1", "s2"]),
        ],
        12 | 13 => vec![stage("s4", "a", &[]), stage("s1", "a", &["s4"])],
        14 => vec![stage("s1", "c", &["s1"]), stage("plan", "a", &[])],
        _ => Vec::new(),
    };
    let shape = usize::from(pick / 16);
    if let Some(first) = stages.first_mut() {
        if shape % 2 == 1 {
            first.on_failure = OnFailure::Continue;
        }
        if shape % 3 == 2 {
            first.need = Need::Worker(worker_name(pick / 16));
        }
        first.attempts = [1, 2, 3][shape % 3];
    }
    if let Some(last) = stages.last_mut()
        && shape % 4 == 3
    {
        last.approval = asked;
    }
    stages
}
