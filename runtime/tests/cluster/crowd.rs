//! Ledgers that hear each other over links which a test cuts and heals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use rules::attempt::Body;
use rules::case::{Brief, Report};
use rules::id::{CaseId, HumanName, NodeId, RequestId, TokenName};
use rules::node::{NodeFacts, Role};
use rules::{Command, Outcome, Principal, Proposal, Request, Verdict, Who};
use runtime::clock::Deadline;
use runtime::ledger::{
    Carried, Changes, Ledger, LedgerStatus, Links, NoAnswer, OpenOptions, ProposeError,
};
use runtime::policy::Policies;
use tempfile::TempDir;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What carries calls; who is cut off hears and says nothing.
#[derive(Debug, Default)]
struct Board {
    ledgers: RwLock<BTreeMap<NodeId, Ledger>>,
    cut_off: Mutex<BTreeSet<NodeId>>,
    /// Whose answers to whom are lost; what they are told arrives.
    unheard: Mutex<BTreeSet<(NodeId, NodeId)>>,
}

#[derive(Debug)]
struct Wire {
    from: NodeId,
    board: Arc<Board>,
}

impl Links for Wire {
    fn call(&self, to: NodeId, call: Vec<u8>, limit: Duration) -> Carried<'_> {
        Box::pin(async move {
            let ledger = self.board.ledgers.read().unwrap().get(&to).cloned();
            let ledger = ledger.ok_or(NoAnswer::NoLink(to))?;
            if self.is_cut(to) {
                return Err(NoAnswer::NoLink(to));
            }
            let answer = tokio::time::timeout(limit, ledger.answer(self.from, &call)).await;
            let is_unheard = self
                .board
                .unheard
                .lock()
                .unwrap()
                .contains(&(to, self.from));
            if self.is_cut(to) || is_unheard {
                return Err(NoAnswer::TooLate(to));
            }
            answer.ok().flatten().ok_or(NoAnswer::TooLate(to))
        })
    }
}

impl Wire {
    fn is_cut(&self, to: NodeId) -> bool {
        let cut_off = self.board.cut_off.lock().unwrap();
        cut_off.contains(&to) || cut_off.contains(&self.from)
    }
}

/// Some nodes' ledgers.
pub struct Crowd {
    board: Arc<Board>,
    ledgers: BTreeMap<NodeId, Ledger>,
    changes: BTreeMap<NodeId, Changes>,
    folder: TempDir,
}

impl Crowd {
    /// A cluster of so many voters.
    pub async fn of(count: u64) -> Self {
        Self::of_whom(count, count).await
    }

    /// A cluster of so many nodes, of whom so many vote.
    pub async fn of_whom(count: u64, voters: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut crowd = Self {
            board: Arc::default(),
            ledgers: BTreeMap::new(),
            changes: BTreeMap::new(),
            folder,
        };
        for node in (1..=count).map(NodeId) {
            crowd.open(node).await;
        }
        crowd.ledger(NodeId(1)).init_single().await.unwrap();
        for node in (1..=count).map(NodeId) {
            crowd.join(node).await;
        }
        for ledger in crowd.ledgers.values() {
            let is_whole =
                |status: &LedgerStatus| status.voters.len() as u64 == voters && !status.is_changing;
            until(|| ledger.status(), is_whole).await;
        }
        crowd
    }

    async fn open(&mut self, node: NodeId) {
        let mut options = OpenOptions::new(self.folder.path().join(node.to_string()), node);
        options.limits.propose_ms = 3_000;
        let schema = include_str!("../../../config/policy/matrix.cedarschema");
        let matrix = include_str!("../../../config/policy/matrix.cedar");
        options.judge = Arc::new(Policies::new(schema, matrix).unwrap());
        let wire = Wire {
            from: node,
            board: Arc::clone(&self.board),
        };
        let (ledger, changes) = Ledger::open_linked(options, Arc::new(wire)).await.unwrap();
        self.board
            .ledgers
            .write()
            .unwrap()
            .insert(node, ledger.clone());
        self.ledgers.insert(node, ledger);
        self.changes.insert(node, changes);
    }

    async fn join(&self, node: NodeId) {
        let name = format!("node-{node}");
        if node != NodeId(1) {
            self.admit(node, name.clone()).await;
        }
        let facts = NodeFacts {
            node,
            name,
            incarnation: 1,
            release: "0".to_owned(),
            knows: rules::version::NEWEST,
            engine: "none".to_owned(),
            cpu_milli: 1000,
            memory_bytes: 1 << 30,
            labels: BTreeMap::new(),
            address: None,
        };
        let join = proposal(Who::Node(node), Command::JoinNode { facts }, None);
        self.ledger(NodeId(1)).propose(join).await.unwrap().unwrap();
    }

