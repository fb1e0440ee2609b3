//! `domo case route`: gives a team to a case that names none and fits none by itself.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::RouteCase;

/// Give a team to a case that has none
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case route c-1 --team sre
  domo case route c-1 --team sre --reason \"it is about their gateway\"")]
pub(crate) struct CaseRoute {
    /// The case, as in c-1
    case: String,
    /// The team that shall take it
    #[arg(long)]
    team: String,
    /// Why
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "chosen by hand",
        hide_default_value = true
    )]
    reason: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseRoute {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let to = RouteCase {
            team: self.team,
            reason: self.reason,
        };
        let case = &self.case;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.route_case(case, &to, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("case {case} is with team {}", to.team))
    }
}
