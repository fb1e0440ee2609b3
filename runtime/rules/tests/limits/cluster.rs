//! What the tests of limits stand on: a small cluster, and what is said to it.

use std::collections::BTreeMap;

use rules::apply::Applied;
use rules::attempt::Body;
use rules::case::Brief;
use rules::command::{Entry, Plan, Proposal, Request};
use rules::id::{CaseId, HumanName, NodeId, WorkerId};
use rules::node::NodeFacts;
use rules::place::{Placed, Placement};
use rules::stage::{Need, OnFailure, StageSpec};
use rules::team::{AgentLimits, AgentSpec, Document, PlaybookSpec, TeamSpec, WorkerSpec};
use rules::verdict::{Outcome, Rejection};
use rules::{Command, Principal, State, Who, apply, demand};

/// A cluster with one team of one worker.
pub struct Cluster {
    pub state: State,
}

impl Cluster {
    pub fn new() -> Self {
        let mut cluster = Self {
            state: State::default(),
        };
        let node = NodeId(1);
        let facts = NodeFacts {
            node,
            name: "alpha".to_owned(),
            incarnation: 1,
            release: "0.1.0".to_owned(),
            knows: rules::version::NEWEST,
            engine: "process".to_owned(),
            cpu_milli: 4000,
            memory_bytes: 8 << 30,
            labels: BTreeMap::new(),
            address: None,
        };
        cluster.says(Who::Node(node), Command::JoinNode { facts });
        let put = vec![team(), worker("hand"), playbook("p0")];
        let remove = Vec::new();
        let described = cluster.sam(Command::ApplyDocuments { put, remove });
        assert!(described.verdict.is_ok(), "{described:?}");
        let team = &cluster.state.teams[&name("sre")];
        let mut placements = vec![placement(Placed::Team(name("sre")), team.epoch)];
        for (id, worker) in &cluster.state.workers {
            placements.push(placement(Placed::Worker(id.clone()), worker.epoch));
        }
        cluster.says(Who::Manager { term: 1 }, Command::Place { placements });
        cluster
    }

    pub fn says(&mut self, who: Who, command: Command) -> Applied {
        self.hears(None, 0, Principal::own(who), command)
    }

    pub fn sam(&mut self, command: Command) -> Applied {
        self.hears(None, 0, sam(), command)
    }

    pub fn hears(
        &mut self,
        request: Option<Request>,
        elapsed_ms: u64,
        principal: Principal,
        command: Command,
    ) -> Applied {
        let demands = demand::of_command(&self.state, &principal, &command);
        let decision = demand::decided(&self.state, demands, |_| true);
        let entry = Entry {
            index: self.state.index + 1,
            term: 1,
            elapsed_ms,
            proposal: Proposal {
                request,
                principal,
                wall_ms: 0,
                command,
                decision: Some(decision),
            }
            .into(),
            salt: [0; 16],
        };
        apply(&mut self.state, &entry)
    }

    pub fn open(&mut self) -> Result<CaseId, Rejection> {
        let outcome = self.sam(open()).verdict?;
        let Outcome::Opened(case) = outcome else {
            panic!("a case was opened and answered {outcome:?}");
        };
        Ok(case)
    }

    pub fn butler(&self) -> Who {
        let team = name("sre");
        let epoch = self.state.teams[&team].epoch;
        Who::Butler { team, epoch }
    }

    pub fn plan(&mut self, case: CaseId) {
        let command = Command::PlanCase {
            case,
            generation: self.state.cases[&case].generation,
            plan: Plan::Playbook(name("p0")),
        };
        let planned = self.says(self.butler(), command);
        assert_eq!(planned.verdict, Ok(Outcome::Done));
    }
}

pub fn sam() -> Principal {
    Principal::human(HumanName::new("sam").expect("sam is a name"))
}

pub fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("it is a name")
}

pub fn brief(text: &str) -> Brief {
    let text = Body::Inline(text.to_owned());
    Brief { text }
}

pub fn open() -> Command {
    Command::OpenCase {
        team: Some(name("sre")),
        title: "a pod is Pending".to_owned(),
        brief: brief("look"),
        attachments: Vec::new(),
        playbook: None,
    }
}

pub fn amend(case: CaseId) -> Command {
    let (brief, attachments) = (brief("look again"), Vec::new());
    Command::AmendCase {
        case,
        brief,
        attachments,
    }
}

pub fn placement(who: Placed, epoch: rules::id::Epoch) -> Placement {
    Placement {
        who,
        epoch,
        node: NodeId(1),
        reason: "the only one".to_owned(),
    }
}

pub fn team() -> Document {
    Document::Team(TeamSpec {
        name: name("sre"),
        title: "a team".to_owned(),
        topics: Vec::new(),
        butler: name("sre-bot"),
        agent: None,
        playbook: Some(name("p0")),
        labels: BTreeMap::new(),
    })
}

pub fn worker(called: &str) -> Document {
    Document::Worker(WorkerSpec {
        id: WorkerId {
            team: name("sre"),
            name: name(called),
        },
        title: "a worker".to_owned(),
        agent: AgentSpec {
            kernel: "cli".to_owned(),
            command: vec!["/bin/agent".to_owned()],
            image: "scratch".to_owned(),
            env: BTreeMap::new(),
            soul: None,
            skills: [(name("look"), Vec::new())].into(),
            limits: AgentLimits {
                cpu_milli: 500,
                memory_bytes: 1 << 20,
                pids: 10,
                output_bytes: 1 << 20,
                wall_ms: 600_000,
            },
        },
        parallel: 1,
        idle_after_ms: 60_000,
        labels: BTreeMap::new(),
    })
}

pub fn playbook(called: &str) -> Document {
    Document::Playbook(PlaybookSpec {
        team: name("sre"),
        name: name(called),
        title: "a playbook".to_owned(),
        stages: vec![StageSpec {
            name: name("look"),
            title: "look".to_owned(),
            need: Need::Skill(name("look")),
            after: Vec::new(),
            limit_ms: Some(60_000),
            attempts: 1,
            approval: None,
            on_failure: OnFailure::Fail,
            brief: String::new(),
        }],
    })
}

pub fn limit(of: &str, max: usize) -> Rejection {
    Rejection::Limit {
        limit: of.to_owned(),
        max: max as u64,
    }
}
