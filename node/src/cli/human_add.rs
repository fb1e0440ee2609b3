//! `domo human add`: gives a person an account.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::{HumanWish, PutHumans, RoleIn, TeamRole};

/// Give a person an account, or say more of one who has it
///
/// What is not said stays as it is. An employee's number says who somebody is: the same number again
/// changes nothing, and a name that comes with another number is refused.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo human add alice --lead sre --display \"Alice Liddell\" --employee 10001
  domo human add bob --member sre
  domo human add carol --member sre --member db")]
pub(crate) struct HumanAdd {
    /// What they are called where they log in
    name: String,
    /// What they are called
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// Their number among the organisation's people
    #[arg(long, value_name = "ID")]
    employee: Option<String>,
    /// A team that they lead
    #[arg(long, value_name = "TEAM")]
    lead: Vec<String>,
    /// A team that they belong to
    #[arg(long, value_name = "TEAM")]
    member: Vec<String>,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for HumanAdd {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let in_teams =
            |teams: Vec<String>, role| teams.into_iter().map(move |team| RoleIn { team, role });
        let roles =
            in_teams(self.member, TeamRole::Member).chain(in_teams(self.lead, TeamRole::Lead));
        let name = self.name.clone();
        let roster = PutHumans {
            humans: vec![HumanWish {
                name: self.name,
                display: self.display,
                employee: self.employee,
                roles: roles.collect(),
            }],
        };
        let put = console
            .ask(async |client| {
                let ask = async |id: &str| client.put_humans(&roster, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        if console.printer.is_json() {
            console.printer.json(&put)?;
            return Ok(());
        }
        super::print::note(&match (put.created, put.changed) {
            (0, 0) => format!("{name} was so already"),
            (0, _) => format!("{name} is changed"),
            (_, _) => format!(
                "{name} has an account; `domo human token {name}` makes a token, with `--team TEAM` \
                 if you are a lead"
            ),
        });
        if !put.stay_leads.is_empty() {
            let how =
                format!("`domo human set-role {name} member --team TEAM` makes one of a lead");
            super::print::note(&format!(
                "{name} leads still where a member was asked: {how}"
            ));
        }
        if put.created > 0 {
            super::print::note(&put.accounts);
        }
        Ok(())
    }
}
