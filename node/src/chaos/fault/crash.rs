//! A persona panics: asked of the daemon, since only it can reach its own actors.

use rules::chaos::On;

use crate::admin::client::Client;

/// Has the persona panic.
pub(in crate::chaos) async fn make(client: &Client, on: &On) -> Result<(), String> {
    let persona = match on {
        On::Manager => "manager".to_owned(),
        On::Butler(team) => format!("butler {team}"),
        On::Worker(worker) => format!("worker {worker}"),
        On::Node(_) | On::All => return Err("it is no persona".to_owned()),
    };
    client
        .crash(&persona)
        .await
        .map_err(|error| error.to_string())
}
