//! A worker between its agent and the rooms: what the agent is told, and what it says.
//!
//! # Why
//! What an agent says is a line of a file. The number of the line names the request, so that a
//! worker that comes back and reads from the beginning says nothing twice.

use std::collections::VecDeque;
use std::time::Duration;

use rules::command::Request;
use rules::id::{AttemptId, RequestId};
use rules::room::RoomName;
use rules::{Command, State, Who, limits};
use runtime::clock::Deadline;
use runtime::redact::redacted;
use runtime::workshop::{Bench, Told, WorkshopError};

use crate::house::{Hindrance, House};

/// How often an agent is listened to: people who talk to it wait no longer than they notice.
const LISTEN_EVERY: Duration = Duration::from_secs(1);

/// How often at most an agent that has ended is read on: what it shouted behind that is not heard.
const LAST_READS: usize = 8;

/// Listens to one attempt's agent.
pub(super) struct Ear<'a> {
    house: &'a House,
    who: &'a Who,
    bench: &'a Bench,
    attempt: AttemptId,
    /// Where it listens on.
    next: u64,
    /// How many lines it has heard.
    lines: u64,
    /// Lines that it has heard and not said yet, with their numbers.
    unsaid: VecDeque<(u64, String)>,
    allowance: Allowance,
}

/// How many lines more may be said in this minute: the rules take no more of one persona, and each
/// that they refuse would be an entry.
struct Allowance {
    until: Deadline,
    left: u32,
}

impl Allowance {
    fn new() -> Self {
        Self {
            until: Deadline::after(Duration::from_millis(limits::PACE_MS)),
            left: limits::MAX_PACE_POSTS,
        }
    }

    /// Whether one more may be said now.
    fn take(&mut self) -> bool {
        if self.until.is_over() {
            *self = Self::new();
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}

/// Lets an attempt's agent read all that it was told.
pub(super) async fn tell(house: House, bench: Bench, attempt: AttemptId) -> Result<(), Hindrance> {
    let told: Vec<Told> = house.look(|state| {
        let case = state.cases.get(&attempt.case);
        let attempt = case.and_then(|case| case.attempts.get(&attempt.number));
        let messages = attempt.map(|attempt| attempt.messages.iter());
        messages
            .into_iter()
            .flatten()
            .map(|message| Told {
                number: message.post,
                text: format!("{} says:\n\n{}\n", message.by, message.text),
            })
            .collect()
    });
    match house.workshop.tell(&bench, attempt, &told).await {
        Err(WorkshopError::Later(why)) => Err(Hindrance::Wait(why)),
        other => Ok(other?),
    }
}

impl<'a> Ear<'a> {
    /// Hears everything from the beginning.
    pub fn new(house: &'a House, who: &'a Who, bench: &'a Bench, attempt: AttemptId) -> Self {
        Self {
            house,
            who,
            bench,
            attempt,
            next: 0,
            lines: 0,
            unsaid: VecDeque::new(),
            allowance: Allowance::new(),
        }
    }

    /// Says in the thread of the case what the agent says, as long as it runs.
    pub async fn listen(&mut self) {
        loop {
            tokio::time::sleep(LISTEN_EVERY).await;
            self.hear().await;
        }
    }

    /// Says what the agent said before it ended and that was not heard yet.
    pub async fn hear_out(&mut self) {
        for _ in 0..LAST_READS {
            if !self.hear().await {
                return;
            }
        }
    }

    /// Says on what is new; `false` when there was nothing, or it could not be said.
    async fn hear(&mut self) -> bool {
        let attempt = self.attempt;
        if self.unsaid.is_empty() {
            let said = self.house.workshop.said(self.bench, attempt, self.next);
            match said.await {
                Ok(said) => {
                    let first = self.lines;
                    self.lines += said.lines.len() as u64;
                    self.next = said.next;
                    self.unsaid.extend((first..).zip(said.lines));
                }
                Err(error) => {
                    tracing::debug!(%attempt, %error, "the agent is not heard");
                    return false;
                }
            }
        }
        let is_new = !self.unsaid.is_empty();
        // What is left off in the middle is said once more, under the same id.
        while let Some((at, line)) = self.unsaid.front().cloned() {
            if let Err(hindrance) = self.say(at, &line).await {
                tracing::debug!(%attempt, %hindrance, "what the agent says waits");
                return false;
            }
            self.unsaid.pop_front();
        }
        is_new
    }

    /// Says a line, if it was not said before.
    async fn say(&mut self, at: u64, line: &str) -> Result<(), Hindrance> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let attempt = self.attempt;
        let request = Request {
            id: RequestId::of_line(attempt, at),
            digest: at,
        };
        let is_said = |state: &State| state.requests.answered(&request).is_some();
        if self.house.look(is_said) {
            return Ok(());
        }
        if !self.allowance.take() {
            return Err(Hindrance::Wait(
                "it has said enough for a minute".to_owned(),
            ));
        }
        let command = Command::PostMessage {
            room: RoomName::Team(self.bench.worker.team.clone()),
            thread: Some(attempt.case),
            text: redacted(line.to_owned()),
            attachments: Vec::new(),
            answers: None,
        };
        let who = self.who.clone();
        match self.house.say_once(who, None, request, command).await {
            Ok(_) => Ok(()),
            Err(Hindrance::Rejected(why)) => {
                tracing::info!(%attempt, %why, "what the agent says is not taken");
                Ok(())
            }
            Err(hindrance) => Err(hindrance),
        }
    }
}
