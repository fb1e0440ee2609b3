//! The judge: who decides for the ledger whether what is proposed may be asked.
//!
//! # Why
//! The ledger asks and writes the answer into the entry; by which policies it is found is no matter
//! of its own.

use std::fmt;

use rules::id::PolicyName;
use rules::right::{Decision, Demand};
use rules::{Command, Principal, State, demand};

/// Who decides.
pub trait Judge: fmt::Debug + Send + Sync + 'static {
    /// Decides on what the state says now. It is called while the state is held: it must be quick.
    fn decide(&self, state: &State, asker: &Principal, demands: Vec<Demand>) -> Decision;

    /// Decides on a command.
    fn decide_command(&self, state: &State, asker: &Principal, command: &Command) -> Decision {
        let demands = demand::of_command(state, asker, command);
        let is_of_policies = matches!(
            command,
            Command::PutPolicy { .. } | Command::RemovePolicy { .. }
        );
        if is_of_policies {
            return self.decide_on_policies(state, asker, demands);
        }
        self.decide(state, asker, demands)
    }

    /// Decides where the organisation's policies are looked at or changed: if they shut everybody out,
    /// somebody can still mend them.
    fn decide_on_policies(
        &self,
        state: &State,
        asker: &Principal,
        demands: Vec<Demand>,
    ) -> Decision {
        self.decide(state, asker, demands)
    }

    /// What is wrong with a policy of the organisation, in words.
    fn faults(&self, name: &PolicyName, text: &str) -> Vec<String>;
}

/// The judge of a ledger that was given none: it allows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJudge;

impl Judge for NoJudge {
    fn decide(&self, state: &State, _: &Principal, _: Vec<Demand>) -> Decision {
        demand::decided(state, Vec::new(), |_| false)
    }

    fn faults(&self, _: &PolicyName, _: &str) -> Vec<String> {
        vec!["nobody here can read it".to_owned()]
    }
}
