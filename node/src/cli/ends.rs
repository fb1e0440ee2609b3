//! What ends a command early that must clear up behind itself.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::stop::Stop;

/// SIGINT and SIGTERM; heard from before there is anything to clear up.
pub(super) struct Ends {
    interrupt: Signal,
    terminate: Signal,
}

impl Ends {
    /// Hears them from here on.
    pub(super) fn listen() -> Result<Self, Stop> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Stop::mend(format!("signals cannot be heard: {error}"), ""))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Comes when whoever runs the command ends it.
    pub(super) async fn come(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
