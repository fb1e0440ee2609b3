//! The engine is stopped where it is: it takes calls and answers none.

use std::fs;

use super::{listener, may_signal};
use crate::chaos::orders::Orders;
use crate::chaos::shelf::Process;

/// What the engine's process is called.
const NAME: &str = "dockerd";

pub(super) fn check(orders: &Orders) -> Result<(), String> {
    may_signal(engine(orders)?)
}

/// The engine's process. A service manager may listen in its place: then it is found by its name,
/// where there is one of it.
pub(super) fn engine(orders: &Orders) -> Result<Process, String> {
    let Some(socket) = &orders.engine else {
        return Err("its agents are sandboxed processes: there is no engine to hang".to_owned());
    };
    let listens = listener(socket).ok_or("its engine does not answer")?;
    if name(listens.pid) == NAME {
        return Ok(listens);
    }
    let all = fs::read_dir("/proc").map_err(|error| error.to_string())?;
    let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let named: Vec<i32> = pids.filter(|pid| name(*pid) == NAME).collect();
    match named.as_slice() {
        [pid] => Process::of(*pid).ok_or_else(|| "its engine is gone".to_owned()),
        [] => Err(format!("no process is called {NAME}")),
        _ => Err(format!("more than one process is called {NAME}")),
    }
}

fn name(pid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}
