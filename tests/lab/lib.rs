//! The lab: starts real nodes, hands them cases over the real socket, breaks them and looks.
//!
//! ```text
//! Lab ── folder, agent program ──┬─► Node ── daemon's process, kill, freeze, restart
//!                                │     └─► domo(…) ── the real command line, JSON out
//!                                ├─► DockerEngine ── one of the test's own, to be stopped
//!                                └─► SmallDisk ── to be filled
//! ```
//!
//! # Invariant
//! It knows only what a user knows: the command line, the socket, the files that a node writes and
//! the processes that it starts. Whatever a test started is ended with it, by its process id; when
//! the test fails, its folder stays and is named.
//!
//! # Why
//! Processes and not tasks: what is killed here is killed as in the world, with nothing flushed.

mod agents;
mod answer;
mod case;
mod cluster;
mod dice;
mod disk;
mod docker;
pub mod fault;
mod folder;
mod going_on;
pub mod heal;
mod http;
mod install;
mod long;
pub mod nemesis;
mod net;
mod node;
pub mod oracle;
mod programs;
pub mod readme;
mod successors;
mod sweep;
mod target;
mod team;
mod trial;
pub mod truth;
mod variables;
mod wait;

pub use answer::Answer;
pub use case::{evidence, is_told_once, stage_of};
pub use cluster::{Cluster, free_address};
pub use dice::Dice;
pub use disk::SmallDisk;
pub use docker::{DockerEngine, docker_socket};
pub use folder::{Lab, root};
pub use going_on::GoingOn;
pub use http::{Reply, raw, request};
pub use install::Installed;
pub use long::Tries;
pub use net::{Host, Net, networks_of};
pub use node::{Engine, Node};
pub use programs::{agent_path, domo_path};
pub use successors::Successors;
pub use sweep::Leftover;
pub use target::{Reached, Target};
pub use team::{Stage, Team, Worker};
pub use trial::{Tally, Trial};
pub use truth::history;
pub use wait::{rest, scale, tell, wait_until};
