//! Deciding on a proposal: the judge is asked on the state as it is, and its answer written down.
//!
//! # Invariant
//! What a proposal brings along as its decision is thrown away: only the leader decides.
//! Nobody is denied on an old state: before a denial is told, all that was committed is applied.
//!
//! # Why
//! What is denied makes no entry: whoever asks a thousand times for what they may not have costs
//! the cluster nothing, and is noted in batches.

use std::sync::Arc;

use openraft::ReadPolicy;
use openraft::error::{LinearizableReadError, RaftError};
use rules::id::{NodeId, TeamName};
use rules::right::Decision;
use rules::{Command, Proposal, Rejection, State, Verdict, demand, version};

use super::denials::Denials;
use super::door::Raft;
use super::judge::Judge;
use super::machine::Machine;
use super::options::ProposeError;

/// Asks the judge.
#[derive(Debug)]
pub(super) struct Decider {
    judge: Arc<dyn Judge>,
    machine: Machine,
    denials: Denials,
}

/// What came of it.
pub(super) enum Decided {
    /// It may be asked: with the decision in it.
    Proposal(Arc<Proposal>),
    /// It is refused, or was answered before; and the last entry that this rests on.
    Refused(Verdict, u64),
}

impl Decider {
    pub fn new(judge: Arc<dyn Judge>, machine: Machine, denials: Denials) -> Self {
        Self {
            judge,
            machine,
            denials,
        }
    }

    /// Decides on a proposal, where this node leads.
    pub async fn decide(
        &self,
        raft: &Raft,
        proposal: &Arc<Proposal>,
    ) -> Result<Decided, ProposeError> {
        // One look for almost all: they are readable by everybody, and allowed.
        let decided = self.machine.read(|state| {
            version::check(state, &proposal.command).ok()?;
            let (asker, command) = (&proposal.principal, &proposal.command);
            Some(self.judge.decide_command(state, asker, command))
        });
        if decided.is_none() {
            self.catch_up(raft).await?;
            if let Some(refused) = self.too_new(proposal) {
                return Ok(refused);
            }
        }
        if let Some(decision) = decided.filter(Decision::is_allowed) {
            if let Some(refused) = self.unreadable(proposal) {
                return Ok(refused);
            }
            return Ok(with(proposal, decision));
        }
        self.catch_up(raft).await?;
        let ((decision, answered), index) = self
            .machine
            .read(|state| (self.judged(state, proposal), state.index));
        if let Some(answered) = answered {
            return Ok(Decided::Refused(answered, index));
        }
        let Some(rejection) = demand::refusal(&decision) else {
            return Ok(with(proposal, decision));
        };
        let who = proposal.principal.to_string();
        self.machine.read(|state| {
            let is_team = |team: &TeamName| state.teams.contains_key(team);
            self.denials.note(who, &rejection, is_team);
        });
        Ok(Decided::Refused(Err(rejection), index))
    }

    /// The decision on the state as it is, and what was answered to the same request before.
    fn judged(&self, state: &State, proposal: &Proposal) -> (Decision, Option<Verdict>) {
        let (asker, command) = (&proposal.principal, &proposal.command);
        let answered = proposal.request.as_ref();
        let answered = answered.and_then(|request| state.requests.answered(request));
        let decision = self.judge.decide_command(state, asker, command);
        (decision, answered.cloned())
    }

    /// Refuses what came with a later version of the rules: nodes that do not know it could not read
    /// the entry.
    fn too_new(&self, proposal: &Proposal) -> Option<Decided> {
        self.machine.read(|state| {
            let refused = version::check(state, &proposal.command).err()?;
            Some(Decided::Refused(Err(refused), state.index))
        })
    }

    /// Refuses a policy that the judge cannot read: it would deny everything.
    fn unreadable(&self, proposal: &Proposal) -> Option<Decided> {
        let Command::PutPolicy { policy, text } = &proposal.command else {
            return None;
        };
        let faults = self.judge.faults(policy, text);
        let index = self.machine.read(|state| state.index);
        let is_wrong = !faults.is_empty();
        let refused = Decided::Refused(Err(Rejection::Invalid(faults)), index);
        is_wrong.then_some(refused)
    }

    /// Waits until all that was committed is applied here, and a quorum says that this node leads.
    async fn catch_up(&self, raft: &Raft) -> Result<(), ProposeError> {
        let read = match raft.get_read_log_id(ReadPolicy::ReadIndex).await {
            Ok((read, _)) => read.log_id().index(),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
                return Err(ProposeError::NoLeader {
                    leader: forward.leader_id.map(NodeId),
                });
            }
            Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(_))) => {
                return Err(ProposeError::NoLeader { leader: None });
            }
            Err(RaftError::Fatal(_)) => return Err(ProposeError::Stopped),
        };
        let mut applied = self.machine.applied();
        let seen = applied.wait_for(|applied| *applied >= read).await;
        seen.map(drop).map_err(|_| ProposeError::Stopped)
    }
}

fn with(proposal: &Proposal, decision: Decision) -> Decided {
    Decided::Proposal(Arc::new(Proposal {
        decision: Some(decision),
        ..proposal.clone()
    }))
}