    /// Has the next number given to a node.
    async fn admit(&self, node: NodeId, name: String) {
        let hash = [1; 32];
        let mint = Command::MintToken {
            token: TokenName::new("crowd").unwrap(),
            hash,
            valid_ms: 3_600_000,
        };
        let key = [u8::try_from(node.0).unwrap(); 32];
        let admit = Command::AdmitNode { hash, name, key };
        let sam = Who::Human(HumanName::new("admin").unwrap());
        for (who, command) in [(sam, mint), (Who::Node(NodeId(1)), admit)] {
            let asked = proposal(who, command, None);
            self.ledger(NodeId(1))
                .propose(asked)
                .await
                .unwrap()
                .unwrap();
        }
    }

    /// Where a node's snapshots are.
    pub fn snapshots(&self, node: NodeId) -> PathBuf {
        self.folder.path().join(node.to_string()).join("snapshots")
    }

    pub fn nodes(&self) -> Vec<NodeId> {
        self.ledgers.keys().copied().collect()
    }

    pub fn ledger(&self, node: NodeId) -> &Ledger {
        &self.ledgers[&node]
    }

    pub fn cut_off(&mut self, node: NodeId) {
        self.board.cut_off.lock().unwrap().insert(node);
    }

    pub fn heal(&mut self, node: NodeId) {
        self.board.cut_off.lock().unwrap().remove(&node);
    }

    /// Has what one node answers to another lost.
    pub fn lose_answers(&self, from: NodeId, to: NodeId) {
        self.board.unheard.lock().unwrap().insert((from, to));
    }

    pub async fn leader(&self) -> NodeId {
        self.leader_but(NodeId(0)).await
    }

    /// Who leads, once somebody other than `old` says that they do.
    pub async fn leader_but(&self, old: NodeId) -> NodeId {
        let leading = || {
            let mut nodes = self.ledgers.iter().filter(|(node, _)| **node != old);
            let leads = |ledger: &Ledger| ledger.status().is_leader;
            nodes
                .find(|(_, ledger)| leads(ledger))
                .map(|(node, _)| *node)
        };
        until(leading, Option::is_some).await.unwrap()
    }

    /// Opens a case.
    pub async fn open_on(&self, node: NodeId, title: &str) -> CaseId {
        match open_case(self.ledger(node), title, None).await {
            Ok(Ok(Outcome::Opened(case))) => case,
            other => panic!("{title} is not opened: {other:?}"),
        }
    }

    /// What a node's personas would be told from now on.
    pub fn changes(&mut self, node: NodeId) -> Changes {
        self.changes.remove(&node).unwrap()
    }

    /// Opens a case and brings it to its end.
    pub async fn close_case(&self, node: NodeId, title: &str) {
        let case = self.open_on(node, title).await;
        self.close_opened(node, case).await;
    }

    /// A human says what a node may be.
    pub async fn set_role(&self, node: NodeId, role: Role) {
        let command = Command::SetRole { node, role };
        let set = self.ledger(node).propose(proposal(ada(), command, None));
        set.await.unwrap().unwrap();
    }

    /// Brings a case to its end.
    pub async fn close_opened(&self, node: NodeId, case: CaseId) {
        let ledger = self.ledger(node);
        let reason = "done with it".to_owned();
        let cancel = proposal(ada(), Command::CancelCase { case, reason }, None);
        ledger.propose(cancel).await.unwrap().unwrap();
        let report = Report {
            summary: "nothing was done".to_owned(),
            root_cause: None,
            recommendation: None,
            impact: None,
            document: Body::Inline("{}".to_owned()),
            markdown: Body::Inline("# nothing".to_owned()),
        };
        let report = Command::ReportCase {
            case,
            generation: ledger.read(|state| state.cases[&case].generation),
            report: Box::new(report),
        };
        let term = ledger.status().term;
        let told = ledger.propose(proposal(Who::Manager { term }, report, None));
        told.await.unwrap().unwrap();
    }

    pub async fn close(self) {
        for ledger in self.ledgers.into_values() {
            ledger.close().await;
        }
    }
}

pub fn case_count(ledger: &Ledger) -> usize {
    ledger.read(|state| state.cases.len())
}

pub async fn open_case(
    ledger: &Ledger,
    title: &str,
    request: Option<&str>,
) -> Result<Verdict, ProposeError> {
    let text = Body::Inline("look at it".to_owned());
    let open = Command::OpenCase {
        team: None,
        title: title.to_owned(),
        brief: Brief { text },
        attachments: Vec::new(),
        playbook: None,
    };
    ledger.propose(proposal(ada(), open, request)).await
}

fn ada() -> Who {
    Who::Human(HumanName::new("admin").unwrap())
}

/// Somebody's wish.
pub fn proposal(who: Who, command: Command, request: Option<&str>) -> Proposal {
    Proposal {
        request: request.map(|id| Request {
            id: RequestId::new(id).unwrap(),
            digest: 1,
        }),
        principal: Principal::own(who),
        wall_ms: 1_700_000_000_000,
        command,
        decision: None,
    }
}

/// Waits until `what` holds, and says how it was when it never did.
pub async fn until<T: Debug>(look: impl Fn() -> T, what: impl Fn(&T) -> bool) -> T {
    let deadline = Deadline::after(PATIENCE);
    loop {
        let found = look();
        if what(&found) {
            return found;
        }
        assert!(!deadline.is_over(), "still {found:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
