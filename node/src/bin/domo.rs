//! `domo`: the daemon, the command line and, inside agents' containers, their init, in one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main(std::env::args_os())
}
