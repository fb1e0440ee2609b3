//! `domo case resume`: lets a held case go on.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;

/// Let a held case go on
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case resume c-1")]
pub(crate) struct CaseResume {
    /// The case, as in c-1
    case: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseResume {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let case = &self.case;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.resume_case(case, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("case {case} goes on"))
    }
}
