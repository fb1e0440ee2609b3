//! `domo human import`: gives the people of a roster accounts and roles, all of them or none.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
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
    HumanLine, HumanQuery, HumanWish, MAX_PAGE, MintHumanToken, PutHumans, RoleIn, TeamRole,
};

/// Give the people of a roster accounts and a role in a team
///
/// The roster is .xlsx or CSV. The columns of username and employee id are found by their headings,
/// English or Chinese (username, login, 用户名, 账号; employee id, staff no, 工号, 员工编号), in any of the
/// first rows of any visible sheet. All or nothing: whatever is wrong is listed with sheet and cell.
/// An employee's number says who somebody is, so that the same roster again changes nothing.
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
    /// What they are there
    #[arg(long, value_parser = ["member", "lead"], default_value = "member")]
    role: String,
    /// Shows what would be new, changed, unchanged and left alone, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Makes a token for each who gets a new account, and writes them to this new file, which only
    /// you may read
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    secrets: Option<PathBuf>,
    /// How long those tokens are good
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration)]
    valid: Duration,
    #[command(flatten)]
    wish: Wish,
}

/// What a roster changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Difference {
    /// Those who get an account.
    new: Vec<String>,
    /// Those whose account or role becomes another.
    changed: Vec<String>,
    /// Those with whom all is so already.
    unchanged: Vec<String>,
    /// People of the team who are not on the roster; nothing becomes of them.
    left_alone: Vec<String>,
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
        let difference = difference(&known(client).await?, &wanted, &self.team);
        if self.dry_run {
            return Ok(console.printer.show(&difference, table)?);
        }
        let ask = async |id: &str| client.put_humans(&wanted, id).await;
        let put = console.change(client, &self.wish, None, ask).await?;
        if console.printer.is_json() {
            console.printer.json(&put)?;
        } else {
            print::note(&format!(
                "{} new, {} changed, {} unchanged, {} of team {} left alone",
                put.created,
                put.changed,
                put.unchanged,
                difference.left_alone.len(),
                self.team
            ));
            print::note(&put.accounts);
        }
        match (file, &self.secrets) {
            (Some(file), Some(path)) => self.mint(client, &difference.new, file, path).await,
            (_, _) => Ok(()),
        }
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

    /// Makes a token for each, and writes each down before the next is made.
    async fn mint(
        &self,
        client: &Client,
        people: &[String],
        file: &mut File,
        path: &Path,
    ) -> Result<(), Stop> {
        let how = MintHumanToken {
            valid_ms: u64::try_from(self.valid.as_millis()).unwrap_or(u64::MAX),
            team: Some(self.team.clone()),
        };
        for (done, name) in people.iter().enumerate() {
            let stopped = |why: String| {
                let what = format!(
                    "{} has {done} of {} tokens: {why}",
                    path.display(),
                    people.len()
                );
                let hint = "the accounts are there: `domo human token NAME` makes the others";
                Stop::mend(what, hint)
            };
            let id = Wish::default().id(client).await?;
            let minted = client.mint_human_token(name, &how, &id).await;
            let minted = minted.map_err(|error| stopped(error.to_string()))?;
            let line = format!("{name},{}\n", minted.token);
            let written = file.write_all(line.as_bytes());
            written.map_err(|error| stopped(error.to_string()))?;
        }
        let synced = file.sync_all();
        synced.map_err(|error| {
            Stop::mend(format!("{} cannot be written: {error}", path.display()), "")
        })?;
        let count = people.len();
        print::note(&format!("{count} tokens are in {}", path.display()));
        Ok(())
    }
}

/// Everybody who has an account and may be seen.
async fn known(client: &Client) -> Result<BTreeMap<String, HumanLine>, Stop> {
    let mut known = BTreeMap::new();
    let mut after = None;
    loop {
        let query = HumanQuery {
            team: None,
            limit: Some(MAX_PAGE),
            after,
        };
        let page = client.humans(&query).await?;
        let humans = page.humans.into_iter();
        known.extend(humans.map(|human| (human.name.clone(), human)));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(known),
        }
    }
}

fn difference(known: &BTreeMap<String, HumanLine>, wanted: &PutHumans, team: &str) -> Difference {
    let mut difference = Difference::default();
    let mut left: BTreeMap<&String, &HumanLine> = known.iter().collect();
    for wish in &wanted.humans {
        left.remove(&wish.name);
        let becomes = match known.get(&wish.name) {
            None => &mut difference.new,
            Some(human) if is_so(human, wish) => &mut difference.unchanged,
            Some(_) => &mut difference.changed,
        };
        becomes.push(wish.name.clone());
    }
    let is_of_team = |human: &HumanLine| human.roles.iter().any(|role| role.team == team);
    let left = left.into_iter().filter(|(_, human)| is_of_team(human));
    difference.left_alone = left.map(|(name, _)| name.clone()).collect();
    difference
}

fn is_so(human: &HumanLine, wish: &HumanWish) -> bool {
    let is_named = wish.display.is_none() || wish.display == human.display;
    is_named
        && wish.employee == human.employee
        && wish.roles.iter().all(|role| human.roles.contains(role))
}

fn table(difference: &Difference, paper: &Paper) -> String {
    let Difference {
        new,
        changed,
        unchanged,
        left_alone,
    } = difference;
    let row = |what: &str, names: &Vec<String>| {
        [what.to_owned(), names.len().to_string(), names.join(" ")]
    };
    let rows = vec![
        row("new", new),
        row("changed", changed),
        row("unchanged", unchanged),
        row("left alone", left_alone),
    ];
    paper.table(["WHAT", "PEOPLE", "WHO"], rows)
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, HumanLine, HumanWish, PutHumans, RoleIn, TeamRole, difference};

    fn role(role: TeamRole) -> Vec<RoleIn> {
        let team = "sre".to_owned();
        vec![RoleIn { team, role }]
    }

    #[test]
    fn a_roster_is_told_apart_from_what_is_so() {
        let known = |name: &str, employee: &str| HumanLine {
            name: name.to_owned(),
            display: None,
            employee: Some(employee.to_owned()),
            is_admin: false,
            roles: role(TeamRole::Member),
        };
        let wish = |name: &str, employee: &str, as_what| HumanWish {
            name: name.to_owned(),
            display: None,
            employee: Some(employee.to_owned()),
            roles: role(as_what),
        };
        let known: BTreeMap<String, HumanLine> =
            [known("ann", "1"), known("bo", "2"), known("cy", "3")]
                .into_iter()
                .map(|human| (human.name.clone(), human))
                .collect();
        let wanted = PutHumans {
            humans: vec![
                wish("ann", "1", TeamRole::Member),
                wish("bo", "2", TeamRole::Lead),
                wish("dan", "4", TeamRole::Member),
            ],
        };
        let found = difference(&known, &wanted, "sre");
        assert_eq!(found.unchanged, ["ann"]);
        assert_eq!(found.changed, ["bo"]);
        assert_eq!(found.new, ["dan"]);
        assert_eq!(found.left_alone, ["cy"]);
    }
}
