//! `domo case report`: the structured outcome of a closed case.

use clap::Args;

use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;

/// Print the report of a closed case, as Markdown or as JSON
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case report c-1 > report.md
  domo case report c-1 --output json")]
pub(crate) struct CaseReport {
    /// The case, as in c-1
    case: String,
}

impl Verb for CaseReport {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (printer, case) = (console.printer, &self.case);
        console
            .ask(async |client| {
                if printer.is_json() {
                    printer.json(&client.report(case).await?)?;
                } else {
                    print::text(&client.report_markdown(case).await?)?;
                }
                Ok(())
            })
            .await
    }
}
