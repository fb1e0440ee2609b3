//! A node's admin socket in a folder of its own, and the personas that make cases move.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use config::settings::Settings;
use futures_util::future::BoxFuture;
use node::admin::client::Client;
use node::admin::limits::DoorLimits;
use node::admin::wire::{ApplyQuery, OpenCase, SetHumanRole, Trouble};
use node::admin::{Here, Node, People, Socket, serve};
use rules::id::{AttemptId, CaseId, HumanName, NodeId, WorkerId};
use rules::node::NodeFacts;
use rules::place::{Placed, Placement};
use rules::{Command, Principal, Proposal, State, Who};
use runtime::blob::Blobs;
use runtime::ledger::{Ledger, OpenOptions};
use runtime::links::Fingerprint;
use runtime::policy::Policies;
use runtime::spool::{AttemptName, AttemptWatch, Spool, SpoolWatcher};
use runtime::workshop::Bench;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use super::samples::{report, result, team};
use super::way_out::gateway;

/// The longest that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const NODE: NodeId = NodeId(1);

/// The folders of agents that a test lays out by hand.
pub struct Folders {
    spools: Mutex<BTreeMap<Bench, Spool>>,
    watcher: SpoolWatcher,
}

impl Here for Folders {
    fn spool<'a>(&'a self, bench: &'a Bench) -> BoxFuture<'a, Option<Spool>> {
        Box::pin(async move { self.spools.lock().unwrap().get(bench).cloned() })
    }

    fn watch(&self, spool: &Spool, attempt: &AttemptName) -> AttemptWatch {
        self.watcher.attempt(spool, attempt)
    }

    fn troubles(&self) -> Vec<Trouble> {
        Vec::new()
    }
}

pub struct House {
    pub folder: TempDir,
    pub path: PathBuf,
    pub ledger: Ledger,
    pub blobs: Blobs,
    pub here: Arc<Folders>,
    pub client: Client,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

/// The limits of a node whose settings say nothing.
pub fn usual() -> DoorLimits {
    let settings = Settings::parse("none", "").unwrap();
    DoorLimits::of(&settings, node::admin::limits::open_files())
}

fn node(
    (ledger, blobs): (&Ledger, &Blobs),
    data: &Path,
    here: &Arc<Folders>,
    limits: DoorLimits,
    users: BTreeMap<u32, HumanName>,
) -> Node {
    Node {
        id: NODE,
        cluster: "house".to_owned(),
        ledger: ledger.clone(),
        blobs: blobs.clone(),
        gateway: gateway(ledger, data),
        accounts: Arc::new(runtime::accounts::NoHomeserver),
        here: here.clone(),
        agents: Settings::parse("none", "").unwrap().agents,
        entrance: Some((Fingerprint([7; 32]), "127.0.0.1:1".to_owned())),
        links: None,
        chaos: None,
        people: People::new(users),
        limits,
    }
}

fn begin(path: &Path, node: Node) -> (watch::Sender<bool>, JoinHandle<()>) {
    let socket = Socket::bind(path, 0o600).unwrap();
    let (stop, stopped) = watch::channel(false);
    (stop, tokio::spawn(serve(socket, node, stopped)))
}

/// What a node with room for everything says of itself.
/// Brings a command before the rules of a ledger.
pub async fn tell(ledger: &Ledger, who: Who, command: Command) {
    let proposal = Proposal {
        request: None,
        principal: Principal::own(who),
        wall_ms: runtime::clock::wall().0,
        command,
        decision: None,
    };
    ledger.propose(proposal).await.unwrap().unwrap();
}

/// The role of whoever may do everything.
pub fn admin() -> SetHumanRole {
    SetHumanRole {
        is_admin: Some(true),
        ..SetHumanRole::default()
    }
}

pub fn facts(node: NodeId, name: &str) -> NodeFacts {
    NodeFacts {
        node,
        name: name.to_owned(),
        incarnation: 1,
        release: "1.2.3".to_owned(),
        knows: rules::version::NEWEST,
        engine: "process: bubblewrap".to_owned(),
        cpu_milli: 1_000_000,
        memory_bytes: 1 << 50,
        labels: BTreeMap::new(),
        address: None,
    }
}

impl House {
    pub async fn open() -> Self {
        Self::with(usual()).await
    }

    pub async fn with(limits: DoorLimits) -> Self {
        Self::of(limits, BTreeMap::new()).await
    }

    /// With users of the host whom the settings name.
    pub async fn named(users: impl IntoIterator<Item = (u32, &'static str)>) -> Self {
        let users = users.into_iter();
        let users = users.map(|(uid, human)| (uid, human.parse().unwrap()));
        Self::of(usual(), users.collect()).await
    }

    async fn of(limits: DoorLimits, users: BTreeMap<u32, HumanName>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = OpenOptions::new(folder.path().join("ledger"), NODE);
        let judge = Policies::new(config::policy::SCHEMA, config::policy::MATRIX);
        options.judge = Arc::new(judge.unwrap());
        let (ledger, _changes) = Ledger::open(options).await.unwrap();
        ledger.init_single().await.unwrap();
        let house = Self::around(folder, ledger, limits, users);
        house.join().await;
        // What a test counts begins behind the entries by which the rules rise.
        house
            .until(|state| state.version == rules::version::NEWEST)
            .await;
        house
    }

    /// The socket of a node whose ledger is there.
    pub fn around(
        folder: TempDir,
        ledger: Ledger,
        limits: DoorLimits,
        users: BTreeMap<u32, HumanName>,
    ) -> Self {
        let blobs = Blobs::open(folder.path().join("blobs"), limits.blob_bytes).unwrap();
        let path = folder.path().join("admin.sock");
        let here = Arc::new(Folders {
            spools: Mutex::default(),
            watcher: SpoolWatcher::new(),
        });
        let node = node((&ledger, &blobs), folder.path(), &here, limits, users);
        let (stop, served) = begin(&path, node);
        let client = Client::new(&path);
        Self {
            folder,
            path,
            ledger,
            blobs,
            here,
            client,
            stop,
            served,
        }
    }

    /// The same after its socket was closed and opened again.
    pub async fn reopened(mut self) -> Self {
        self.stop();
        let served = std::mem::replace(&mut self.served, tokio::spawn(async {}));
        tokio::time::timeout(PATIENCE, served)
            .await
            .expect("serving ends")
            .unwrap();
        let parts = (&self.ledger, &self.blobs);
        let node = node(
            parts,
            self.folder.path(),
            &self.here,
            usual(),
            BTreeMap::new(),
        );
        (self.stop, self.served) = begin(&self.path, node);
        self
    }

    /// Stops serving; returns when it is over.
    pub async fn close(self) {
        self.stop();
        tokio::time::timeout(PATIENCE, self.served)
            .await
            .expect("serving ends")
            .unwrap();
    }

    /// Says that serving shall end.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub async fn id(&self) -> String {
        self.client.request_id().await.unwrap()
    }

