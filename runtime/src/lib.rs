//! The mechanisms: everything that a persona could use and that decides nothing.

pub mod clock;
pub mod engine;
pub mod kernel;
pub mod spool;
