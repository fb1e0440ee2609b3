//! The command line: `domo NOUN VERB`, one verb, one file.
//!
//! ```text
//! argv ─► clap ─► a verb and its arguments ─► Client ─► admin socket of a node
//!   │                                           │
//!   │ init, example                             ▼
//!   └─► run in agents' containers            print: data to stdout, all else to stderr
//! ```
//!
//! # Invariant
//! Data goes to standard output, as tables or as JSON, and everything else to standard error.
//! The exit code says how it ended (see [`stop`]). Nothing that an agent wrote reaches a terminal
//! unmade safe (see [`screen`]).
//!
//! # Why
//! A new verb is one line in its noun and one file: its arguments, help and examples stand beside
//! what it does. A test takes every example of every help text through the parser.

mod apply;
mod attach;
mod audit;
mod backup;
mod bench;
mod case_amend;
mod case_answer;
mod case_approve;
mod case_cancel;
mod case_files;
mod case_list;
mod case_logs;
mod case_pause;
mod case_reject;
mod case_report;
mod case_resume;
mod case_route;
mod case_settle;
mod case_show;
mod case_submit;
mod case_watch;
mod chaos_clock;
mod chaos_manager;
mod chaos_plan;
mod chaos_report;
mod chaos_run;
mod chaos_stop;
mod chaos_warden;
mod cluster_init;
mod cluster_recover;
mod cluster_revoke;
mod cluster_token;
mod cluster_tokens;
mod config_check;
mod config_default;
mod console;
mod demo;
mod ends;
mod example;
mod explain;
mod follow;
mod human_add;
mod human_import;
mod human_list;
mod human_remove;
mod human_set_role;
mod human_show;
mod human_token;
mod live;
mod logs;
mod moment;
mod node_demote;
mod node_drain;
mod node_join;
mod node_list;
mod node_promote;
mod node_remove;
mod node_run;
mod node_show;
mod node_undrain;
mod nouns;
mod policy_check;
mod policy_put;
mod policy_remove;
mod policy_show;
mod print;
mod restore;
mod room_list;
mod room_post;
mod room_read;
mod run;
mod screen;
mod secret_list;
mod secret_remove;
mod secret_set;
mod status;
mod stop;
mod target_add;
mod target_check;
mod target_list;
mod target_remove;
mod team_explain;
mod team_list;
mod team_show;
mod verb;
mod wait;
mod wish;
mod words;
mod worker_explain;
mod worker_list;
mod worker_logs;
mod worker_name;
mod worker_replace;
mod worker_show;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use console::Console;
use nouns::{
    Case, Chaos, Cluster, Config, Human, Node, Policy, Room, Secret, Target, Team, Worker,
};
use print::{Output, Printer};
use run::{many, one};

/// Majordomo: teams of AI agents under control
///
/// A daemon (`domo node run`) runs on each host. People describe teams (`domo apply`), hand them cases
/// (`domo case submit`), and read reports (`domo case report`).
#[derive(Parser, Debug)]
#[command(
    name = "domo",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  domo demo
  domo node run --dev --data ~/domo-dev
  domo --socket ~/domo-dev/admin.sock apply -f teams/sre
  domo --socket ~/domo-dev/admin.sock case submit --team sre --wait \"pod mse-gateway-0 is Pending\"

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no daemon, 4 timed out with the outcome unknown."
)]
struct Domo {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    noun: Noun,
}

/// What every verb takes.
#[derive(Args, Debug)]
struct Global {
    /// The admin socket of the node to ask [env: `DOMO_SOCKET`; else where the settings say]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// A file with the token by which you are known [env: `DOMO_TOKEN_FILE`; else your user is]
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How answers are written
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = false
    )]
    output: Output,
}

#[derive(Subcommand, Debug)]
enum Noun {
    Apply(apply::Apply),
    /// List, show, and look after teams
    #[command(subcommand)]
    Team(Team),
    /// List, show, and replace workers
    #[command(subcommand)]
    Worker(Worker),
    /// Hand over, follow, and steer cases
    #[command(subcommand)]
    Case(Case),
    /// Give people accounts, roles and tokens
    #[command(subcommand)]
    Human(Human),
    /// Forbid more than the permission matrix does
    #[command(subcommand)]
    Policy(Policy),
    Status(status::ShowStatus),
    /// Read and check the record of who asked what
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Check and show settings
    #[command(subcommand)]
    Config(Config),
    /// Break something on purpose
    #[command(subcommand)]
    Chaos(Chaos),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Bench(bench::Bench),
    Demo(demo::Demo),
    /// Read rooms, and say something in them
    #[command(subcommand)]
    Room(Room),
    /// Run, join, and look after nodes
    #[command(subcommand)]
    Node(Node),
    /// Begin a cluster, and let nodes join it
    #[command(subcommand)]
    Cluster(Cluster),
    /// Say what agents may reach through the gateway
    #[command(subcommand)]
    Target(Target),
    /// Give nodes the secrets with which they reach targets
    #[command(subcommand)]
    Secret(Secret),
    #[command(hide = true)]
    Example(example::Example),
}

/// Runs the command line of this process; answers its exit code.
///
/// `domo init …`, the first process of an agent's container, goes its own way before anything is parsed.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [_, init, rest @ ..] = arguments.as_slice()
        && init == "init"
    {
        return runtime::init::run(rest);
    }
    match Domo::try_parse_from(arguments) {
        Ok(domo) => domo.run(),
        Err(error) => {
            // Help for a reader that is gone is no failure.
            let _ = error.print();
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
    }
}

impl Domo {
    fn run(self) -> ExitCode {
        let printer = Printer::new(self.global.output);
        let console = Console {
            printer,
            socket: self.global.socket,
            token_file: self.global.token_file,
        };
        let ended = match self.noun {
            Noun::Apply(verb) => one(verb, &console),
            Noun::Team(verb) => one(verb, &console),
            Noun::Worker(verb) => one(verb, &console),
            Noun::Case(verb) => one(verb, &console),
            Noun::Human(verb) => one(verb, &console),
            Noun::Policy(verb) => one(verb, &console),
            Noun::Room(verb) => one(verb, &console),
            Noun::Status(verb) => one(verb, &console),
            Noun::Audit(verb) => one(verb, &console),
            Noun::Demo(verb) => one(verb, &console),
            Noun::Config(verb) => one(verb, &console),
            Noun::Chaos(verb) => one(verb, &console),
            Noun::Backup(verb) => one(verb, &console),
            Noun::Restore(verb) => one(verb, &console),
            Noun::Bench(bench) => bench.run(&console),
            Noun::Node(verb) => many(verb, &console),
            Noun::Cluster(verb) => one(verb, &console),
            Noun::Target(verb) => one(verb, &console),
            Noun::Secret(verb) => one(verb, &console),
            Noun::Example(example) => return example.run(),
        };
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(stop) => ExitCode::from(stop.tell(printer)),
        }
    }
}

#[cfg(test)]
mod tests;
