//! The process: daemon, admin socket, command line.

pub mod admin;
