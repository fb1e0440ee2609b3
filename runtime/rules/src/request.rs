//! What is remembered of requests, so that the same command said twice is done once.
//!
//! # Why
//! Ids of requests that speak of a case live as long as the case and an hour more; others
//! an hour. A second answer is the first one. An id that carries the time of its making and
//! is older than the memory is *expired*: an answer of its own, since "new" would do it twice.
//! The memory reaches back an hour, or less far when a flood of requests pushed ids out of it: then
//! to the youngest id that was pushed out. An id that was made after it was never pushed out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::{ClockMs, RequestId};
use crate::limits;
use crate::verdict::Verdict;

/// Names the wish of a client who may repeat it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The same for each repetition.
    pub id: RequestId,
    /// Tells wishes apart under one id: a digest of who asks and of the command, made by the node
    /// that took it in.
    pub digest: u64,
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answered {
    digest: u64,
    verdict: Verdict,
    /// When it may be forgotten; none while its case is open.
    until: Option<ClockMs>,
}

/// The memory for request ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    answered: BTreeMap<RequestId, Answered>,
    forgettable: BTreeSet<(ClockMs, RequestId)>,
    /// When the youngest id that was pushed out was made: one made until then may be among them.
    horizon: Option<ClockMs>,
}

/// What the memory says of an id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// It is new.
    New,
    /// It was answered with this.
    Answered(Verdict),
    /// It stood on another command, or was another's.
    Reused,
    /// It may have been answered and forgotten.
    Expired,
}

impl Requests {
    /// What is known of a request.
    pub(crate) fn recall(&self, request: &Request, now: ClockMs) -> Recall {
        if let Some(known) = self.answered.get(&request.id) {
            if known.digest == request.digest {
                return Recall::Answered(known.verdict.clone());
            }
            return Recall::Reused;
        }
        match request.id.made() {
            Some(made) if made.plus(limits::REQUEST_MEMORY_MS) <= now => Recall::Expired,
            Some(made) if self.horizon.is_some_and(|horizon| made <= horizon) => Recall::Expired,
            _ => Recall::New,
        }
    }

    /// What was answered to a request, where that is remembered.
    pub fn answered(&self, request: &Request) -> Option<&Verdict> {
        let known = self.answered.get(&request.id)?;
        (known.digest == request.digest).then_some(&known.verdict)
    }

    /// Remembers an answer: with its case, or for the stated while.
    pub(crate) fn remember(&mut self, request: &Request, verdict: Verdict, until: Option<ClockMs>) {
        if let Some(until) = until {
            self.forgettable.insert((until, request.id.clone()));
        }
        let answered = Answered {
            digest: request.digest,
            verdict,
            until,
        };
        self.answered.insert(request.id.clone(), answered);
        self.push_out();
    }

    /// Lets ids go that were bound to a case which is closed now.
    pub(crate) fn release(&mut self, ids: Vec<RequestId>, now: ClockMs) {
        let until = now.plus(limits::REQUEST_MEMORY_MS);
        for id in ids {
            if let Some(known) = self.answered.get_mut(&id)
                && known.until.is_none()
            {
                known.until = Some(until);
                self.forgettable.insert((until, id));
            }
        }
        self.push_out();
    }

    /// Makes room by forgetting the oldest before their time.
    fn push_out(&mut self) {
        while self.forgettable.len() > limits::MAX_REMEMBERED {
            if let Some((until, id)) = self.forgettable.first()
                && let Some(made) = id.made()
            {
                // A stamp of the future is no reason to distrust everybody until then: what is to be
                // kept until then was asked a memory's length before, or earlier.
                let asked = ClockMs(until.0.saturating_sub(limits::REQUEST_MEMORY_MS));
                self.horizon = self.horizon.max(Some(made.min(asked)));
            }
            self.forget_oldest();
        }
    }

    /// Forgets what is due.
    pub(crate) fn forget(&mut self, now: ClockMs) {
        while self
            .forgettable
            .first()
            .is_some_and(|(until, _)| *until <= now)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.forgettable.pop_first() {
            self.answered.remove(&id);
        }
    }

    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.answered.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.answered.is_empty()
    }
}
