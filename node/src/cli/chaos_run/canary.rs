//! Canary cases: handed over while things are broken, and looked at afterwards.

use std::time::Duration;

use config::chaos::CANARY;
use config::document::{self, Known, Source};
use runtime::clock::{self, BootMs, Deadline};
use tokio::time::sleep;

use super::doors::{Doors, Stamp};
use crate::admin::client::{Client, ClientError};
use crate::admin::wire::{ApplyQuery, CaseOutcome, CaseStatus, Code, Consistency, OpenCase};
use crate::cli::apply::uploaded;
use crate::cli::chaos_report::figures::{Canary, Fate};
use crate::cli::demo::tally::doubled;
use crate::cli::stop::Stop;

/// How long one case is handed over again and again: longer than any outage that a plan should cause.
const HAND_LIMIT: Duration = Duration::from_secs(30);
/// How long a look at a case may take.
const LOOK_LIMIT: Duration = Duration::from_secs(20);
/// How long it may take at least, though the case should have been closed long ago.
const LEAST_LOOK: Duration = Duration::from_secs(1);
/// Time between two looks at a case that is not closed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// When and where a run's cases are handed over.
#[derive(Clone, Copy)]
pub(super) struct Flock<'a> {
    pub(super) doors: &'a Doors,
    pub(super) team: &'a str,
    pub(super) stamp: Stamp,
    pub(super) run: u64,
    pub(super) start: BootMs,
    /// The start by the wall clock.
    pub(super) start_wall_ms: u64,
}

/// Describes the canary's team, or leaves it as it is.
pub(super) async fn settle(client: &Client) -> Result<(), Stop> {
    let known = Known {
        kernels: runtime::kernel::NAMES,
    };
    let bundle = config::chaos::canary();
    let loaded =
        document::load(Source::Bundle(&bundle), &known).map_err(|mistakes| Stop::MendAll {
            what: format!("the team {CANARY} that is compiled in has mistakes"),
            mistakes,
        })?;
    let documents = uploaded::all(client, &[loaded]).await?;
    let request = client.request_id().await?;
    let how = ApplyQuery::default();
    client.apply(&documents, &how, Some(&request)).await?;
    Ok(())
}

impl Flock<'_> {
    /// Milliseconds since the run's start.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(clock::boot().since(self.start).as_millis()).unwrap_or(u64::MAX)
    }

    /// Hands a case over, under one request id, until it is known what became of it.
    pub(super) async fn hand_over(self, number: usize) -> Canary {
        let wanted = OpenCase {
            team: Some(self.team.to_owned()),
            title: Some(format!("canary {number} of chaos run {}", self.run)),
            brief: "Nobody needs this case: it shows whether the cluster keeps what it promises."
                .to_owned(),
            attachments: Vec::new(),
            playbook: None,
        };
        let (handed_ms, id) = (self.now_ms(), self.stamp.request_id());
        let answer = self
            .doors
            .ask(HAND_LIMIT, async |client| {
                client.open_case(&wanted, &id).await
            })
            .await;
        let (case, fate) = match answer {
            Ok(opened) => (Some(opened.case), Fate::Acknowledged),
            Err(ClientError::Refused { refusal }) => {
                (None, Fate::Refused(refusal.error.message.clone()))
            }
            Err(error) => (None, Fate::Unknown(error.to_string())),
        };
        Canary {
            case,
            handed_ms,
            answered_ms: self.now_ms(),
            fate,
            closed_ms: None,
            has_succeeded: false,
            is_known: false,
            doubled: 0,
        }
    }

    /// Looks what became of an acknowledged case, until it is closed or should have been.
    pub(super) async fn look_at(&self, canary: &mut Canary, closed_within_ms: u64) {
        let Some(case) = canary.case.clone() else {
            return;
        };
        let due_ms = canary.answered_ms + closed_within_ms;
        let left = Duration::from_millis(due_ms.saturating_sub(self.now_ms()));
        let deadline = Deadline::after(left);
        loop {
            let patience = deadline.left().clamp(LEAST_LOOK, LOOK_LIMIT);
            let seen = self.doors.ask(patience, async |client| {
                client.case(&case, Consistency::Linearizable).await
            });
            match seen.await {
                Ok(seen) => {
                    canary.is_known = true;
                    canary.doubled = doubled(&seen.history);
                    if seen.line.status == CaseStatus::Closed {
                        let closed = seen.line.closed.map_or(0, |moment| moment.ms);
                        canary.closed_ms = Some(closed.saturating_sub(self.start_wall_ms));
                        canary.has_succeeded = seen.line.outcome == Some(CaseOutcome::Succeeded)
                            && seen.report.is_some();
                        return;
                    }
                }
                Err(ClientError::Refused { refusal }) if refusal.error.code == Code::NotFound => {
                    canary.is_known = false;
                    return;
                }
                // It is not lost because nobody can be asked about it.
                Err(_) => canary.is_known = true,
            }
            if deadline.is_over() {
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
