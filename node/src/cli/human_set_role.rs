//! `domo human set-role`: changes what a person may.

use clap::{Args, ValueEnum};

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::{SetHumanRole, TeamRole};

/// Change what a person may: in a team with --team, else everywhere
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo human set-role bob lead --team sre
  domo human set-role bob none --team sre
  domo human set-role alice admin
  domo human set-role alice no-admin")]
pub(crate) struct HumanSetRole {
    /// The person's name
    human: String,
    /// What they become
    role: RoleWord,
    /// In which team; `admin` and `no-admin` have none
    #[arg(long)]
    team: Option<String>,
    #[command(flatten)]
    wish: Wish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleWord {
    /// Lead the team
    Lead,
    /// Belong to the team
    Member,
    /// Leave the team
    None,
    /// May do everything
    Admin,
    /// May do everything no longer
    NoAdmin,
}

impl Verb for HumanSetRole {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (how, sentence) = asked(&self)?;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.set_human_role(&self.human, &how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &sentence)
    }
}

fn asked(verb: &HumanSetRole) -> Result<(SetHumanRole, String), Stop> {
    let human = &verb.human;
    let everywhere = |is_admin: bool| SetHumanRole {
        is_admin: Some(is_admin),
        ..SetHumanRole::default()
    };
    let there = |team: &String, role| SetHumanRole {
        is_admin: None,
        team: Some(team.clone()),
        role,
    };
    Ok(match (verb.role, &verb.team) {
        (RoleWord::Admin, None) => (everywhere(true), format!("{human} is an admin")),
        (RoleWord::NoAdmin, None) => (everywhere(false), format!("{human} is no admin")),
        (RoleWord::Lead, Some(team)) => (
            there(team, Some(TeamRole::Lead)),
            format!("{human} leads team {team}"),
        ),
        (RoleWord::Member, Some(team)) => (
            there(team, Some(TeamRole::Member)),
            format!("{human} is a member of team {team}"),
        ),
        (RoleWord::None, Some(team)) => (
            there(team, None),
            format!("{human} is nothing in team {team}"),
        ),
        (RoleWord::Admin | RoleWord::NoAdmin, Some(_)) => {
            return Err(Stop::rephrase(
                "an admin is one in every team",
                "leave --team out",
            ));
        }
        (RoleWord::Lead | RoleWord::Member | RoleWord::None, None) => {
            return Err(Stop::rephrase(
                "this role is one in a team",
                "say which: --team TEAM",
            ));
        }
    })
}
