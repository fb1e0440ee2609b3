//! Whether the engine answers, as its own news say it, for the status.

use std::sync::{Arc, Mutex, PoisonError};

use runtime::clock::{self, WallMs};
use runtime::engine::{BoxEvent, Engine};
use tokio::sync::broadcast::error::RecvError;

use crate::admin::wire::{Moment, Trouble};

struct Seen {
    lost_since: Option<WallMs>,
    count: u64,
}

/// Follows the engine's news from now on; what is answered tells the present trouble, if there is any.
///
/// One that is not there at the start is in trouble until its news say otherwise.
pub(super) fn follow(
    engine: &dyn Engine,
    is_there: bool,
) -> impl Fn() -> Vec<Trouble> + Send + Sync + 'static {
    let seen = Arc::new(Mutex::new(Seen {
        lost_since: (!is_there).then(clock::wall),
        count: u64::from(!is_there),
    }));
    let (noted, mut news) = (Arc::clone(&seen), engine.events());
    tokio::spawn(async move {
        loop {
            let event = news.recv().await;
            let mut seen = noted.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(BoxEvent::Lost) => {
                    seen.lost_since.get_or_insert_with(clock::wall);
                    seen.count += 1;
                }
                Ok(BoxEvent::Regained) => seen.lost_since = None,
                Ok(BoxEvent::Ended { .. }) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
    move || {
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = |since: WallMs| Trouble {
            what: "the engine that runs the agents does not answer; what runs goes on".to_owned(),
            hint: "look at the engine's service; attempts begin again once it answers".to_owned(),
            seen: Moment::from_ms(since.0),
            count: seen.count,
        };
        seen.lost_since.map(trouble).into_iter().collect()
    }
}
