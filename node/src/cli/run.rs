//! Where a verb runs: on this thread alone, or on one for each core.

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;

/// Runs a verb that asks a node, or nobody: one thread is enough.
pub(super) fn one(verb: impl Verb, console: &Console) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::mend(format!("this process gets no event loop: {error}"), ""))?;
    let ended = runtime.block_on(verb.run(console));
    // A question to the terminal may still be open: it must not hold the process.
    runtime.shutdown_background();
    ended
}

/// Runs a verb that serves others: a thread for each core.
pub(super) fn many(verb: impl Verb, console: &Console) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::mend(format!("this process gets no event loop: {error}"), ""))?;
    let ended = runtime.block_on(verb.run(console));
    runtime.shutdown_background();
    ended
}
