//! A wish, carried out step by step on a human's behalf.

use rules::command::Request;
use rules::human::{RoleChange, TeamRole};
use rules::id::{EmployeeId, HumanName, RequestId, TeamName, WorkerId, WorkerName};
use rules::room::Post;
use rules::roster::{self, HumanSpec};
use rules::team::{Document, Team, TeamSpec, WorkerSpec};
use rules::{Command, Outcome, Who};

use super::plain::{HELP, Wish};
use crate::house::{Hindrance, House};

/// People and teams that an answer names; the others are counted.
const MOST_NAMED: usize = 100;

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
                for human in people {
                    self.invite(human, &team, role).await?;
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
        let found = self.house.look(|state| {
            let like = like.map(|like| state.teams.get(like).cloned().ok_or(like.clone()));
            let workers = match &like {
                Some(Ok(like)) => like
                    .workers
                    .iter()
                    .filter(|name| **name != like.spec.butler)
                    .filter_map(|name| {
                        let (team, name) = (like.spec.name.clone(), name.clone());
                        Some(state.workers.get(&WorkerId { team, name })?.spec.clone())
                    })
                    .collect(),
                Some(Err(_)) | None => Vec::new(),
            };
            (
                state.teams.get(team).map(|team| team.spec.clone()),
                like,
                workers,
            )
        });
        let (present, like, workers) = found;
        let like = match like.transpose() {
            Ok(like) => like,
            Err(unknown) => {
                self.told.push(format!("there is no team {unknown}"));
                return Ok(false);
            }
        };
        let Some(butler) = butler.or_else(|| usual_butler(team)) else {
            self.told.push("say with butler NAME".to_owned());
            return Ok(false);
        };
        let spec = team_spec(team, purpose, butler, like.as_ref());
        if present.as_ref().is_some_and(|present| *present != spec) {
            self.told.push(format!(
                "there is a team {team} already, and it is another; `domo apply` changes it"
            ));
            return Ok(false);
        }
        let butler = spec.butler.clone();
        let can_plan = like.is_some();
        let command = Command::ApplyDocuments {
            put: documents(spec, workers, like.as_ref()),
            remove: Vec::new(),
        };
        let made = format!("team {team} is there, with butler {butler} and room {team}");
        if self.step(command, made).await?.is_none() {
            return Ok(false);
        }
        if !can_plan {
            self.told.push(format!(
                "it has no playbook and its butler no agent yet: `domo apply` describes them, or say create team NAME like TEAM; {team} takes cases then"
            ));
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

    async fn invite(
        &mut self,
        human: HumanName,
        team: &TeamName,
        role: TeamRole,
    ) -> Result<(), Hindrance> {
        let told = format!("{human} is {role} of {team}");
        let change = RoleChange::Team {
            team: team.clone(),
            role: Some(role),
        };
        self.step(Command::SetHumanRole { human, change }, told)
            .await?;
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
            let mut is_taken = true;
            for (put, piece) in roster::in_pieces(put, digest) {
                let command = Command::PutHumans { put, piece };
                is_taken = is_taken && self.quiet(command).await?.is_some();
            }
            if is_taken {
                self.told.push(format!(
                    "the {count} people of {path} are {role}s of {team}; `domo human token NAME` gives one of them a token"
                ));
                self.told.push(self.house.accounts.make(&names).await);
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
            // A term that is over is the next Manager's affair, not the asker's.
            Err(Hindrance::Rejected(why @ rules::Rejection::Stale { .. })) => Err(why.into()),
            Err(Hindrance::Rejected(why)) => {
                self.told.push(format!("refused: {why}"));
                Ok(None)
            }
            Err(hindrance) => Err(hindrance),
        }
    }
}

/// A team with the workers and playbooks of another.
fn documents(spec: TeamSpec, workers: Vec<WorkerSpec>, like: Option<&Team>) -> Vec<Document> {
    let team = spec.name.clone();
    let mut put = vec![Document::Team(spec)];
    put.extend(workers.into_iter().map(|worker| {
        let (team, name) = (team.clone(), worker.id.name.clone());
        let id = WorkerId { team, name };
        Document::Worker(WorkerSpec { id, ..worker })
    }));
    let playbooks = like.iter().flat_map(|like| like.playbooks.values());
    put.extend(playbooks.cloned().map(|mut playbook| {
        playbook.team = team.clone();
        Document::Playbook(playbook)
    }));
    put
}

fn team_spec(
    team: &TeamName,
    purpose: Option<String>,
    butler: WorkerName,
    like: Option<&Team>,
) -> TeamSpec {
    let base = like.map(|like| like.spec.clone());
    TeamSpec {
        name: team.clone(),
        title: purpose
            .or_else(|| base.as_ref().map(|base| base.title.clone()))
            .unwrap_or_else(|| format!("team {team}")),
        topics: base
            .as_ref()
            .map(|base| base.topics.clone())
            .unwrap_or_default(),
        butler,
        agent: base.as_ref().and_then(|base| base.agent.clone()),
        playbook: base.as_ref().and_then(|base| base.playbook.clone()),
        labels: base.map(|base| base.labels).unwrap_or_default(),
    }
}

/// `sre-bot` for team `sre`; the team's own name where that is too long.
fn usual_butler(team: &TeamName) -> Option<WorkerName> {
    let usual = WorkerName::new(&format!("{team}-bot"));
    usual.or_else(|_| WorkerName::new(team.as_str())).ok()
}

/// The people of a roster as the rules know them; none where one of them has a name that they do not.
fn specs(
    roster: config::roster::Roster,
    team: &TeamName,
    role: TeamRole,
) -> Option<Vec<HumanSpec>> {
    let spec = |listed: config::roster::Listed| {
        Some(HumanSpec {
            name: HumanName::new(&listed.username).ok()?,
            display: listed.display,
            employee: Some(EmployeeId::new(&listed.employee).ok()?),
            teams: std::iter::once((team.clone(), role)).collect(),
        })
    };
    roster.people.into_iter().map(spec).collect()
}
