//! `domo target check`: tries a target from the node that is asked.

use clap::Args;

use super::console::Console;
use super::print::Paper;
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{CheckTarget, TargetChecked};

/// Try a target from the node that is asked: its secret, its address, its answer
///
/// It reads only: GET or HEAD, where that changes nothing. Exit code 1 says that something is wrong.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo target check kube
  domo --socket /var/lib/domo/admin.sock target check kube --path /version")]
pub(crate) struct TargetCheck {
    /// Its name
    name: String,
    /// What is read there
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
}

impl Verb for TargetCheck {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let how = CheckTarget { path: self.path };
        let checked = console
            .ask(async |client| Ok(client.check_target(&self.name, &how).await?))
            .await?;
        console.printer.show(&checked, table)?;
        if checked.is_good {
            return Ok(());
        }
        let what = format!("target {} is not as it should be", checked.target);
        let hint = format!("this was seen from node {}", checked.node);
        Err(Stop::mend(what, hint))
    }
}

fn table(checked: &TargetChecked, paper: &Paper) -> String {
    let rows = checked.findings.iter().map(|finding| {
        let is_good = if finding.is_good { "good" } else { "wrong" };
        [
            checked.node.clone(),
            finding.step.clone(),
            is_good.to_owned(),
            finding.says.clone(),
        ]
    });
    paper.table(["FROM NODE", "STEP", "IS", "SAYS"], rows.collect())
}
