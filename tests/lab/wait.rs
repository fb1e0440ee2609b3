//! Waiting for a condition with a limit, and the size of the long forms.

use std::fmt::Display;
use std::time::Duration;

use runtime::clock::Deadline;

/// Between two looks: short beside everything that a node does, long beside what a look costs.
const STEP: Duration = Duration::from_millis(20);

/// Looks until `look` finds what is waited for; what it saw instead is told when `limit` is over.
///
/// # Panics
/// When it is not found within `limit`.
pub fn wait_until<T, E: Display>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<T, E>,
) -> T {
    let deadline = Deadline::after(limit);
    loop {
        let seen = match look() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(
            !deadline.is_over(),
            "{what}: not within {limit:?}; seen last: {seen}"
        );
        std::thread::sleep(STEP);
    }
}

/// Lets some time pass between two things that a load or a nemesis does: they are paced, and wait
/// for nothing.
pub fn rest(pause: Duration) {
    let deadline = Deadline::after(pause);
    std::thread::sleep(deadline.left());
}

/// Tells whoever reads the test's output something.
#[expect(clippy::print_stderr, reason = "the runner shows it with the failure")]
pub fn tell(words: &str) {
    eprintln!("{words}");
}

/// How often a test does a thing: `count` in each run, `DOMO_TEST_SCALE` times as often in the
/// long forms.
///
/// # Panics
/// When the variable is no number.
pub fn scale(count: usize) -> usize {
    let factor = std::env::var("DOMO_TEST_SCALE").unwrap_or_else(|_| "1".to_owned());
    let factor: usize = factor.parse().expect("DOMO_TEST_SCALE is a whole number");
    count.saturating_mul(factor)
}
