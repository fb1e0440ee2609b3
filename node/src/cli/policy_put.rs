//! `domo policy put`: says what the organisation forbids beyond the matrix.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use super::words::Words;
use crate::admin::wire::Policy;

/// The most bytes of a policy: what the ledger carries in one value.
pub(super) const POLICY_BYTES: u64 = 16 << 10;

/// Forbid more than the permission matrix does, from now on and everywhere
///
/// A policy is written in Cedar and can only forbid: rights are given by roles. It holds for humans,
/// and for personas that speak for them. The daemon's own user can always take it back.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo policy put freeze --file freeze.cedar
  domo policy put nothing \"forbid (principal, action, resource);\"")]
pub(crate) struct PolicyPut {
    /// Its name
    name: String,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for PolicyPut {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let policy = Policy {
            text: self.words.read("max_inline_bytes", POLICY_BYTES)?,
            name: self.name,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.put_policy(&policy, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("policy {} holds", policy.name))
    }
}
