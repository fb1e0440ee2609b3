//! `domo case watch`: shows a case from its beginning, and what happens to it until it is over.

use std::time::Duration;

use clap::Args;

use super::console::Console;
use super::live::Shown;
use super::moment::duration;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wait;
use crate::admin::wire::WatchEvent;

/// How long is watched when nobody says.
const USUAL_WATCH: Duration = Duration::from_hours(24);

/// Follow a case until it is over
///
/// Goes on where it was when the daemon is restarted in the middle. Exits with 1 when the case failed or
/// was cancelled. With --output json each event is one line of standard output.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case watch c-1
  domo case watch c-1 --timeout 10m
  domo case watch c-1 --output json")]
pub(crate) struct CaseWatch {
    /// The case, as in c-1
    case: String,
    /// The longest wait, such as 90s or 1h30m [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
}

impl Verb for CaseWatch {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let printer = console.printer;
        let each = |event: &WatchEvent| match event {
            _ if !printer.is_json() => Ok(()),
            WatchEvent::Quiet | WatchEvent::Unnamed => Ok(()),
            WatchEvent::History(_)
            | WatchEvent::Status { .. }
            | WatchEvent::Progress { .. }
            | WatchEvent::Closed { .. }
            | WatchEvent::Ended { .. } => Ok(print::json_line(event)?),
        };
        let shown = if printer.is_json() {
            Shown::Nothing
        } else {
            Shown::Answer
        };
        let limit = self.timeout.unwrap_or(USUAL_WATCH);
        let case = console
            .ask(async |client| {
                wait::to_the_end(console, &client, &self.case, limit, shown, each).await
            })
            .await?;
        if !printer.is_json() {
            let outcome = super::case_list::how_far(&case.line);
            let id = &case.line.id;
            print::note(&format!(
                "case {id} {outcome}; its report: `domo case report {id}`"
            ));
        }
        wait::judged(&case)
    }
}
