//! Cases as clients hand them in: closed loops that wait, open loops that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::RngExt as _;
use runtime::clock;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::BenchError;
use super::statistics::{Samples, Schedule, as_f64, per};
use crate::admin::client::{Client, ClientError};
use crate::admin::wire::{CaseOutcome, OpenCase, WatchEvent};

/// Cases of an open loop that are under way at once: four times what a node that keeps up has.
const MOST_OPEN: usize = 512;
/// How long before its time an open loop stops sleeping and looks at the clock: a thread's sleep
/// overshoots by some dozens of microseconds.
const LOOK_BEFORE: Duration = Duration::from_micros(200);

/// How long one reading of the ledger's clock serves for request ids: a node under load remembers an
/// id for a minute at least, and a younger one is never taken for one that it has forgotten.
const STAMP_US: u64 = 1_000_000;

/// What is handed in.
#[derive(Clone)]
pub(super) struct Wishes {
    client: Client,
    teams: Arc<Vec<String>>,
    stamp: Arc<Stamp>,
}

/// The ledger's clock as it was last read.
#[derive(Default)]
struct Stamp {
    clock_ms: AtomicU64,
    read_us: AtomicU64,
}

/// What came of a load.
pub(super) struct Outcome {
    /// From handing in, or from when it was due, to the report.
    pub(super) cases: Samples,
    /// From handing in to "it is on disk".
    pub(super) submits: Samples,
    /// From the beginning to the last report.
    pub(super) took_s: f64,
    /// Cases that the node had no room for.
    pub(super) refused: u64,
}

impl Outcome {
    /// Cases that were reported in a second.
    pub(super) fn per_s(&self) -> f64 {
        per(as_f64(self.cases.count() as u64), self.took_s)
    }
}

/// How long one case took, in microseconds.
struct Took {
    submit_us: u64,
    case_us: u64,
}

impl Wishes {
    /// Cases for these teams, in turn.
    pub(super) async fn new(client: &Client, teams: Vec<String>) -> Result<Self, BenchError> {
        let stamp = Stamp::default();
        stamp.read(client).await?;
        Ok(Self {
            client: client.clone(),
            teams: Arc::new(teams),
            stamp: Arc::new(stamp),
        })
    }

    async fn request_id(&self) -> Result<String, ClientError> {
        if self.stamp.is_old() {
            self.stamp.read(&self.client).await?;
        }
        let clock_ms = self.stamp.clock_ms.load(Ordering::Relaxed);
        Ok(format!("{:032x}@{clock_ms}", rand::rng().random::<u128>()))
    }

    /// Hands the case of that number in; answers its id.
    pub(super) async fn submit(&self, number: usize) -> Result<String, ClientError> {
        let id = self.request_id().await?;
        self.hand_in(number, &id).await
    }

    async fn hand_in(&self, number: usize, id: &str) -> Result<String, ClientError> {
        let case = OpenCase {
            team: Some(self.teams[number % self.teams.len()].clone()),
            title: Some("a case that is measured".to_owned()),
            brief: "pod mse-gateway-0 is Pending: say why, and what to do about it".to_owned(),
            ..OpenCase::default()
        };
        Ok(self.client.open_case(&case, id).await?.case)
    }

    /// Hands a case in and follows it to its report.
    async fn whole(&self, number: usize, due_us: u64) -> Result<Took, BenchError> {
        let id = self.request_id().await?;
        let sent_us = clock::boot_us();
        let case = self.hand_in(number, &id).await?;
        let submit_us = clock::boot_us() - sent_us;
        follow(&self.client, &case).await?;
        let case_us = clock::boot_us().saturating_sub(due_us);
        Ok(Took { submit_us, case_us })
    }

    /// So many clients, each of which hands its next case in once it has the last one's report.
    pub(super) async fn closed(
        &self,
        clients: usize,
        span: Duration,
    ) -> Result<Outcome, BenchError> {
        let began = clock::boot_us();
        let until = began + micros(span);
        let mut loops = JoinSet::new();
        for number in 0..clients {
            let wishes = self.clone();
            loops.spawn(async move {
                let mut took = Vec::new();
                while clock::boot_us() < until {
                    took.push(wishes.whole(number, clock::boot_us()).await?);
                }
                Ok::<_, BenchError>(took)
            });
        }
        let mut took = Vec::new();
        while let Some(ended) = loops.join_next().await {
            took.extend(ended.map_err(|error| BenchError::task(&error))??);
        }
        Ok(outcome(&took, began, 0))
    }

