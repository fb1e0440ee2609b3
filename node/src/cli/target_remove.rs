//! `domo target remove`: takes a target away.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;

/// Take a target away: agents begin nothing new there
///
/// What was begun there is settled as ever. Nodes keep its secret until `domo secret remove`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo target remove kube")]
pub(crate) struct TargetRemove {
    /// Its name
    name: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for TargetRemove {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let name = &self.name;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.remove_target(name, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("target {name} is gone"))
    }
}
