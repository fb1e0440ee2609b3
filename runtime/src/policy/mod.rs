//! Who may do what: the permission matrix and the organisation's own policies, evaluated.
//!
//! ```text
//! state + asker + demand ─► facts ─► remembered? ──────────────► allowed or not, by which policies
//!                                       └─► engine (Cedar) ─► remembered ─┘
//! ```
//!
//! # Invariant
//! Cedar is named in this folder and nowhere else. What cannot be evaluated is denied: a policy that
//! cannot be read, a request that does not fit the schema, an error on the way.
//! The organisation's policies only take rights away: of humans, and of personas that speak for them.
//! They bind the built-in admin like everybody, but where he looks at policies or changes them.
//!
//! # Why
//! A decision follows from a handful of facts, so that it is evaluated once for each set of them and
//! looked up after that. Where the organisation has policies of its own, which may name people and
//! teams, those names are facts too.

mod engine;
mod facts;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use rules::human::ADMIN;
use rules::id::PolicyName;
use rules::right::{Decision, Demand};
use rules::{Principal, State, Who, demand};
use thiserror::Error;

use crate::ledger::Judge;
use engine::{Engine, Set};
use facts::{Asker, Facts};

/// Decisions that are remembered at most; all are forgotten when there are more.
const MAX_REMEMBERED: usize = 50_000;

/// Why the matrix cannot be used.
#[derive(Debug, Error)]
#[error("the permission matrix cannot be read: {}", .0.join("; "))]
pub struct BadMatrix(Vec<String>);

/// What the policies say to some facts.
#[derive(Clone, Debug)]
struct Answer {
    is_allowed: bool,
    policies: Arc<[String]>,
}

/// By what is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    /// By the matrix and the organisation's own policies.
    Policies,
    /// By the matrix alone.
    Matrix,
}

/// What is remembered, and for which policies of the organisation.
#[derive(Debug)]
struct Memory {
    /// The revision that was looked at last.
    revision: u64,
    policies: BTreeMap<PolicyName, String>,
    /// The matrix with the organisation's policies; none where one of those cannot be read.
    set: Option<Set>,
    answers: HashMap<(Facts, Asker), Answer>,
}

/// The judge of a node.
#[derive(Debug)]
pub struct Policies {
    engine: Engine,
    /// The matrix alone.
    matrix: Set,
    memory: RwLock<Memory>,
}

impl Policies {
    /// Reads the schema and the matrix.
    pub fn new(schema: &str, matrix: &str) -> Result<Self, BadMatrix> {
        let engine = Engine::new(schema).map_err(BadMatrix)?;
        let matrix = engine.matrix(matrix).map_err(BadMatrix)?;
        let memory = RwLock::new(Memory {
            revision: 0,
            policies: BTreeMap::new(),
            set: Some(matrix.clone()),
            answers: HashMap::new(),
        });
        Ok(Self {
            engine,
            matrix,
            memory,
        })
    }

    fn decide_by(
        &self,
        ground: Ground,
        state: &State,
        asker: &Principal,
        demands: Vec<Demand>,
    ) -> Decision {
        self.follow(state);
        let mut policies: Vec<String> = Vec::new();
        let decided = demand::decided(state, demands, |demand| {
            let answer = self.judge_one(ground, state, asker, demand);
            for policy in answer.policies.iter() {
                if !policies.contains(policy) {
                    policies.push(policy.clone());
                }
            }
            answer.is_allowed
        });
        Decision {
            policies,
            ..decided
        }
    }

    /// Says to each part whether it is allowed, and by which policies.
    fn judge_one(
        &self,
        ground: Ground,
        state: &State,
        asker: &Principal,
        demand: &Demand,
    ) -> Answer {
        let mut answer = Answer {
            is_allowed: true,
            policies: Arc::from([]),
        };
        for (facts, asker) in facts::of(state, asker, demand) {
            let found = self.answer(ground, state, &facts, &asker);
            answer.is_allowed &= found.is_allowed;
            answer.policies = if answer.policies.is_empty() {
                found.policies
            } else {
                let both = answer.policies.iter().chain(found.policies.iter());
                both.cloned().collect()
            };
        }
        answer
    }

