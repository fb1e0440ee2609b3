//! The process: daemon, admin socket, command line, figures.

pub mod admin;
pub mod bench;
pub mod chaos;
pub mod cli;
pub mod daemon;
