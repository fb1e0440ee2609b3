//! `kind: team`: a team and its butler.
//!
//! ```yaml
//! kind: team
//! name: sre
//! title: Site reliability          # optional, as is everything below `butler.name`
//! topics: [pod, node, disk]        # words of a brief that speak for this team
//! playbook: diagnose               # the plan of a case that names none
//! butler:
//!   name: sre-bot
//!   soul: souls/sre-bot.md
//!   skills: [skills/sre-bot]
//!   command: [domo, example, sre, plan]   # plans what no playbook plans; else: as for a worker
//! labels: {zone: a}                # only on nodes with these labels
//! ```

use std::collections::BTreeMap;

use super::agent::Agent;
use super::attached::{Skill, Soul, soul};
use super::fields::{self, Fields};
use super::page::Page;
use super::yaml::Node;
use super::{labels, skills, title};
use crate::name::Name;

/// Each is looked for in every brief that names no team.
const MOST_TOPICS: usize = 64;
/// A topic is a word or two.
const LONGEST_TOPIC_BYTES: usize = 100;

/// A team and its butler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// What the team is called.
    pub name: Name,
    /// What people read; empty if none is given.
    pub title: String,
    /// Words of a brief that speak for this team, where a case names none.
    pub topics: Vec<String>,
    /// Who leads it.
    pub butler: Butler,
    /// The playbook of a case that names none.
    pub playbook: Option<Name>,
    /// What a node must have to host the team.
    pub labels: BTreeMap<Name, String>,
}

/// Who leads a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Butler {
    /// What the butler is called.
    pub name: Name,
    /// Who it is.
    pub soul: Option<Soul>,
    /// What it can do.
    pub skills: Vec<Skill>,
    /// The agent that plans what no playbook plans.
    pub agent: Option<Agent>,
}

impl Team {
    pub(super) fn read(
        page: &mut Page<'_>,
        fields: &mut Fields<'_>,
        name: Option<Name>,
    ) -> Option<Self> {
        let title = fields.find(page, "title", title()).unwrap_or_default();
        let topics = fields::list(MOST_TOPICS, fields::text(LONGEST_TOPIC_BYTES));
        let topics = fields.find(page, "topics", topics).unwrap_or_default();
        let butler = fields.need(page, "butler", butler);
        let playbook = fields.find(page, "playbook", fields::name);
        let labels = fields.find(page, "labels", labels()).unwrap_or_default();
        Some(Self {
            name: name?,
            title,
            topics,
            butler: butler?,
            playbook,
            labels,
        })
    }
}

fn butler(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Butler> {
    let mut fields = Fields::open(page, key, node)?;
    let name = fields.need(page, "name", fields::name);
    let soul = fields.find(page, "soul", soul);
    let skills = fields.find(page, "skills", skills).unwrap_or_default();
    let agent = Agent::read_optional(page, &mut fields);
    fields.close(page);
    Some(Butler {
        name: name?,
        soul,
        skills,
        agent,
    })
}
