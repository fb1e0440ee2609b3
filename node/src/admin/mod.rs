//! The admin socket: how people and programs speak to a node, and the client that they use.
pub mod client;
pub mod wire;
