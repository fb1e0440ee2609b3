//! `domo audit head`: the end of the chain, to be kept where nobody who could alter the record can
//! reach it.

use clap::Args;

use crate::admin::wire::AuditHead;
use crate::cli::console::Console;
use crate::cli::print::{self, Paper};
use crate::cli::stop::Stop;
use crate::cli::verb::Verb;

/// Print the head of the record, to be kept elsewhere and compared with later
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo audit head
  domo audit head --output json > head.json")]
pub(crate) struct AuditHeadVerb {}

impl Verb for AuditHeadVerb {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let head = console
            .ask(async |client| Ok(client.audit_head().await?))
            .await?;
        Ok(console.printer.show(&head, people)?)
    }
}

fn people(head: &AuditHead, paper: &Paper) -> String {
    print::pairs([
        ("records", head.count.to_string()),
        ("entry", head.index.to_string()),
        ("head", head.head.clone()),
        ("said by", head.node.clone()),
        ("when", paper.when(&head.at)),
    ])
}
