//! A house with a real ledger and a workshop that answers at once, for the stories beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actors::understanding::Understanding;
use actors::{House, Household, Keeps, PlainCommands, RootMsg, Standing};
use ractor::call_t;
use rules::attempt::{Body, StageResult};
use rules::case::{Brief, Case};
use rules::id::{
    AttemptId, CaseId, HumanName, NodeId, SkillName, StageName, TeamName, WorkerId, WorkerName,
};
use rules::node::NodeFacts;
use rules::stage::{Need, OnFailure, StageSpec};
use rules::team::{AgentLimits, AgentSpec, Document, PlaybookSpec, TeamSpec, WorkerSpec};
use rules::{Command, Outcome, Principal, Proposal, Verdict, Who};
use runtime::accounts::NoHomeserver;
use runtime::blob::{BLOB_LIMIT_BYTES, Blobs};
use runtime::clock::Deadline;
use runtime::lease::{LeaseOptions, Leases, NoLines};
use runtime::ledger::{Ledger, OpenOptions};
use runtime::policy::Policies;
use runtime::workshop::{Bench, Doing, Ended, Job, Workshop, WorkshopError};

/// What the workshop was asked; it answers each job after a moment.
#[derive(Default)]
pub struct Quick {
    /// Jobs that run now.
    pub running: Mutex<BTreeSet<AttemptId>>,
    /// Jobs that ran at the same time under one name.
    pub doubled: AtomicU32,
    /// The plan that a butler's agent answers, as JSON.
    pub plan: Option<String>,
    /// What the butler's agent answers for a case, whole.
    pub answers: Mutex<BTreeMap<CaseId, String>>,
    /// How often each attempt's folder was asked for.
    pub runs: Mutex<BTreeMap<AttemptId, u32>>,
    /// Whether jobs wait for their end.
    pub holds: AtomicBool,
    /// The containers that are there.
    pub there: Mutex<BTreeSet<Bench>>,
    /// Of these, those that cannot be removed.
    pub stubborn: BTreeSet<Bench>,
    /// Those that were laid to rest.
    pub rested: Mutex<BTreeSet<Bench>>,
}

struct Running<'a>(&'a Quick, AttemptId);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.lock().unwrap().remove(&self.1);
    }
}

impl Workshop for Quick {
    fn run<'a>(&'a self, job: &'a Job, started: &'a (dyn Fn() + Send + Sync)) -> Doing<'a, Ended> {
        Box::pin(async move {
            if !self.running.lock().unwrap().insert(job.attempt) {
                self.doubled.fetch_add(1, Ordering::Relaxed);
            }
            let _running = Running(self, job.attempt);
            *self.runs.lock().unwrap().entry(job.attempt).or_default() += 1;
            started();
            loop {
                tokio::time::timeout(Duration::from_millis(3), std::future::pending::<()>())
                    .await
                    .ok();
                if !self.holds.load(Ordering::Relaxed) {
                    break;
                }
            }
            let answer = self.answers.lock().unwrap().get(&job.attempt.case).cloned();
            let document = match &self.plan {
                None if answer.is_some() && job.bench.worker.name.as_str() == "butler" => {
                    answer.unwrap_or_default()
                }
                Some(plan) if job.bench.worker.name.as_str() == "butler" => {
                    format!("{{\"summary\":\"a plan\",\"plan\":{plan}}}")
                }
                _ => "{\"summary\":\"looked\",\"root_cause\":\"the disk\"}".to_owned(),
            };
            Ok(Ended::Succeeded(StageResult {
                summary: "looked".to_owned(),
                document: Body::Inline(document),
                artifacts: Vec::new(),
            }))
        })
    }

    fn end<'a>(&'a self, _bench: &'a Bench, _attempt: AttemptId) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn attempts<'a>(&'a self, _bench: &'a Bench) -> Doing<'a, BTreeSet<AttemptId>> {
        Box::pin(async { Ok(BTreeSet::new()) })
    }

    fn rest<'a>(&'a self, bench: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async {
            self.rested.lock().unwrap().insert(bench.clone());
            Ok(())
        })
    }

    fn benches(&self) -> Doing<'_, Vec<Bench>> {
        Box::pin(async { Ok(self.there.lock().unwrap().iter().cloned().collect()) })
    }

    fn clear<'a>(&'a self, bench: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async {
            if self.stubborn.contains(bench) {
                return Err(WorkshopError::Later("its disk hangs".to_owned()));
            }
            self.there.lock().unwrap().remove(bench);
            Ok(())
        })
    }
}

