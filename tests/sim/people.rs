//! People: they hand cases over, steer and read them, on whichever node, and ask again under the same
//! id when nobody could tell them what came of it.

use std::time::Duration;

use rules::id::CaseId;
use rules::{Command, Outcome, Proposal, Request};
use runtime::ledger::{Ledger, ProposeError};
use runtime::world;
use tokio::sync::oneshot;

use super::cluster::Cluster;
use super::founding::{proposal, sam};
use super::oracle::{Call, End, Read};
use super::team;

/// How long somebody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(6);
/// How often somebody asks for the same thing.
const TRIES: usize = 6;

/// One person.
pub struct Person {
    pub cluster: Cluster,
    pub number: u64,
    pub wishes: u64,
    /// The cases that they know of.
    known: Vec<CaseId>,
}

impl Person {
    pub fn new(cluster: &Cluster, number: u64, wishes: u64) -> Self {
        Self {
            cluster: cluster.clone(),
            number,
            wishes,
            known: Vec::new(),
        }
    }

    fn below(&self, limit: usize) -> usize {
        self.cluster.clockwork.with_dice(|dice| dice.below(limit))
    }

    async fn pause(&self, most_ms: u64) {
        let ms = self
            .cluster
            .clockwork
            .with_dice(|dice| dice.between(1, most_ms));
        self.cluster
            .clockwork
            .sleep(Duration::from_millis(ms))
            .await;
    }

    /// Has all wishes, one after the other.
    pub async fn live(mut self) {
        for wish in 0..self.wishes {
            match self.below(8) {
                0..=3 => self.open(wish).await,
                4 | 5 => self.read().await,
                _ => self.steer(wish).await,
            }
            self.pause(400).await;
        }
    }

    async fn open(&mut self, wish: u64) {
        let title = format!("c-{}-{wish}", self.number);
        let words = match self.below(12) {
            0 => 6_000,
            _ => 20,
        };
        let open = Command::OpenCase {
            team: match self.below(3) {
                0 => None,
                1 => Some(team::name("red")),
                _ => Some(team::name("blue")),
            },
            title: title.clone(),
            brief: team::brief("x".repeat(words)),
            attachments: Vec::new(),
            playbook: None,
        };
        let call = self.ask(&title, open).await;
        for verdict in call.verdicts() {
            if let Ok(Outcome::Opened(case)) = verdict {
                self.known.push(*case);
            }
        }
        self.cluster.oracle.call(call);
    }

    async fn steer(&mut self, wish: u64) {
        if self.known.is_empty() {
            return;
        }
        let case = self.known[self.below(self.known.len())];
        let reason = "a person's reason".to_owned();
        let command = match self.below(6) {
            0 | 1 => Command::CancelCase { case, reason },
            2 => Command::PauseCase { case, reason },
            3 => Command::ResumeCase { case },
            _ => Command::AmendCase {
                case,
                brief: team::brief("look again".to_owned()),
                attachments: Vec::new(),
            },
        };
        let id = format!("s-{}-{wish}", self.number);
        let call = self.ask(&id, command).await;
        self.cluster.oracle.call(call);
    }

    /// Asks until it is told, on another node each time; and now and then once more.
    async fn ask(&self, id: &str, command: Command) -> Call {
        let mut call = Call {
            request: Some(id.to_owned()),
            command: command.clone(),
            begun_ms: self.cluster.clockwork.now_ms(),
            ended_ms: 0,
            ends: Vec::new(),
        };
        let mut led = None;
        for _ in 0..TRIES {
            let leads = self.cluster.leader().map(|(node, _)| node);
            if led.is_some() && leads.is_some() && leads != led {
                let rare = &self.cluster.rare;
                rare.saw("somebody asked again under one id when another led");
            }
            led = leads.or(led);
            let asked = Proposal {
                request: Some(Request {
                    id: team::name(id),
                    digest: 1,
                }),
                ..proposal(sam(), command.clone())
            };
            let end = self
                .on_some_node(move |ledger| async move { end_of(ledger.propose(asked).await) })
                .await;
            let is_told = matches!(end, Some(End::Told(_)));
            if is_told && call.ends.contains(&End::Unknown) {
                let rare = &self.cluster.rare;
                rare.saw("an unknown outcome was told when it was asked again");
            }
            call.ends.push(end.unwrap_or(End::Unknown));
            call.ended_ms = self.cluster.clockwork.now_ms();
            if is_told && self.below(5) > 0 {
                break;
            }
            self.pause(300).await;
        }
        call
    }

    async fn read(&self) {
        let begun_ms = self.cluster.clockwork.now_ms();
        let seen = self
            .on_some_node(|ledger| async move {
                if ledger.linearize().await.is_err() {
                    return None;
                }
                Some(ledger.read(|state| (state.index, state.next_case, state.closed_cases)))
            })
            .await;
        let Some(Some((index, next_case, closed))) = seen else {
            self.cluster.rare.saw("nobody could read linearizably");
            return;
        };
        let read = Read {
            begun_ms,
            ended_ms: self.cluster.clockwork.now_ms(),
            index,
            next_case,
            closed,
        };
        self.cluster
            .oracle
            .with(|evidence| evidence.reads.push(read));
    }

    /// Has something done on a node that is up; none when it died or took too long.
    async fn on_some_node<R, F>(&self, what: impl FnOnce(Ledger) -> F + Send + 'static) -> Option<R>
    where
        R: Send + 'static,
        F: Future<Output = R> + Send + 'static,
    {
        let up = self.cluster.ledgers();
        if up.is_empty() {
            return None;
        }
        let (node, ledger) = up[self.below(up.len())].clone();
        drop(up);
        let (_, machine) = self.cluster.net.at(node)?;
        let (told, answer) = oneshot::channel();
        machine.run(async move {
            drop(told.send(what(ledger).await));
        });
        drop(machine);
        world::timeout(PATIENCE, answer).await.ok()?.ok()
    }
}

fn end_of(told: Result<rules::Verdict, ProposeError>) -> End {
    match told {
        Ok(verdict) => End::Told(verdict),
        Err(ProposeError::Unknown) => End::Unknown,
        Err(
            ProposeError::Full { .. }
            | ProposeError::TooLarge { .. }
            | ProposeError::DiskFull { .. }
            | ProposeError::ReadOnly { .. }
            | ProposeError::NotSpread { .. }
            | ProposeError::NoLeader { .. }
            | ProposeError::Stopped,
        ) => End::Refused,
    }
}
