//! The personas, and the tree that keeps them alive.
//!
//! ```text
//!                        root            reads duties off the state, hands them out, restarts
//!          ┌──────────────┼───────────────┬─────────────┐
//!       manager       butler of a     worker of a     janitor
//!       (where the    team, while it  team, while it  (removes containers
//!       leader is)    has duties      has duties      that nobody owns)
//! ```
//!
//! # Invariant
//! Personas are siblings: the death of one stops no other. None holds anything that cannot be read
//! off the state again, so a persona that comes back is given its duties and goes on.
//!
//! # Why
//! A persona exists only while it has something to do. Ten thousand idle workers are state, not
//! actors: the idea is Orleans' (virtual actors).

pub mod backoff;
mod butler;
mod child;
mod errand;
mod havoc;
pub mod house;
pub mod household;
mod janitor;
mod keeps;
mod manager;
pub mod tree;
pub mod understanding;
mod worker;

pub use havoc::Havoc;
pub use house::{House, Keeps};
pub use household::Household;
pub use manager::PlainCommands;
pub use tree::{Root, RootMsg, Standing};
