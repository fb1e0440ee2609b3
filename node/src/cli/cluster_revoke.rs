//! `domo cluster revoke`: makes a join token worthless.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;

/// Make a join token worthless; nodes that have joined with it stay
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo cluster revoke t-1a2b3c4d")]
pub(crate) struct ClusterRevoke {
    /// The token's name
    token: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for ClusterRevoke {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let token = &self.token;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.revoke_token(token, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("token {token} is worthless"))
    }
}
