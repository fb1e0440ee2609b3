//! Documents on their way to a node: their files uploaded, and named by digest.

use std::collections::BTreeMap;

use config::document::{Agent, Approver, Doer, Loaded, OnFailure, Skill, Soul};
use config::document::{Document as Read, Playbook, PlaybookStage, Team, Worker};
use config::name::Name;

use crate::admin::client::{Client, ClientError};
use crate::admin::wire::{
    self, AgentDocument, AgentLimits, Document, Needs, PlaybookDocument, Stage, TeamDocument,
    WorkerDocument,
};
use crate::cli::print;

/// Uploads what the documents name, each content once, and turns them into the node's own shape.
pub(crate) async fn all(client: &Client, loaded: &[Loaded]) -> Result<Vec<Document>, ClientError> {
    let mut carrier = Carrier {
        client,
        known: BTreeMap::new(),
    };
    let mut documents = Vec::new();
    for placed in loaded.iter().flat_map(|loaded| &loaded.documents) {
        documents.push(match &placed.document {
            Read::Team(team) => Document::Team(carrier.team(team).await?),
            Read::Worker(worker) => Document::Worker(carrier.worker(worker).await?),
            Read::Playbook(playbook) => Document::Playbook(playbook_document(playbook)),
        });
    }
    Ok(documents)
}

/// Brings files to the node.
struct Carrier<'a> {
    client: &'a Client,
    /// The digest of each content that is there already.
    known: BTreeMap<Vec<u8>, String>,
}

impl Carrier<'_> {
    async fn team(&mut self, team: &Team) -> Result<TeamDocument, ClientError> {
        let butler = &team.butler;
        let agent = match &butler.agent {
            Some(agent) => Some(
                self.agent(agent, butler.soul.as_ref(), &butler.skills)
                    .await?,
            ),
            None => None,
        };
        if agent.is_none() && (butler.soul.is_some() || !butler.skills.is_empty()) {
            print::note(&format!(
                "team {}: nobody reads the butler's SOUL and skills, as it has no agent (`command`)",
                team.name
            ));
        }
        Ok(TeamDocument {
            name: team.name.to_string(),
            title: team.title.clone(),
            topics: team.topics.clone(),
            butler: butler.name.to_string(),
            agent,
            playbook: team.playbook.as_ref().map(ToString::to_string),
            labels: labels(&team.labels),
        })
    }

    async fn worker(&mut self, worker: &Worker) -> Result<WorkerDocument, ClientError> {
        Ok(WorkerDocument {
            team: worker.team.to_string(),
            name: worker.name.to_string(),
            title: worker.title.clone(),
            agent: self
                .agent(&worker.agent, worker.soul.as_ref(), &worker.skills)
                .await?,
            parallel: worker.parallel,
            idle_after_ms: worker.agent.idle_after_ms,
            labels: labels(&worker.labels),
        })
    }

    async fn agent(
        &mut self,
        agent: &Agent,
        soul: Option<&Soul>,
        skills: &[Skill],
    ) -> Result<AgentDocument, ClientError> {
        let soul = match soul {
            Some(soul) => Some(self.digest(soul.text.as_bytes()).await?),
            None => None,
        };
        let mut by_name = BTreeMap::new();
        for skill in skills {
            let mut files = BTreeMap::new();
            for (path, bytes) in &skill.files {
                files.insert(path.clone(), self.digest(bytes).await?);
            }
            by_name.insert(skill.name.to_string(), files);
        }
        Ok(AgentDocument {
            kernel: agent.kernel.clone(),
            command: agent.command.clone(),
            image: agent.image.clone(),
            env: agent.env.clone(),
            soul,
            skills: by_name,
            limits: AgentLimits {
                cpu_milli: agent.limits.cpu_millis,
                memory_bytes: agent.limits.memory_bytes,
                pids: agent.limits.pids,
                output_bytes: agent.limits.output_bytes,
                wall_ms: agent.limits.wall_ms,
            },
        })
    }

    async fn digest(&mut self, bytes: &[u8]) -> Result<String, ClientError> {
        if let Some(digest) = self.known.get(bytes) {
            return Ok(digest.clone());
        }
        let digest = self.client.upload(bytes.to_vec()).await?.sha256;
        self.known.insert(bytes.to_vec(), digest.clone());
        Ok(digest)
    }
}

fn playbook_document(playbook: &Playbook) -> PlaybookDocument {
    PlaybookDocument {
        team: playbook.team.to_string(),
        name: playbook.name.to_string(),
        title: playbook.title.clone(),
        stages: playbook.stages.iter().map(stage).collect(),
    }
}

fn stage(stage: &PlaybookStage) -> Stage {
    let approver = |approver: &Approver| match approver {
        Approver::Admin => wire::Approver::Role("admin".to_owned()),
        Approver::Lead => wire::Approver::Role("lead".to_owned()),
        Approver::Member => wire::Approver::Role("member".to_owned()),
        Approver::Human(name) => wire::Approver::Human(name.to_string()),
    };
    let approval = stage.approval.as_ref().map(|approval| wire::Approval {
        by: approval.by.iter().map(approver).collect(),
        note: approval.note.clone(),
    });
    Stage {
        name: stage.name.to_string(),
        title: stage.title.clone(),
        needs: match &stage.doer {
            Doer::Skill(name) => Needs::Skill(name.to_string()),
            Doer::Worker(name) => Needs::Worker(name.to_string()),
        },
        after: stage.after.iter().map(ToString::to_string).collect(),
        limit_ms: stage.limit_ms,
        attempts: stage.attempts,
        approval,
        on_failure: match stage.on_failure {
            OnFailure::Fail => wire::OnFailure::Fail,
            OnFailure::Continue => wire::OnFailure::Continue,
        },
        brief: stage.brief.clone(),
    }
}

fn labels(labels: &BTreeMap<Name, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|(key, value)| (key.to_string(), value.clone()))
        .collect()
}
