//! Limits hold, and what reaches one is told which.

use std::collections::BTreeMap;

use rules::apply::Applied;
use rules::attempt::{AttemptOutcome, Body};
use rules::case::{Brief, Report};
use rules::command::{Entry, Plan, Proposal, Request};
use rules::id::{AttemptId, CaseId, ClockMs, HumanName, NodeId, RequestId, WorkerId};
use rules::limits;
use rules::node::NodeFacts;
use rules::place::{Placed, Placement};
use rules::stage::{Need, OnFailure, StageSpec};
use rules::team::{AgentLimits, AgentSpec, Document, PlaybookSpec, TeamSpec, WorkerSpec};
use rules::verdict::{Outcome, Rejection};
use rules::{Command, Principal, State, Who, apply};

/// A cluster with one team of one worker.
struct Cluster {
    state: State,
}

impl Cluster {
    fn new() -> Self {
        let mut cluster = Self {
            state: State::default(),
        };
        let node = NodeId(1);
        let facts = NodeFacts {
            node,
            name: "alpha".to_owned(),
            incarnation: 1,
            release: "0.1.0".to_owned(),
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

    fn says(&mut self, who: Who, command: Command) -> Applied {
        self.hears(None, 0, Principal::own(who), command)
    }

    fn sam(&mut self, command: Command) -> Applied {
        self.hears(None, 0, sam(), command)
    }

    fn hears(
        &mut self,
        request: Option<Request>,
        elapsed_ms: u64,
        principal: Principal,
        command: Command,
    ) -> Applied {
        let entry = Entry {
            index: self.state.index + 1,
            term: 1,
            elapsed_ms,
            proposal: Proposal {
                request,
                principal,
                wall_ms: 0,
                command,
            },
        };
        apply(&mut self.state, &entry)
    }

    fn open(&mut self) -> Result<CaseId, Rejection> {
        let outcome = self.sam(open()).verdict?;
        let Outcome::Opened(case) = outcome else {
            panic!("a case was opened and answered {outcome:?}");
        };
        Ok(case)
    }

    fn butler(&self) -> Who {
        let team = name("sre");
        let epoch = self.state.teams[&team].epoch;
        Who::Butler { team, epoch }
    }

    fn plan(&mut self, case: CaseId) {
        let command = Command::PlanCase {
            case,
            generation: self.state.cases[&case].generation,
            plan: Plan::Playbook(name("p0")),
        };
        let planned = self.says(self.butler(), command);
        assert_eq!(planned.verdict, Ok(Outcome::Done));
    }
}

fn sam() -> Principal {
    Principal::human(HumanName::new("sam").expect("sam is a name"))
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("it is a name")
}

fn brief(text: &str) -> Brief {
    let text = Body::Inline(text.to_owned());
    Brief { text }
}

fn open() -> Command {
    Command::OpenCase {
        team: Some(name("sre")),
        title: "a pod is Pending".to_owned(),
        brief: brief("look"),
        attachments: Vec::new(),
        playbook: None,
    }
}

fn placement(who: Placed, epoch: rules::id::Epoch) -> Placement {
    Placement {
        who,
        epoch,
        node: NodeId(1),
        reason: "the only one".to_owned(),
    }
}

fn team() -> Document {
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

fn worker(called: &str) -> Document {
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
            },
        },
        parallel: 1,
        idle_after_ms: 60_000,
        labels: BTreeMap::new(),
    })
}

fn playbook(called: &str) -> Document {
    Document::Playbook(PlaybookSpec {
        team: name("sre"),
        name: name(called),
        title: "a playbook".to_owned(),
        stages: vec![StageSpec {
            name: name("look"),
            title: "look".to_owned(),
            need: Need::Skill(name("look")),
            after: Vec::new(),
            limit_ms: 60_000,
            attempts: 1,
            approval: None,
            on_failure: OnFailure::Fail,
            brief: String::new(),
        }],
    })
}

fn limit(of: &str, max: usize) -> Rejection {
    Rejection::Limit {
        limit: of.to_owned(),
        max: max as u64,
    }
}

#[test]
fn a_team_has_so_many_open_cases_and_no_more() {
    let mut cluster = Cluster::new();
    for _ in 0..limits::MAX_OPEN_CASES_PER_TEAM {
        cluster.open().unwrap();
    }
    let max = limits::MAX_OPEN_CASES_PER_TEAM;
    assert_eq!(
        cluster.open(),
        Err(limit("max_open_cases_per_team", max)),
        "one more than the limit"
    );
}

#[test]
fn a_brief_has_so_many_versions_and_no_more() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    let mut amend = || {
        let (brief, attachments) = (brief("look again"), Vec::new());
        let amended = cluster.sam(Command::AmendCase {
            case,
            brief,
            attachments,
        });
        amended.verdict
    };
    for _ in 1..limits::MAX_BRIEFS {
        assert_eq!(amend(), Ok(Outcome::Done));
    }
    assert_eq!(amend(), Err(limit("max_briefs", limits::MAX_BRIEFS)));
}

#[test]
fn a_case_has_so_many_attempts_and_then_its_stage_fails() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    cluster.plan(case);
    let worker: WorkerId = name("sre/hand");
    for _ in 0..limits::MAX_CASE_ATTEMPTS {
        assert!(cluster.state.cases[&case].ending.is_none());
        let (worker, reason) = (worker.clone(), "it hangs".to_owned());
        cluster.sam(Command::ReplaceWorker { worker, reason });
    }
    let case = &cluster.state.cases[&case];
    assert_eq!(case.attempts.len(), limits::MAX_CASE_ATTEMPTS as usize);
    assert_eq!(
        case.ending_reason.as_deref(),
        Some("stage look failed: the case has used all its 4096 attempts")
    );
    let history = &case.history;
    assert!(history.events.len() <= limits::MAX_HISTORY, "it is bounded");
    assert_eq!(history.events[0].what.to_string(), "opened");
    assert!(history.dropped > 0, "and says what it dropped");
}

