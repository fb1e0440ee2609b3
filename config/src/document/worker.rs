//! `kind: worker`: a worker of a team and its agent.
//!
//! ```yaml
//! kind: worker
//! name: instance-status
//! team: sre
//! command: [domo, example, sre, instance-status]
//! title: What the instances say     # what is below is optional
//! kernel: cli
//! soul: souls/instance-status.md
//! skills: [skills/instance-status]
//! image: scratch
//! parallel: 1                      # attempts at one time
//! limits: {cpu: 0.5, memory: 256MiB, pids: 64, output: 16MiB, wall: 10m}
//! idle_after: 10m
//! env: {LOG_LEVEL: info}
//! labels: {zone: a}                # only on nodes with these labels
//! ```

use std::collections::BTreeMap;

use super::agent::Agent;
use super::attached::{Skill, Soul, soul};
use super::fields::{self, Fields};
use super::page::Page;
use super::{labels, skills, title};
use crate::name::Name;

/// More attempts at one time than this are no worker but a cluster of its own.
const MOST_PARALLEL: u64 = 10_000;

/// A worker of a team and its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// What the worker is called; no two of a team are called alike.
    pub name: Name,
    /// Whose worker it is.
    pub team: Name,
    /// What people read; empty if none is given.
    pub title: String,
    /// Who its agent is.
    pub soul: Option<Soul>,
    /// What its agent can do.
    pub skills: Vec<Skill>,
    /// How its agent is started and what it may use.
    pub agent: Agent,
    /// Attempts at one time.
    pub parallel: u32,
    /// What a node must have to run it.
    pub labels: BTreeMap<Name, String>,
}

impl Worker {
    pub(super) fn read(
        page: &mut Page<'_>,
        fields: &mut Fields<'_>,
        name: Option<Name>,
    ) -> Option<Self> {
        let team = fields.need(page, "team", fields::name);
        let title = fields.find(page, "title", title()).unwrap_or_default();
        let soul = fields.find(page, "soul", soul);
        let skills = fields.find(page, "skills", skills).unwrap_or_default();
        let agent = Agent::read(page, fields);
        let parallel = fields
            .find(page, "parallel", fields::count(1..=MOST_PARALLEL))
            .unwrap_or(1);
        let labels = fields.find(page, "labels", labels()).unwrap_or_default();
        Some(Self {
            name: name?,
            team: team?,
            title,
            soul,
            skills,
            agent: agent?,
            parallel,
            labels,
        })
    }
}
