//! What this node does by itself is noted in the record before it does it.
//!
//! # Why
//! A secret must be set and a persona crashed also where there is no quorum: then the deed is done at
//! its limit, and the record follows as soon as somebody leads. Only a daemon that ends before that
//! takes such a record along; its log has the line.
//! What hands out everything of everybody is recorded first, whoever asks: the record's verdict is also
//! the leader's, who knows of every right that was taken. Only whoever could copy the disk anyway, the
//! built-in admin at this node's socket, gets it without: a cluster that has lost its majority is saved
//! by such a backup.

use std::time::Duration;

use rand::RngExt as _;
use rules::deed::Deed;
use rules::id::RequestId;
use rules::{Command, Proposal, Request, Verdict};
use runtime::clock;
use tokio::time::{sleep, timeout};

use super::convert::asked::digest;
use super::desk::Shared;
use super::people::Asker;
use super::refused::{Answered, Refused};
use super::wire::Code;

/// How long a deed waits for its record: a quorum that is there answers in far less.
const WAIT: Duration = Duration::from_secs(2);
/// How long one waits that may not be done without: a cluster with a majority has a leader by then.
const RECORDED_WITHIN: Duration = Duration::from_secs(10);
/// How long its record is tried again after that: longer than anyone leaves a cluster without a quorum.
const GIVEN_UP: Duration = Duration::from_hours(24);
/// Rest between two tries.
const REST: Duration = Duration::from_secs(1);

/// Notes a deed that is about to be done; an answer means that it may be.
pub(super) async fn note(desk: &Shared, asker: &Asker, deed: Deed) -> Answered<()> {
    let told = deed.to_string();
    let must_be_recorded = deed.hands_out_everything() && !asker.is_built_in();
    let (node, principal) = (desk.node, asker.principal());
    let command = Command::NoteDeed { node, deed };
    let (word, now): (u128, _) = (rand::rng().random(), desk.ledger.read(|state| state.clock));
    let id = RequestId::stamped(&format!("{word:032x}"), now)?;
    let digest = digest(&principal, &command, "");
    let proposal = Proposal {
        // Said again where nobody knows whether it was heard, it is noted once.
        request: Some(Request { id, digest }),
        principal,
        wall_ms: clock::wall().0,
        command,
        decision: None,
    };
    let mut noting = tokio::spawn(until_noted(desk.clone(), proposal));
    let wait = if must_be_recorded {
        RECORDED_WITHIN.min(desk.limits.request)
    } else {
        WAIT
    };
    match timeout(wait, &mut noting).await {
        Ok(Ok(Some(verdict))) => {
            let noted = verdict.map(drop);
            noted.map_err(|rejection| Refused::from(&rejection))
        }
        Ok(Ok(None) | Err(_)) => Err(Refused::new(Code::Failed, "the node is ending")),
        Err(_) if must_be_recorded => {
            noting.abort();
            let what = "it cannot be recorded now, and nothing like it leaves off the record";
            let refused = Refused::new(Code::NoLeader, what);
            Err(refused.hint(
                "ask again when the cluster has a leader: `domo status` says what it lacks; root on \
                 this host can do without: `domo backup --local`",
            ))
        }
        Err(_) => {
            tracing::warn!(by = %asker.principal(), deed = told, "is done before it is recorded: nobody leads");
            Ok(())
        }
    }
}

/// Proposes until there is an answer; none when the daemon ends, or the time is over.
async fn until_noted(desk: Shared, proposal: Proposal) -> Option<Verdict> {
    let trying = async {
        loop {
            match desk.ledger.propose(proposal.clone()).await {
                Ok(verdict) => return verdict,
                Err(error) => tracing::debug!("a deed is not recorded for now: {error}"),
            }
            sleep(REST).await;
        }
    };
    let mut stop = desk.stop.clone();
    tokio::select! {
        verdict = trying => Some(verdict),
        () = sleep(GIVEN_UP) => None,
        _ = stop.wait_for(|is_over| *is_over) => None,
    }
}
