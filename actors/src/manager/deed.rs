//! A wish, carried out step by step on a human's behalf.

use rules::command::Request;
use rules::human::{RoleChange, TeamRole};
use rules::id::{HumanName, RequestId, TeamName, WorkerId, WorkerName};
use rules::room::{Post, RoomName};
use rules::roster;
use rules::team::{Document, Team, WorkerSpec};
use rules::version::{PEOPLE, WELCOMES};
use rules::{Command, Outcome, Rejection, Who};

use super::draft::{
    documents, ground, is_bare, leads, specs, stay_leads, team_spec, usual_butler, welcome,
    what_it_lacks,
};
use super::plain::HELP;
use crate::house::{Hindrance, House};
use crate::understanding::Wish;

/// People and teams that an answer names; the others are counted.
pub(super) const MOST_NAMED: usize = 100;

/// One wish under way.
pub(super) struct Deed<'a> {
    house: &'a House,
    term: u64,
    human: &'a HumanName,
    post: &'a Post,
    /// The number of the next step.
    step: u32,
    /// What came of it so far.
    told: Vec<String>,
}

/// Whether to go on with the next step.
type Done = Result<bool, Hindrance>;

impl<'a> Deed<'a> {
    /// A wish that a post has.
    pub fn new(house: &'a House, term: u64, human: &'a HumanName, post: &'a Post) -> Self {
        Self {
            house,
            term,
            human,
            post,
            step: 0,
            told: Vec::new(),
        }
    }

    /// Carries it out as far as it may be, and says what came of it.
    pub async fn perform(mut self, wish: Wish) -> Result<String, Hindrance> {
        match wish {
            Wish::Help => self.told.push(HELP.to_owned()),
            Wish::List => self.list(),
            Wish::Who(team) => self.who(&team),
            Wish::CreateTeam {
                team,
                purpose,
                butler,
                like,
            } => {
                let is_made = self
                    .create_team(&team, purpose, butler, like.as_ref())
                    .await?;
                if is_made && !self.post.attachments.is_empty() {
                    self.add_people(&team, TeamRole::Member).await?;
                }
            }
            Wish::CreateWorker { worker, like } => self.create_worker(worker, &like).await?,
            Wish::Invite { people, team, role } => {
                let mut invited = Vec::new();
                for human in people {
                    if self.invite(human.clone(), &team, role).await? {
                        invited.push(human);
                    }
                }
                if !invited.is_empty() {
                    self.welcome(&team, &invited, &Outcome::Done).await?;
                }
            }
            Wish::AddPeople { team, role } => self.add_people(&team, role).await?,
        }
        Ok(self.told.join("\n"))
    }

    fn list(&mut self) {
        let (count, lines) = self.house.look(|state| {
            let teams = state.teams.values().take(MOST_NAMED);
            let line = |team: &Team| {
                let people = state.people.rolls.get(&team.spec.name);
                let people = people.map_or(0, |roll| roll.roles.len());
                format!(
                    "{}: {} (butler {}, {people} people, {} open cases)",
                    team.spec.name,
                    team.spec.title,
                    team.spec.butler,
                    team.cases.len()
                )
            };
            (state.teams.len(), teams.map(line).collect::<Vec<_>>())
        });
        if count == 0 {
            self.told.push("there is no team yet".to_owned());
        }
        self.told.extend(lines);
        self.leave_off(count);
    }

    fn who(&mut self, team: &TeamName) {
        let told = self.house.look(|state| {
            let known = state.teams.get(team)?;
            let mut lines = vec![format!("butler {}", known.spec.butler)];
            let workers = known.workers.iter();
            let workers = workers.filter(|name| **name != known.spec.butler);
            lines.extend(workers.map(|name| format!("worker {name}")));
            let people = state.people.rolls.get(team).map(|roll| &roll.roles);
            let people = people.into_iter().flatten();
            lines.extend(people.map(|(human, role)| format!("{role} {human}")));
            Some(lines)
        });
        let Some(lines) = told else {
            self.told.push(format!("there is no team {team}"));
            return;
        };
        let count = lines.len();
        self.told.extend(lines.into_iter().take(MOST_NAMED));
        self.leave_off(count);
    }

    fn leave_off(&mut self, count: usize) {
        if count > MOST_NAMED {
            self.told.push(format!("and {} more", count - MOST_NAMED));
        }
    }

