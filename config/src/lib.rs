//! What people write: the settings of a node, the documents of `domo apply`, and the example.
//!
//! ```text
//! default.toml < domo.toml < DOMO_… < --set ──► settings ──► Settings
//! team.yaml, souls/, skills/ ─────────────────► document ──► Loaded
//! ```
//!
//! # Invariant
//! This room knows no other one: it turns text into checked values and says what is wrong with it.
//! Whoever reads here gets a value that keeps every rule of its type, or every mistake with its
//! file, line and column. No input, however hostile, makes it panic, loop or fill the memory.

mod agent_bounds;
pub mod document;
mod intake;
pub mod measure;
pub mod mistake;
pub mod name;
pub mod near;
pub mod settings;
