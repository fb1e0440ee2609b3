//! `domo team explain`: why a team's butler is where it is.

use clap::Args;

use super::console::Console;
use super::explain::view;
use super::stop::Stop;
use super::verb::Verb;

/// Explain why a team's butler is where it is, and what speaks for and against each node
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo team explain sre")]
pub(crate) struct TeamExplain {
    /// The team
    team: String,
}

impl Verb for TeamExplain {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let explained = console
            .ask(async |client| Ok(client.explain_team(&self.team).await?))
            .await?;
        console.printer.show(&explained, view)?;
        Ok(())
    }
}