    async fn create_team(
        &mut self,
        team: &TeamName,
        purpose: Option<String>,
        butler: Option<WorkerName>,
        like: Option<&TeamName>,
    ) -> Done {
        let ground = match self.house.look(|state| ground(state, team, like)) {
            Ok(ground) => ground,
            Err(unknown) => {
                self.told.push(format!("there is no team {unknown}"));
                return Ok(false);
            }
        };
        let present = ground.present.as_ref();
        // One that takes no cases yet is made whole, and keeps what is not said otherwise.
        let begun = present.filter(|present| is_bare(present) && like.is_some());
        let butler = butler.or_else(|| begun.map(|begun| begun.butler.clone()));
        let Some(butler) = butler.or_else(|| usual_butler(team)) else {
            self.told.push("say with butler NAME".to_owned());
            return Ok(false);
        };
        let purpose = purpose.or_else(|| begun.map(|begun| begun.title.clone()));
        let spec = team_spec(team, purpose, butler, ground.like.as_ref());
        if begun.is_none() && present.is_some_and(|present| *present != spec) {
            self.told.push(format!(
                "there is a team {team} already, and it is another; `domo apply` changes it"
            ));
            return Ok(false);
        }
        let (butler, is_bare) = (spec.butler.clone(), is_bare(&spec));
        let command = Command::ApplyDocuments {
            put: documents(spec, ground.workers, ground.like.as_ref()),
            remove: Vec::new(),
        };
        let made = format!("team {team} is there, with butler {butler} and room {team}");
        let Some(outcome) = self.step(command, made).await? else {
            return Ok(false);
        };
        if self.post.attachments.is_empty() {
            self.welcome(team, &[], &outcome).await?;
        }
        if is_bare {
            self.told.push(what_it_lacks(team, &ground.models));
        }
        Ok(true)
    }

    async fn create_worker(&mut self, worker: WorkerId, like: &WorkerId) -> Result<(), Hindrance> {
        let found = self.house.look(|state| {
            let present = state.workers.get(&worker).map(|worker| worker.spec.clone());
            (
                present,
                state.workers.get(like).map(|like| like.spec.clone()),
            )
        });
        let (present, Some(like)) = found else {
            self.told.push(format!("there is no worker {like}"));
            return Ok(());
        };
        let spec = WorkerSpec {
            id: worker.clone(),
            ..like
        };
        if present.is_some_and(|present| present != spec) {
            self.told.push(format!(
                "there is a worker {worker} already, and it is another; `domo apply` changes it"
            ));
            return Ok(());
        }
        let command = Command::ApplyDocuments {
            put: vec![Document::Worker(spec)],
            remove: Vec::new(),
        };
        let made = format!("worker {worker} is there");
        self.step(command, made).await?;
        Ok(())
    }

    async fn invite(&mut self, human: HumanName, team: &TeamName, role: TeamRole) -> Done {
        let is_lead = role == TeamRole::Member
            && self
                .house
                .look(|state| state.people.role(&human, team) == Some(TeamRole::Lead));
        if is_lead {
            // The steps behind it keep their numbers.
            self.step += 1;
            self.told.push(stay_leads(team, &[human]));
            return Ok(false);
        }
        let told = format!("{human} is {role} of {team}");
        let change = RoleChange::Team {
            team: team.clone(),
            role: Some(role),
        };
        let step = Command::SetHumanRole { human, change };
        Ok(self.step(step, told).await?.is_some())
    }

    /// Says in the team's room who has come, and how it is talked to; not again where nothing changed.
    async fn welcome(
        &mut self,
        team: &TeamName,
        people: &[HumanName],
        came_of: &Outcome,
    ) -> Result<(), Hindrance> {
        let is_news = !matches!(
            came_of,
            Outcome::Applied {
                created: 0,
                changed: 0,
                ..
            }
        );
        let spec = self.house.look(|state| {
            let team = state.teams.get(team).filter(|_| is_news);
            team.filter(|_| state.version >= WELCOMES)
                .map(|team| team.spec.clone())
        });
        let Some(spec) = spec else {
            // The steps behind it keep their numbers.
            self.step += 1;
            return Ok(());
        };
        let command = Command::PostMessage {
            room: RoomName::Team(team.clone()),
            thread: None,
            text: welcome(&spec, people),
            attachments: Vec::new(),
            answers: None,
        };
        self.quiet(command).await?;
        Ok(())
    }

