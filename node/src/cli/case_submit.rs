//! `domo case submit`: hands a case over, and waits for its report where that is asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use runtime::clock::Deadline;
use serde::Serialize;

use super::attach;
use super::console::{Console, within};
use super::live::Shown;
use super::moment::duration;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wait;
use super::wish::Wish;
use super::words::{self, LONGEST_TEXT_BYTES, Words};
use crate::admin::client::{Client, ClientError};
use crate::admin::wire::{CaseView, OpenCase, Opened};

/// How long `--wait` waits when nobody says: a case with approvals takes hours, not weeks.
const USUAL_WAIT: Duration = Duration::from_hours(24);

/// Hand a case to a team
///
/// Prints the number of the case once it is safely on disk. With --wait, shows what happens on
/// standard error and prints the report; exits with 1 when the case failed or was cancelled.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case submit --team sre \"pod mse-gateway-0 is Pending\"
  domo case submit --team sre --attach cluster/ --wait --file brief.md
  domo case submit --wait --output json --timeout 10m \"disk of db-1 is full\"
  kubectl describe pod x | domo case submit --team sre --title \"pod x\" -

Exit codes: 0 done, 1 refused or the case did not succeed, 2 wrong usage, 3 no daemon,
4 timed out: repeat with the printed --request-id, and nothing is done twice.")]
pub(crate) struct CaseSubmit {
    #[command(flatten)]
    words: Words,
    /// The team; without it the Manager finds one
    #[arg(long)]
    team: Option<String>,
    /// The playbook to follow; without it the team's own choice
    #[arg(long)]
    playbook: Option<String>,
    /// What it is about, in a line; without it the first line of the text
    #[arg(long)]
    title: Option<String>,
    /// A file or folder to hand along; may be given many times
    #[arg(long, value_name = "PATH")]
    attach: Vec<PathBuf>,
    /// Waits until the case is over and prints its report
    #[arg(long)]
    wait: bool,
    /// The longest wait, such as 90s or 1h30m [default with --wait: 24h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    wish: Wish,
}

/// The case that was handed over: by the name that every view of a case has, and by the one of old.
#[derive(Debug, Serialize)]
struct Handed<'a> {
    id: &'a str,
    case: &'a str,
    request_id: &'a str,
}

/// The closed case with its whole report, and what is said of one that nobody waits for.
#[derive(Debug, Serialize)]
struct Waited {
    #[serde(flatten)]
    view: CaseView,
    case: String,
    request_id: String,
}

impl Verb for CaseSubmit {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let brief = self.words.read("brief_bytes", LONGEST_TEXT_BYTES)?;
        console
            .ask(async |client| self.submit(console, &client, brief).await)
            .await
    }
}

impl CaseSubmit {
    async fn submit(&self, console: &Console, client: &Client, brief: String) -> Result<(), Stop> {
        let deadline = self.timeout.map(Deadline::after);
        let case = within(deadline, self.prepare(client, brief)).await?;
        let opened: Opened = console
            .change(client, &self.wish, deadline, async |id| {
                client.open_case(&case, id).await
            })
            .await?;
        if !self.wait {
            return tell_opened(console, &opened);
        }

        print::note(&format!("case {} is open", opened.case));
        let left = deadline.map_or(USUAL_WAIT, Deadline::left);
        let shown = Shown::Remark;
        let case = wait::to_the_end(console, client, &opened.case, left, shown, |_| Ok(())).await?;
        tell_closed(console, client, *case, opened.request_id).await
    }

    /// The case as it is handed over, with everything uploaded.
    async fn prepare(&self, client: &Client, brief: String) -> Result<OpenCase, Stop> {
        words::must_fit(&brief, "brief_bytes", client.limits().await?.brief_bytes)?;
        Ok(OpenCase {
            team: self.team.clone(),
            title: self.title.clone(),
            brief,
            attachments: attach::hand_over(client, &self.attach).await?,
            playbook: self.playbook.clone(),
        })
    }
}

/// Prints the number of a case that nobody waits for.
fn tell_opened(console: &Console, opened: &Opened) -> Result<(), Stop> {
    let handed = Handed {
        id: &opened.case,
        case: &opened.case,
        request_id: &opened.request_id,
    };
    console
        .printer
        .show(&handed, |handed, _| handed.case.to_owned())?;
    if !console.printer.is_json() {
        print::note(&format!("follow it with `domo case watch {}`", opened.case));
    }
    Ok(())
}

/// Prints the report of a closed case; one that did not succeed is an error.
async fn tell_closed(
    console: &Console,
    client: &Client,
    mut case: CaseView,
    request_id: String,
) -> Result<(), Stop> {
    let id = case.line.id.clone();
    let verdict = wait::judged(&case);
    if console.printer.is_json() {
        if let Some(report) = if_there(client.report(&id).await)? {
            case.report = Some(report);
        }
        console.printer.json(&Waited {
            view: case,
            case: id,
            request_id,
        })?;
    } else if let Some(markdown) = if_there(client.report_markdown(&id).await)? {
        print::text(&markdown)?;
    }
    verdict
}

/// A report that the node does not have is no reason to hide the case's end.
fn if_there<T>(report: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match report {
        Ok(report) => Ok(Some(report)),
        Err(ClientError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
