//! The documents of `domo apply`: teams, workers and playbooks in YAML, with the files that they name.
//!
//! ```text
//! team.yaml ──┐ yaml         Tree      fields              Document ─┐
//!             │ text, places ────────► types, ranges, names          ├─► Loaded
//! souls/ ─────┤ folder                                     Soul      │
//! skills/ ────┘ bounded, nothing outside ────────────────► Skill ────┘
//! ```
//!
//! A chaos plan is no such document, but is read with the same means.
//!
//! One file may hold several documents, with `---` between them. Each has `kind` and `name`; its
//! other fields stand beside these, and are listed in the header of the kind's file.
//!
//! # Invariant
//! A [`Document`] keeps every rule that can be seen without the cluster: names, ranges, the order of
//! stages, files that are there. Whether the team of a worker exists is for the rules to say.
//!
//! # Why
//! No `apiVersion`, `metadata` and `spec`: a document says nothing that it need not.
//! What was read from disk can be read again from its [`Bundle`], so that a node checks what a
//! client sends with the very code, and the very messages, of the client.

mod agent;
mod attached;
pub mod chaos;
mod fields;
mod folder;
mod graph;
mod page;
mod playbook;
mod source;
mod team;
mod worker;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use fields::Fields;
use folder::Folder;
use page::Page;
use source::Opened;
use yaml::{Node, Tree};

pub use self::agent::{Agent, AgentLimits};
pub use self::attached::{LARGEST_SKILL_BYTES, LARGEST_SOUL_BYTES, Skill, Soul};
pub use self::folder::Bundle;
pub use self::playbook::{
    Approval, Approver, Doer, MOST_STAGES, OnFailure, Playbook, PlaybookStage,
};
pub use self::source::{LARGEST_FILE_BYTES, Source};
pub use self::team::{Butler, Team};
pub use self::worker::Worker;
use crate::intake;
use crate::mistake::{Mistakes, Place, Wrong};
use crate::name::Name;

/// All documents of a run: they are applied together, in one entry of the ledger.
const MOST_DOCUMENTS: usize = 1024;
/// A title stands in a table.
const LONGEST_TITLE_BYTES: usize = 200;
/// What can do more things than this is another worker.
const MOST_SKILLS: usize = 32;
/// As for a node: more labels describe nothing any more.
const MOST_LABELS: usize = 32;
/// As long as a name.
const LONGEST_LABEL_BYTES: usize = 63;
/// One document, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A team and its butler.
    Team(Team),
    /// A worker of a team.
    Worker(Worker),
    /// A plan written down in advance.
    Playbook(Playbook),
}

impl Document {
    /// The kind, as it is written.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Team(_) => "team",
            Self::Worker(_) => "worker",
            Self::Playbook(_) => "playbook",
        }
    }

    /// The name.
    pub fn name(&self) -> &Name {
        match self {
            Self::Team(team) => &team.name,
            Self::Worker(worker) => &worker.name,
            Self::Playbook(playbook) => &playbook.name,
        }
    }

    /// The team that it is or belongs to.
    pub fn team(&self) -> &Name {
        match self {
            Self::Team(team) => &team.name,
            Self::Worker(worker) => &worker.team,
            Self::Playbook(playbook) => &playbook.team,
        }
    }
}

/// A document and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where its map begins.
    pub place: Place,
    /// The document.
    pub document: Document,
}

/// Documents in the order in which they were read, and every file that they are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The documents; no two of one kind, team and name.
    pub documents: Vec<Placed>,
    /// What they were read from, to be read again elsewhere.
    pub bundle: Bundle,
}

/// Names that documents may use and that this room does not know by itself.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The kernels of this release.
    pub kernels: &'a [&'a str],
}

/// Reads documents and the files that they name; the error holds every mistake, up to a bound.
pub fn load(source: Source<'_>, known: &Known<'_>) -> Result<Loaded, Mistakes> {
    let mut mistakes = Mistakes::default();
    let mut documents = Vec::new();
    let bundle = match Opened::of(source, &mut mistakes) {
        Some(mut opened) => {
            for (file, bytes) in std::mem::take(&mut opened.files) {
                match intake::text(&bytes) {
                    Ok(text) => {
                        let read = read_file(&file, text, known, &mut opened.folder, &mut mistakes);
                        documents.extend(read);
                    }
                    Err(wrong) => mistakes.add(Place::File(file), wrong),
                }
            }
            opened.folder.into_bundle()
        }
        None => Bundle::default(),
    };
    check_all(&documents, &mut mistakes);
    mistakes.or(Loaded { documents, bundle })
}

