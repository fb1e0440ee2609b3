//! What documents would change, field by field.

use std::collections::{BTreeMap, BTreeSet};

use rules::State;
use rules::id::{TeamName, WorkerId};
use rules::team::{Document, DocumentName};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::document::described;
use crate::admin::wire::{Change, DocumentChange, FieldChange, Prune};

/// Changed documents that are shown: what a person reads; the counts are of all.
const MAX_SHOWN: usize = 1000;
/// Of the digest that names a difference: two differ, with one chance in 2^64 that they do not seem so.
const BASIS_BYTES: usize = 8;
/// Fields that are shown of one changed document.
const MAX_FIELDS: usize = 50;

/// What documents would change.
pub(in crate::admin) struct Compared {
    /// What happens to each document that is not as it was.
    pub(in crate::admin) changes: Vec<DocumentChange>,
    /// New ones.
    pub(in crate::admin) created: u32,
    /// Changed ones.
    pub(in crate::admin) changed: u32,
    /// Those that are so already.
    pub(in crate::admin) unchanged: u32,
    /// What goes.
    pub(in crate::admin) remove: Vec<DocumentName>,
    /// Names all of it.
    pub(in crate::admin) basis: String,
}

/// Compares documents with what is there.
pub(in crate::admin) fn compare(state: &State, put: &[Document], prune: Prune) -> Compared {
    let remove = pruned(state, put, prune);
    let mut compared = Compared {
        changes: Vec::new(),
        created: 0,
        changed: 0,
        unchanged: 0,
        remove,
        basis: String::new(),
    };
    let mut basis = Sha256::new();
    for (document, (name, change, before)) in put.iter().zip(rules::apply::difference(state, put)) {
        let change = match change {
            rules::apply::Change::Create => Change::Create,
            rules::apply::Change::Update => Change::Update,
            rules::apply::Change::Same => Change::Same,
        };
        match change {
            Change::Create => compared.created += 1,
            Change::Update => compared.changed += 1,
            Change::Same | Change::Remove | Change::Unnamed => {
                compared.unchanged += 1;
                continue;
            }
        }
        let (old, new) = (before.as_ref().map(value), value(document));
        basis.update(format!("{change:?} {name} {old:?} {new}\n"));
        let fields = old.map_or_else(Vec::new, |old| fields(old, new));
        compared.show(&name, change, fields);
    }
    for name in compared.remove.clone() {
        basis.update(format!("remove {name}\n"));
        compared.show(&name, Change::Remove, Vec::new());
    }
    compared.basis = hex(&basis.finalize()[..BASIS_BYTES]);
    compared
}

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(u32::from);
    let digits = bytes.iter().flat_map(digits);
    digits
        .filter_map(|digit| char::from_digit(digit, 16))
        .collect()
}

impl Compared {
    fn show(&mut self, name: &DocumentName, change: Change, fields: Vec<FieldChange>) {
        if self.changes.len() >= MAX_SHOWN {
            return;
        }
        let (kind, name) = match name {
            DocumentName::Team(team) => ("team", team.to_string()),
            DocumentName::Worker(worker) => ("worker", worker.to_string()),
            DocumentName::Playbook(team, name) => ("playbook", format!("{team}/{name}")),
        };
        self.changes.push(DocumentChange {
            kind: kind.to_owned(),
            name,
            change,
            fields,
        });
    }
}

/// What is there and not described, as far as it shall go. A team takes what is its own with it.
fn pruned(state: &State, put: &[Document], prune: Prune) -> Vec<DocumentName> {
    let described: BTreeSet<DocumentName> = put.iter().map(Document::name).collect();
    let teams: BTreeSet<TeamName> = put
        .iter()
        .filter_map(|document| match document {
            Document::Team(team) => Some(team.name.clone()),
            Document::Worker(_) | Document::Playbook(_) => None,
        })
        .collect();
    let mut gone = Vec::new();
    for (name, team) in &state.teams {
        if !teams.contains(name) {
            // Described workers or playbooks of a team that is not described itself keep it.
            let is_used = put.iter().any(|document| match document {
                Document::Team(_) => false,
                Document::Worker(worker) => worker.id.team == *name,
                Document::Playbook(playbook) => playbook.team == *name,
            });
            if prune == Prune::All && !is_used {
                gone.push(DocumentName::Team(name.clone()));
            }
            continue;
        }
        if prune == Prune::None {
            continue;
        }
        let own = |worker: &rules::id::WorkerName| WorkerId {
            team: name.clone(),
            name: worker.clone(),
        };
        let is_own_slot = |id: &WorkerId| {
            state
                .workers
                .get(id)
                .is_none_or(|worker| worker.is_butler_slot)
        };
        let workers = team.workers.iter().map(own).filter(|id| !is_own_slot(id));
        let workers = workers.map(DocumentName::Worker);
        let playbooks = team.playbooks.keys();
        let playbooks = playbooks.map(|book| DocumentName::Playbook(name.clone(), book.clone()));
        gone.extend(
            workers
                .chain(playbooks)
                .filter(|name| !described.contains(name)),
        );
    }
    gone
}

fn value(document: &Document) -> Value {
    serde_json::to_value(described(document)).unwrap_or(Value::Null)
}

/// Where two documents differ.
fn fields(before: Value, after: Value) -> Vec<FieldChange> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    flatten(String::new(), before, &mut old);
    flatten(String::new(), after, &mut new);
    let names: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    let differing = names.into_iter().filter_map(|field| {
        let (before, after) = (old.remove(&field), new.remove(&field));
        (before != after).then_some(FieldChange {
            field,
            before,
            after,
        })
    });
    differing.take(MAX_FIELDS).collect()
}

/// The leaves of a value by their paths. Lists of named things are read by name.
fn flatten(path: String, value: Value, leaves: &mut BTreeMap<String, Value>) {
    let below = |part: &str| {
        if path.is_empty() {
            part.to_owned()
        } else {
            format!("{path}.{part}")
        }
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(below(&key), value, leaves);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (at, item) in items.into_iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str);
                let part = name.map_or_else(|| at.to_string(), str::to_owned);
                flatten(below(&part), item, leaves);
            }
        }
        leaf @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            leaves.insert(path, leaf);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fields;

    #[test]
    fn a_difference_names_the_field_and_both_values() {
        let before = json!({"name": "a", "agent": {"image": "x", "env": {}}, "stages": [{"name": "s", "attempts": 1}]});
        let after = json!({"name": "a", "agent": {"image": "y", "env": {"K": "v"}}, "stages": [{"name": "s", "attempts": 2}]});
        let found: Vec<String> = fields(before, after)
            .into_iter()
            .map(|f| format!("{} {:?} {:?}", f.field, f.before, f.after))
            .collect();
        assert_eq!(
            found,
            [
                "agent.env Some(Object {}) None",
                "agent.env.K None Some(String(\"v\"))",
                "agent.image Some(String(\"x\")) Some(String(\"y\"))",
                "stages.s.attempts Some(Number(1)) Some(Number(2))",
            ]
        );
    }
}
