//! Driving a run: it is begun, cases are handed over through it, and what came of it is gathered.

use std::time::Duration;

use config::chaos::{CANARY, Plan, Schedule};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use runtime::clock::{self, BootMs, Deadline};
use tokio::time::sleep;

use super::canary::{self, Flock};
use super::doors::{Doors, Stamp};
use super::end;
use crate::admin::wire::{ChaosDid, ChaosPart, ChaosRun, ChaosState, Moment};
use crate::cli::chaos_plan::{told, wanted};
use crate::cli::chaos_report::figures::{Canary, FaultRow, Promised, Report, Spread};
use crate::cli::ends::Ends;
use crate::cli::print;
use crate::cli::stop::Stop;

/// How long the plan may take to be recorded.
const RECORD_LIMIT: Duration = Duration::from_secs(20);
/// How long the nodes may take to arm: a little longer than the cluster waits for them.
const ARM_LIMIT: Duration = Duration::from_secs(40);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Cases that are being handed over at once: more say nothing more about an outage.
const MOST_AT_ONCE: usize = 256;

/// What is needed to drive a run.
pub(super) struct Drive<'a> {
    pub(super) plan: &'a Plan,
    pub(super) schedule: &'a Schedule,
    pub(super) doors: &'a Doors,
    pub(super) team: Option<&'a str>,
}

/// A run that has started.
pub(super) struct Began {
    run: u64,
    stamp: Stamp,
    start: BootMs,
    start_wall_ms: u64,
}

