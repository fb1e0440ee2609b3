//! `domo`: the daemon, the command line and, inside agents' containers, their init, in one binary.

use std::process::ExitCode;

/// A fifth of a node's processor time went to the C library's allocator, whose arenas threads that
/// free each other's memory wait for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    node::cli::main(std::env::args_os())
}
