//! `domo audit erase`: takes the texts of a closed case out of all that the cluster keeps.

use clap::Args;

use crate::admin::wire::EraseCase;
use crate::cli::console::Console;
use crate::cli::stop::Stop;
use crate::cli::verb::Verb;
use crate::cli::wish::Wish;

/// Erase the texts of a closed case on every node, for ever
///
/// Its title, briefs, attachments, results, reasons and report go, and the salts of its records: their
/// digests stay, tell nobody anything any more, and the record verifies as before. Who was in it, when,
/// and how it ended stay, and so does who asked for this. A node that is away does it when it is back.
/// Attachments and artifacts that no other case names are removed within a day.
///
/// What was taken away before is out of reach: backups and exports that were made until now, the logs
/// of agents on their nodes, and blocks of a disk that are free and not overwritten. A backup that is
/// restored brings the texts back: erase them again.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo audit erase c-12 --reason \"asked for by the person that it names\"")]
pub(crate) struct AuditErase {
    /// The case, as in c-12
    case: String,
    /// Why; it stands in no record but as a digest
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

impl Verb for AuditErase {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let case = &self.case;
        let why = EraseCase {
            reason: self.reason,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.erase_case(case, &why, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(
            &done,
            &format!("the texts of case {case} are erased on every node"),
        )
    }
}
