//! `domo chaos stop`: ends the cluster's chaos run, whoever began it.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;

/// End the chaos run that is under way: its nodes take off what they have put on
///
/// Whoever runs `domo chaos run` ends it with Ctrl-C; this is for when that command is gone. A node
/// that cannot be reached takes its fault off when the fault's own time is over.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo chaos stop")]
pub(crate) struct ChaosStop {}

impl Verb for ChaosStop {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let ended = console.ask(async |client| {
            let Some(run) = client.chaos().await?.run else {
                return Ok(None);
            };
            let request = client.request_id().await?;
            client.end_chaos(run.id, &request).await?;
            Ok(Some(run))
        });
        let ended = ended.await?;
        let told = serde_json::json!({ "ended": ended.as_ref().map(|run| run.id) });
        let sentence = ended.map_or_else(
            || "there is no chaos run".to_owned(),
            |run| format!("run {} of plan {} is ended", run.id, run.plan),
        );
        console.done(&told, &sentence)
    }
}
