//! `domo human show`: everything about a person.

use clap::Args;

use super::console::Console;
use super::human_list::roles;
use super::moment::rough;
use super::print::{Paper, pairs};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::HumanView;

/// Show a person: their roles, and their tokens without the secrets
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo human show alice
  domo human show alice --output json")]
pub(crate) struct HumanShow {
    /// The person's name
    human: String,
}

impl Verb for HumanShow {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let human = console
            .ask(async |client| Ok(client.human(&self.human).await?))
            .await?;
        console.printer.show(&human, told)?;
        Ok(())
    }
}

fn told(view: &HumanView, paper: &Paper) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let head = pairs([
        ("human", view.human.name.clone()),
        ("name", text(&view.human.display)),
        ("employee", text(&view.human.employee)),
        ("roles", roles(&view.human)),
    ]);
    if view.tokens.is_empty() {
        return head;
    }
    let rows = view.tokens.iter().map(|token| {
        let team = token.team.clone().unwrap_or_else(|| "all".to_owned());
        let (made, left) = (paper.when(&token.minted), rough(token.left_ms));
        [
            token.name.clone(),
            team,
            token.minted_by.clone(),
            made,
            left,
        ]
    });
    let head_row = ["TOKEN", "FOR TEAM", "MADE BY", "MADE", "GOOD FOR"];
    format!("{head}\n{}", paper.table(head_row, rows.collect()))
}
