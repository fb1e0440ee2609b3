//! `domo cluster token`: makes a token with which new nodes join.

use std::time::Duration;

use clap::Args;

use super::console::Console;
use super::moment::{duration, rough};
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::MintToken;

/// Make a join token: whoever has it may add nodes while it is good
///
/// It is shown once, on standard output; the cluster keeps only a digest of it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo cluster token
  domo cluster token --valid 10m")]
pub(crate) struct ClusterToken {
    /// How long it is good
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    valid: Duration,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for ClusterToken {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let how = MintToken {
            valid_ms: u64::try_from(self.valid.as_millis()).unwrap_or(u64::MAX),
        };
        let minted = console
            .ask(async |client| {
                let ask = async |id: &str| client.mint_token(&how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        if console.printer.is_json() {
            console.printer.json(&minted)?;
            return Ok(());
        }
        print::text(&format!("{}\n", minted.token))?;
        let good = rough(minted.valid_ms);
        print::note(&format!(
            "good for {good}; on the new host: `domo node join TOKEN --data DIR`. \
             `domo cluster revoke {}` makes it worthless",
            minted.name
        ));
        Ok(())
    }
}
