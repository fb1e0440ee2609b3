//! A watcher: asks one node again and again how it and its cluster are, quorum or not.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::Sighting;
use crate::http;
use crate::wait::rest;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);
/// A frozen node says nothing.
const LOOK_LIMIT: Duration = Duration::from_secs(1);

/// A watcher at work.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Sighting>>,
}

impl Watch {
    /// Watches the node of this number.
    pub fn start(node: usize, socket: PathBuf) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen: Vec<Sighting> = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let look = ("GET", "/v1/status");
                let reply = http::wish(&socket, look, None, "", LOOK_LIMIT).ok();
                let status = reply.and_then(|reply| serde_json::from_str(&reply.body).ok());
                if let Some(sighting) = status.and_then(|status| sighting(node, &status))
                    && seen.last() != Some(&sighting)
                {
                    seen.push(sighting);
                }
                rest(EVERY);
            }
            seen
        });
        Watch { stop, thread }
    }

    /// Looks no more, and says what was seen.
    ///
    /// # Panics
    /// When it broke off.
    pub fn finish(self) -> Vec<Sighting> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a watcher does not break off")
    }
}

fn sighting(node: usize, status: &Value) -> Option<Sighting> {
    Some(Sighting {
        node,
        id: status["node"]["id"].as_str()?.to_owned(),
        started: status["node"]["started"].to_string(),
        leader: status["cluster"]["leader"].as_str().map(str::to_owned),
        term: status["cluster"]["term"].as_u64()?,
        applied: status["ledger"]["applied_index"].as_u64()?,
    })
}
