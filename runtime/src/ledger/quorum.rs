//! How fresh this node's leadership is, or what it knows of another's: when it was confirmed last.
//!
//! # Invariant
//! The moment that is named is never later than the true one: it is when the confirmed message was
//! sent, and a machine that slept since then has no such moment until it is confirmed anew.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::{Instant as _, ServerState};

use rules::id::NodeId;

use super::Inner;
use crate::clock::{self, BootMs};

/// A leader that no quorum has heard for so long, or that is not heard here, is called none: heartbeats are a tenth of a second
/// apart, and others call an election after a second.
const UNHEARD_AFTER: Duration = Duration::from_secs(2);
/// When the node that leads was heard last, where that is another one.
///
/// # Why
/// Consensus goes on naming whom it voted for: a node that was cut off, or that its cluster has gone
/// on without, would name a leader for ever that does not speak to it.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Option<BootMs>>);

impl Heard {
    /// It was heard just now.
    pub fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock::boot());
    }

    /// Whether that was lately.
    pub fn is_lately(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| clock::boot().since(last) <= UNHEARD_AFTER)
    }
}

/// Two readings of two clocks differ by less than this, if the machine has not slept between.
const READING: Duration = Duration::from_millis(10);

/// A node's leadership, as it knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reign {
    /// The term that it leads in.
    pub term: u64,
    /// When the last message was sent that a quorum has confirmed; none before the first one, and
    /// now for the only voter.
    pub confirmed: Option<BootMs>,
}

/// What is known of this machine's sleep: consensus measures with a clock that stands still in it.
#[derive(Debug, Default)]
pub(super) struct Sleep(Mutex<Slept>);

#[derive(Debug, Default)]
struct Slept {
    so_far: Duration,
    noticed: Option<BootMs>,
}

impl Sleep {
    /// A moment that was so long ago by the clock that stands still; none if the machine may have
    /// slept since.
    fn moment(&self, ago: Duration) -> Option<BootMs> {
        self.moment_at(clock::slept(), clock::boot(), ago)
    }

    fn moment_at(&self, slept: Duration, now: BootMs, ago: Duration) -> Option<BootMs> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slept > known.so_far + READING {
            known.so_far = slept;
            known.noticed = Some(now);
        }
        let ago_ms = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
        // Milliseconds are cut: rather a little too early.
        let moment = BootMs(now.0.saturating_sub(ago_ms.saturating_add(1)));
        known
            .noticed
            .is_none_or(|noticed| moment > noticed)
            .then_some(moment)
    }
}

impl Inner {
    /// Whether this node leads and no quorum has heard of it for so long that another may lead.
    pub(super) fn is_unheard(&self) -> bool {
        let confirmed = self.reign().and_then(|reign| reign.confirmed);
        confirmed.is_some_and(|at| clock::boot().since(at) > UNHEARD_AFTER)
    }

    /// Who leads, and whether this node is the only voter; asks no disk.
    pub(super) fn leader(&self) -> (Option<NodeId>, bool) {
        let metrics = self.door.raft().metrics();
        let metrics = metrics.borrow_watched();
        let mut voters = metrics.membership_config.voter_ids();
        let is_alone = voters.next() == Some(self.node.0) && voters.next().is_none();
        (metrics.current_leader.map(NodeId), is_alone)
    }

    pub(super) fn reign(&self) -> Option<Reign> {
        let metrics = self.door.raft().metrics();
        let metrics = metrics.borrow_watched();
        if metrics.state != ServerState::Leader || metrics.current_leader != Some(self.node.0) {
            return None;
        }
        let mut voters = metrics.membership_config.voter_ids();
        let is_alone = voters.next() == Some(self.node.0) && voters.next().is_none();
        let confirmed = metrics
            .last_quorum_acked
            .and_then(|sent| self.sleep.moment(sent.elapsed()));
        Some(Reign {
            term: metrics.current_term,
            confirmed: if is_alone {
                Some(clock::boot())
            } else {
                confirmed
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_before_a_sleep_is_not_known_and_what_comes_after_is() {
        let sleep = Sleep::default();
        let at = |second: u64| BootMs(second * 1000);
        let slept = seconds(5);
        // What it slept before it was asked first is not known to be long ago.
        assert_eq!(sleep.moment_at(slept, at(10), seconds(1)), None);
        assert_eq!(
            sleep.moment_at(slept, at(13), seconds(1)),
            Some(BootMs(11_999))
        );
        // It sleeps for an hour; the other clock says that hardly a second passed.
        let longer = slept + seconds(3600);
        assert_eq!(sleep.moment_at(longer, at(3614), seconds(2)), None);
        assert_eq!(sleep.moment_at(longer, at(3615), seconds(3)), None);
        assert_eq!(
            sleep.moment_at(longer, at(3620), seconds(1)),
            Some(BootMs(3_618_999))
        );
    }
}
