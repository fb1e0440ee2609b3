//! What the door and the routes had to refuse lately, for the status.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use runtime::clock::{self, WallMs};

use super::wire::{Moment, Trouble};

/// What was not seen for so long is over.
const OVER_AFTER_MS: u64 = 60_000;
/// Kinds of trouble that are kept: there are fewer limits than that.
const MAX_KINDS: usize = 64;

#[derive(Clone, Debug)]
struct Seen {
    what: String,
    last: WallMs,
    count: u64,
}

/// What was refused lately.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<BTreeMap<String, Seen>>);

impl Troubles {
    /// Something was refused, by the limit or cause of that name.
    pub(super) fn saw(&self, name: &str, what: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = clock::wall();
        if let Some(seen) = all.get_mut(name) {
            seen.last = last;
            seen.count += 1;
        } else if all.len() < MAX_KINDS {
            let what = what.to_owned();
            all.insert(
                name.to_owned(),
                Seen {
                    what,
                    last,
                    count: 1,
                },
            );
        }
    }

    /// What is going on now.
    pub(super) fn now(&self) -> Vec<Trouble> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::wall().0;
        all.iter()
            .filter(|(_, seen)| now.saturating_sub(seen.last.0) < OVER_AFTER_MS)
            .map(|(name, seen)| Trouble {
                what: seen.what.clone(),
                hint: hint(name),
                seen: Moment::from_ms(seen.last.0),
                count: seen.count,
            })
            .collect()
    }
}

fn hint(name: &str) -> String {
    match name {
        "files" => "raise the daemon's limit of open files (ulimit -n, LimitNOFILE)".to_owned(),
        "connections_per_user" => "a client keeps too many connections open: find it".to_owned(),
        name => format!("find the client that asks so much, or raise {name} in the settings"),
    }
}
