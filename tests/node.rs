//! The node circle: real daemons, real agents in both engines, spoken to over the real socket.
//!
//! One story, one file; each story of the engines' is told in containers and in sandboxes.

/// Tells each story once in containers and once in sandboxed processes.
macro_rules! in_both_engines {
    ($($story:ident),+ $(,)?) => {
        mod docker {
            $(#[test] fn $story() { super::$story(&lab::Engine::Docker); })+
        }
        mod process {
            $(#[test] fn $story() { super::$story(&lab::Engine::Process); })+
        }
    };
}

mod node {
    pub mod audit;
    pub mod audit_taken_home;
    pub mod backup;
    pub mod bad_agents;
    pub mod bad_input;
    pub mod chaos_run;
    pub mod cluster;
    pub mod crowd;
    pub mod daemon_killed;
    pub mod disk_full;
    pub mod engine_stopped;
    pub mod example;
    pub mod first_case;
    pub mod gateway;
    pub mod isolation;
    pub mod left_behind;
    pub mod orders;
    pub mod records;
    pub mod repeated;
    pub mod retention;
    pub mod rooms;
    pub mod rosters;
    pub mod secrets;
    pub mod secrets_placed;
    pub mod service;
    pub mod three_hosts;
    pub mod upgrade;
}
