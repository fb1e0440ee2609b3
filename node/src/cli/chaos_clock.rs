//! `domo chaos clock`: has a node take its clock for another time than it shows.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;

/// Set the clock of a node off, for that node alone
///
/// The host's own clock stays as it is: only this daemon takes it for another time, until it is set
/// to 0 or the daemon ends. Safety rests on no wall clock, so that nothing but what the node says of
/// times may change. The node's settings must allow it: `chaos.allowed = true`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo chaos clock 3600
  domo chaos clock -3600
  domo chaos clock 0")]
pub(crate) struct ChaosClock {
    /// Seconds that it is ahead, less than nothing where it is behind; a day at most
    #[arg(allow_negative_numbers = true)]
    ahead_s: i32,
}

impl Verb for ChaosClock {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let ahead_s = self.ahead_s;
        console
            .ask(async |client| Ok(client.set_clock(ahead_s).await?))
            .await?;
        let done = match ahead_s {
            0 => "the clock of this node counts as it is".to_owned(),
            _ => {
                format!("the clock of this node is {ahead_s:+} s off; `domo chaos clock 0` ends it")
            }
        };
        console.done(&serde_json::json!({ "ahead_s": ahead_s }), &done)
    }
}
