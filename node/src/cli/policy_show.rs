//! `domo policy show`: what the organisation forbids, and the matrix beside it.

use std::fmt::Write as _;

use clap::Args;

use super::console::Console;
use super::print::Paper;
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::PolicyPage;

/// Show the organisation's policies, the permission matrix and what policies can speak of
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo policy show
  domo policy show --matrix
  domo policy show --output json")]
pub(crate) struct PolicyShow {
    /// Shows the matrix and what policies can speak of, too
    #[arg(long)]
    matrix: bool,
}

impl Verb for PolicyShow {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let page = console
            .ask(async |client| Ok(client.policies().await?))
            .await?;
        console
            .printer
            .show(&page, |page, paper| told(page, paper, self.matrix))?;
        Ok(())
    }
}

fn told(page: &PolicyPage, _: &Paper, with_matrix: bool) -> String {
    let mut text = String::new();
    if page.policies.is_empty() {
        text.push_str("// the organisation has no policies of its own\n");
    }
    for policy in &page.policies {
        let body = policy.text.trim_end();
        // A text takes whatever is written into it.
        let _ = writeln!(text, "// --- {}\n{body}", policy.name);
    }
    if with_matrix {
        let _ = write!(
            text,
            "// --- the matrix\n{}// --- what policies can speak of\n{}",
            page.matrix, page.schema
        );
    }
    text
}
