//! A cluster of the rules alone, with all that was said to it.

use std::collections::{BTreeMap, BTreeSet};

use rules::apply::Applied;
use rules::case::Case;
use rules::command::{Entry, Proposal};
use rules::duty::{self, Duty, Holder, Subject};
use rules::id::Epoch;
use rules::node::NodeFacts;
use rules::{Command, Principal, State, Who, apply, demand};

use crate::effects;
use crate::nodes;
use crate::pool;
use crate::speech;
use crate::truth;
use crate::wish::Wish;

/// The state, its past, and what the truths remember of it.
#[derive(Default)]
pub struct Lab {
    pub state: State,
    pub term: u64,
    pub log: Vec<Entry>,
    pub archive: Vec<Case>,
    /// Duties by subject, kept up only where entries said that they touched.
    pub kept: BTreeMap<Subject, Vec<(Holder, Duty)>>,
    /// Whose each epoch was.
    pub epochs: BTreeMap<Epoch, String>,
}

/// An entry, with how things were before and what came of it.
pub struct Told<'a> {
    pub before: &'a State,
    pub entry: &'a Entry,
    pub applied: &'a Applied,
    pub after: &'a State,
}

impl Lab {
    /// A cluster with a node and two teams, before anything was asked of them.
    pub fn begin() -> Self {
        let mut lab = Self::default();
        lab.found();
        let (put, remove) = (pool::beginning(), Vec::new());
        let described = lab.propose(0, pool::sam(), Command::ApplyDocuments { put, remove });
        assert!(described.verdict.is_ok(), "{described:?}");
        for subject in duty::subjects(&lab.state) {
            let duties = duty::duties_of(&lab.state, &subject);
            lab.kept.insert(subject, duties);
        }
        lab
    }

    /// Two nodes, and two targets for what runs on them.
    fn found(&mut self) {
        let facts = NodeFacts {
            knows: rules::version::NEWEST,
            ..pool::facts(1)
        };
        let first = Principal::own(Who::Node(facts.node));
        let mint = Command::MintToken {
            token: pool::raw("t0"),
            hash: [0; 32],
            valid_ms: rules::limits::MAX_TOKEN_VALID_MS,
        };
        let second = rules::id::NodeId(2);
        let admit = Command::AdmitNode {
            hash: [0; 32],
            name: nodes::name(second),
            key: [2; 32],
        };
        let joins = NodeFacts {
            node: second,
            name: nodes::name(second),
            ..facts.clone()
        };
        let join = |facts| Command::JoinNode { facts };
        let put = |pick| Command::PutTarget {
            target: effects::target(pick),
        };
        for (who, command) in [
            (first.clone(), join(facts)),
            (pool::sam(), mint),
            (first, admit),
            (Principal::own(Who::Node(second)), join(joins)),
            (pool::sam(), put(13)),
            (pool::sam(), put(14)),
        ] {
            let said = self.propose(0, who, command);
            assert!(said.verdict.is_ok(), "{said:?}");
        }
        for to in self.state.version + 1..=rules::version::NEWEST {
            let raise = Command::RaiseVersion { to };
            let said = self.propose(0, Principal::own(Who::Ledger), raise);
            assert!(said.verdict.is_ok(), "{said:?}");
        }
        for node in [rules::id::NodeId(1), second] {
            let (who, command) = nodes::tell_way_out(self, node, 0);
            let said = self.propose(0, who, command);
            assert!(said.verdict.is_ok(), "{said:?}");
        }
    }

    /// Says what is wished, where it means anything now, and checks every truth.
    pub fn hear(&mut self, wish: &Wish) -> Result<(), String> {
        let Some(entry) = speech::entry(self, wish) else {
            return Ok(());
        };
        let before = self.state.clone();
        let applied = self.take(&entry);
        let told = Told {
            before: &before,
            entry: &entry,
            applied: &applied,
            after: &self.state,
        };
        let checked = truth::check(&told)
            .and_then(|()| self.epochs_never_come_back())
            .and_then(|()| self.closed_cases_are_archived_once())
            .and_then(|()| self.touched_subjects_tell_all_duties(&applied.touched));
        let said = format!("{:?}: {:?}", entry.proposal, applied.verdict);
        checked.map_err(|why| format!("{why}\nafter {said}"))
    }

    /// Says what is wished, and checks nothing.
    pub fn say(&mut self, wish: &Wish) {
        if let Some(entry) = speech::entry(self, wish) {
            self.take(&entry);
        }
    }

