//! `domo human remove`: takes an account away.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;

/// Take an account away, with its roles and tokens; what the person did stays on record
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo human remove bob")]
pub(crate) struct HumanRemove {
    /// The person's name
    human: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for HumanRemove {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let human = &self.human;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.remove_human(human, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("{human} has no account any more"))
    }
}
