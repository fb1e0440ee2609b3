//! `domo case amend`: gives a case a new brief; what is not done yet is planned anew.

use std::path::PathBuf;

use clap::Args;

use super::attach;
use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use super::words::{self, LONGEST_TEXT_BYTES, Words};
use crate::admin::wire::AmendCase;

/// Change what is to be done: a new version of the brief
///
/// The text is the whole new brief. Stages that are done stay done; the rest is planned anew.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case amend c-1 \"pod mse-gateway-0 is Pending since the node pool was resized\"
  domo case amend c-1 --file brief.md --attach events.json")]
pub(crate) struct CaseAmend {
    /// The case, as in c-1
    case: String,
    #[command(flatten)]
    words: Words,
    /// One more file or folder to hand along; may be given many times
    #[arg(long, value_name = "PATH")]
    attach: Vec<PathBuf>,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseAmend {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let brief = self.words.read("brief_bytes", LONGEST_TEXT_BYTES)?;
        let case = &self.case;
        let done = console
            .ask(async |client| {
                words::must_fit(&brief, "brief_bytes", client.limits().await?.brief_bytes)?;
                let change = AmendCase {
                    brief,
                    attachments: attach::hand_over(&client, &self.attach).await?,
                };
                let ask = async |id: &str| client.amend_case(case, &change, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("case {case} has a new brief"))
    }
}
