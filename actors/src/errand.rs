//! Errands: one task for each duty of a persona, as long as the duty stands.
//!
//! ```text
//! duty added ──► task: do it, again and again with back-off ──► duty taken away: task dropped
//! ```
//!
//! # Invariant
//! A duty has at most one task, and no task outlives the persona that started it.
//!
//! # Why
//! A duty is done when an entry takes it out of the set, not when a task says so. So a task that
//! has had its say still waits, and says it again when nothing came of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use ractor::ActorRef;
use rules::duty::Duty;
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use crate::backoff::Backoff;
use crate::house::Hindrance;

/// The first wait before an errand is run again; long enough for its entry to be applied.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest one: what is hindered is tried about this often, whatever changes.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A change in what a persona ought to do.
#[derive(Clone, Debug, Default)]
pub struct Duties {
    /// Duties that are new.
    pub added: Vec<Duty>,
    /// Duties that are no more.
    pub dropped: Vec<Duty>,
}

/// The running errands of a persona.
#[derive(Default)]
pub(crate) struct Errands {
    running: BTreeMap<Duty, AbortHandle>,
}

impl Errands {
    /// Starts an errand for a duty, unless it has one: `attempt` is called until the duty is
    /// dropped, in `span`. `panicked` is sent to the persona when it panics.
    pub(crate) fn start<M, F, A>(
        &mut self,
        duty: &Duty,
        span: tracing::Span,
        me: &ActorRef<M>,
        panicked: fn() -> M,
        mut attempt: A,
    ) where
        M: ractor::Message,
        A: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<(), Hindrance>> + Send + 'static,
    {
        if self.running.contains_key(duty) {
            return;
        }
        let what = duty.clone();
        let errand = async move {
            let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
            loop {
                match attempt().await {
                    Ok(()) => {}
                    Err(Hindrance::Wait(why)) => tracing::debug!(duty = ?what, why, "waits"),
                    Err(hindrance) if backoff.tries() < 3 => {
                        tracing::debug!(duty = ?what, error = chain(&hindrance), "hindered");
                    }
                    Err(hindrance) => {
                        tracing::warn!(duty = ?what, error = chain(&hindrance), "hindered");
                    }
                }
                tokio::time::sleep(backoff.next_wait()).await;
            }
        };
        let task = tokio::spawn(errand.instrument(span));
        self.running.insert(duty.clone(), task.abort_handle());
        let me = me.clone();
        tokio::spawn(async move {
            if let Err(end) = task.await
                && end.is_panic()
            {
                // The persona may be gone already; then there is nobody to tell.
                let _ = me.cast(panicked());
            }
        });
    }

    /// Ends the errand of a duty; says whether there was one.
    pub(crate) fn drop(&mut self, duty: &Duty) -> bool {
        self.running.remove(duty).map(|task| task.abort()).is_some()
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }
}

impl Drop for Errands {
    fn drop(&mut self) {
        for task in self.running.values() {
            task.abort();
        }
    }
}

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}