#[test]
fn a_team_has_so_many_playbooks_and_each_can_still_be_changed() {
    let mut cluster = Cluster::new();
    let called: Vec<String> = (0..=limits::MAX_PLAYBOOKS)
        .map(|n| format!("p{n}"))
        .collect();
    let mut put = |names: &[String]| {
        let put = names.iter().map(|name| playbook(name)).collect();
        let remove = Vec::new();
        let described = cluster.sam(Command::ApplyDocuments { put, remove });
        described.verdict.map(|_| ())
    };
    let max = limits::MAX_PLAYBOOKS;
    assert_eq!(put(&called), Err(limit("max_playbooks", max)));
    assert_eq!(put(&called[..max]), Ok(()));
    assert_eq!(put(&called[..max]), Ok(()), "nothing is new");
    assert_eq!(put(&called[max..]), Err(limit("max_playbooks", max)));
}

#[test]
fn a_team_has_so_many_workers_and_each_can_still_be_changed() {
    let mut cluster = Cluster::new();
    let max = limits::MAX_WORKERS_PER_TEAM;
    let called: Vec<String> = (1..=max).map(|n| format!("w{n}")).collect();
    let mut put = |names: &[String]| {
        let put = names.iter().map(|name| worker(name)).collect();
        let remove = Vec::new();
        let described = cluster.sam(Command::ApplyDocuments { put, remove });
        described.verdict.map(|_| ())
    };
    assert_eq!(put(&called), Err(limit("max_workers_per_team", max)));
    assert_eq!(put(&called[1..]), Ok(()));
    assert_eq!(put(&called[1..]), Ok(()), "nothing is new");
    assert_eq!(put(&called), Err(limit("max_workers_per_team", max)));
}

#[test]
fn an_id_that_a_flood_pushed_out_of_the_memory_is_expired_and_not_new() {
    let mut cluster = Cluster::new();
    let ask = |cluster: &mut Cluster, word: &str, made: u64| {
        let id = RequestId::stamped(word, ClockMs(made)).unwrap();
        let request = Some(Request { id, digest: 7 });
        let remove = vec![worker("nobody").name()];
        let put = Vec::new();
        let command = Command::ApplyDocuments { put, remove };
        cluster.hears(request, 0, sam(), command).verdict
    };
    let refused = ask(&mut cluster, "first", 0);
    assert!(matches!(refused, Err(Rejection::NoDocument(_))));
    cluster.hears(None, 5, Principal::own(Who::Ledger), Command::Tick);
    for word in 0..limits::MAX_REMEMBERED {
        assert_eq!(ask(&mut cluster, &format!("flood-{word}"), 5), refused);
    }
    assert_eq!(cluster.state.requests.len(), limits::MAX_REMEMBERED);
    assert_eq!(ask(&mut cluster, "first", 0), Err(Rejection::Expired));
    assert_eq!(ask(&mut cluster, "flood-7", 5), refused, "it is remembered");
    assert_eq!(ask(&mut cluster, "another", 5), refused, "it is new");
}

#[test]
fn a_case_keeps_so_many_request_ids_and_the_others_get_their_hour() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    for at in 0..2 * limits::MAX_CASE_REQUESTS {
        let id = RequestId::new(&format!("r-{at}")).unwrap();
        let request = Some(Request { id, digest: 7 });
        let reason = "wait".to_owned();
        let command = if at % 2 == 0 {
            Command::PauseCase { case, reason }
        } else {
            Command::ResumeCase { case }
        };
        let heard = cluster.hears(request, 0, sam(), command);
        assert_eq!(heard.verdict, Ok(Outcome::Done));
    }
    let case = &cluster.state.cases[&case];
    assert_eq!(case.requests.len(), limits::MAX_CASE_REQUESTS);
}

#[test]
fn a_result_that_breaks_a_limit_leaves_the_attempt_as_it_is() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    cluster.plan(case);
    let worker = Who::Worker {
        worker: name("sre/hand"),
        epoch: cluster.state.workers[&name("sre/hand")].epoch,
    };
    let finish = |summary: String| Command::FinishAttempt {
        attempt: AttemptId { case, number: 1 },
        outcome: AttemptOutcome::Succeeded(rules::attempt::StageResult {
            summary,
            document: Body::Inline("{}".to_owned()),
            artifacts: Vec::new(),
        }),
    };
    let max = limits::MAX_SUMMARY_BYTES;
    let refused = cluster.says(worker.clone(), finish("x".repeat(max + 1)));
    assert_eq!(refused.verdict, Err(limit("max_summary_bytes", max)));
    let taken = cluster.says(worker, finish("x".repeat(max)));
    assert_eq!(taken.verdict, Ok(Outcome::Done));
    let report = Report {
        summary: "x".repeat(max + 1),
        root_cause: None,
        recommendation: None,
        impact: None,
        document: Body::Inline("{}".to_owned()),
        markdown: Body::Inline(String::new()),
    };
    let command = Command::ReportCase {
        case,
        generation: 1,
        report: Box::new(report),
    };
    let refused = cluster.says(cluster.butler(), command);
    assert_eq!(refused.verdict, Err(limit("max_summary_bytes", max)));
}
