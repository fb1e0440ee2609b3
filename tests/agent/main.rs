//! An agent that does what its brief says, well or badly, so that tests see how each ends.
//!
//! ```text
//! agent: say looking at the pods        a line of progress
//! agent[1]: exit 3                      only in the case's attempt 1; `[2+]` from the second on
//! agent: await go                       until a file `go` lies in its output folder
//! agent: cause the disk is full         goes into the result
//! agent: post @left are you there?      a line that it says in the thread of its case
//! agent: ask PUT kube/scale 3           asks a target through the gateway
//! agent: must PUT kube/act/CASE         asks likewise, in its case's name, and fails unless it is done
//! ```
//!
//! Deeds stand as arguments, in `stage.md` and in `brief.md`, and are done in this order, one line
//! after the other. At the end a result is written, unless one was, or `nothing` was said.
//!
//! # Why
//! One static program that needs no other file, so that it runs in an empty container too.

mod ask;
mod deed;
mod late;
mod probe;
mod result;
mod talk;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use deed::{Agent, Deed};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == deed::CHILD) {
        deed::rest_for_ever();
    }
    if let [flag, folder, address] = arguments.as_slice()
        && flag == target::TARGET
    {
        let ended = target::serve(PathBuf::from(folder).as_path(), address);
        return deed::give_up(&format!("the target ended: {ended:?}"));
    }
    if let [flag, listen, to] = arguments.as_slice()
        && flag == late::LATE
    {
        let ended = late::serve(listen, to);
        return deed::give_up(&format!("the line ended: {ended:?}"));
    }
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let (Some(input), Some(output)) = (folder("MAJORDOMO_IN"), folder("MAJORDOMO_OUT")) else {
        return deed::give_up("MAJORDOMO_IN and MAJORDOMO_OUT are not both set");
    };
    let mut agent = Agent::new(input, output);
    match Deed::all(&arguments, &agent).and_then(|deeds| agent.do_all(&deeds)) {
        Ok(code) => code,
        Err(why) => deed::give_up(&why),
    }
}
