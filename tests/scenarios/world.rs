//! The state that a scenario talks to, and what a step did to it.

use rules::case::Case;
use rules::command::{Entry, Proposal};
use rules::duty;
use rules::human::Human;
use rules::id::HumanName;
use rules::limits::MAX_TICK_MS;
use rules::verdict::Verdict;
use rules::{Command, Principal, State, Who};
use runtime::ledger::Judge as _;
use runtime::policy::Policies;

use super::answer;
use super::ask::{self, Asked, Decided};
use super::render;

/// A cluster of the rules alone.
pub struct World {
    pub state: State,
    pub term: u64,
    /// How it was before the last thing that was asked.
    before: State,
    judge: Policies,
    /// Commands that were accepted, in the words of the scenarios.
    pub accepted: Vec<&'static str>,
}

impl World {
    pub fn new() -> Self {
        let mut state = State::default();
        // In every scenario sam is an admin, who is there from the beginning.
        let sam = Human {
            is_admin: true,
            ..Human::default()
        };
        let name = HumanName::new("sam").expect("sam is a name");
        state.people.humans.insert(name, sam);
        let judge = Policies::new(config::policy::SCHEMA, config::policy::MATRIX);
        Self {
            before: state.clone(),
            state,
            judge: judge.expect("the matrix can be read"),
            term: 1,
            accepted: Vec::new(),
        }
    }

    /// Does what is asked, and says line by line what came of it.
    pub fn ask(&mut self, asked: Asked) -> Vec<String> {
        let before = render::things(&self.state);
        let duties_before = duty::duties(&self.state);
        if let Some(term) = asked.term {
            self.term = term;
        }
        let mut closed = Vec::new();
        // More time than an entry may carry comes as several.
        let mut elapsed_ms = asked.elapsed_ms;
        while elapsed_ms > MAX_TICK_MS {
            elapsed_ms -= MAX_TICK_MS;
            closed.extend(self.apply(MAX_TICK_MS, tick()).1);
        }
        let name = ask::name(&asked.proposal.command);
        let decided_on = match asked.decided {
            Decided::Now => Some(self.state.clone()),
            Decided::Before => Some(self.before.clone()),
            Decided::Never => None,
        };
        self.before = self.state.clone();
        let mut proposal = asked.proposal;
        proposal.decision = decided_on.map(|state| {
            let (asker, command) = (&proposal.principal, &proposal.command);
            self.judge.decide_command(&state, asker, command)
        });
        let (verdict, more) = self.apply(elapsed_ms, proposal);
        closed.extend(more);
        if verdict.is_ok() {
            self.accepted.push(name);
        }
        let mut lines = vec![answer::verdict(&verdict)];
        let after = render::things(&self.state);
        lines.extend(render::difference(&before, &after, &closed));
        lines.extend(answer::duties(&duties_before, &duty::duties(&self.state)));
        if lines.len() == 1 {
            lines.push("nothing changes".to_owned());
        }
        lines
    }

    fn apply(&mut self, elapsed_ms: u64, proposal: Proposal) -> (Verdict, Vec<Case>) {
        let entry = Entry {
            index: self.state.index + 1,
            term: self.term,
            elapsed_ms,
            proposal: proposal.into(),
            salt: [0; 16],
        };
        let applied = rules::apply(&mut self.state, &entry);
        (applied.verdict, applied.closed)
    }
}

fn tick() -> Proposal {
    Proposal {
        request: None,
        principal: Principal::own(Who::Ledger),
        wall_ms: 0,
        command: Command::Tick,
        decision: None,
    }
}
