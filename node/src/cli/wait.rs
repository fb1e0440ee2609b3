//! Waiting for a case's end with a live view of it, and what is said of that end.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::console::{Console, interrupt};
use super::follow::{AWAY_LIMIT, Follower, OfCase, Seen};
use super::live::{Live, Shown, TICK};
use super::stop::Stop;
use crate::admin::client::Client;
use crate::admin::wire::{CaseOutcome, CaseView, WatchEvent};

/// Follows a case to its end, for `limit` at most; `seen` is given each event before it is shown.
pub(crate) async fn to_the_end(
    console: &Console,
    client: &Client,
    case: &str,
    limit: Duration,
    shown: Shown,
    mut seen: impl FnMut(&WatchEvent) -> Result<(), Stop>,
) -> Result<Box<CaseView>, Stop> {
    let mut live = Live::new(console.printer, shown);
    let mut approvals = Approvals::default();
    let mut follower = Follower::new(client.clone(), OfCase(case.to_owned()));
    let mut ticks = ticks();
    let mut late = pin!(tokio::time::sleep(limit));
    let mut interrupted = pin!(interrupt());
    let end = loop {
        let mut next = pin!(follower.next());
        let what = loop {
            tokio::select! {
                what = &mut next => break what,
                _ = ticks.tick() => {
                    live.tick();
                    tell(&mut live, case, approvals.rest());
                }
                () = &mut late => break Err(still_open(case)),
                () = &mut interrupted => break Err(left(case)),
            }
        };
        match what {
            Ok(Seen::Event(event)) => {
                if let Err(stop) = seen(&event).and_then(|()| Ok(live.event(&event)?)) {
                    break Err(stop);
                }
                tell(&mut live, case, approvals.hear(&event));
                if let WatchEvent::Closed { case } = *event {
                    break Ok(case);
                }
            }
            Ok(Seen::Away(why)) => live.note(&format!(
                "{why}; asking again for up to {} s",
                AWAY_LIMIT.as_secs()
            )),
            Ok(Seen::Back) => live.note("the daemon answers again"),
            Err(stop) => break Err(stop),
        }
    };
    live.clear();
    end
}

/// Says how stages that wait for an approval are let begin.
fn tell(live: &mut Live, case: &str, stages: BTreeSet<String>) {
    for stage in stages {
        live.note(&format!(
            "let it begin with `domo case approve {case} {stage}`"
        ));
    }
}

/// Approvals that were asked for, and are not told yet: what follows may say that they are over.
#[derive(Debug, Default)]
struct Approvals {
    open: BTreeSet<String>,
    rested: u32,
}

impl Approvals {
    /// Ticks without a line after which nothing more is on its way: about a second.
    const RESTED: u32 = 8;

    /// Hears an event; gives the stages that wait for an approval once all that is known was heard.
    fn hear(&mut self, event: &WatchEvent) -> BTreeSet<String> {
        self.rested = 0;
        match event {
            WatchEvent::History(line) => {
                let stage = line.stage.clone().unwrap_or_default();
                self.open.remove(&stage);
                match line.kind.as_str() {
                    "approval_asked" => self.open.extend([stage]),
                    "planned" | "amended" | "cancelled" => self.open.clear(),
                    _ => {}
                }
                BTreeSet::new()
            }
            // Each look tells the history first, and then how far the case is.
            WatchEvent::Status { .. } | WatchEvent::Progress { .. } | WatchEvent::Quiet => {
                std::mem::take(&mut self.open)
            }
            WatchEvent::Closed { .. } | WatchEvent::Ended { .. } | WatchEvent::Unnamed => {
                BTreeSet::new()
            }
        }
    }

    /// A moment passes; gives those that wait where no line came for a while.
    fn rest(&mut self) -> BTreeSet<String> {
        self.rested += 1;
        if self.rested < Self::RESTED {
            return BTreeSet::new();
        }
        std::mem::take(&mut self.open)
    }
}

/// A case that did not succeed ends the command with it.
pub(crate) fn judged(case: &CaseView) -> Result<(), Stop> {
    match case.line.outcome {
        Some(CaseOutcome::Succeeded) | None => Ok(()),
        Some(outcome @ (CaseOutcome::Failed | CaseOutcome::Cancelled | CaseOutcome::Unnamed)) => {
            Err(Stop::ReadReport {
                case: case.line.id.clone(),
                outcome,
                reason: case.ending_reason.clone(),
            })
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

fn still_open(case: &str) -> Stop {
    Stop::LookLater {
        what: format!("case {case} is open, but not over in time (--timeout)"),
        hint: format!("it goes on; wait for it with `domo case watch {case}`"),
    }
}

fn left(case: &str) -> Stop {
    Stop::Interrupted {
        what: format!(
            "left; case {case} goes on (`domo case watch {case}`, `domo case cancel {case}`)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::wire::{CaseStatus, HistoryLine};

    fn line(kind: &str) -> WatchEvent {
        let text = serde_json::json!({
            "index": 1, "at": {"at": "2026-03-01T09:30:00.000Z", "ms": 1}, "kind": kind,
            "stage": "look", "attempt": null, "text": "", "by": "ada",
        });
        let line: HistoryLine = serde_json::from_value(text).unwrap();
        WatchEvent::History(line)
    }

    fn status() -> WatchEvent {
        WatchEvent::Status {
            status: CaseStatus::Running,
            waiting_for: None,
            stages_done: 0,
            stages: 1,
        }
    }

    #[test]
    fn an_approval_is_told_when_all_was_heard_and_not_when_it_is_over_by_then() {
        let mut approvals = Approvals::default();
        let asked = BTreeSet::from(["look".to_owned()]);
        assert!(approvals.hear(&line("approval_asked")).is_empty());
        assert_eq!(approvals.hear(&status()), asked);
        for over in ["approved", "rejected", "skipped", "planned", "cancelled"] {
            approvals.hear(&line("approval_asked"));
            approvals.hear(&line(over));
            assert!(approvals.hear(&status()).is_empty(), "{over}");
        }
        approvals.hear(&line("approval_asked"));
        let rested = (0..Approvals::RESTED).map(|_| approvals.rest());
        assert_eq!(rested.last(), Some(asked));
    }
}
