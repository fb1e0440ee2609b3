//! Documents, both ways: as they are described, and as the rules hold them.
//!
//! # Why
//! What a document leaves open is filled in here, from the settings of the node that takes it in:
//! the rules hold whole documents, so that every node agrees on them whatever its own settings are.

use std::collections::BTreeMap;

use config::settings::AgentSettings;
use rules::id::{
    BadName, BlobRef, HumanName, PlaybookName, SkillName, StageName, TeamName, WorkerId, WorkerName,
};
use rules::stage::{ApprovalSpec, Approver, Need, OnFailure, StageSpec};
use rules::team::{
    AgentLimits, AgentSpec, Document, PlaybookSpec, SkillFile, TeamSpec, WorkerSpec,
};

use super::team::{limits, skills};
use crate::admin::wire;

/// Finds the blob of a digest, and says which one is not there.
pub(in crate::admin) trait FindBlob {
    /// The blob, or a sentence about its absence.
    fn find(&self, sha256: &str) -> Result<BlobRef, String>;
}

/// What a reading of documents leans on.
pub(in crate::admin) struct Reading<'a> {
    /// What a document leaves open.
    pub(in crate::admin) defaults: &'a AgentSettings,
    /// The blobs that are here.
    pub(in crate::admin) blobs: &'a dyn FindBlob,
}

/// Everything that is wrong with documents, a sentence each.
type Faults = Vec<String>;

impl Reading<'_> {
    /// Takes documents as the rules', or says everything that is wrong with them.
    pub(in crate::admin) fn documents(
        &self,
        documents: &[wire::Document],
    ) -> Result<Vec<Document>, Faults> {
        let mut faults = Vec::new();
        let mut taken = Vec::new();
        for document in documents {
            let (kind, name) = called(document);
            match self.document(document) {
                Ok(document) => taken.push(document),
                Err(why) => faults.push(format!("{kind} {name}: {why}")),
            }
        }
        if faults.is_empty() {
            Ok(taken)
        } else {
            Err(faults)
        }
    }

    fn document(&self, document: &wire::Document) -> Result<Document, String> {
        Ok(match document {
            wire::Document::Team(team) => Document::Team(self.team(team)?),
            wire::Document::Worker(worker) => Document::Worker(self.worker(worker)?),
            wire::Document::Playbook(playbook) => Document::Playbook(Self::playbook(playbook)?),
        })
    }

    fn team(&self, team: &wire::TeamDocument) -> Result<TeamSpec, String> {
        Ok(TeamSpec {
            name: TeamName::new(&team.name).map_err(|bad| said(&bad))?,
            title: team.title.clone(),
            topics: team.topics.clone(),
            butler: WorkerName::new(&team.butler).map_err(|bad| said(&bad))?,
            agent: team
                .agent
                .as_ref()
                .map(|agent| self.agent(agent))
                .transpose()?,
            playbook: team
                .playbook
                .as_deref()
                .map(PlaybookName::new)
                .transpose()
                .map_err(|bad| said(&bad))?,
            labels: team.labels.clone(),
        })
    }

    fn worker(&self, worker: &wire::WorkerDocument) -> Result<WorkerSpec, String> {
        Ok(WorkerSpec {
            id: WorkerId {
                team: TeamName::new(&worker.team).map_err(|bad| said(&bad))?,
                name: WorkerName::new(&worker.name).map_err(|bad| said(&bad))?,
            },
            title: worker.title.clone(),
            agent: self.agent(&worker.agent)?,
            parallel: worker.parallel,
            idle_after_ms: worker.idle_after_ms.unwrap_or(self.defaults.idle_after_ms),
            labels: worker.labels.clone(),
        })
    }

    fn agent(&self, agent: &wire::AgentDocument) -> Result<AgentSpec, String> {
        let mut skills = BTreeMap::new();
        for (name, files) in &agent.skills {
            let skill = SkillName::new(name).map_err(|bad| said(&bad))?;
            let files: Result<Vec<SkillFile>, String> = files
                .iter()
                .map(|(path, sha256)| {
                    let blob = self.blobs.find(sha256);
                    let blob = blob.map_err(|why| format!("skill {name}, {path}: {why}"))?;
                    Ok(SkillFile {
                        path: path.clone(),
                        blob,
                    })
                })
                .collect();
            skills.insert(skill, files?);
        }
        let soul = agent.soul.as_deref().map(|sha256| self.blobs.find(sha256));
        Ok(AgentSpec {
            kernel: agent.kernel.clone(),
            command: agent.command.clone(),
            image: agent.image.clone(),
            env: agent.env.clone(),
            soul: soul.transpose().map_err(|why| format!("SOUL: {why}"))?,
            skills,
            limits: AgentLimits {
                cpu_milli: agent
                    .limits
                    .cpu_milli
                    .unwrap_or(self.defaults.cpu_millis.into()),
                memory_bytes: agent
                    .limits
                    .memory_bytes
                    .unwrap_or(self.defaults.memory_bytes),
                pids: agent.limits.pids.unwrap_or(self.defaults.pids.into()),
                output_bytes: agent
                    .limits
                    .output_bytes
                    .unwrap_or(self.defaults.output_bytes),
                wall_ms: agent.limits.wall_ms.unwrap_or(self.defaults.wall_ms),
            },
        })
    }

    fn playbook(playbook: &wire::PlaybookDocument) -> Result<PlaybookSpec, String> {
        let stages: Result<Vec<StageSpec>, String> =
            playbook.stages.iter().map(Self::stage).collect();
        Ok(PlaybookSpec {
            team: TeamName::new(&playbook.team).map_err(|bad| said(&bad))?,
            name: PlaybookName::new(&playbook.name).map_err(|bad| said(&bad))?,
            title: playbook.title.clone(),
            stages: stages?,
        })
    }

    fn stage(stage: &wire::Stage) -> Result<StageSpec, String> {
        let need = match &stage.needs {
            wire::Needs::Skill(skill) => {
                Need::Skill(SkillName::new(skill).map_err(|bad| said(&bad))?)
            }
            wire::Needs::Worker(worker) => {
                Need::Worker(WorkerName::new(worker).map_err(|bad| said(&bad))?)
            }
            wire::Needs::Butler => Need::Butler,
        };
        let after: Result<Vec<StageName>, BadName> = stage
            .after
            .iter()
            .map(|name| StageName::new(name))
            .collect();
        Ok(StageSpec {
            name: StageName::new(&stage.name).map_err(|bad| said(&bad))?,
            title: stage.title.clone(),
            need,
            after: after.map_err(|bad| said(&bad))?,
            limit_ms: stage.limit_ms,
            attempts: stage.attempts,
            approval: stage.approval.as_ref().map(approval).transpose()?,
            on_failure: match stage.on_failure {
                wire::OnFailure::Fail => OnFailure::Fail,
                wire::OnFailure::Continue => OnFailure::Continue,
            },
            brief: stage.brief.clone(),
        })
    }
}

