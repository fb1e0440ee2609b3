//! `domo case logs`: what the agents of a case wrote to their outputs.

use clap::Args;

use super::console::Console;
use super::logs;
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::LogQuery;

/// Print what the agents of a case wrote to their outputs
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case logs c-1
  domo case logs c-1 --attempt 2 --follow
  domo case logs c-1 --output json")]
pub(crate) struct CaseLogs {
    /// The case, as in c-1
    case: String,
    /// Only this attempt's, by its number
    #[arg(long, value_name = "NUMBER")]
    attempt: Option<u32>,
    /// Goes on until the case, or the attempt, is over
    #[arg(long, short)]
    follow: bool,
}

impl Verb for CaseLogs {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let query = LogQuery {
            attempt: self.attempt,
            follow: self.follow,
        };
        console
            .ask(async |client| {
                let log = client.case_log(&self.case, &query).await?;
                logs::print(console.printer, log).await
            })
            .await
    }
}
