//! `domo case cancel`: ends a case, and the agents that run for it.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::CancelCase;

/// Cancel a case: its running agents are ended
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case cancel c-1
  domo case cancel c-1 --reason \"solved by hand\"")]
pub(crate) struct CaseCancel {
    /// The case, as in c-1
    case: String,
    /// Why
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseCancel {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (case, why) = (
            &self.case,
            CancelCase {
                reason: self.reason,
            },
        );
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.cancel_case(case, &why, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("case {case} is cancelled"))
    }
}
