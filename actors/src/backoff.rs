//! How long to wait before something is tried again: longer each time, never the same for all.

use std::time::Duration;

use rand::RngExt as _;

/// Waits that double from `first` to `most`, each with a quarter of jitter.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    tries: u32,
}

impl Backoff {
    /// Begins with `first` and never waits longer than about `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            tries: 0,
        }
    }

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self
            .first
            .saturating_mul(2_u32.saturating_pow(self.tries))
            .min(self.most);
        self.tries = self.tries.saturating_add(1);
        wait.mul_f64(rand::rng().random_range(0.75..=1.25))
    }

    /// How often it was asked.
    pub fn tries(&self) -> u32 {
        self.tries
    }
}