impl Drive<'_> {
    /// Records the plan, and waits until all nodes are armed. Otherwise nothing is broken.
    pub(super) async fn begin(&self, ends: &mut Ends) -> Result<Began, Stop> {
        let stamp = self.doors.stamp().await?;
        let (wanted, id) = (wanted(self.plan, self.schedule), stamp.request_id());
        let recorded = self.doors.ask(RECORD_LIMIT, async |client| {
            client.begin_chaos(&wanted, &id).await
        });
        recorded.await?;
        let mut seen = None;
        let armed = tokio::select! {
            armed = self.armed(&mut seen) => armed,
            () = ends.come() => Err(Stop::Interrupted {
                what: "interrupted; the run is ended before anything was broken".to_owned(),
            }),
        };
        match armed {
            Ok(run) => Ok(Began {
                run: run.id,
                stamp,
                start: clock::boot(),
                start_wall_ms: clock::wall().0,
            }),
            Err(stop) => {
                if let Some(run) = seen {
                    end::end(self.doors, stamp, run).await;
                }
                Err(stop)
            }
        }
    }

    /// Waits until the run has started; `seen` becomes its number.
    async fn armed(&self, seen: &mut Option<u64>) -> Result<ChaosRun, Stop> {
        let deadline = Deadline::after(ARM_LIMIT);
        let mut last = None;
        loop {
            let view = self
                .doors
                .ask(RECORD_LIMIT, async |client| client.chaos().await);
            let run = view
                .await?
                .run
                .filter(|run| run.plan == self.plan.name.as_str());
            if let Some(run) = run {
                *seen = Some(run.id);
                if run.is_started {
                    let nodes = run.parts.len();
                    print::note(&format!("run {} begins: {nodes} nodes are armed", run.id));
                    return Ok(run);
                }
                if run
                    .parts
                    .iter()
                    .any(|part| part.state == ChaosState::Refused)
                {
                    return Err(unarmed(&run));
                }
                last = Some(run);
            } else if let Some(run) = &last {
                return Err(unarmed(run));
            }
            if deadline.is_over() {
                return Err(match &last {
                    Some(run) => unarmed(run),
                    None => Stop::mend("the run does not begin: its plan is not seen", ""),
                });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Hands cases over until the plan is over, or somebody ends it; then gathers what came of it.
    pub(super) async fn go_through(&self, began: &Began, ends: &mut Ends) -> Report {
        let flock = Flock {
            doors: self.doors,
            team: self.team.unwrap_or(CANARY),
            stamp: began.stamp,
            run: began.run,
            start: began.start,
            start_wall_ms: began.start_wall_ms,
        };
        let ended = async {
            tokio::select! {
                () = ends.come() => {}
                () = end::by_others(self.doors, began.run) => {}
            }
        };
        let (mut canaries, was_interrupted) = self.load(flock, ended).await;
        let did = end::all_off(self.doors, began.run).await;
        end::end(self.doors, began.stamp, began.run).await;
        print::note("all faults are off; waiting for the canary cases");
        for canary in &mut canaries {
            flock.look_at(canary, self.plan.closed_within_ms).await;
        }
        self.report(began, did, canaries, was_interrupted)
    }

    /// Hands cases over at the plan's pace, to its end or until it is ended; answers what became of
    /// them so far, and whether it was ended.
    async fn load(&self, flock: Flock<'_>, ended: impl Future<Output = ()>) -> (Vec<Canary>, bool) {
        let (mut canaries, mut under_way) = (Vec::new(), FuturesUnordered::new());
        let (mut number, mut next_ms) = (0, 0);
        let mut is_ended = false;
        if self.team.is_none()
            && let Err(stop) = canary::settle(self.doors.first()).await
        {
            print::note(&format!("the canary's team cannot be described: {stop}"));
            is_ended = true;
        }
        let mut ended = std::pin::pin!(ended);
        while !is_ended && flock.now_ms() < self.schedule.length_ms {
            let now_ms = flock.now_ms();
            if now_ms >= next_ms {
                next_ms = now_ms + self.pace_ms(now_ms);
                if under_way.len() < MOST_AT_ONCE {
                    number += 1;
                    under_way.push(flock.hand_over(number));
                }
            }
            let until_ms = next_ms.min(self.schedule.length_ms);
            let wait = Duration::from_millis(until_ms.saturating_sub(flock.now_ms()));
            tokio::select! {
                Some(canary) = under_way.next(), if !under_way.is_empty() => canaries.push(canary),
                () = sleep(wait) => {}
                () = &mut ended => is_ended = true,
            }
        }
        let ending = async {
            if is_ended {
                print::note("the run is ended; its faults are taken off");
                end::at_once(self.doors, flock.stamp, flock.run).await;
            }
        };
        // What is under way may need just that to come to its end.
        let rest = under_way.collect::<Vec<Canary>>();
        let ((), rest) = tokio::join!(ending, rest);
        canaries.extend(rest);
        (canaries, is_ended)
    }

    /// A case so often, at that time of the plan.
    fn pace_ms(&self, now_ms: u64) -> u64 {
        let loads = self.schedule.loads.iter().rev();
        let mut loads = loads.skip_while(|(from_ms, _)| *from_ms > now_ms);
        loads
            .next()
            .map_or(self.plan.load_ms, |(_, every_ms)| *every_ms)
    }

    fn report(
        &self,
        began: &Began,
        did: Vec<ChaosDid>,
        mut canaries: Vec<Canary>,
        was_interrupted: bool,
    ) -> Report {
        canaries.sort_by_key(|canary| canary.handed_ms);
        let steps = wanted(self.plan, self.schedule).steps;
        let relative = |moment: &Moment| moment.ms.saturating_sub(began.start_wall_ms);
        let row = |did: ChaosDid| FaultRow {
            step: did.step,
            what: steps.get(did.step as usize).map(told).unwrap_or_default(),
            from_ms: relative(&did.from),
            to_ms: relative(&did.to),
            node: did.name,
            trouble: did.trouble,
            takeover_ms: None,
        };
        let mut faults: Vec<FaultRow> = did.into_iter().map(row).collect();
        faults.sort_by_key(|fault| fault.from_ms);
        let last_ms = faults.iter().map(|fault| fault.to_ms).max();
        let mut report = Report {
            plan: self.plan.name.to_string(),
            title: self.plan.title.clone(),
            run: began.run,
            began: Moment::from_ms(began.start_wall_ms).at,
            length_ms: if was_interrupted {
                last_ms.unwrap_or_default()
            } else {
                self.schedule.length_ms
            },
            was_interrupted,
            closed_within_ms: self.plan.closed_within_ms,
            gap_ms: self.plan.gap_ms,
            steps,
            faults,
            promised: Promised::default(),
            takeover: Spread::default(),
            closing: Spread::default(),
            checks: Vec::new(),
            canaries,
        };
        report.judge();
        report
    }
}

/// Who is not armed, and why; where some say why, the others had no time to say anything.
fn unarmed(run: &ChaosRun) -> Stop {
    let of = |state: ChaosState| run.parts.iter().filter(move |part| part.state == state);
    let said = |part: &ChaosPart| {
        let why = part.why.as_deref();
        format!("{}: {}", part.name, why.unwrap_or("it says nothing"))
    };
    let mut parts: Vec<String> = of(ChaosState::Refused).map(said).collect();
    if parts.is_empty() {
        parts = of(ChaosState::Asked).map(said).collect();
    }
    Stop::mend(
        format!(
            "the run does not begin, and nothing is broken: {}",
            parts.join("; ")
        ),
        "mend that, or take a plan that concerns other nodes or other faults",
    )
}
