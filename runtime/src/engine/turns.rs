//! Taking turns: two callers never change one box at the same time.

use tokio::sync::{Mutex, MutexGuard};

/// How many locks all boxes share: enough that two boxes seldom wait for each other.
const TURNS: usize = 64;

/// The locks, shared out by the boxes' names.
#[derive(Debug)]
pub(super) struct Turns([Mutex<()>; TURNS]);

impl Turns {
    pub(super) fn new() -> Turns {
        Turns(std::array::from_fn(|_| Mutex::default()))
    }

    /// Waits for the turn of the box of this short name.
    pub(super) async fn of(&self, short: &str) -> MutexGuard<'_, ()> {
        let which = short
            .bytes()
            .fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % TURNS);
        self.0[which].lock().await
    }
}
