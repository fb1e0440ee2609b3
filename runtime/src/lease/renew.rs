//! A host renews its lease with whoever leads, over a connection that it keeps.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use rules::id::NodeId;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::thread::Shared;
use super::words::{ANSWER, Answer, RENEWAL, Refusal, Renewal, hear, say};
use super::{RENEW_EVERY, clock};

/// A leader that answers nothing for so long is asked over another connection.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// How long making a connection may take: what is longer is of no use to a lease.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Shortest wait before a connection is made again; each adds as much again by chance.
const AGAIN: Duration = Duration::from_millis(100);

/// Renews for ever.
pub(super) async fn keep(shared: &Shared) {
    loop {
        match shared.ledger.leader() {
            (_, true) => {
                shared.renew_own();
                sleep(RENEW_EVERY).await;
            }
            (Some(leader), _) if leader == shared.node => {
                if shared.wants_lease() {
                    shared.renew_own();
                }
                until_leader_is_not(shared, Some(leader), RENEW_EVERY).await;
            }
            (Some(_), _) if !shared.wants_lease() => sleep(RENEW_EVERY).await,
            (Some(leader), _) => {
                let end = with(shared, leader).await;
                if let Err(error) = end {
                    shared.hindered(format!("node {leader} leads: {error}"));
                }
                sleep(AGAIN.mul_f32(1.0 + rand::random::<f32>())).await;
            }
            (None, _) => {
                shared.hindered("nobody leads".to_owned());
                until_leader_is_not(shared, None, RENEW_EVERY).await;
            }
        }
    }
}

/// Renews with one leader until another leads, or it cannot be asked.
async fn with(shared: &Shared, leader: NodeId) -> io::Result<()> {
    let connected = timeout(CONNECT_LIMIT, shared.lines.connect(leader)).await;
    let (mut from, mut to) = tokio::io::split(connected??);
    let heard = Cell::new(clock::boot());
    let asking = async {
        let mut ticks = interval(RENEW_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if clock::boot().since(heard.get()) > ANSWER_LIMIT {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            if !shared.wants_lease() {
                return Err(io::Error::other("its disk takes no writes"));
            }
            let renewal = Renewal {
                number: shared.ask(),
                incarnation: shared.incarnation,
            };
            say(&mut to, RENEWAL, &renewal).await?;
        }
    };
    let hearing = async {
        loop {
            let answer: Answer = hear(&mut from, ANSWER).await?;
            heard.set(clock::boot());
            shared.answered(leader, answer.number, answer.said);
            if answer.said == Err(Refusal::NotLeader) {
                return Ok(());
            }
        }
    };
    tokio::select! {
        ended = asking => ended,
        ended = hearing => ended,
        () = until_leader_is_not(shared, Some(leader), Duration::MAX) => Ok(()),
    }
}

/// Waits until somebody else leads than so far, at most so long.
async fn until_leader_is_not(shared: &Shared, leader: Option<NodeId>, most: Duration) {
    let mut status = shared.ledger.watch_status();
    let changed = status.wait_for(|status| status.leader != leader);
    match timeout(most, changed).await {
        Ok(Ok(_)) | Err(_) => {}
        // The ledger is closed: nothing changes any more.
        Ok(Err(_)) => sleep(RENEW_EVERY).await,
    }
}
