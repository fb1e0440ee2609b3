//! Where the rules' types and the admin socket's types meet; nowhere else do they know each other.
//!
//! ```text
//! request: asked, document ─► rules::Command        rules::State ─► case, team ─► answer: wire
//! ```

pub(super) mod asked;
pub(crate) mod audit;
pub(super) mod case;
pub(super) mod chaos;
pub(super) mod difference;
pub(super) mod document;
pub(super) mod history;
pub(super) mod human;
pub(super) mod room;
pub(super) mod roster;
pub(super) mod target;
pub(super) mod team;
