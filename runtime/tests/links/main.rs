//! Links between real processes: who is let in, what is noticed, what is carried, what is dropped.
//!
//! ```text
//! this test ─► the same binary again, once for each node, told what to do on its standard input
//!                 on the loopback │ in network namespaces, joined by a pair of virtual wires
//!                 stopped │ cut off in one direction or both │ bothered by strangers
//!                 ▼
//!              what each node says on its standard output
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, all of it: it says what it finds to its parent, and breaks off where it finds nothing"
)]

mod calls;
mod child;
mod house;
mod identity;
mod intruders;
mod joining;
mod network;
mod silence;
mod stranger;
