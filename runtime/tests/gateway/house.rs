//! A node with one team, one worker and one case whose attempt runs, and its gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rules::attempt::Body;
use rules::case::{Brief, Case};
use rules::command::{Plan, Progress};
use rules::id::{AttemptId, CaseId, HumanName, NodeId, PlaybookName, WorkerId};
use rules::place::{Placed, Placement};
use rules::target::{Class, Target};
use rules::{Command, Outcome, Principal, Proposal, Verdict, Who};
use runtime::clock::Deadline;
use runtime::engine::Confinement;
use runtime::gateway::{Bounds, Gateway, GatewayOptions, Pass, Token};
use runtime::lease::{Guard, LeaseOptions, Leases, NoLines};
use runtime::ledger::{Ledger, OpenOptions};
use runtime::policy::Policies;
use runtime::spool::{AttemptName, Content, InFile, Inside, Owner, Spool, TOKEN};
use runtime::workshop::{Bench, Doing, Ended, Job, Workshop};
use tempfile::TempDir;

use super::agent::Agent;
use super::documents::{documents, facts};

/// The longest that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const NODE: NodeId = NodeId(1);
pub const CASE: CaseId = CaseId(1);

/// A workshop in which nothing runs.
struct Idle;

impl Workshop for Idle {
    fn run<'a>(&'a self, _: &'a Job, _: &'a (dyn Fn() + Send + Sync)) -> Doing<'a, Ended> {
        Box::pin(async { Ok(Ended::Lost("nothing runs here".to_owned())) })
    }
    fn end<'a>(&'a self, _: &'a Bench, _: AttemptId) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn attempts<'a>(&'a self, _: &'a Bench) -> Doing<'a, BTreeSet<AttemptId>> {
        Box::pin(async { Ok(BTreeSet::new()) })
    }
    fn rest<'a>(&'a self, _: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn benches(&self) -> Doing<'_, Vec<Bench>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn clear<'a>(&'a self, _: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

pub struct House {
    pub ledger: Ledger,
    pub leases: Leases,
    pub gateway: Gateway,
    pub spool: Spool,
    guard: Option<Guard>,
    agents: Confinement,
    pub folder: TempDir,
}

impl House {
    /// With an attempt that runs, and this target for its team.
    pub async fn with(target: Target) -> House {
        House::bounded(target, Bounds::default()).await
    }

    pub async fn bounded(target: Target, bounds: Bounds) -> House {
        House::furnished(target, (bounds, None), Confinement::Bubblewrap).await
    }

    /// On a node where nothing confines the agents.
    pub async fn unconfined(target: Target) -> House {
        let usual = (Bounds::default(), None);
        House::furnished(target, usual, Confinement::Nothing).await
    }

    /// Its gateway trusts those authorities too.
    pub async fn trusting(target: Target, authorities: &Path) -> House {
        let trusting = (Bounds::default(), Some(authorities.to_owned()));
        House::furnished(target, trusting, Confinement::Bubblewrap).await
    }

    async fn furnished(
        target: Target,
        wanted: (Bounds, Option<PathBuf>),
        agents: Confinement,
    ) -> House {
        let folder = tempfile::tempdir().unwrap();
        let schema = include_str!("../../../config/policy/matrix.cedarschema");
        let matrix = include_str!("../../../config/policy/matrix.cedar");
        let mut options = OpenOptions::new(folder.path().join("ledger"), NODE);
        options.judge = Arc::new(Policies::new(schema, matrix).unwrap());
        let (ledger, _changes) = Ledger::open(options).await.unwrap();
        ledger.init_single().await.unwrap();
        let leases = Leases::start(LeaseOptions {
            node: NODE,
            incarnation: 1,
            ledger: ledger.clone(),
            lines: Arc::new(NoLines),
        });
        let leases = leases.unwrap();
        let gateway = open(&folder, &ledger, &leases, wanted);
        let own = Owner {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        };
        let spool = Spool::lay_out(folder.path().join("box"), own, Inside::own_root());
        let mut house = House {
            ledger,
            leases,
            gateway,
            spool: spool.unwrap(),
            guard: None,
            agents,
            folder,
        };
        house.found(target).await;
        house.guard().await;
        house
    }

    /// Lets things through once the node holds its lease.
    async fn guard(&mut self) {
        let guard = self.leases.isolate(Arc::new(Idle));
        self.gateway.follow(guard.watch(), self.agents);
        let mut isolated = guard.watch();
        let free = isolated.wait_for(|isolated| isolated.since.is_none());
        tokio::time::timeout(PATIENCE, free).await.unwrap().unwrap();
        self.guard = Some(guard);
    }

    /// The same after the daemon's gateway died and another one came.
    pub async fn again(mut self) -> House {
        let usual = (Bounds::default(), None);
        self.gateway = open(&self.folder, &self.ledger, &self.leases, usual);
        self.guard().await;
        self
    }

    async fn found(&self, target: Target) {
        let human = || Principal::human(HumanName::new("admin").unwrap());
        let manager = || {
            let term = self.ledger.status().term;
            Principal::own(Who::Manager { term })
        };
        let facts = facts();
        let itself = Principal::own(Who::Node(NODE));
        self.say(itself, Command::JoinNode { facts }).await;
        let (put, remove) = (documents(), Vec::new());
        self.say(human(), Command::ApplyDocuments { put, remove })
            .await;
        self.say(human(), Command::PutTarget { target }).await;
        let placements = self.ledger.read(|state| {
            let teams = state.teams.iter();
            let teams = teams.map(|(name, team)| (Placed::Team(name.clone()), team.epoch));
            let workers = state.workers.iter();
            let workers = workers.map(|(id, worker)| (Placed::Worker(id.clone()), worker.epoch));
            let all = teams.chain(workers).map(|(who, epoch)| Placement {
                who,
                epoch,
                node: NODE,
                reason: "the only one".to_owned(),
            });
            all.collect()
        });
        self.say(manager(), Command::Place { placements }).await;
        let open = Command::OpenCase {
            team: Some(worker().team),
            title: "a case".to_owned(),
            brief: Brief {
                text: Body::Inline("do it".to_owned()),
            },
            attachments: Vec::new(),
            playbook: None,
        };
        self.say(human(), open).await;
        let epoch = self.ledger.read(|state| state.teams[&worker().team].epoch);
        let team = worker().team;
        let butler = Principal::own(Who::Butler { team, epoch });
        let plan = Command::PlanCase {
            case: CASE,
            generation: self.ledger.read(|state| state.cases[&CASE].generation),
            plan: Plan::Playbook(PlaybookName::new("act").unwrap()),
        };
        self.say(butler, plan).await;
    }

    /// Says what must be taken.
    pub async fn say(&self, who: Principal, command: Command) -> Outcome {
        let said = format!("{command:?}");
        self.ask(who, command)
            .await
            .unwrap_or_else(|no| panic!("{said}: {no}"))
    }

    pub async fn ask(&self, principal: Principal, command: Command) -> Verdict {
        let proposal = Proposal {
            request: None,
            principal,
            wall_ms: 0,
            command,
            decision: None,
        };
        self.ledger.propose(proposal).await.unwrap()
    }

    /// The worker's container in its present epoch.
    pub fn bench(&self) -> Bench {
        let epoch = self.ledger.read(|state| state.workers[&worker()].epoch);
        Bench {
            worker: worker(),
            epoch,
        }
    }

    /// The agent of an attempt, whose socket is open; the ledger need not know that it runs.
    pub fn agent(&self, number: u32) -> Agent {
        let (name, attempt) = names(number);
        let token = Token::fresh();
        let file = InFile {
            path: TOKEN.to_owned(),
            content: Content::Bytes(token.as_bytes().to_vec()),
        };
        if !self.spool.in_folder(&name).exists() {
            self.spool.prepare(&name, &[file]).unwrap();
        }
        let pass = Pass {
            bench: self.bench(),
            attempt,
        };
        self.gateway.let_in(&pass, &self.spool, &name).unwrap();
        Agent::at(&self.spool, &name)
    }

    /// The worker says that its attempt runs.
    pub async fn runs(&self, number: u32) {
        let (_, attempt) = names(number);
        let to = Progress::Running;
        let who = self.worker();
        self.say(who, Command::AdvanceAttempt { attempt, to }).await;
    }

    pub fn worker(&self) -> Principal {
        let Bench { worker, epoch } = self.bench();
        Principal::own(Who::Worker { worker, epoch })
    }

    /// A human takes the worker's container away: its attempt is superseded.
    pub async fn supersede(&self) {
        let command = Command::ReplaceWorker {
            worker: worker(),
            reason: "a test".to_owned(),
        };
        let human = Principal::human(HumanName::new("admin").unwrap());
        self.say(human, command).await;
    }

    /// The case as it is.
    pub fn case(&self) -> Case {
        self.ledger.read(|state| state.cases[&CASE].clone())
    }

    /// Waits until the case is so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Case) -> bool) -> Case {
        let deadline = Deadline::after(PATIENCE);
        let watch = self.ledger.watch_case(CASE);
        loop {
            let case = self.case();
            if is_so(&case) {
                return case;
            }
            let left = deadline.left();
            let changed = tokio::time::timeout(left, watch.changed()).await;
            assert!(changed.is_ok(), "{what}: {case:#?}");
        }
    }

    /// Its node gets no lease any more, and nobody says that it has none: the clock does.
    pub async fn isolate(&self) {
        self.leases.close();
        let deadline = Deadline::after(PATIENCE);
        while self.leases.holds() {
            assert!(!deadline.is_over(), "it holds its lease");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn open(
    folder: &TempDir,
    ledger: &Ledger,
    leases: &Leases,
    (bounds, authorities): (Bounds, Option<PathBuf>),
) -> Gateway {
    let options = GatewayOptions {
        node: NODE,
        ledger: ledger.clone(),
        leases: leases.clone(),
        data: folder.path().to_owned(),
        authorities,
        bounds,
    };
    Gateway::open(options).unwrap()
}

pub fn names(number: u32) -> (AttemptName, AttemptId) {
    let name = AttemptName::new(&format!("c1-{number}")).unwrap();
    (name, AttemptId { case: CASE, number })
}

pub fn worker() -> WorkerId {
    "sre/hand".parse().unwrap()
}

/// A target at a port of this host: GET reads, PUT is keyed, POST is not.
pub fn target(port: u16) -> Target {
    Target {
        name: "kube".parse().unwrap(),
        address: format!("http://127.0.0.1:{port}").parse().unwrap(),
        methods: BTreeMap::from([
            ("GET".to_owned(), Class::Read),
            ("PUT".to_owned(), Class::Keyed),
        ]),
        teams: BTreeSet::from([worker().team]),
        needs_secret: false,
    }
}