/// A node with its personas.
pub struct Home {
    pub ledger: Ledger,
    pub workshop: Arc<Quick>,
    pub household: Household,
    _folder: tempfile::TempDir,
}

pub async fn open(workshop: Quick) -> Home {
    open_with(workshop, Arc::new(PlainCommands)).await
}

pub async fn open_with(workshop: Quick, understanding: Arc<dyn Understanding>) -> Home {
    let folder = tempfile::tempdir().unwrap();
    let node = NodeId(1);
    let mut options = OpenOptions::new(folder.path().join("ledger"), node);
    let judge = Policies::new(config::policy::SCHEMA, config::policy::MATRIX);
    options.judge = Arc::new(judge.unwrap());
    let (ledger, changes) = Ledger::open(options).await.unwrap();
    ledger.init_single().await.unwrap();
    let blobs = Blobs::open(folder.path().join("blobs"), BLOB_LIMIT_BYTES).unwrap();
    let workshop = Arc::new(workshop);
    let leases = Leases::start(LeaseOptions {
        node,
        incarnation: 1,
        ledger: ledger.clone(),
        lines: Arc::new(NoLines),
    });
    let house = House {
        node,
        ledger: ledger.clone(),
        blobs,
        leases: leases.unwrap(),
        keeps: Keeps {
            bytes: u64::MAX,
            age_ms: u64::MAX,
        },
        workshop: Arc::clone(&workshop) as _,
        accounts: Arc::new(NoHomeserver),
        understanding,
    };
    let household = Household::found(house, changes).await.unwrap();
    let home = Home {
        ledger,
        workshop,
        household,
        _folder: folder,
    };
    home.wait("a leader", |home| home.ledger.status().is_leader)
        .await;
    let facts = facts(node);
    home.say(Who::Node(node), Command::JoinNode { facts })
        .await
        .unwrap();
    home
}

fn facts(node: NodeId) -> NodeFacts {
    NodeFacts {
        node,
        name: "here".to_owned(),
        incarnation: 1,
        release: "0".to_owned(),
        knows: rules::version::NEWEST,
        engine: "none".to_owned(),
        cpu_milli: 4000,
        memory_bytes: 8 << 30,
        labels: BTreeMap::new(),
        address: None,
    }
}

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("zone".to_owned(), "b".to_owned())])
}

impl Home {
    pub async fn say(&self, who: Who, command: Command) -> Verdict {
        let principal = Principal::own(who);
        let proposal = Proposal {
            request: None,
            principal,
            wall_ms: 0,
            command,
            decision: None,
        };
        self.ledger.propose(proposal).await.unwrap()
    }

    pub async fn sam(&self, command: Command) -> Verdict {
        self.say(Who::Human(HumanName::new("admin").unwrap()), command)
            .await
    }

    /// Has the crew ask for another kind of node, which this one then is.
    pub async fn move_crew(&self) {
        let facts = NodeFacts {
            incarnation: 2,
            labels: labels(),
            ..facts(NodeId(1))
        };
        self.say(Who::Node(NodeId(1)), Command::JoinNode { facts })
            .await
            .unwrap();
        let crew = TeamName::new("crew").unwrap();
        let mut team = self.ledger.read(|state| state.teams[&crew].spec.clone());
        team.labels = labels();
        let put = vec![Document::Team(team)];
        let remove = Vec::new();
        self.sam(Command::ApplyDocuments { put, remove })
            .await
            .unwrap();
    }

    /// Has the butler's agent answer so for a case, whole.
    pub fn answer_with(&self, case: CaseId, document: &str) {
        let mut answers = self.workshop.answers.lock().unwrap();
        answers.insert(case, document.to_owned());
    }

    pub async fn submit(&self) -> CaseId {
        let command = Command::OpenCase {
            team: Some(TeamName::new("crew").unwrap()),
            title: "it hurts".to_owned(),
            brief: Brief {
                text: Body::Inline("look at it".to_owned()),
            },
            attachments: Vec::new(),
            playbook: None,
        };
        match self.sam(command).await {
            Ok(Outcome::Opened(case)) => case,
            other => panic!("not opened: {other:?}"),
        }
    }

