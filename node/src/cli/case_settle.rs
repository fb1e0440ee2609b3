//! `domo case settle`: says whether an effect was done of which nobody knows.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::SettleEffect;

/// Say whether an effect was done of which nobody knows: its parked stage goes on
///
/// Look at the target first. With --done it is not done again; with --not-done the next attempt may
/// do it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case settle c-1 restart c-1.restart.0f3a --done --reason \"the pod is 3 minutes old\"
  domo case settle c-1 restart c-1.restart.0f3a --not-done --reason \"the audit log has no such call\"")]
pub(crate) struct CaseSettle {
    /// The case, as in c-1
    case: String,
    /// The stage
    stage: String,
    /// The effect's key, as `domo case show` gives it
    key: String,
    /// It was done
    #[arg(
        long,
        conflicts_with = "not_done",
        required_unless_present = "not_done"
    )]
    done: bool,
    /// It was not done
    #[arg(long)]
    not_done: bool,
    /// How that is known
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseSettle {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (case, stage) = (&self.case, &self.stage);
        let said = SettleEffect {
            effect: self.key,
            was_done: self.done,
            reason: self.reason,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.settle_effect(case, stage, &said, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        let was = if said.was_done { "was" } else { "was not" };
        let effect = &said.effect;
        console.done(&done, &format!("effect {effect} {was} done, as you say"))
    }
}
