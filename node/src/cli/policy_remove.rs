//! `domo policy remove`: takes a policy of the organisation away.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;

/// Take a policy of the organisation away
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo policy remove freeze")]
pub(crate) struct PolicyRemove {
    /// Its name
    name: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for PolicyRemove {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let name = &self.name;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.remove_policy(name, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("policy {name} holds no more"))
    }
}
