//! The admin socket over a real socket: a real ledger, the real client, and hostile ones.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on ends where it stands"
)]

mod auditing;
mod behind;
mod cases;
mod documents;
mod door;
mod faces;
mod harm;
mod hostile;
mod house;
mod lists;
mod lost;
mod openapi;
mod people;
mod planted;
mod policies;
mod quota;
mod rooms;
mod samples;
mod streams;
#[path = "../../../runtime/tests/policy/table.rs"]
mod table;
mod targets;
mod tokens;
mod town;
mod way_out;