    pub async fn closed(&self, id: CaseId) -> Case {
        self.wait(&format!("{id} to be closed"), |home| {
            home.archived(id).is_some()
        })
        .await;
        self.archived(id).unwrap()
    }

    pub fn archived(&self, id: CaseId) -> Option<Case> {
        self.ledger.archive().case(id).unwrap()
    }

    /// Waits until the personas stand like this, for at most half a minute.
    pub async fn wait_for_standing(&self, what: &str, is_so: impl Fn(&[Standing]) -> bool) {
        let deadline = Deadline::after(Duration::from_secs(30));
        loop {
            let all = call_t!(self.household.root(), RootMsg::Stand, 5000).unwrap();
            if is_so(&all) {
                return;
            }
            assert!(!deadline.is_over(), "waited in vain for {what}: {all:#?}");
            let mut applied = self.ledger.applied();
            let _ = tokio::time::timeout(Duration::from_millis(20), applied.changed()).await;
        }
    }

    /// Waits until something is so, for at most half a minute.
    pub async fn wait(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let mut applied = self.ledger.applied();
        let so = async {
            while !is_so(self) {
                // Not everything comes with an entry: look at least ten times a second.
                let _ = tokio::time::timeout(Duration::from_millis(100), applied.changed()).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(30), so)
            .await
            .is_err()
        {
            let state = self.ledger.read(|state| format!("{:#?}", state.cases));
            panic!("waited in vain for {what}; the cases are {state}");
        }
    }
}

fn agent(skills: &[&str]) -> AgentSpec {
    AgentSpec {
        kernel: "cli".to_owned(),
        command: vec!["true".to_owned()],
        image: "scratch".to_owned(),
        env: BTreeMap::new(),
        soul: None,
        skills: skills
            .iter()
            .map(|s| (SkillName::new(s).unwrap(), Vec::new()))
            .collect(),
        limits: AgentLimits {
            cpu_milli: 100,
            memory_bytes: 1 << 20,
            pids: 8,
            output_bytes: 1 << 20,
            wall_ms: 600_000,
        },
    }
}

fn stage(name: &str, after: &[&str]) -> StageSpec {
    StageSpec {
        name: StageName::new(name).unwrap(),
        title: name.to_owned(),
        need: Need::Skill(SkillName::new("looking").unwrap()),
        after: after
            .iter()
            .map(|name| StageName::new(name).unwrap())
            .collect(),
        limit_ms: Some(60_000),
        attempts: 2,
        approval: None,
        on_failure: OnFailure::Fail,
        brief: String::new(),
    }
}

/// A team of a butler and two workers; with a playbook of three stages, or an agent that plans.
pub async fn crew(home: &Home, has_playbook: bool) {
    let team = TeamName::new("crew").unwrap();
    let playbook = rules::id::PlaybookName::new("usual").unwrap();
    let worker = |name: &str| {
        Document::Worker(WorkerSpec {
            id: WorkerId {
                team: team.clone(),
                name: WorkerName::new(name).unwrap(),
            },
            title: String::new(),
            agent: agent(&["looking"]),
            parallel: 4,
            idle_after_ms: 1000,
            labels: BTreeMap::new(),
        })
    };
    let mut put = vec![
        Document::Team(TeamSpec {
            name: team.clone(),
            title: String::new(),
            topics: Vec::new(),
            butler: WorkerName::new("butler").unwrap(),
            agent: (!has_playbook).then(|| agent(&[])),
            playbook: has_playbook.then(|| playbook.clone()),
            labels: BTreeMap::new(),
        }),
        worker("ann"),
        worker("bob"),
    ];
    if has_playbook {
        put.push(Document::Playbook(PlaybookSpec {
            team: team.clone(),
            name: playbook,
            title: String::new(),
            stages: vec![
                stage("one", &[]),
                stage("two", &["one"]),
                stage("three", &["two"]),
            ],
        }));
    }
    home.sam(Command::ApplyDocuments {
        put,
        remove: Vec::new(),
    })
    .await
    .unwrap();
}
