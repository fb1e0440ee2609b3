//! The end of a run: it is said, and waited for until every node has taken its faults off.

use std::time::Duration;

use runtime::clock::Deadline;
use tokio::time::sleep;

use super::doors::{Doors, Stamp};
use crate::admin::wire::{ChaosDid, ChaosRun, ChaosState};
use crate::chaos;
use crate::cli::print;

/// How long the cluster may take to hear that the run is ended: faults of its own may be on.
const END_LIMIT: Duration = Duration::from_secs(30);
/// How long the nodes may take to take all faults off.
const OFF_LIMIT: Duration = Duration::from_mins(1);
/// How often it is looked whether somebody else has ended the run.
const LOOK_FOR_OTHERS: Duration = Duration::from_secs(1);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Ends a run; one that is ending or over is gone afterwards.
pub(super) async fn end(doors: &Doors, stamp: Stamp, run: u64) {
    let id = stamp.request_id();
    let ended = doors.ask(END_LIMIT, async |client| client.end_chaos(run, &id).await);
    if let Err(error) = ended.await {
        print::note(&format!(
            "it cannot be said that run {run} is ended ({error}); each fault is taken off when its \
             time is over, and `domo chaos stop` ends it sooner"
        ));
    }
}

/// Ends a run whose faults may be on. The wardens of this host are told as well: the daemon of one may
/// be frozen or dead, and hear nothing.
pub(super) async fn at_once(doors: &Doors, stamp: Stamp, run: u64) {
    for data in doors.folders() {
        chaos::dismiss(data).await;
    }
    end(doors, stamp, run).await;
}

/// Comes when somebody else has ended the run.
pub(super) async fn by_others(doors: &Doors, run: u64) {
    loop {
        let view = doors.ask(LOOK_EVERY, async |client| client.chaos().await);
        let seen = view.await.ok().and_then(|view| view.run);
        if seen.is_some_and(|seen| seen.id == run && seen.is_ending) {
            return;
        }
        sleep(LOOK_FOR_OTHERS).await;
    }
}

/// Waits until every node has taken its faults off, and answers what they did.
pub(super) async fn all_off(doors: &Doors, run: u64) -> Vec<ChaosDid> {
    let deadline = Deadline::after(OFF_LIMIT);
    let mut did = Vec::new();
    loop {
        let view = doors.ask(LOOK_EVERY, async |client| client.chaos().await);
        match view.await.map(|view| view.run) {
            Ok(Some(seen)) if seen.id == run => {
                let is_over = is_over(&seen);
                did = seen.did;
                if is_over {
                    return did;
                }
            }
            // It is over, and what was done last is not known here.
            Ok(_) => return did,
            Err(_) => {}
        }
        if deadline.is_over() {
            print::note("not every node has said that its faults are off");
            return did;
        }
        sleep(LOOK_EVERY).await;
    }
}

fn is_over(run: &ChaosRun) -> bool {
    let mut parts = run.parts.iter();
    parts.all(|part| matches!(part.state, ChaosState::Over | ChaosState::Refused))
}