fn said(bad: &BadName) -> String {
    bad.to_string()
}

fn approval(approval: &wire::Approval) -> Result<ApprovalSpec, String> {
    let by: Result<Vec<Approver>, BadName> = approval
        .by
        .iter()
        .map(|by| match by {
            wire::Approver::Human(name) => HumanName::new(name).map(Approver::Human),
            wire::Approver::Role(role) => Ok(Approver::Role(role.clone())),
        })
        .collect();
    Ok(ApprovalSpec {
        by: by.map_err(|bad| said(&bad))?,
        note: approval.note.clone(),
    })
}

fn called(document: &wire::Document) -> (&'static str, String) {
    match document {
        wire::Document::Team(team) => ("team", team.name.clone()),
        wire::Document::Worker(worker) => ("worker", format!("{}/{}", worker.team, worker.name)),
        wire::Document::Playbook(playbook) => {
            ("playbook", format!("{}/{}", playbook.team, playbook.name))
        }
    }
}

/// A document of the rules as it is described, whole.
pub(in crate::admin) fn described(document: &Document) -> wire::Document {
    match document {
        Document::Team(spec) => wire::Document::Team(wire::TeamDocument {
            name: spec.name.to_string(),
            title: spec.title.clone(),
            topics: spec.topics.clone(),
            butler: spec.butler.to_string(),
            agent: spec.agent.as_ref().map(agent),
            playbook: spec.playbook.as_ref().map(ToString::to_string),
            labels: spec.labels.clone(),
        }),
        Document::Worker(spec) => wire::Document::Worker(wire::WorkerDocument {
            team: spec.id.team.to_string(),
            name: spec.id.name.to_string(),
            title: spec.title.clone(),
            agent: agent(&spec.agent),
            parallel: spec.parallel,
            idle_after_ms: Some(spec.idle_after_ms),
            labels: spec.labels.clone(),
        }),
        Document::Playbook(spec) => wire::Document::Playbook(playbook(spec)),
    }
}

fn agent(agent: &AgentSpec) -> wire::AgentDocument {
    wire::AgentDocument {
        kernel: agent.kernel.clone(),
        command: agent.command.clone(),
        image: agent.image.clone(),
        env: agent.env.clone(),
        soul: agent.soul.as_ref().map(ToString::to_string),
        skills: skills(agent),
        limits: limits(agent),
    }
}

/// A playbook as it is described.
pub(in crate::admin) fn playbook(spec: &PlaybookSpec) -> wire::PlaybookDocument {
    wire::PlaybookDocument {
        team: spec.team.to_string(),
        name: spec.name.to_string(),
        title: spec.title.clone(),
        stages: spec.stages.iter().map(stage).collect(),
    }
}

fn stage(spec: &StageSpec) -> wire::Stage {
    wire::Stage {
        name: spec.name.to_string(),
        title: spec.title.clone(),
        needs: needs(&spec.need),
        after: spec.after.iter().map(ToString::to_string).collect(),
        limit_ms: spec.limit_ms,
        attempts: spec.attempts,
        approval: spec.approval.as_ref().map(|approval| wire::Approval {
            by: approvers(&approval.by),
            note: approval.note.clone(),
        }),
        on_failure: on_failure(spec.on_failure),
        brief: spec.brief.clone(),
    }
}

/// Who can do a stage.
pub(super) fn needs(need: &Need) -> wire::Needs {
    match need {
        Need::Skill(skill) => wire::Needs::Skill(skill.to_string()),
        Need::Worker(worker) => wire::Needs::Worker(worker.to_string()),
        Need::Butler => wire::Needs::Butler,
    }
}

/// What becomes of a case when a stage fails.
pub(super) fn on_failure(on_failure: OnFailure) -> wire::OnFailure {
    match on_failure {
        OnFailure::Fail => wire::OnFailure::Fail,
        OnFailure::Continue => wire::OnFailure::Continue,
    }
}

/// Who may approve.
pub(super) fn approvers(by: &[Approver]) -> Vec<wire::Approver> {
    let each = by.iter().map(|by| match by {
        Approver::Human(name) => wire::Approver::Human(name.to_string()),
        Approver::Role(role) => wire::Approver::Role(role.clone()),
    });
    each.collect()
}