    /// Says what somebody proposes now.
    pub fn propose(&mut self, elapsed_ms: u64, principal: Principal, command: Command) -> Applied {
        let proposal = Proposal {
            request: None,
            principal,
            wall_ms: 0,
            command,
            decision: None,
        };
        self.take(&self.next(elapsed_ms, proposal))
    }

    /// A proposal at the next place of the ledger, which is allowed as things are.
    pub fn next(&self, elapsed_ms: u64, mut proposal: Proposal) -> Entry {
        let (asker, command) = (&proposal.principal, &proposal.command);
        let demands = demand::of_command(&self.state, asker, command);
        proposal.decision = Some(demand::decided(&self.state, demands, |_| true));
        self.as_decided(elapsed_ms, proposal)
    }

    /// A proposal at the next place of the ledger, with the decision that it has.
    pub fn as_decided(&self, elapsed_ms: u64, proposal: Proposal) -> Entry {
        Entry {
            index: self.state.index + 1,
            term: self.term,
            elapsed_ms,
            proposal: proposal.into(),
            salt: [7; 16],
        }
    }

    fn take(&mut self, entry: &Entry) -> Applied {
        let applied = apply(&mut self.state, entry);
        self.log.push(entry.clone());
        self.archive.extend(applied.closed.iter().cloned());
        applied
    }

    fn epochs_never_come_back(&mut self) -> Result<(), String> {
        let teams = self.state.teams.values();
        let teams = teams.map(|team| (team.epoch, format!("team {}", team.spec.name)));
        let workers = self.state.workers.values();
        let workers = workers.map(|worker| (worker.epoch, format!("worker {}", worker.spec.id)));
        for (epoch, who) in teams.chain(workers) {
            if epoch > self.state.last_epoch {
                return Err(format!("epoch {epoch} of {who} was never given"));
            }
            let owner = self.epochs.entry(epoch).or_insert_with(|| who.clone());
            if *owner != who {
                return Err(format!("epoch {epoch} was {owner}'s and is {who}'s"));
            }
            let newest = self.epochs.iter().rev().find(|(_, owner)| **owner == who);
            if newest.is_some_and(|(newest, _)| *newest != epoch) {
                return Err(format!("epoch {epoch} of {who} came back"));
            }
        }
        Ok(())
    }

    fn closed_cases_are_archived_once(&self) -> Result<(), String> {
        let archived: BTreeSet<_> = self.archive.iter().map(|case| case.id).collect();
        let opened = self.state.next_case.0 - 1;
        let is_whole = archived.len() == self.archive.len()
            && archived.len() as u64 == self.state.closed_cases
            && archived.len() as u64 + self.state.cases.len() as u64 == opened
            && self.archive.iter().all(|case| case.report.is_some());
        if is_whole {
            return Ok(());
        }
        Err(format!("archived {archived:?} of {opened} cases"))
    }

    fn touched_subjects_tell_all_duties(
        &mut self,
        touched: &BTreeSet<Subject>,
    ) -> Result<(), String> {
        for subject in touched {
            let duties = duty::duties_of(&self.state, subject);
            self.kept.insert(subject.clone(), duties);
        }
        let mut kept: BTreeMap<Holder, BTreeSet<Duty>> = BTreeMap::new();
        for (holder, duty) in self.kept.values().flatten() {
            let duties = kept.entry(holder.clone()).or_default();
            duties.insert(duty.clone());
        }
        let all = duty::duties(&self.state);
        if kept == all {
            return Ok(());
        }
        Err(format!("kept up {kept:?}\nbut duties are {all:?}"))
    }

    /// That the log, written and read, leads to the same state, byte for byte.
    pub fn replays(&self) -> Result<(), String> {
        let config = bincode::config::standard();
        let encode = |state: &State| bincode::serde::encode_to_vec(state, config);
        let mut again = State::default();
        for entry in &self.log {
            let written = bincode::serde::encode_to_vec(entry, config).expect("entries encode");
            let (read, _): (Entry, usize) =
                bincode::serde::decode_from_slice(&written, config).expect("entries decode");
            apply(&mut again, &read);
        }
        let bytes = encode(&self.state).expect("states encode");
        if encode(&again).expect("states encode") != bytes {
            return Err("the replay came to another state".to_owned());
        }
        let (read, used): (State, usize) =
            bincode::serde::decode_from_slice(&bytes, config).expect("states decode");
        if read != self.state || used != bytes.len() {
            return Err("the state is another one when it is read".to_owned());
        }
        Ok(())
    }
}
