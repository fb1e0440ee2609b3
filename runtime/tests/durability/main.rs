//! What is durable stays: kills, power cuts, full and failing disks, and damage, on real processes.
//!
//! ```text
//! this test ─► the same binary again, as a child that writes and says what was answered
//!                 killed │ traced │ on a small disk │ with failing syscalls
//!                 ▼
//!              what it left is opened, and compared with what was answered
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, all of it: it says what it finds to its parent, and breaks off where it finds nothing"
)]

mod child;
mod damage;
mod faults;
mod image;
mod kill;
mod long;
mod lost;
mod model;
mod power_cut;
mod read_only;
mod trace;
