//! `domo human import`: gives the people of a roster accounts and roles, all of them or none.

mod secrets;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use config::roster::{self, Roster};
use serde::Serialize;

use super::console::Console;
use super::human_token::new_file;
use super::moment::duration;
use super::print::{self, Paper};
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::client::Client;
use crate::admin::wire::{
    HumanWish, HumansPut, MintHumanToken, PutHumans, RoleIn, RosterDifference, TeamRole,
};
use secrets::Secrets;

/// Give the people of a roster accounts and a role in a team
///
/// The roster is .xlsx or CSV. The columns of username and employee id are found by their headings,
/// English or Chinese (username, login, 用户名, 账号; employee id, staff no, 工号, 员工编号), in any of the
/// first rows of any visible sheet. All or nothing: whatever is wrong is listed with sheet and cell.
/// An employee's number says who somebody is, so that the same roster again changes nothing. A roster
/// makes nobody less than they are: only `domo human set-role` makes a member of a lead.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo human import roster.xlsx --team sre --dry-run
  domo human import roster.xlsx --team sre --secrets tokens.csv
  domo human import leads.csv --team sre --role lead")]
pub(crate) struct HumanImport {
    /// The roster: .xlsx or CSV
    roster: PathBuf,
    /// The team that they belong to
    #[arg(long)]
    team: String,
    /// What they become there
    #[arg(long, value_parser = ["member", "lead"], default_value = "member")]
    role: String,
    /// Shows what would be new, changed, unchanged and left alone, or why it would be refused, and
    /// changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Makes a token for each who has none yet, and writes them to this new file, which only you may
    /// read; it says of the others why they get none
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    secrets: Option<PathBuf>,
    /// How long those tokens are good
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration)]
    valid: Duration,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for HumanImport {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let roster = roster::read(&self.roster).map_err(|mistakes| Stop::MendAll {
            what: format!("{} is no roster; nobody is added", self.roster.display()),
            mistakes,
        })?;
        for left in &roster.left {
            print::note(&format!("left out: sheet {left}"));
        }
        // Before anything is made: a token that cannot be written down would be lost.
        let mut file = self.secrets.as_deref().map(new_file).transpose()?;
        let done = console
            .ask(async |client| {
                self.carry_out(console, &client, &roster, file.as_mut())
                    .await
            })
            .await;
        if let (Err(_), Some(path), Some(file)) = (&done, &self.secrets, &file)
            && file.metadata().is_ok_and(|found| found.len() == 0)
        {
            // It is empty, and ours.
            let _ = std::fs::remove_file(path);
        }
        done
    }
}

impl HumanImport {
    async fn carry_out(
        &self,
        console: &Console,
        client: &Client,
        roster: &Roster,
        file: Option<&mut File>,
    ) -> Result<(), Stop> {
        let wanted = self.wanted(roster);
        if self.dry_run {
            let put = client.put_humans_dry(&wanted).await?;
            return Ok(console.printer.show(&Shown::of(put), table)?);
        }
        let ask = async |id: &str| client.put_humans(&wanted, id).await;
        let put = console.change(client, &self.wish, None, ask).await?;
        if console.printer.is_json() {
            console.printer.json(&put)?;
        } else {
            print::note(&format!(
                "{} new, {} changed, {} unchanged, {} of team {} left alone",
                put.created, put.changed, put.unchanged, put.left_alone, self.team
            ));
            if !put.stay_leads.is_empty() {
                print::note(&format!("stays lead: {}", put.stay_leads.join(" ")));
            }
            print::note(&put.accounts);
        }
        let (Some(file), Some(path)) = (file, &self.secrets) else {
            return Ok(());
        };
        let how = MintHumanToken {
            valid_ms: u64::try_from(self.valid.as_millis()).unwrap_or(u64::MAX),
            team: Some(self.team.clone()),
            only_if_none: true,
        };
        let people: Vec<&str> = wanted.humans.iter().map(|human| &*human.name).collect();
        Secrets { file, path }.mint(client, &people, &how).await
    }

    fn wanted(&self, roster: &Roster) -> PutHumans {
        let role = if self.role == "lead" {
            TeamRole::Lead
        } else {
            TeamRole::Member
        };
        let wish = |listed: &roster::Listed| HumanWish {
            name: listed.username.clone(),
            display: listed.display.clone(),
            employee: Some(listed.employee.clone()),
            roles: vec![RoleIn {
                team: self.team.clone(),
                role,
            }],
        };
        PutHumans {
            humans: roster.people.iter().map(wish).collect(),
        }
    }
}

/// What a roster would change, as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    difference: RosterDifference,
    /// Those who lead the team, and do so still.
    stay_leads: Vec<String>,
}

impl Shown {
    fn of(put: HumansPut) -> Self {
        Self {
            difference: put.difference.unwrap_or_default(),
            stay_leads: put.stay_leads,
        }
    }
}

fn table(shown: &Shown, paper: &Paper) -> String {
    let RosterDifference {
        new,
        changed,
        unchanged,
        left_alone,
    } = &shown.difference;
    let changed: Vec<String> = changed
        .iter()
        .map(|one| format!("{} ({})", one.name, one.changes.join(", ")))
        .collect();
    let row =
        |what: &str, names: &[String]| [what.to_owned(), names.len().to_string(), names.join(" ")];
    let rows = vec![
        row("new", new),
        row("changed", &changed),
        row("unchanged", unchanged),
        row("stays lead", &shown.stay_leads),
        row("left alone", left_alone),
    ];
    paper.table(["WHAT", "PEOPLE", "WHO"], rows)
}
