//! What is in the frozen folder: a little of everything that a ledger keeps, said by the rules' own
//! words.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rules::attempt::{AttemptOutcome, Body, StageResult};
use rules::case::{Attachment, Brief, Report};
use rules::command::{Plan, Progress, Request};
use rules::id::{AttemptId, BlobRef, CaseId, NodeId, RequestId, WorkerId};
use rules::node::NodeFacts;
use rules::place::{Placed, Placement};
use rules::room::RoomName;
use rules::stage::{Need, OnFailure, StageSpec};
use rules::target::{Target, WayOut};
use rules::team::{AgentLimits, AgentSpec, Document, PlaybookSpec, TeamSpec, WorkerSpec};
use rules::{Command, Outcome, Principal, Proposal, Who, version};
use runtime::ledger::{Ledger, OpenOptions, StoreKind};
use runtime::policy::Policies;

/// How the frozen ledger is opened.
pub fn options(folder: &Path) -> OpenOptions {
    let schema = include_str!("../../../config/policy/matrix.cedarschema");
    let matrix = include_str!("../../../config/policy/matrix.cedar");
    OpenOptions {
        store: StoreKind::Sled,
        judge: Arc::new(Policies::new(schema, matrix).unwrap()),
        ..OpenOptions::new(folder.join("ledger"), NodeId(1))
    }
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn human() -> Who {
    Who::Human(name("admin"))
}

struct Teller {
    ledger: Ledger,
    said: u64,
}

impl Teller {
    async fn say(&mut self, who: Who, command: Command) -> Outcome {
        self.said += 1;
        let id = format!("r-{}", self.said);
        let is_human = matches!(who, Who::Human(_));
        let request = is_human.then(|| Request {
            id: RequestId::new(&id).unwrap(),
            digest: self.said,
        });
        let proposal = Proposal {
            request,
            principal: Principal::own(who),
            wall_ms: 1_700_000_000_000 + self.said,
            command,
            decision: None,
        };
        let verdict = self.ledger.propose(proposal).await.unwrap();
        verdict.unwrap()
    }
}

/// Writes the folder anew.
pub async fn write(folder: &Path) {
    let (ledger, _changes) = Ledger::open(options(folder)).await.unwrap();
    ledger.init_single().await.unwrap();
    let mut teller = Teller { ledger, said: 0 };
    describe(&mut teller).await;
    run_a_case(&mut teller).await;
    let post = Command::PostMessage {
        room: RoomName::Team(name("sre")),
        thread: None,
        text: "the disk was full again".to_owned(),
        attachments: Vec::new(),
        answers: None,
    };
    teller.say(human(), post).await;
    // So much is in the snapshot, and the rest in the log behind it.
    teller.ledger.snapshot().await.unwrap();
    let opened = teller.say(human(), open("waits", "in the log")).await;
    assert!(matches!(opened, Outcome::Opened(CaseId(2))), "{opened:?}");
    let mint = Command::MintToken {
        token: name("first"),
        hash: [7; 32],
        valid_ms: 60_000,
    };
    teller.say(human(), mint).await;
    teller.ledger.close().await;
}

async fn describe(teller: &mut Teller) {
    let node = NodeId(1);
    let facts = NodeFacts {
        node,
        name: "alpha".to_owned(),
        incarnation: 1,
        release: "0.1.0".to_owned(),
        knows: version::NEWEST,
        engine: "process".to_owned(),
        cpu_milli: 4000,
        memory_bytes: 8 << 30,
        labels: BTreeMap::from([("zone".to_owned(), "a".to_owned())]),
        address: Some("127.0.0.1:7400".to_owned()),
    };
    teller
        .say(Who::Node(node), Command::JoinNode { facts })
        .await;
    // The leader raises the version by itself, one after the other.
    let mut applied = teller.ledger.applied();
    while teller.ledger.read(|state| state.version) < version::NEWEST {
        applied.changed().await.unwrap();
    }
    let way_out = WayOut {
        secrets: [name("kube")].into(),
        is_confined: true,
    };
    let tell = Command::TellWayOut {
        node,
        incarnation: 1,
        way_out,
    };
    teller.say(Who::Node(node), tell).await;
    let put = vec![team(), worker(), playbook()];
    let remove = Vec::new();
    teller
        .say(human(), Command::ApplyDocuments { put, remove })
        .await;
    let target = Target {
        name: name("kube"),
        address: name("https://10.0.0.9:6443"),
        methods: BTreeMap::from([("GET".to_owned(), rules::target::Class::Read)]),
        teams: [name("sre")].into(),
        needs_secret: true,
    };
    teller.say(human(), Command::PutTarget { target }).await;
    let (team, worker) = teller.ledger.read(|state| {
        let worker: WorkerId = name("sre/hand");
        (
            state.teams[&name("sre")].epoch,
            state.workers[&worker].epoch,
        )
    });
    let place = |who, epoch| Placement {
        who,
        epoch,
        node,
        reason: "the only one".to_owned(),
    };
    let placements = vec![
        place(Placed::Team(name("sre")), team),
        place(Placed::Worker(name("sre/hand")), worker),
    ];
    let term = teller.ledger.status().term;
    teller
        .say(Who::Manager { term }, Command::Place { placements })
        .await;
}

async fn run_a_case(teller: &mut Teller) {
    teller.say(human(), open("done", "in the archive")).await;
    let case = CaseId(1);
    let butler = teller.ledger.read(|state| Who::Butler {
        team: name("sre"),
        epoch: state.teams[&name("sre")].epoch,
    });
    let worker = teller.ledger.read(|state| {
        let worker: WorkerId = name("sre/hand");
        let epoch = state.workers[&worker].epoch;
        Who::Worker { worker, epoch }
    });
    let plan = Command::PlanCase {
        case,
        generation: 1,
        plan: Plan::Playbook(name("routine")),
    };
    teller.say(butler.clone(), plan).await;
    let attempt = AttemptId { case, number: 1 };
    let to = Progress::Running;
    teller
        .say(worker.clone(), Command::AdvanceAttempt { attempt, to })
        .await;
    let outcome = AttemptOutcome::Succeeded(StageResult {
        summary: "the disk is full".to_owned(),
        document: Body::Inline("{\"findings\":[]}".to_owned()),
        artifacts: Vec::new(),
    });
    teller
        .say(worker, Command::FinishAttempt { attempt, outcome })
        .await;
    let report = Box::new(Report {
        summary: "the disk is full".to_owned(),
        root_cause: Some("logs".to_owned()),
        recommendation: None,
        impact: None,
        document: Body::Inline("{}".to_owned()),
        markdown: Body::Inline("# the disk is full\n".to_owned()),
    });
    let generation = teller.ledger.read(|state| state.cases[&case].generation);
    let report = Command::ReportCase {
        case,
        generation,
        report,
    };
    teller.say(butler, report).await;
}

fn open(title: &str, text: &str) -> Command {
    Command::OpenCase {
        team: Some(name("sre")),
        title: title.to_owned(),
        brief: Brief {
            text: Body::Inline(text.to_owned()),
        },
        attachments: vec![Attachment {
            path: "evidence/log.txt".to_owned(),
            blob: BlobRef {
                sha256: [9; 32],
                bytes: 70_000,
            },
        }],
        playbook: None,
    }
}

fn team() -> Document {
    Document::Team(TeamSpec {
        name: name("sre"),
        title: "Site reliability".to_owned(),
        topics: vec!["pod".to_owned()],
        butler: name("sre-bot"),
        agent: None,
        playbook: Some(name("routine")),
        labels: BTreeMap::new(),
    })
}

fn worker() -> Document {
    Document::Worker(WorkerSpec {
        id: name("sre/hand"),
        title: "A hand".to_owned(),
        agent: AgentSpec {
            kernel: "cli".to_owned(),
            command: vec!["true".to_owned()],
            image: "scratch".to_owned(),
            env: BTreeMap::new(),
            soul: None,
            skills: BTreeMap::new(),
            limits: AgentLimits {
                cpu_milli: 500,
                memory_bytes: 256 << 20,
                pids: 64,
                output_bytes: 1 << 20,
                wall_ms: 600_000,
            },
        },
        parallel: 1,
        idle_after_ms: 600_000,
        labels: BTreeMap::new(),
    })
}

fn playbook() -> Document {
    let stage = StageSpec {
        name: name("look"),
        title: "Look".to_owned(),
        need: Need::Worker(name("hand")),
        after: Vec::new(),
        brief: "look".to_owned(),
        limit_ms: None,
        attempts: 1,
        approval: None,
        on_failure: OnFailure::Fail,
    };
    Document::Playbook(PlaybookSpec {
        team: name("sre"),
        name: name("routine"),
        title: "Look".to_owned(),
        stages: vec![stage],
    })
}
