//! The one actor that other nodes see: takes their calls in, and has each worked on beside it.
//!
//! # Invariant
//! Nothing is awaited while a letter is handled. A call that is too late, or under a ticket that is
//! not good any more, is dropped unread; nobody waits for its answer.
//!
//! # Why
//! Each actor that other nodes see costs memory on every one of them and makes linking slower, so
//! there is one; it has no name, because the library takes a local actor's name away with a remote
//! one's.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster::RactorClusterMessage;

use super::age::Aged;
use super::link::{Answered, Envelope, Link, MAX_CALL_BYTES, What};
use super::shared::Shared;
use super::wire::{ANSWER, CALL, Wire};

/// Where the posts of all nodes are found, in the library's groups.
pub(super) const SCOPE: &str = "domo";
/// See [`SCOPE`].
pub(super) const GROUP: &str = "post";

/// What can wake the post.
#[derive(RactorClusterMessage)]
pub(super) enum Letter {
    /// A call of another node.
    #[rpc]
    Call(Wire, RpcReplyPort<Wire>),
}

/// The actor.
pub(super) struct Post;

impl Actor for Post {
    type Msg = Letter;
    type State = Arc<Shared>;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        myself: ActorRef<Letter>,
        shared: Arc<Shared>,
    ) -> Result<Arc<Shared>, ActorProcessingErr> {
        ractor::pg::join_scoped(SCOPE.to_owned(), GROUP.to_owned(), vec![myself.get_cell()]);
        Ok(shared)
    }

    async fn handle(
        &self,
        _: ActorRef<Letter>,
        letter: Letter,
        shared: &mut Arc<Shared>,
    ) -> Result<(), ActorProcessingErr> {
        match letter {
            Letter::Call(call, reply) => take_in(shared, call, reply),
        }
        Ok(())
    }
}

fn take_in(shared: &Arc<Shared>, call: Wire, reply: RpcReplyPort<Wire>) {
    let Some((envelope, bytes)) = call.open::<Envelope>(CALL) else {
        tracing::debug!("a call that cannot be read was dropped");
        return;
    };
    let Some(link) = shared.peers.link_of_ticket(envelope.ticket) else {
        tracing::debug!(
            id = envelope.id,
            "a call over a link that has ended was dropped"
        );
        return;
    };
    let budget = Duration::from_micros(envelope.budget_us);
    let left = match link.age(&envelope) {
        Aged::Old(age) => budget.saturating_sub(age),
        Aged::Leapt => {
            tracing::warn!(peer = %link.peer, "a clock stood still: the link is made anew");
            link.held.cut();
            return;
        }
    };
    if left.is_zero() {
        shared.peers.note_late(link.peer);
        return;
    }
    match envelope.what {
        What::Beat => answer(reply, Answered::Beat, &[]),
        What::Call => work(shared, &link, bytes, left, reply),
    }
}

fn work(
    shared: &Arc<Shared>,
    link: &Link,
    bytes: Vec<u8>,
    left: Duration,
    reply: RpcReplyPort<Wire>,
) {
    let Some(answerer) = shared.answerer() else {
        return answer(reply, Answered::Nothing, &[]);
    };
    let Ok(permit) = Arc::clone(&link.answering).try_acquire_owned() else {
        return answer(reply, Answered::Full, &[]);
    };
    let peer = link.peer;
    tokio::spawn(async move {
        // Whoever waits for the answer gives it up at that time too.
        match tokio::time::timeout(left, answerer.answer(peer, bytes)).await {
            Ok(Some(bytes)) if bytes.len() > MAX_CALL_BYTES => {
                answer(reply, Answered::TooLarge, &[]);
            }
            Ok(Some(bytes)) => answer(reply, Answered::Call, &bytes),
            Ok(None) => answer(reply, Answered::Nothing, &[]),
            Err(_) => {}
        }
        drop(permit);
    });
}

fn answer(reply: RpcReplyPort<Wire>, head: Answered, bytes: &[u8]) {
    if let Some(wire) = Wire::pack(ANSWER, &head, bytes) {
        // It fails when nobody waits any more.
        drop(reply.send(wire));
    }
}
