//! `domo case pause`: holds a case.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::PauseCase;

/// Hold a case: nothing more of it is started
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case pause c-1
  domo case pause c-1 --reason \"release freeze until Monday\"")]
pub(crate) struct CasePause {
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

impl Verb for CasePause {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (case, why) = (
            &self.case,
            PauseCase {
                reason: self.reason,
            },
        );
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.pause_case(case, &why, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(
            &done,
            &format!("case {case} is held; `domo case resume {case}` lets it go on"),
        )
    }
}