    fn answer(&self, ground: Ground, state: &State, facts: &Facts, asker: &Asker) -> Answer {
        if facts.is_persona() {
            // What personas do of themselves keeps the cluster alive: only the matrix is asked.
            return self.remembered(facts, Asker::default(), |_| {
                Some(self.engine.evaluate(&self.matrix, facts, &Asker::default()))
            });
        }
        if state.people.policies.is_empty() || ground == Ground::Matrix {
            return self.remembered(facts, Asker::default(), |_| {
                Some(self.engine.evaluate(&self.matrix, facts, asker))
            });
        }
        self.remembered(facts, asker.clone(), |memory| {
            let set = memory.set.as_ref()?;
            Some(self.engine.evaluate(set, facts, asker))
        })
    }

    fn remembered(
        &self,
        facts: &Facts,
        asker: Asker,
        evaluate: impl FnOnce(&Memory) -> Option<Answer>,
    ) -> Answer {
        let key = (*facts, asker);
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = memory.answers.get(&key) {
            return found.clone();
        }
        let answer = evaluate(&memory).unwrap_or_else(|| Answer {
            is_allowed: false,
            policies: Arc::from(["a policy that cannot be read".to_owned()]),
        });
        let revision = memory.revision;
        drop(memory);
        let memory = self.memory.write();
        let mut memory = memory.unwrap_or_else(PoisonError::into_inner);
        if memory.revision != revision {
            // It was decided by policies that are not remembered any more.
            return answer;
        }
        if memory.answers.len() >= MAX_REMEMBERED {
            memory.answers.clear();
        }
        memory.answers.insert(key, answer.clone());
        answer
    }

    /// Makes sure that what is remembered was decided by the policies that the state has.
    fn follow(&self, state: &State) {
        let people = &state.people;
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        let is_same =
            memory.revision == people.revision && memory.policies.len() == people.policies.len();
        drop(memory);
        if is_same {
            return;
        }
        let memory = self.memory.write();
        let mut memory = memory.unwrap_or_else(PoisonError::into_inner);
        memory.revision = people.revision;
        if memory.policies != people.policies {
            memory.policies.clone_from(&people.policies);
            memory.answers.clear();
            let set = self.engine.with_policies(&self.matrix, &people.policies);
            if let Err(faults) = &set {
                tracing::error!(
                    "a policy of the organisation cannot be read, and everything is denied until \
                     it is taken back: {}",
                    faults.join("; ")
                );
            }
            memory.set = set.ok();
        }
    }
}

/// Whether this is the built-in admin, speaking for himself at a node's socket.
fn is_built_in(asker: &Principal) -> bool {
    let is_he = matches!(&asker.who, Who::Human(human) if human.as_str() == ADMIN);
    is_he && asker.on_behalf_of.is_none() && asker.token.is_none()
}

impl Judge for Policies {
    fn decide(&self, state: &State, asker: &Principal, demands: Vec<Demand>) -> Decision {
        self.decide_by(Ground::Policies, state, asker, demands)
    }

    /// The built-in admin can always mend or take back a policy that shuts everybody out.
    fn decide_on_policies(
        &self,
        state: &State,
        asker: &Principal,
        demands: Vec<Demand>,
    ) -> Decision {
        let ground = if is_built_in(asker) {
            Ground::Matrix
        } else {
            Ground::Policies
        };
        self.decide_by(ground, state, asker, demands)
    }

    fn faults(&self, name: &PolicyName, text: &str) -> Vec<String> {
        let policies = BTreeMap::from([(name.clone(), text.to_owned())]);
        let set = self.engine.with_policies(&self.matrix, &policies);
        set.err().unwrap_or_default()
    }
}
