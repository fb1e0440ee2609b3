//! The Manager's seat: when somebody sits in it, and what becomes of leadership when nobody can.
//!
//! # Invariant
//! While he is held dead he is not started, and leadership does not move for his sake.
//!
//! # Why
//! A Manager who crashes again and again may do so for a reason that lies in this node; another
//! node tries. Should it lie in the state, he crashes there too: so leadership moves seldom, and
//! teams do not notice.

use std::collections::VecDeque;
use std::time::Duration;

use ractor::ActorRef;
use rules::duty::Holder;
use runtime::clock::{self, BootMs};

use super::{CRASH_LOOP, Child, RootMsg, RootState, dismiss, start};

/// So many deaths within this time are a crash loop.
const LOOP_WITHIN: Duration = Duration::from_secs(30);
/// Leadership moves at most so often for a Manager's sake: each move makes everybody wait a moment.
const MOVE_AT_MOST_EVERY: Duration = Duration::from_mins(1);

/// What is known of the Manager's seat on this node.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Whether he is held dead.
    pub is_held: bool,
    /// His last deaths.
    deaths: VecDeque<BootMs>,
    moved: Option<BootMs>,
}

impl Seat {
    /// He has died; says whether another node should lead.
    fn died(&mut self, now: BootMs) -> bool {
        self.deaths.push_back(now);
        while self.deaths.len() > CRASH_LOOP as usize {
            self.deaths.pop_front();
        }
        let is_loop = self.deaths.len() == CRASH_LOOP as usize
            && self
                .deaths
                .front()
                .is_some_and(|first| now.since(*first) <= LOOP_WITHIN);
        let is_time = self
            .moved
            .is_none_or(|moved| now.since(moved) >= MOVE_AT_MOST_EVERY);
        let should_move = is_loop && is_time && !self.is_held;
        if should_move {
            self.moved = Some(now);
            self.deaths.clear();
        }
        should_move
    }
}

/// Whether a child may not be started now.
pub(super) fn is_barred(state: &RootState, child: &Child) -> bool {
    state.seat.is_held && *child == Child::Persona(Holder::Manager)
}

/// Starts or ends the Manager with this node's leadership.
pub(super) async fn leads(me: &ActorRef<RootMsg>, state: &mut RootState, term: Option<u64>) {
    if state.term == term {
        return;
    }
    state.term = term;
    let manager = Child::Persona(Holder::Manager);
    dismiss(state, &manager);
    if term.is_some() {
        start(me, state, &manager).await;
    }
}

/// Kills the Manager and keeps him dead, or starts him where he should be.
pub(super) async fn hold(me: &ActorRef<RootMsg>, state: &mut RootState, is_held: bool) {
    if state.seat.is_held == is_held {
        return;
    }
    state.seat.is_held = is_held;
    tracing::warn!(is_held, "the Manager is held dead, or not any more");
    let manager = Child::Persona(Holder::Manager);
    if is_held {
        dismiss(state, &manager);
    } else if state.term.is_some() {
        start(me, state, &manager).await;
    }
}

/// The Manager has crashed: if he does so again and again, another node should lead.
pub(super) fn crashed(state: &mut RootState) {
    if !state.seat.died(clock::boot()) {
        return;
    }
    let ledger = state.house.ledger.clone();
    tokio::spawn(async move {
        match ledger.hand_over(None).await {
            Ok(()) => tracing::warn!("the Manager crashes again and again: another node leads"),
            Err(error) => tracing::warn!(
                %error,
                "the Manager crashes again and again, and no other node can lead"
            ),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> BootMs {
        BootMs(1_000_000 + second * 1_000)
    }

    #[test]
    fn five_deaths_in_half_a_minute_move_leadership_once_a_minute() {
        let mut seat = Seat::default();
        let moves: Vec<u64> = (0..200).step_by(2).filter(|s| seat.died(at(*s))).collect();
        assert_eq!(moves, [8, 68, 128, 188]);
    }

    #[test]
    fn deaths_far_apart_move_nothing() {
        let mut seat = Seat::default();
        assert!((0..1_000).step_by(8).all(|second| !seat.died(at(second))));
    }

    #[test]
    fn nothing_moves_while_he_is_held_dead() {
        let mut seat = Seat {
            is_held: true,
            ..Seat::default()
        };
        assert!((0..100).all(|second| !seat.died(at(second))));
    }
}
