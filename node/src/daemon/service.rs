//! Saying to the host's service manager how the daemon is (`Type=notify`, `WatchdogSec=`).
//!
//! # Why
//! A unit that is started only once it answers lets whatever comes after it rely on it, and a daemon
//! whose event loop stands still is started again. Without a service manager nothing is said.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;

/// Says that the node answers; from then on says as often as is asked for that it lives.
pub(super) fn ready() -> Option<JoinHandle<()>> {
    say(NotifyState::Ready);
    let limit = sd_notify::watchdog_enabled()?;
    Some(tokio::spawn(live(limit / 2)))
}

/// Says that it is about to end.
pub(super) fn ending() {
    say(NotifyState::Stopping);
}

async fn live(every: Duration) {
    loop {
        say(NotifyState::Watchdog);
        tokio::time::sleep(every).await;
    }
}

fn say(what: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[what]) {
        tracing::warn!(%error, "the service manager does not hear this node");
    }
}
