//! The process: daemon, admin socket, command line.

pub mod admin;
pub mod cli;