    /// Brings a persona's command before the rules.
    pub async fn tell(&self, who: Who, command: Command) {
        tell(&self.ledger, who, command).await;
    }

    /// Has a human do everything.
    pub async fn make_admin(&self, human: &str) {
        let (id, role) = (self.id().await, admin());
        self.client.set_human_role(human, &role, &id).await.unwrap();
    }

    async fn join(&self) {
        let facts = facts(NODE, "one");
        self.tell(Who::Node(NODE), Command::JoinNode { facts })
            .await;
    }

    /// Describes the team `sre` and gives everyone a place.
    pub async fn describe(&self) {
        let (how, id) = (ApplyQuery::default(), self.id().await);
        self.client.apply(&team(), &how, Some(&id)).await.unwrap();
        self.place().await;
    }

    /// As the Manager: gives everyone without a place one.
    pub async fn place(&self) {
        let placements = self.ledger.read(|state| {
            let teams = state.teams.values().filter(|team| team.placed.is_none());
            let teams = teams.map(|team| (Placed::Team(team.spec.name.clone()), team.epoch));
            let workers = state
                .workers
                .values()
                .filter(|worker| worker.placed.is_none());
            let workers = workers.map(|w| (Placed::Worker(w.spec.id.clone()), w.epoch));
            let placement = |(who, epoch)| Placement {
                who,
                epoch,
                node: NODE,
                reason: "the only node".to_owned(),
            };
            teams.chain(workers).map(placement).collect::<Vec<_>>()
        });
        let term = self.ledger.status().term;
        for placements in placements.chunks(200) {
            let placements = placements.to_vec();
            self.tell(Who::Manager { term }, Command::Place { placements })
                .await;
        }
    }

    pub async fn submit(&self, brief: &str) -> CaseId {
        let case = OpenCase {
            team: Some("sre".to_owned()),
            brief: brief.to_owned(),
            ..OpenCase::default()
        };
        let opened = self
            .client
            .open_case(&case, &self.id().await)
            .await
            .unwrap();
        opened.case.parse().unwrap()
    }

    /// As the butler: plans a case with its playbook.
    pub async fn plan(&self, case: CaseId) {
        let (who, generation) = self.butler(case);
        let plan = rules::command::Plan::Playbook("diagnose".parse().unwrap());
        self.tell(
            who,
            Command::PlanCase {
                case,
                generation,
                plan,
            },
        )
        .await;
    }

    /// As the butler: reports a case that is over.
    pub async fn report(&self, case: CaseId, report: rules::case::Report) {
        let (who, generation) = self.butler(case);
        let report = Box::new(report);
        self.tell(
            who,
            Command::ReportCase {
                case,
                generation,
                report,
            },
        )
        .await;
    }

    fn butler(&self, case: CaseId) -> (Who, u32) {
        self.ledger.read(|state| {
            let case = &state.cases[&case];
            let team = case.team.clone().unwrap();
            let epoch = state.teams[&team].epoch;
            (Who::Butler { team, epoch }, case.generation)
        })
    }

    /// As its worker: says how far an attempt is, or how it ended.
    pub async fn work(&self, attempt: AttemptId, command: Command) {
        let who = self.ledger.read(|state| {
            let found = &state.cases[&attempt.case].attempts[&attempt.number];
            Who::Worker {
                worker: found.worker.clone(),
                epoch: found.epoch,
            }
        });
        self.tell(who, command).await;
    }

    /// Lays out the folders of a worker's container.
    pub fn container(&self, worker: &str) -> Spool {
        let worker: WorkerId = worker.parse().unwrap();
        let epoch = self.ledger.read(|state| state.workers[&worker].epoch);
        let own = runtime::spool::Owner {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        };
        let folder = self.folder.path().join(worker.name.as_str());
        let spool = Spool::lay_out(folder, own, runtime::spool::Inside::own_root()).unwrap();
        let bench = Bench { worker, epoch };
        let mut spools = self.here.spools.lock().unwrap();
        spools.insert(bench, spool.clone());
        spool
    }

    /// Waits until the state is as wanted.
    pub async fn until(&self, wanted: impl Fn(&State) -> bool) {
        let mut applied = self.ledger.applied();
        let reached = async {
            while !self.ledger.read(|state| wanted(state)) {
                applied.changed().await.unwrap();
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        let cases = self.ledger.read(|state| state.cases.clone());
        assert!(reached.is_ok(), "the state never came to it: {cases:#?}");
    }
}
