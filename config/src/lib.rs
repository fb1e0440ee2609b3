//! What people write: the settings of a node, the documents of `domo apply`, and the example.
//!
//! ```text
//! default.toml < domo.toml < DOMO_… < --set ──► settings ──► Settings
//! team.yaml, souls/, skills/ ─────────────────► document ──► Loaded (documents and their bundle)
//! roster.xlsx, roster.csv ────────────────► roster ───► Roster (people of an organisation)
//! chaos/, compiled in, or a file ────────────► chaos ────► Plan (and the schedule that it comes to)
//! policy/, compiled in ─────────────────────► policy ────► the text of the permission matrix
//! examples/sre/, compiled in ─────────────────► examples ──► the same
//!                                                   │
//!                 near, measure, name, mistake ◄────┴── what all of them share
//! ```
//!
//! A new setting: its lines in `default.toml`, its field and reader in its section's file.
//! A new kind of document: its file below `document/`, with the whole of its YAML in the header.
//!
//! # Invariant
//! This room knows no other one: it turns text into checked values and says what is wrong with it.
//! Whoever reads here gets a value that keeps every rule of its type, or every mistake with its
//! file, line and column. No input, however hostile, makes it panic, loop or fill the memory.

mod agent_bounds;
pub mod chaos;
pub mod document;
pub mod examples;
mod intake;
pub mod measure;
pub mod mistake;
pub mod name;
pub mod near;
pub mod policy;
pub mod roster;
pub mod settings;
