//! Waiting for a case's end with a live view of it, and what is said of that end.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::console::{Console, interrupt};
use super::follow::{AWAY_LIMIT, Follower, Seen};
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
    let mut follower = Follower::new(client.clone(), case);
    let mut ticks = ticks();
    let mut late = pin!(tokio::time::sleep(limit));
    let mut interrupted = pin!(interrupt());
    let end = loop {
        let mut next = pin!(follower.next());
        let what = loop {
            tokio::select! {
                what = &mut next => break what,
                _ = ticks.tick() => live.tick(),
                () = &mut late => break Err(still_open(case)),
                () = &mut interrupted => break Err(left(case)),
            }
        };
        match what {
            Ok(Seen::Event(event)) => {
                if let Err(stop) = seen(&event).and_then(|()| Ok(live.event(&event)?)) {
                    break Err(stop);
                }
                if let WatchEvent::History(line) = &*event
                    && line.kind == "approval_asked"
                {
                    let stage = line.stage.as_deref().unwrap_or_default();
                    live.note(&format!(
                        "let it begin with `domo case approve {case} {stage}`"
                    ));
                }
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
