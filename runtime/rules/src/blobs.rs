//! Which blobs are named: what nothing names any more may be removed.

use std::collections::BTreeSet;

use crate::attempt::{AttemptOutcome, Body, StageResult};
use crate::case::{Attachment, Brief, Case};
use crate::command::Command;
use crate::id::BlobRef;
use crate::room::Post;
use crate::state::State;
use crate::team::{AgentSpec, Document};

/// Every blob that the state names; one may come more than once.
pub fn of_state(state: &State) -> Vec<BlobRef> {
    let mut named = Vec::new();
    for team in state.teams.values() {
        team.spec
            .agent
            .iter()
            .for_each(|agent| of_agent(agent, &mut named));
    }
    for worker in state.workers.values() {
        of_agent(&worker.spec.agent, &mut named);
    }
    for case in state.cases.values() {
        named.extend(of_case(case));
    }
    let rooms = state.rooms.rooms.values();
    named.extend(of_posts(rooms.flat_map(|room| &room.posts)));
    named
}

/// Every blob that posts name; one may come more than once.
pub fn of_posts<'a>(posts: impl IntoIterator<Item = &'a Post>) -> impl Iterator<Item = BlobRef> {
    let attachments = posts.into_iter().flat_map(|post| &post.attachments);
    attachments.map(|attachment| attachment.blob)
}

/// Every blob that a case names; one may come more than once.
pub fn of_case(case: &Case) -> Vec<BlobRef> {
    let mut named: Vec<BlobRef> = case.attachments.iter().map(|a| a.blob).collect();
    named.extend(case.briefs.iter().filter_map(|brief| of_body(&brief.text)));
    named.extend(of_posts(&case.thread.posts));
    for stage in case.all_stages() {
        stage
            .result
            .iter()
            .for_each(|result| of_result(result, &mut named));
    }
    for attempt in case.attempts.values() {
        if let Some(AttemptOutcome::Succeeded(result)) = &attempt.outcome {
            of_result(result, &mut named);
        }
    }
    if let Some(report) = &case.report {
        named.extend(of_body(&report.document));
        named.extend(of_body(&report.markdown));
    }
    named
}

/// Every blob that a command names; one may come more than once.
pub fn of_command(command: &Command) -> Vec<BlobRef> {
    let mut named = Vec::new();
    if let Command::ApplyDocuments { put, .. } = command {
        for document in put {
            of_document(document, &mut named);
        }
    } else if let Command::OpenCase {
        brief, attachments, ..
    }
    | Command::AmendCase {
        brief, attachments, ..
    } = command
    {
        named.extend(of_body(&brief.text));
        named.extend(attachments.iter().map(|attachment| attachment.blob));
    } else if let Command::PostMessage { attachments, .. } = command {
        named.extend(attachments.iter().map(|attachment| attachment.blob));
    } else if let Command::AnswerStage { result, .. }
    | Command::FinishAttempt {
        outcome: AttemptOutcome::Succeeded(result),
        ..
    } = command
    {
        of_result(result, &mut named);
    } else if let Command::ReportCase { report, .. } = command {
        named.extend(of_body(&report.document));
        named.extend(of_body(&report.markdown));
    }
    named
}

fn of_document(document: &Document, named: &mut Vec<BlobRef>) {
    match document {
        Document::Team(team) => team.agent.iter().for_each(|agent| of_agent(agent, named)),
        Document::Worker(worker) => of_agent(&worker.agent, named),
        Document::Playbook(_) => {}
    }
}

/// How many bytes all that a case names would have with `more`, each blob counted once.
pub(crate) fn bytes_with(case: Option<&Case>, more: Vec<BlobRef>) -> u64 {
    let named = case
        .map(of_case)
        .unwrap_or_default()
        .into_iter()
        .chain(more);
    let distinct: BTreeSet<BlobRef> = named.collect();
    distinct
        .iter()
        .fold(0, |sum, blob| sum.saturating_add(blob.bytes))
}

/// Every blob of a brief and what is attached to it.
pub(crate) fn of_wish(brief: &Brief, attachments: &[Attachment]) -> Vec<BlobRef> {
    let attached = attachments.iter().map(|attachment| attachment.blob);
    of_body(&brief.text).into_iter().chain(attached).collect()
}

/// Every blob of a result.
pub(crate) fn of_one_result(result: &StageResult) -> Vec<BlobRef> {
    let mut named = Vec::new();
    of_result(result, &mut named);
    named
}

fn of_result(result: &StageResult, named: &mut Vec<BlobRef>) {
    named.extend(of_body(&result.document));
    named.extend(result.artifacts.iter().map(|artifact| artifact.blob));
}

fn of_agent(agent: &AgentSpec, named: &mut Vec<BlobRef>) {
    named.extend(agent.soul);
    named.extend(agent.skills.values().flatten().map(|file| file.blob));
}

fn of_body(body: &Body) -> Option<BlobRef> {
    match body {
        Body::Inline(_) => None,
        Body::Blob(blob) => Some(*blob),
    }
}
