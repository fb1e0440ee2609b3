//! One link with one peer while it lives: its tickets, its limits, and how a call goes over it.
//!
//! # Invariant
//! A call is taken only under the ticket of a link that is alive here, so what an older start of a
//! peer left in the wires is nobody's. At most [`MAX_CALLS`] calls and [`MAX_KIB`] of bytes are on
//! their way to a peer, and at most [`MAX_ANSWERING`] of its calls are worked on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorRef, RpcReplyPort};
use rules::id::NodeId;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::age::{Age, Aged};
use super::post::Letter;
use super::stream::Held;
use super::wire::{ANSWER, CALL, Wire};
use crate::clock::{self, Deadline};
use crate::ledger::NoAnswer;

/// The largest call or answer: larger ones would hold up heartbeats, and travel as blobs.
pub const MAX_CALL_BYTES: usize = 1024 * 1024;
/// Calls on their way to one peer: enough for the throughput that was measured, few enough that
/// none waits long in the peer's socket.
const MAX_CALLS: usize = 256;
/// Bytes on their way to one peer; the library's own queues have no limit.
const MAX_KIB: u32 = 16 * 1024;
/// Calls of one peer that are worked on; twice what an honest one has on its way.
pub(super) const MAX_ANSWERING: usize = 2 * MAX_CALLS;

/// The library forgets a call by itself so long after its limit. Not at it: it would then say, by
/// chance, that the session has ended.
const LIBRARY_SLACK: Duration = Duration::from_millis(200);

/// What stands before a call's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Envelope {
    /// The receiver's ticket: says which link it is, and so who asks, and which start of him.
    pub ticket: u64,
    /// Counts the calls of a link.
    pub id: u64,
    /// The sender's boot clock.
    pub sent_us: u64,
    /// How long after that the answer is still of use.
    pub budget_us: u64,
    pub what: What,
}

/// What is asked. Variants are added at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    /// Whether the other is there.
    Beat,
    /// What the bytes say.
    Call,
}

/// What stands before an answer's bytes. Variants are added at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answered {
    /// It is there.
    Beat,
    /// What the bytes say.
    Call,
    /// Nobody here answers this.
    Nothing,
    /// There is too much to do.
    Full,
    /// The answer is larger than it may be.
    TooLarge,
}

/// How a link is told apart and reached.
#[derive(Debug)]
pub(super) struct Link {
    pub peer: NodeId,
    pub incarnation: u64,
    pub release: String,
    /// What the peer's calls carry.
    pub own_ticket: u64,
    /// What calls to the peer carry.
    pub their_ticket: u64,
    pub held: Held,
    pub post: OnceLock<ActorRef<Letter>>,
    pub age: Mutex<Age>,
    pub answering: Arc<Semaphore>,
    limits: Limits,
}

#[derive(Debug)]
struct Limits {
    calls: Semaphore,
    kib: Semaphore,
    next: AtomicU64,
}

/// Who is at the other end, and over which connection.
pub(super) struct Ends {
    pub peer: NodeId,
    pub incarnation: u64,
    pub release: String,
    pub own_ticket: u64,
    pub their_ticket: u64,
    /// The peer's boot clock in what it said first.
    pub sent_us: u64,
    pub held: Held,
}

impl Link {
    pub fn new(ends: Ends) -> Arc<Link> {
        let mut age = Age::default();
        age.of(ends.sent_us, clock::boot_us());
        Arc::new(Link {
            peer: ends.peer,
            incarnation: ends.incarnation,
            release: ends.release,
            own_ticket: ends.own_ticket,
            their_ticket: ends.their_ticket,
            held: ends.held,
            post: OnceLock::new(),
            age: Mutex::new(age),
            answering: Arc::new(Semaphore::new(MAX_ANSWERING)),
            limits: Limits {
                calls: Semaphore::new(MAX_CALLS),
                kib: Semaphore::new(MAX_KIB as usize),
                next: AtomicU64::new(0),
            },
        })
    }

    /// Asks the peer something and brings its answer.
    pub async fn call(&self, bytes: &[u8], limit: Duration) -> Result<Vec<u8>, NoAnswer> {
        let too_late = NoAnswer::TooLate(self.peer);
        if bytes.len() > MAX_CALL_BYTES {
            return Err(NoAnswer::TooLarge(self.peer));
        }
        let deadline = Deadline::after(limit);
        let kib = u32::try_from(bytes.len() / 1024 + 1).unwrap_or(MAX_KIB);
        let room = async {
            let calls = self.limits.calls.acquire().await;
            let kib = self.limits.kib.acquire_many(kib.min(MAX_KIB)).await;
            calls.and_then(|calls| kib.map(|kib| (calls, kib)))
        };
        // The permits are held until there is an answer.
        let room = tokio::time::timeout(limit, room).await;
        let _room = room.map_err(|_| too_late.clone())?;
        let (answered, bytes) = self.ask(What::Call, bytes, deadline.left()).await?;
        match answered {
            Answered::Call => Ok(bytes),
            Answered::Nothing | Answered::Beat => Err(NoAnswer::Nobody(self.peer)),
            Answered::Full => Err(NoAnswer::Busy(self.peer)),
            Answered::TooLarge => Err(NoAnswer::TooLarge(self.peer)),
        }
    }

    /// Asks the peer whether it is there, and says how long the answer took, in microseconds.
    pub async fn beat(&self, limit: Duration) -> Result<u64, NoAnswer> {
        let began = clock::boot_us();
        self.ask(What::Beat, &[], limit).await?;
        Ok(clock::boot_us().saturating_sub(began))
    }

    async fn ask(
        &self,
        what: What,
        bytes: &[u8],
        limit: Duration,
    ) -> Result<(Answered, Vec<u8>), NoAnswer> {
        let no_link = NoAnswer::NoLink(self.peer);
        let post = self.post.get().ok_or_else(|| no_link.clone())?;
        let envelope = Envelope {
            ticket: self.their_ticket,
            id: self.limits.next.fetch_add(1, Ordering::Relaxed),
            sent_us: clock::boot_us(),
            budget_us: u64::try_from(limit.as_micros()).unwrap_or(u64::MAX),
            what,
        };
        let call = Wire::pack(CALL, &envelope, bytes).ok_or_else(|| no_link.clone())?;
        let letter = |reply: RpcReplyPort<Wire>| Letter::Call(call, reply);
        let asked = post.call(letter, Some(limit.saturating_add(LIBRARY_SLACK)));
        let Ok(asked) = tokio::time::timeout(limit, asked).await else {
            return Err(NoAnswer::TooLate(self.peer));
        };
        match asked {
            Ok(CallResult::Success(answer)) => answer.open(ANSWER).ok_or(no_link),
            // The library gives a call up when its session ends.
            Ok(CallResult::SenderError | CallResult::Timeout) | Err(_) => Err(no_link),
        }
    }

    /// How old a call is that comes in over this link.
    pub fn age(&self, envelope: &Envelope) -> Aged {
        let mut age = self.age.lock().unwrap_or_else(PoisonError::into_inner);
        age.of(envelope.sent_us, clock::boot_us())
    }
}