    /// The people of the attached rosters, each of them whole.
    async fn add_people(&mut self, team: &TeamName, role: TeamRole) -> Result<(), Hindrance> {
        if self.post.attachments.is_empty() {
            let how = "attach the roster: .xlsx or CSV, with a username and an employee id of each";
            self.told.push(how.to_owned());
        }
        for attachment in &self.post.attachments {
            let (path, blob) = (attachment.path.clone(), attachment.blob);
            let most = config::roster::MOST_FILE_BYTES;
            if blob.bytes > most {
                self.told
                    .push(format!("{path} is larger than {most} bytes"));
                continue;
            }
            let bytes = self.house.blobs.read_limited(&blob, most).await?;
            let name = path.clone();
            let read = tokio::task::spawn_blocking(move || config::roster::parse(&name, &bytes));
            let roster = match read.await {
                Ok(Ok(roster)) => roster,
                Ok(Err(mistakes)) => {
                    self.told.push(mistakes.to_string());
                    continue;
                }
                Err(panicked) => return Err(Hindrance::Wait(panicked.to_string())),
            };
            let count = roster.people.len();
            let Some(put) = specs(roster, team, role) else {
                let odd = format!("{path} has a name that cannot be taken");
                self.told.push(odd);
                continue;
            };
            // Two posts may bring the same file: their pieces must not be taken for each other's.
            let mut digest = blob.sha256;
            digest[..8].copy_from_slice(&self.post.number.to_be_bytes());
            let names: Vec<HumanName> = put.iter().map(|spec| spec.name.clone()).collect();
            let leads = self.house.look(|state| leads(state, &put));
            let mut taken = Some(Outcome::Done);
            for (put, piece) in roster::in_pieces(put, digest) {
                if taken.is_some() {
                    taken = self.quiet(Command::PutHumans { put, piece }).await?;
                }
            }
            if let Some(outcome) = taken {
                self.told.push(format!(
                    "the {count} people of {path} are {role}s of {team}; `domo human token NAME --team {team}` gives one of them a token"
                ));
                if !leads.is_empty() {
                    self.told.push(stay_leads(team, &leads));
                }
                self.told.push(self.house.accounts.make(&names).await);
                self.welcome(team, &names, &outcome).await?;
            }
        }
        Ok(())
    }

    /// Does a step and says what is so then, or why it was refused.
    async fn step(&mut self, command: Command, told: String) -> Result<Option<Outcome>, Hindrance> {
        let outcome = self.quiet(command).await?;
        if outcome.is_some() {
            self.told.push(told);
        }
        Ok(outcome)
    }

    /// Does a step, and says only why it was refused.
    async fn quiet(&mut self, command: Command) -> Result<Option<Outcome>, Hindrance> {
        let id = RequestId::of_answer(self.post.number, self.step);
        let digest = u64::from(self.step);
        self.step += 1;
        let who = Who::Manager { term: self.term };
        let request = Request { id, digest };
        let human = Some(self.human.clone());
        match self.house.say_once(who, human, request, command).await {
            Ok(outcome) => Ok(Some(outcome)),
            Err(Hindrance::Rejected(why)) => {
                let version = self.house.look(|state| state.version);
                self.told.push(refused(why, version)?);
                Ok(None)
            }
            Err(hindrance) => Err(hindrance),
        }
    }
}

/// What the asker is told of a step that was refused; or why it is not their affair.
fn refused(why: Rejection, version: u32) -> Result<String, Hindrance> {
    // A term that is over is the next Manager's.
    if matches!(why, Rejection::Stale { .. }) {
        return Err(why.into());
    }
    // He says it in the next minute: an answer before that would leave it unsaid for ever.
    if why.is_of_pace() && version >= PEOPLE {
        return Err(Hindrance::Wait(why.to_string()));
    }
    Ok(format!("refused: {why}"))
}

#[cfg(test)]
mod tests {
    use super::{Hindrance, PEOPLE, Rejection, refused};

    #[test]
    fn what_is_too_much_for_this_minute_is_said_in_the_next_and_not_told_as_refused() {
        let limit = |name: &str| Rejection::Limit {
            limit: name.to_owned(),
            max: 20,
        };
        let waits = refused(limit("max_pace_posts"), PEOPLE);
        assert!(matches!(waits, Err(Hindrance::Wait(_))), "{waits:?}");
        // Before that, a repetition would only be told the first refusal again.
        assert!(refused(limit("max_pace_posts"), PEOPLE - 1).is_ok());
        assert!(refused(limit("max_humans"), PEOPLE).is_ok());
    }
}
