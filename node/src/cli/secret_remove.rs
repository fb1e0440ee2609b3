//! `domo secret remove`: has the node that is asked forget a target's secret.

use clap::Args;

use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;

/// Have the asked node forget a target's secret
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo secret remove kube")]
pub(crate) struct SecretRemove {
    /// The target
    target: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for SecretRemove {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let target = &self.target;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.remove_secret(target, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        if console.printer.is_json() {
            console.printer.json(&done)?;
        } else {
            let node = &done.node;
            print::note(&format!("node {node} has no secret of {target} any more"));
        }
        Ok(())
    }
}
