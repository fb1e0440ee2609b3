//! The mechanisms: everything that a persona could use and that decides nothing.

pub mod accounts;
pub mod archive;
pub mod audit;
pub mod backup;
pub mod blob;
pub mod clock;
pub mod codec;
pub mod disk;
pub mod engine;
pub mod gateway;
pub mod init;
pub mod kernel;
pub mod lease;
pub mod ledger;
pub mod links;
pub mod policy;
pub mod redact;
pub mod spool;
pub mod store;
pub mod workshop;
pub mod world;
