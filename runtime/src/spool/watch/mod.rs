//! Waking the daemon when something changes in an attempt's folders.
//!
//! # Invariant
//!
//! One inotify instance for the whole process, however many boxes there are; a wake is a hint:
//! whoever waits also looks again every [`LOOK_AGAIN`], so a lost hint costs time and nothing else.
//!
//! # Why
//!
//! A user has 128 inotify instances by default, so one for each box would end at 128 boxes.

mod orders;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use inotify::{Event, EventMask, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::{AttemptName, Spool};

pub(crate) use orders::OrderHints;

/// How long a waiter trusts that no news is no news.
pub const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Shortest time between two rounds of hints: an agent that writes without pause wakes the daemon
/// at most this often.
const ROUND: Duration = Duration::from_millis(5);
/// Most hints that are handed out in one round.
const ROUND_HINTS: usize = 1_024;
/// Bytes of hints that are read at once.
const BUFFER_BYTES: usize = 16 << 10;

/// Who waits for which folder: the kernel has one watch on it, however many wait.
type Waiting = HashMap<WatchDescriptor, Vec<Weak<Notify>>>;

/// Watches the spools of all boxes of this daemon.
#[derive(Debug)]
pub struct SpoolWatcher {
    watches: Option<Watches>,
    waiting: Arc<Mutex<Waiting>>,
    reader: Option<JoinHandle<()>>,
}

impl SpoolWatcher {
    /// Begins to watch; inside a tokio runtime. Where the kernel gives no inotify instance, waiters
    /// look again every [`LOOK_AGAIN`] and are right but slow.
    pub fn new() -> SpoolWatcher {
        let waiting = Arc::new(Mutex::new(Waiting::new()));
        let opened = Inotify::init().and_then(|inotify| {
            let watches = inotify.watches();
            Ok((watches, inotify.into_event_stream(vec![0; BUFFER_BYTES])?))
        });
        match opened {
            Ok((watches, hints)) => {
                let reader = tokio::spawn(hand_out(hints, Arc::clone(&waiting)));
                SpoolWatcher {
                    watches: Some(watches),
                    waiting,
                    reader: Some(reader),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no inotify instance left: spools are looked at once a second");
                SpoolWatcher {
                    watches: None,
                    waiting,
                    reader: None,
                }
            }
        }
    }

    /// Watches one prepared attempt until the answer is dropped.
    pub fn attempt(&self, spool: &Spool, attempt: &AttemptName) -> AttemptWatch {
        let notify = Arc::new(Notify::new());
        let mut held = Vec::new();
        let marks = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::MODIFY;
        for folder in [spool.run_folder(attempt), spool.out_folder(attempt)] {
            held.extend(self.add(&folder, marks, &notify));
        }
        let waiting = Arc::clone(&self.waiting);
        AttemptWatch {
            notify,
            held,
            watches: self.watches.clone(),
            waiting,
        }
    }

    fn add(&self, folder: &Path, marks: WatchMask, to: &Arc<Notify>) -> Option<WatchDescriptor> {
        // Held over both steps, so that no hint comes before its receiver is known.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks | WatchMask::ONLYDIR | WatchMask::DONT_FOLLOW;
        let watch = self.watches.clone()?.add(folder, marks).ok()?;
        waiting
            .entry(watch.clone())
            .or_default()
            .push(Arc::downgrade(to));
        Some(watch)
    }
}

impl Default for SpoolWatcher {
    fn default() -> SpoolWatcher {
        SpoolWatcher::new()
    }
}

impl Drop for SpoolWatcher {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

/// Waits for changes in one attempt's folders.
#[derive(Debug)]
pub struct AttemptWatch {
    notify: Arc<Notify>,
    held: Vec<WatchDescriptor>,
    watches: Option<Watches>,
    waiting: Arc<Mutex<Waiting>>,
}

impl AttemptWatch {
    /// Returns when something may have changed: then look (`observe`, `progress`) and wait again.
    /// A change between two calls is not lost.
    pub async fn changed(&self) {
        // Running out of time is as good a reason to look as a hint.
        self.changed_within(LOOK_AGAIN).await;
    }

    /// The same, at most this long. Answers whether there was a hint, or only time.
    pub async fn changed_within(&self, most: Duration) -> bool {
        tokio::time::timeout(most, self.notify.notified())
            .await
            .is_ok()
    }
}

impl Drop for AttemptWatch {
    fn drop(&mut self) {
        let own = Arc::downgrade(&self.notify);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for watch in self.held.drain(..) {
            let Some(receivers) = waiting.get_mut(&watch) else {
                continue;
            };
            receivers.retain(|receiver| !receiver.ptr_eq(&own));
            if receivers.is_empty() {
                waiting.remove(&watch);
                if let Some(watches) = &mut self.watches {
                    // The folder may be gone, and its watch with it.
                    let _ = watches.remove(watch);
                }
            }
        }
    }
}

async fn hand_out(mut hints: EventStream<Vec<u8>>, waiting: Arc<Mutex<Waiting>>) {
    while let Some(first) = hints.next().await {
        wake(&waiting, first);
        for _ in 0..ROUND_HINTS {
            match hints.next().now_or_never() {
                Some(Some(hint)) => wake(&waiting, hint),
                Some(None) | None => break,
            }
        }
        tokio::time::sleep(ROUND).await;
    }
}

fn wake<N>(waiting: &Mutex<Waiting>, hint: std::io::Result<Event<N>>) {
    let Ok(hint) = hint else { return };
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let tell = |receivers: &Vec<Weak<Notify>>| {
        receivers
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|to| to.notify_one());
    };
    if hint.mask.contains(EventMask::Q_OVERFLOW) {
        waiting.values().for_each(tell);
    } else if hint.mask.contains(EventMask::IGNORED) {
        waiting.remove(&hint.wd);
    } else if let Some(receivers) = waiting.get(&hint.wd) {
        tell(receivers);
    }
}
