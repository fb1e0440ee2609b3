//! The teams that are measured: described as people describe them, many at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::BenchError;
use super::load::Wishes;
use super::own_node::OwnNode;
use crate::admin::client::Client;
use crate::admin::wire::{
    AgentDocument, AgentLimits, ApplyQuery, Approval, Approver, Document, Needs, OnFailure,
    PlaybookDocument, Stage, TeamDocument, WorkerDocument,
};

/// Stages of a measured case, one after the other.
pub(super) const STAGES: [&str; 3] = ["look", "compare", "conclude"];
/// Attempts that a measured worker runs at once: no case waits for a worker.
const PARALLEL: u32 = 1000;
/// Teams that are described at the same time.
const AT_ONCE: usize = 4;
/// Teams among which waiting cases are spread.
const WAITING_TEAMS: usize = 8;
/// Cases that are handed in at the same time.
const CASES_AT_ONCE: usize = 64;
/// A hundred thousand workers are described and placed within this, or something is wrong.
const PLACED_LIMIT: Duration = Duration::from_mins(10);

/// Teams that can take measured cases: a worker for each stage.
pub(super) async fn teams(node: &OwnNode, count: usize) -> Result<Vec<String>, BenchError> {
    let names: Vec<String> = (0..count).map(|number| format!("team-{number}")).collect();
    describe(node, names.clone(), |name| team(name, &STAGES)).await?;
    Ok(names)
}

/// So many workers who have nothing to do, in teams of a hundred.
pub(super) async fn idlers(node: &OwnNode, count: usize) -> Result<(), BenchError> {
    let per_team = 100;
    let client = node.client();
    let soul = client
        .upload(&b"You are careful, and you say what you see."[..])
        .await?
        .sha256;
    let skill = client
        .upload(&b"---\nname: look\ndescription: look\n---\n"[..])
        .await?
        .sha256;
    let before = client.status().await?.workers.total;
    let names = (0..count.div_ceil(per_team))
        .map(|number| format!("idle-{number}"))
        .collect();
    describe(node, names, |name| {
        let workers: Vec<String> = (0..per_team)
            .map(|number| format!("worker-{number}"))
            .collect();
        let workers: Vec<&str> = workers.iter().map(String::as_str).collect();
        let mut documents = team(name, &workers);
        for document in &mut documents {
            if let Document::Worker(worker) = document {
                worker.agent.soul = Some(soul.clone());
                let files = BTreeMap::from([("SKILL.md".to_owned(), skill.clone())]);
                worker.agent.skills = BTreeMap::from([("look".to_owned(), files)]);
            }
        }
        documents
    })
    .await?;
    let status = client.status().await?;
    let wanted = before + (count.div_ceil(per_team) * per_team) as u64;
    if status.workers.total < wanted {
        let there = status.workers.total;
        return Err(BenchError::Ended(format!(
            "{there} workers are there instead of {wanted}"
        )));
    }
    Ok(())
}

/// What a brief that names no team says, so that it goes to the front desk.
pub(super) const FRONT_DESK_TOPIC: &str = "frontdesk";

/// A team that takes cases which name none.
pub(super) async fn front_desk(node: &OwnNode) -> Result<(), BenchError> {
    describe(node, vec!["front-desk".to_owned()], |name| {
        let mut documents = team(name, &STAGES);
        if let Some(Document::Team(team)) = documents.first_mut() {
            team.topics = vec![FRONT_DESK_TOPIC.to_owned()];
        }
        documents
    })
    .await
}

/// So many cases that wait for an approval which nobody gives.
pub(super) async fn waiting_cases(node: &OwnNode, count: usize) -> Result<(), BenchError> {
    let names: Vec<String> = (0..WAITING_TEAMS).map(|n| format!("waiting-{n}")).collect();
    describe(node, names.clone(), |name| {
        let mut documents = team(name, &STAGES);
        if let Some(Document::Playbook(playbook)) = documents.get_mut(1)
            && let Some(first) = playbook.stages.first_mut()
        {
            first.approval = Some(Approval {
                by: vec![Approver::Role("lead".to_owned())],
                note: String::new(),
            });
        }
        documents
    })
    .await?;
    let wishes = Wishes::new(node.client(), names).await?;
    let cases = (0..count).map(|number| {
        let wishes = wishes.clone();
        async move { wishes.submit(number).await.map(drop) }
    });
    let _: Vec<()> = stream::iter(cases)
        .buffer_unordered(CASES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(())
}

async fn describe(
    node: &OwnNode,
    names: Vec<String>,
    of: impl Fn(&str) -> Vec<Document>,
) -> Result<(), BenchError> {
    let client = node.client();
    let all = names.into_iter().map(|name| apply(client, of(&name)));
    let _: Vec<()> = stream::iter(all)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    node.wait_until("not everybody was placed", PLACED_LIMIT, |status| {
        status.workers.homeless == 0
    })
    .await?;
    Ok(())
}

async fn apply(client: &Client, documents: Vec<Document>) -> Result<(), BenchError> {
    let id = client.request_id().await?;
    client
        .apply(&documents, &ApplyQuery::default(), Some(&id))
        .await?;
    Ok(())
}

/// A team, its workers, and a playbook with the stages in a row.
fn team(name: &str, workers: &[&str]) -> Vec<Document> {
    let team = TeamDocument {
        name: name.to_owned(),
        title: "a team that is measured".to_owned(),
        topics: Vec::new(),
        butler: "butler".to_owned(),
        agent: None,
        playbook: Some("usual".to_owned()),
        labels: BTreeMap::new(),
    };
    let stages: Vec<&str> = workers.iter().copied().take(STAGES.len()).collect();
    let playbook = playbook(name, "usual", &stages);
    let mut documents = vec![Document::Team(team), Document::Playbook(playbook)];
    documents.extend(
        workers
            .iter()
            .map(|worker| Document::Worker(self::worker(name, worker))),
    );
    documents
}

/// A playbook with a stage for each of these workers, one after the other.
pub(super) fn playbook(team: &str, name: &str, workers: &[&str]) -> PlaybookDocument {
    let stages = workers.iter().enumerate().map(|(at, worker)| Stage {
        name: (*worker).to_owned(),
        title: "a stage that is measured".to_owned(),
        needs: Needs::Worker((*worker).to_owned()),
        after: at
            .checked_sub(1)
            .map(|before| workers[before].to_owned())
            .into_iter()
            .collect(),
        limit_ms: None,
        attempts: 1,
        approval: None,
        on_failure: OnFailure::Fail,
        brief: String::new(),
    });
    PlaybookDocument {
        team: team.to_owned(),
        name: name.to_owned(),
        title: String::new(),
        stages: stages.collect(),
    }
}

/// A worker that takes any number of attempts.
pub(super) fn worker(team: &str, name: &str) -> WorkerDocument {
    WorkerDocument {
        team: team.to_owned(),
        name: name.to_owned(),
        title: "a worker that is measured".to_owned(),
        agent: AgentDocument {
            kernel: "cli".to_owned(),
            command: vec![
                "/usr/bin/agent".to_owned(),
                "--stage".to_owned(),
                name.to_owned(),
            ],
            image: "scratch".to_owned(),
            env: BTreeMap::new(),
            soul: None,
            skills: BTreeMap::new(),
            limits: AgentLimits::default(),
        },
        parallel: PARALLEL,
        idle_after_ms: None,
        labels: BTreeMap::new(),
    }
}
