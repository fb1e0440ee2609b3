//! `domo policy check`: what is wrong with a policy, before it holds.

use clap::Args;

use super::console::Console;
use super::policy_put::POLICY_BYTES;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::words::Words;
use crate::admin::wire::Policy;

/// Check a policy against what policies can speak of; nothing is changed
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo policy check --file freeze.cedar")]
pub(crate) struct PolicyCheck {
    #[command(flatten)]
    words: Words,
}

impl Verb for PolicyCheck {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let policy = Policy {
            name: "checked".to_owned(),
            text: self.words.read("max_inline_bytes", POLICY_BYTES)?,
        };
        let checked = console
            .ask(async |client| Ok(client.check_policy(&policy).await?))
            .await?;
        if console.printer.is_json() {
            console.printer.json(&checked)?;
        }
        if checked.faults.is_empty() {
            print::note("it can be put");
            return Ok(());
        }
        let what = format!("it cannot be put: {}", checked.faults.join("; "));
        Err(Stop::mend(
            what,
            "`domo policy show --matrix` shows what policies can speak of",
        ))
    }
}