/// Reads all documents of one file.
fn read_file(
    file: &str,
    text: &str,
    known: &Known<'_>,
    folder: &mut Folder,
    mistakes: &mut Mistakes,
) -> Vec<Placed> {
    let before = mistakes.len();
    let trees = yaml::grow(file, text, mistakes);
    if trees.is_empty() && mistakes.len() == before {
        let sentence = "it holds no document: each has `kind` and `name`".to_owned();
        mistakes.add(Place::File(file.to_owned()), Wrong::Refused(sentence));
    }
    let mut documents = Vec::new();
    for Tree { number, root } in &trees {
        if mistakes.is_full() {
            break;
        }
        let number = *number;
        let mut page = Page {
            file,
            number,
            folder,
            known,
            mistakes,
        };
        let place = page.place(root.mark);
        let document = read_document(&mut page, root);
        documents.extend(document.map(|document| Placed { place, document }));
    }
    documents
}

fn read_document(page: &mut Page<'_>, root: &Node) -> Option<Document> {
    if root.is_null() {
        let sentence = "the document is empty: write it or remove one `---`".to_owned();
        page.wrong(root.mark, Wrong::Refused(sentence));
        return None;
    }
    let mut fields = Fields::open(page, "the document", root)?;
    let kind = fields.need(page, "kind", kind)?;
    let name = fields.need(page, "name", fields::name);
    let called = name
        .as_ref()
        .map_or_else(|| kind.to_owned(), |name| format!("{kind} `{name}`"));
    fields.call(&called);
    let document = match kind {
        "team" => Team::read(page, &mut fields, name).map(Document::Team),
        "worker" => Worker::read(page, &mut fields, name).map(Document::Worker),
        _ => Playbook::read(page, &mut fields, name).map(Document::Playbook),
    };
    fields.close(page);
    document
}

/// Reads the kind of a document.
fn kind(page: &mut Page<'_>, key: &str, node: &Node) -> Option<&'static str> {
    const KINDS: [&str; 3] = ["team", "worker", "playbook"];
    /// A later release knows these.
    const NOT_YET: [&str; 2] = ["human", "schedule"];
    let choices: Vec<(&str, &str)> = KINDS.iter().map(|kind| (*kind, *kind)).collect();
    if let yaml::What::Scalar { text, .. } = &node.what
        && NOT_YET.contains(&text.as_str())
    {
        page.wrong(node.mark, Wrong::NotYet(format!("`kind: {text}`")));
        return None;
    }
    fields::choice(&choices)(page, key, node)
}

/// What only all documents together show.
fn check_all(documents: &[Placed], mistakes: &mut Mistakes) {
    let mut seen = BTreeSet::new();
    for (index, Placed { place, document }) in documents.iter().enumerate() {
        if index == MOST_DOCUMENTS {
            let what = "the run".to_owned();
            let limit = format!("{MOST_DOCUMENTS} documents");
            mistakes.add(place.clone(), Wrong::TooLarge { what, limit });
            return;
        }
        if !seen.insert((document.kind(), document.team(), document.name())) {
            let (kind, name, team) = (document.kind(), document.name(), document.team());
            let what = format!("the {kind} `{name}` of team `{team}`");
            mistakes.add(place.clone(), Wrong::Twice { what });
        }
    }
}

/// Reads a title.
fn title() -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<String> {
    fields::text(LONGEST_TITLE_BYTES)
}

/// Reads labels.
fn labels() -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<BTreeMap<Name, String>> {
    let label = |text: &str| Name::new(text).map_err(|error| error.to_string());
    fields::map(MOST_LABELS, label, fields::text(LONGEST_LABEL_BYTES))
}

/// Reads a list of skills, no two of one name.
fn skills(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Vec<Skill>> {
    let skills = fields::list(MOST_SKILLS, attached::skill)(page, key, node)?;
    let mut seen = BTreeSet::new();
    for skill in &skills {
        if !seen.insert(&skill.name) {
            let what = format!("the skill `{}`", skill.name);
            page.wrong(node.mark, Wrong::Twice { what });
        }
    }
    Some(skills)
}