    /// Cases at a steady rate, whatever becomes of those before.
    pub(super) async fn open(
        &self,
        rate_per_s: f64,
        span: Duration,
    ) -> Result<Outcome, BenchError> {
        let schedule = Schedule::new(rate_per_s, span);
        let began = clock::boot_us();
        let mut due = due_times(schedule, began);
        let room = Arc::new(Semaphore::new(MOST_OPEN));
        let mut cases = JoinSet::new();
        let (mut took, mut refused, mut number) = (Vec::new(), 0, 0);
        while let Some(due_us) = due.recv().await {
            // What finds no room waits for it, and its time counts all the while.
            let place = Arc::clone(&room).acquire_owned().await;
            let place = place.map_err(|closed| BenchError::Ended(closed.to_string()))?;
            let wishes = self.clone();
            cases.spawn(async move {
                let _place = place;
                wishes.whole(number, due_us).await
            });
            number += 1;
            while let Some(ended) = cases.try_join_next() {
                count(ended, &mut took, &mut refused)?;
            }
        }
        while let Some(ended) = cases.join_next().await {
            count(ended, &mut took, &mut refused)?;
        }
        Ok(outcome(&took, began, refused))
    }
}

impl Stamp {
    /// Whether it is to be read again; of many who ask at once, one is told so.
    fn is_old(&self) -> bool {
        let now = clock::boot_us();
        let take = |read_us: u64| (now.saturating_sub(read_us) > STAMP_US).then_some(now);
        let taken = self
            .read_us
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok()
    }

    async fn read(&self, client: &Client) -> Result<(), ClientError> {
        self.read_us.store(clock::boot_us(), Ordering::Relaxed);
        let clock_ms = client.clock().await?.clock_ms;
        self.clock_ms.store(clock_ms, Ordering::Relaxed);
        Ok(())
    }
}

/// Follows a case to its report; one that does not succeed is an error. Reads the stream to its end,
/// so that its connection serves the next question.
pub(super) async fn follow(client: &Client, case: &str) -> Result<(), BenchError> {
    // Nothing of its history is wanted, only the end.
    let mut lines = client.watch(case, u64::MAX).await?;
    let mut last_words = String::from("it said nothing");
    let mut has_succeeded = false;
    while let Some(event) = lines.next().await? {
        match event {
            WatchEvent::Closed { case } if case.line.outcome == Some(CaseOutcome::Succeeded) => {
                has_succeeded = true;
            }
            WatchEvent::Closed { case } => {
                let why = case.ending_reason.unwrap_or_default();
                let what = format!("a measured case did not succeed: {why}");
                return Err(BenchError::Ended(what));
            }
            WatchEvent::Ended { reason } => last_words = reason,
            WatchEvent::History(_)
            | WatchEvent::Status { .. }
            | WatchEvent::Progress { .. }
            | WatchEvent::Quiet
            | WatchEvent::Unnamed => {}
        }
    }
    if has_succeeded {
        return Ok(());
    }
    Err(BenchError::Ended(format!(
        "the stream of case {case} ended before it: {last_words}"
    )))
}

/// Adds what a case took; a refusal for want of room is no failure of the bench.
fn count(
    ended: Result<Result<Took, BenchError>, tokio::task::JoinError>,
    took: &mut Vec<Took>,
    refused: &mut u64,
) -> Result<(), BenchError> {
    match ended.map_err(|error| BenchError::task(&error))? {
        Ok(one) => took.push(one),
        Err(BenchError::Asked(ClientError::Refused { .. })) => *refused += 1,
        Err(error) => return Err(error),
    }
    Ok(())
}

fn outcome(took: &[Took], began_us: u64, refused: u64) -> Outcome {
    Outcome {
        cases: Samples::new(took.iter().map(|took| took.case_us).collect()),
        submits: Samples::new(took.iter().map(|took| took.submit_us).collect()),
        took_s: as_f64(clock::boot_us() - began_us) / 1e6,
        refused,
    }
}

/// The times at which an open loop asks, each told when it has come, by a thread that does nothing
/// else: timers of the tasks would be a millisecond late.
pub(super) fn due_times(schedule: Schedule, began_us: u64) -> mpsc::UnboundedReceiver<u64> {
    // Holds no more than the schedule has.
    let (told, due) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for number in 0..schedule.count() {
            let due_us = began_us + micros(schedule.due(number));
            loop {
                let left = Duration::from_micros(due_us.saturating_sub(clock::boot_us()));
                if left.is_zero() {
                    break;
                }
                std::thread::sleep(
                    left.saturating_sub(LOOK_BEFORE)
                        .max(Duration::from_micros(20)),
                );
            }
            if told.send(due_us).is_err() {
                return;
            }
        }
    });
    due
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
